// Casts among dates, times, timestamps and intervals. Zoned types meet the others in the session's
// time zone.
#include "functions/cast_rows.h"
#include "functions/text_output.h"
#include "kernels/convert.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

namespace {

using namespace kernels;

/// One value from type to type, as 64-bit integers; flags what does not fit.
i64 convert(i64 value, TypeKind from, TypeKind to, const TimeZone& zone, i64 now, u32& flags) {
    const bool zoned = from == TypeKind::kTimestampTz;
    switch (to) {
    case TypeKind::kDate: return dateFromTimestamp(zoned ? zone.toLocal(value) : value);
    case TypeKind::kTimestamp:
        if (from == TypeKind::kDate) return timestampOfDate(i32(value));
        return zoned ? zone.toLocal(value) : value;
    case TypeKind::kTimestampTz: {
        const i64 local = from == TypeKind::kDate ? timestampOfDate(i32(value)) : value;
        return zone.toUtc(local);
    }
    case TypeKind::kTime:
        if (from == TypeKind::kTimeTz)
            return floorModulo(add(value, zone.offsetAt(now) * kMicrosPerSecond), kMicrosPerDay);
        if (from == TypeKind::kIntervalMicros) return floorModulo(value, kMicrosPerDay);
        if (!isFiniteTimestamp(value)) flags |= kOverflow;
        return timeOfTimestamp(zoned ? zone.toLocal(value) : value);
    case TypeKind::kTimeTz:
        if (from == TypeKind::kTime)
            return floorModulo(subtract(value, zone.offsetAt(now) * kMicrosPerSecond),
                               kMicrosPerDay);
        if (!isFiniteTimestamp(value)) flags |= kOverflow;
        return timeOfTimestamp(zoned ? value : zone.toUtc(value));
    default: return value; // time to interval
    }
}

} // namespace

template <OnFailure on_failure> void castTimesLoop(const LoopCall& call) {
    const TypeKind from = call.arg_types[0].kind;
    const TypeKind to = call.result_type.kind;
    const bool has_session = call.context.session != nullptr;
    const TimeZone zone = has_session ? sessionTimeZone(*call.context.session) : TimeZone::utc();
    const i64 now = has_session ? call.context.session->statement_time : 0;
    dispatchIntegers(call.args[0].kind, call.out.kind(), [&]<class From, class To>(From*, To*) {
        castRows<From, To, on_failure>(call, [&](From value, u32& flags) {
            return narrowInteger<To>(convert(i64(value), from, to, zone, now, flags), flags);
        });
    });
}

template void castTimesLoop<OnFailure::kNever>(const LoopCall&);
template void castTimesLoop<OnFailure::kRaise>(const LoopCall&);
template void castTimesLoop<OnFailure::kNull>(const LoopCall&);

} // namespace blueshift::functions
