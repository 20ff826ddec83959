// Dates and times: parts, truncation, addition, difference, the current time.
#include <cmath>

#include "functions/ascii.h"
#include "functions/overflow.h"
#include "functions/overload.h"
#include "functions/scalar/part_argument.h"
#include "functions/text_output.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

namespace {

using namespace kernels;
using K = TypeKind;

[[nodiscard]] Error unsupportedPart(DatePart part, const SqlType& type) {
    return Error(sqlstate::kFeatureNotSupported,
                 "this date part does not exist for type " + formatType(type))
        .withHint("Cast the value to TIMESTAMP or choose another part.");
}

bool isZonePart(DatePart part) {
    return part >= DatePart::kTimezone;
}

f64 zonePart(DatePart part, i64 offset_seconds) {
    if (part == DatePart::kTimezone) return f64(offset_seconds);
    return f64(part == DatePart::kTimezoneHour ? offset_seconds / 3600 : offset_seconds / 60 % 60);
}

/// Parts of an interval, whose units carry into each other up to days or years.
f64 intervalPart(DatePart part, i64 months, i64 micros) {
    switch (part) {
    case DatePart::kMillennium: return f64(months / 12000);
    case DatePart::kCentury: return f64(months / 1200);
    case DatePart::kDecade: return f64(months / 120);
    case DatePart::kYear: return f64(months / 12);
    case DatePart::kQuarter: return f64(months % 12 / 3 + 1);
    case DatePart::kMonth: return f64(months % 12);
    case DatePart::kDay: return f64(micros / kMicrosPerDay);
    case DatePart::kHour: return f64(micros % kMicrosPerDay / kMicrosPerHour);
    case DatePart::kMinute: return f64(micros % kMicrosPerHour / kMicrosPerMinute);
    case DatePart::kSecond: return f64(micros % kMicrosPerMinute) / 1e6;
    case DatePart::kMillisecond: return f64(micros % kMicrosPerMinute) / 1e3;
    case DatePart::kMicrosecond: return f64(micros % kMicrosPerMinute);
    case DatePart::kEpoch:
        return f64(months / 12) * 31557600.0 + f64(months % 12) * 2592000.0 + f64(micros) / 1e6;
    default: return 0;
    }
}

/// Any part of any date or time. `whole`: EXTRACT's integer seconds for types without a zone.
f64 extractPart(DatePart part, i64 value, K kind, bool whole, const Scope& scope) {
    if (kind == K::kIntervalMonths) return intervalPart(part, value, 0);
    if (kind == K::kIntervalMicros) return intervalPart(part, 0, value);
    i64 offset = 0;
    i64 micros = kind == K::kDate ? value * kMicrosPerDay : value;
    if (kind == K::kTimestampTz || kind == K::kTimeTz) {
        const TimeZone zone = sessionTimeZone(scope.session());
        offset = zone.offsetAt(kind == K::kTimeTz ? scope.session().statement_time : value);
        if (part == DatePart::kEpoch && kind == K::kTimestampTz)
            return f64(value + i64(kUnixToEpochDays) * kMicrosPerDay) / 1e6;
        micros += offset * kMicrosPerSecond;
    }
    if (isZonePart(part)) return zonePart(part, offset);
    const bool time_only = kind == K::kTime || kind == K::kTimeTz;
    if (time_only) micros = floorModulo(micros, kMicrosPerDay);
    if (part == DatePart::kEpoch) {
        if (time_only) return f64(micros) / 1e6;
        const i64 unix_micros = micros + i64(kUnixToEpochDays) * kMicrosPerDay;
        return whole ? f64(floorDivide(unix_micros, kMicrosPerSecond)) : f64(unix_micros) / 1e6;
    }
    if (isTimePart(part)) {
        const i64 time = floorModulo(micros, kMicrosPerDay);
        if (!whole && part == DatePart::kSecond) return f64(time % kMicrosPerMinute) / 1e6;
        if (!whole && part == DatePart::kMillisecond) return f64(time % kMicrosPerMinute) / 1e3;
        // EXTRACT counts thousandths within the second, DATE_PART within the minute.
        if (whole && part == DatePart::kMillisecond) return f64(time % kMicrosPerSecond / 1000);
        if (whole && part == DatePart::kMicrosecond) return f64(time % kMicrosPerSecond);
        return f64(extractFromTime(part, time));
    }
    return f64(extractFromDate(part, dateOfTimestamp(micros)));
}

bool partExists(DatePart part, K kind) {
    const bool time_only = kind == K::kTime || kind == K::kTimeTz;
    if (time_only)
        return isTimePart(part) || part == DatePart::kEpoch ||
               (isZonePart(part) && kind == K::kTimeTz);
    if (isZonePart(part)) return kind == K::kTimestampTz;
    return true;
}

template <class Out> void partLoop(const LoopCall& call) {
    const Scope scope{call, {}};
    const SqlType& type = call.arg_types[1];
    constexpr bool whole = sizeof(Out) == 4;
    const Vector& values = call.args[1];
    partRows(call, [&](DatePart part, u32 row) {
        if (!partExists(part, type.kind)) return call.context.fail(unsupportedPart(part, type));
        const i64 value = i64(values.integerAt(row));
        const bool finite = type.kind == K::kDate ? isFiniteDate(i32(value))
                            : type.kind != K::kTimestamp && type.kind != K::kTimestampTz
                                ? true
                                : isFiniteTimestamp(value);
        if (!finite) {
            if constexpr (whole) return clearBit(call.out.validity(), row);
            else {
                call.out.values<Out>()[row] = Out(value > 0 ? HUGE_VAL : -HUGE_VAL);
                return;
            }
        }
        const f64 result = extractPart(part, value, type.kind, whole, scope);
        if (whole && (result > 2147483647.0 || result < -2147483648.0))
            return raiseOutOfRange(call.context, SqlType::integer());
        call.out.values<Out>()[row] = Out(result);
    });
}

/// EXTRACT of an integer-valued part gives INTEGER; of EPOCH and zoned values DOUBLE PRECISION.
void extractLoop(const LoopCall& call) {
    if (call.out.kind() == PhysicalKind::kI32) partLoop<i32>(call);
    else partLoop<f64>(call);
}

SqlType extractResult(std::span<const SqlType> arguments, std::span<const Value* const> constants) {
    const K kind = arguments[1].kind;
    if (kind == K::kTimestampTz) return SqlType::doublePrecision();
    if (!constants.empty() && constants[0] != nullptr && !constants[0]->is_null) {
        const auto part = datePartFromName(constants[0]->text);
        // Seconds since 1970 do not fit four bytes for long.
        if (part == DatePart::kEpoch)
            return kind == K::kTimestamp || kind == K::kDate ? SqlType::bigInt()
                                                             : SqlType::doublePrecision();
    }
    return isInterval(kind) ? SqlType::doublePrecision() : SqlType::integer();
}

/// A constant calendar part of dates without NULLs, such as EXTRACT(YEAR FROM o_orderdate).
bool extractFromDates(const LoopCall& call) {
    const Vector& names = call.args[0];
    const Vector& dates = call.args[1];
    if (call.arg_types[1].kind != K::kDate || dates.kind != PhysicalKind::kI32 ||
        dates.form != VectorForm::kFlat || dates.validity != nullptr ||
        call.out.kind() != PhysicalKind::kI32 || names.form != VectorForm::kConstant ||
        names.isNull(0))
        return false;
    const auto part = datePartFromName(asStringView(names.valueAt<TextView>(0)));
    if (!part || isTimePart(*part) || isZonePart(*part) || *part == DatePart::kEpoch) return false;
    const i32* days = dates.values<i32>();
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        if (!isFiniteDate(days[row])) return false;
        call.out.values<i32>()[row] = extractFromDate(*part, days[row]);
    }
    return true;
}

void extractAnyLoop(const LoopCall& call) {
    if (extractFromDates(call)) return;
    if (call.out.kind() != PhysicalKind::kI64) return extractLoop(call);
    const Scope scope{call, {}};
    partRows(call, [&](DatePart part, u32 row) {
        const i64 value = i64(call.args[1].integerAt(row));
        call.out.values<i64>()[row] =
            i64(extractPart(part, value, call.arg_types[1].kind, true, scope));
    });
}

void truncateLoop(const LoopCall& call) {
    const bool zoned = call.arg_types[1].kind == K::kTimestampTz;
    const Scope scope{call, {}};
    const TimeZone zone = zoned ? sessionTimeZone(scope.session()) : TimeZone::utc();
    const i64* values = call.args[1].values<i64>();
    const u32 step = call.args[1].form == VectorForm::kConstant ? 0 : 1;
    partRows(call, [&](DatePart part, u32 row) {
        const bool known = monthsOfPart(part) > 0 || microsOfPart(part) > 0;
        if (!known) return call.context.fail(unsupportedPart(part, call.arg_types[1]));
        const i64 value = values[row * step];
        call.out.values<i64>()[row] = zoned
                                          ? zone.toUtc(truncateTimestamp(part, zone.toLocal(value)))
                                          : truncateTimestamp(part, value);
    });
}

void truncateIntervalLoop(const LoopCall& call) {
    partRows(call, [&](DatePart part, u32 row) {
        const i64 value = i64(call.args[1].integerAt(row));
        if (call.out.kind() == PhysicalKind::kI32) {
            const i64 unit = monthsOfPart(part);
            call.out.values<i32>()[row] = i32(unit == 0 ? value : value / unit * unit);
        } else {
            const i64 unit = microsOfPart(part);
            call.out.values<i64>()[row] = unit == 0 ? 0 : value / unit * unit;
        }
    });
}

/// DATEADD(part, n, timestamp).
void dateAddLoop(const LoopCall& call) {
    const K kind = call.result_type.kind;
    partRows(call, [&](DatePart part, u32 row) {
        const i64 amount = i64(call.args[1].integerAt(row));
        const i64 value = i64(call.args[2].integerAt(row));
        const i64 months = monthsOfPart(part);
        const i64 unit = microsOfPart(part);
        if (months == 0 && unit == 0)
            return call.context.fail(unsupportedPart(part, call.arg_types[2]));
        u32 flags = 0;
        i64 result;
        if (kind == K::kTime || kind == K::kTimeTz) {
            if (months > 0 || unit >= kMicrosPerDay)
                return call.context.fail(unsupportedPart(part, call.arg_types[2]));
            const i64 micros = amount % (kMicrosPerDay / unit) * unit;
            result = floorModulo(value + micros, kMicrosPerDay);
        } else if (months > 0) {
            // A day at the end of its month stays there only when it must.
            result =
                addMonthsTimestamp(value, multiplyChecked(amount, months, flags), false, flags);
        } else {
            result = addMicros(value, multiplyChecked(amount, unit, flags), flags);
        }
        if (flags != 0) return raiseOutOfRange(call.context, call.result_type);
        call.out.values<i64>()[row] = result;
    });
}

void dateDiffLoop(const LoopCall& call) {
    const K kind = call.arg_types[1].kind;
    const Scope scope{call, {}};
    const TimeZone zone =
        kind == K::kTimestampTz ? sessionTimeZone(scope.session()) : TimeZone::utc();
    partRows(call, [&](DatePart part, u32 row) {
        i64 from = i64(call.args[1].integerAt(row));
        i64 to = i64(call.args[2].integerAt(row));
        if (monthsOfPart(part) == 0 && microsOfPart(part) == 0)
            return call.context.fail(unsupportedPart(part, call.arg_types[1]));
        if (kind == K::kDate) {
            if (!isFiniteDate(i32(from)) || !isFiniteDate(i32(to)))
                return raiseOutOfRange(call.context, SqlType::date());
            if (part == DatePart::kDay || part == DatePart::kDayOfYear ||
                part == DatePart::kDayOfWeek) {
                call.out.values<i64>()[row] = to - from;
                return;
            }
            from *= kMicrosPerDay;
            to *= kMicrosPerDay;
        } else if (kind == K::kTimestamp || kind == K::kTimestampTz) {
            if (!isFiniteTimestamp(from) || !isFiniteTimestamp(to))
                return raiseOutOfRange(call.context, SqlType::timestamp());
            from = zone.toLocal(from);
            to = zone.toLocal(to);
        }
        call.out.values<i64>()[row] = differenceOfParts(part, from, to);
    });
}

i64 addMonthsTo(Scope& scope, i64 timestamp, i64 months) {
    u32 flags = 0;
    const i64 result = addMonthsTimestamp(timestamp, months, true, flags);
    if (flags != 0) raiseOutOfRange(scope.call.context, scope.call.result_type);
    return result;
}

i32 lastDay(Scope&, i32 date) {
    if (!isFiniteDate(date)) return date;
    const Civil civil = civilFromDays(date);
    return daysFromCivil(civil.year, civil.month, daysInMonth(civil.year, civil.month));
}
i32 nextDay(Scope& scope, i32 date, std::string_view name) {
    std::string word = asciiLower(trimBlanks(name));
    int wanted = weekdayFromName(word);
    if (wanted < 0) {
        constexpr std::string_view kShort[] = {"su", "m", "tu", "w", "th", "f", "sa"};
        for (int i = 0; i < 7; ++i)
            if (word == kShort[i] || (i == 1 && word == "mo") || (i == 3 && word == "we") ||
                (i == 5 && word == "fr"))
                wanted = i;
    }
    if (wanted < 0) {
        scope.fail(
            Error(sqlstate::kInvalidParameterValue, "day of week \"" + word + "\" is not known")
                .withHint("Use a name such as 'Tuesday', 'Tue' or 'Tu'."));
        return 0;
    }
    const i32 distance = (wanted - dayOfWeek(date) + 7) % 7;
    return date + (distance == 0 ? 7 : distance);
}
f64 monthsBetween(Scope&, i64 a, i64 b) {
    const Civil x = civilFromDays(dateOfTimestamp(a));
    const Civil y = civilFromDays(dateOfTimestamp(b));
    const f64 months = f64(x.year - y.year) * 12 + (x.month - y.month);
    const bool both_last =
        x.day == daysInMonth(x.year, x.month) && y.day == daysInMonth(y.year, y.month);
    if (x.day == y.day || both_last) return months;
    const f64 seconds = f64(timeOfTimestamp(a) - timeOfTimestamp(b)) / 1e6;
    return months + (x.day - y.day) / 31.0 + seconds / 86400.0 / 31.0;
}
i32 dateOf(Scope&, i64 timestamp) {
    return dateFromTimestamp(timestamp);
}
i32 zonedDateOf(Scope& scope, i64 timestamp) {
    return dateFromTimestamp(sessionTimeZone(scope.session()).toLocal(timestamp));
}
i32 yearOf(Scope&, i32 date) {
    return extractFromDate(DatePart::kYear, date);
}
template <class T> i32 compareNumbers(Scope&, T a, T b) {
    return a < b ? -1 : a > b;
}
bool isFiniteTime(Scope&, i64 timestamp) {
    return isFiniteTimestamp(timestamp);
}
bool isFiniteDay(Scope&, i32 date) {
    return isFiniteDate(date);
}

/// AGE as days and time: whole days between two timestamps.
i64 age(Scope& scope, i64 a, i64 b) {
    if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b))
        raiseOutOfRange(scope.call.context, scope.call.result_type);
    return i64(u64(a) - u64(b));
}

/// The half-open spans of two pairs meet; either end may come first, an empty span is its point.
bool overlap(Scope&, i64 a, i64 b, i64 c, i64 d) {
    if (a > b) std::swap(a, b);
    if (c > d) std::swap(c, d);
    if (a == c) return true;
    return a < c ? c < b : a < d;
}

// ---- Zones.

std::optional<TimeZone> zoneNamed(Scope& scope, std::string_view name) {
    const auto zone = TimeZone::find(name);
    if (!zone)
        scope.fail(Error(sqlstate::kInvalidParameterValue,
                         "time zone \"" + std::string(name.substr(0, 64)) + "\" not recognized")
                       .withHint("Use a name such as 'UTC', 'US/Pacific' or 'Europe/Berlin'."));
    return zone;
}
i64 toZone(Scope& scope, std::string_view name, i64 utc) {
    const auto zone = zoneNamed(scope, name);
    return zone ? zone->toLocal(utc) : 0;
}
i64 fromZone(Scope& scope, std::string_view name, i64 local) {
    const auto zone = zoneNamed(scope, name);
    return zone ? zone->toUtc(local) : 0;
}
i64 convertZone(Scope& scope, std::string_view from, std::string_view to, i64 local) {
    return toZone(scope, to, fromZone(scope, from, local));
}
i64 timeToZone(Scope& scope, std::string_view name, i64 utc) {
    const auto zone = zoneNamed(scope, name);
    return zone ? floorModulo(
                      utc + zone->offsetAt(scope.session().statement_time) * kMicrosPerSecond,
                      kMicrosPerDay)
                : 0;
}

// ---- The current time.

template <auto f> void constantLoop(const LoopCall& call) {
    Scope scope{call, {}};
    for (u32 i = 0; i < call.count; ++i) row_loop::write(call, call.rowAt(i), f(scope));
}
i64 localNow(Scope& scope) {
    return sessionTimeZone(scope.session()).toLocal(scope.session().statement_time);
}
i64 getDate(Scope& scope) {
    return floorDivide(localNow(scope), kMicrosPerSecond) * kMicrosPerSecond;
}
i64 sysDate(Scope& scope) {
    return sessionTimeZone(scope.session()).toLocal(scope.session().transaction_time);
}
i64 transactionTime(Scope& scope) {
    return scope.session().transaction_time;
}
i32 currentDate(Scope& scope) {
    return dateOfTimestamp(sysDate(scope));
}
i64 currentTime(Scope& scope) {
    return timeOfTimestamp(scope.session().transaction_time);
}
i64 localTime(Scope& scope) {
    return timeOfTimestamp(sysDate(scope));
}
Stored timeOfDay(Scope& scope) {
    const i64 now = localNow(scope);
    const i32 days = dateOfTimestamp(now);
    const Civil civil = civilFromDays(days);
    scope.scratch = std::string(weekdayName(dayOfWeek(days)).substr(0, 3)) + " " +
                    std::string(monthName(civil.month).substr(0, 3)) +
                    (civil.day < 10 ? " 0" : " ") + std::to_string(civil.day) + " ";
    std::string time;
    appendTime(time, timeOfTimestamp(now));
    scope.scratch +=
        time + " " + std::to_string(civil.year) + " " + std::string(scope.session().timezone);
    return {scope.scratch};
}

constexpr auto kStable = Volatility::kStable;

Function failing(std::string_view name, VectorLoop loop,
                 Volatility volatility = Volatility::kImmutable) {
    return {.name = name, .volatility = volatility, .can_fail = true, .loop = loop};
}
Function mayNull(std::string_view name, VectorLoop loop,
                 Volatility volatility = Volatility::kImmutable) {
    return {.name = name,
            .null_policy = NullPolicy::kStrictMayNull,
            .volatility = volatility,
            .can_fail = true,
            .loop = loop};
}
Function safe(std::string_view name, VectorLoop loop,
              Volatility volatility = Volatility::kImmutable) {
    return {.name = name, .volatility = volatility, .leak_proof = true, .loop = loop};
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    for (K kind : {K::kTimestamp, K::kTimestampTz, K::kDate, K::kTime, K::kTimeTz,
                   K::kIntervalMicros, K::kIntervalMonths}) {
        const Volatility volatility =
            kind == K::kTimestampTz || kind == K::kTimeTz ? kStable : Volatility::kImmutable;
        table.push_back({mayNull("extract", extractAnyLoop, volatility),
                         {K::kText, kind},
                         K::kInteger,
                         extractResult});
        for (std::string_view name : {"date_part", "pgdate_part", "datepart"})
            table.push_back(
                {mayNull(name, partLoop<f64>, volatility), {K::kText, kind}, K::kDouble});
        if (!isInterval(kind)) {
            const K result = kind == K::kDate ? K::kTimestamp : kind;
            if (kind != K::kDate)
                for (std::string_view name : {"dateadd", "date_add"})
                    table.push_back(
                        {failing(name, dateAddLoop,
                                 kind == K::kTimestampTz ? kStable : Volatility::kImmutable),
                         {K::kText, K::kBigInt, kind},
                         result});
            for (std::string_view name : {"datediff", "date_diff"})
                table.push_back(
                    {failing(name, dateDiffLoop, volatility), {K::kText, kind, kind}, K::kBigInt});
        }
    }
    const auto add = [&](Function function, std::vector<K> parameters, K result) {
        table.push_back({function, std::move(parameters), result});
    };
    add(failing("date_trunc", truncateLoop), {K::kText, K::kTimestamp}, K::kTimestamp);
    add(failing("date_trunc", truncateLoop, kStable), {K::kText, K::kTimestampTz}, K::kTimestampTz);
    add(failing("date_trunc", truncateIntervalLoop), {K::kText, K::kIntervalMicros},
        K::kIntervalMicros);
    add(failing("date_trunc", truncateIntervalLoop), {K::kText, K::kIntervalMonths},
        K::kIntervalMonths);
    add(failing("add_months", rowLoop<addMonthsTo>), {K::kTimestamp, K::kBigInt}, K::kTimestamp);
    add(safe("last_day", rowLoop<lastDay>), {K::kDate}, K::kDate);
    add(failing("next_day", rowLoop<nextDay>), {K::kDate, K::kText}, K::kDate);
    add(safe("months_between", rowLoop<monthsBetween>), {K::kTimestamp, K::kTimestamp}, K::kDouble);
    add(safe("trunc", rowLoop<dateOf>), {K::kTimestamp}, K::kDate);
    add(safe("trunc", rowLoop<zonedDateOf>, kStable), {K::kTimestampTz}, K::kDate);
    add(safe("date", rowLoop<dateOf>), {K::kTimestamp}, K::kDate);
    add(safe("date", rowLoop<zonedDateOf>, kStable), {K::kTimestampTz}, K::kDate);
    add(safe("date_part_year", rowLoop<yearOf>), {K::kDate}, K::kInteger);
    add(safe("date_cmp", rowLoop<compareNumbers<i32>>), {K::kDate, K::kDate}, K::kInteger);
    add(safe("date_cmp_timestamp", rowLoop<compareNumbers<i64>>), {K::kTimestamp, K::kTimestamp},
        K::kInteger);
    add(safe("timestamp_cmp", rowLoop<compareNumbers<i64>>), {K::kTimestamp, K::kTimestamp},
        K::kInteger);
    add(safe("timestamp_cmp_date", rowLoop<compareNumbers<i64>>), {K::kTimestamp, K::kTimestamp},
        K::kInteger);
    for (std::string_view name :
         {"date_cmp_timestamptz", "timestamp_cmp_timestamptz", "timestamptz_cmp",
          "timestamptz_cmp_date", "timestamptz_cmp_timestamp"})
        add(safe(name, rowLoop<compareNumbers<i64>>), {K::kTimestampTz, K::kTimestampTz},
            K::kInteger);
    add(safe("interval_cmp", rowLoop<compareNumbers<i64>>),
        {K::kIntervalMicros, K::kIntervalMicros}, K::kInteger);
    add(safe("interval_cmp", rowLoop<compareNumbers<i32>>),
        {K::kIntervalMonths, K::kIntervalMonths}, K::kInteger);
    add(safe("isfinite", rowLoop<isFiniteTime>), {K::kTimestamp}, K::kBoolean);
    add(safe("isfinite", rowLoop<isFiniteTime>), {K::kTimestampTz}, K::kBoolean);
    add(safe("isfinite", rowLoop<isFiniteDay>), {K::kDate}, K::kBoolean);
    add(failing("age", rowLoop<age>), {K::kTimestamp, K::kTimestamp}, K::kIntervalMicros);
    add(safe("overlaps", rowLoop<overlap>),
        {K::kTimestamp, K::kTimestamp, K::kTimestamp, K::kTimestamp}, K::kBoolean);
    add(safe("overlaps", rowLoop<overlap>),
        {K::kTimestampTz, K::kTimestampTz, K::kTimestampTz, K::kTimestampTz}, K::kBoolean);
    add(failing("timezone", rowLoop<toZone>), {K::kText, K::kTimestampTz}, K::kTimestamp);
    add(failing("timezone", rowLoop<fromZone>), {K::kText, K::kTimestamp}, K::kTimestampTz);
    add(failing("timezone", rowLoop<timeToZone>, kStable), {K::kText, K::kTimeTz}, K::kTime);
    add(failing("convert_timezone", rowLoop<toZone>), {K::kText, K::kTimestamp}, K::kTimestamp);
    add(failing("convert_timezone", rowLoop<convertZone>), {K::kText, K::kText, K::kTimestamp},
        K::kTimestamp);
    add(safe("getdate", constantLoop<getDate>, kStable), {}, K::kTimestamp);
    add(safe("sysdate", constantLoop<sysDate>, kStable), {}, K::kTimestamp);
    add(safe("current_date", constantLoop<currentDate>, kStable), {}, K::kDate);
    for (std::string_view name : {"now", "current_timestamp", "statement_timestamp",
                                  "transaction_timestamp", "clock_timestamp"})
        add(safe(name, constantLoop<transactionTime>, kStable), {}, K::kTimestampTz);
    add(safe("localtimestamp", constantLoop<sysDate>, kStable), {}, K::kTimestamp);
    add(safe("current_time", constantLoop<currentTime>, kStable), {}, K::kTimeTz);
    add(safe("localtime", constantLoop<localTime>, kStable), {}, K::kTime);
    add(safe("timeofday", constantLoop<timeOfDay>, kStable), {}, K::kText);
    return table;
}

} // namespace

OverloadTable dateFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
