#include "functions/scalar/date_arithmetic.h"

#include <cmath>

#include "functions/overflow.h"
#include "functions/scalar/rows.h"
#include "functions/text_input.h"
#include "functions/text_output.h"
#include "kernels/datetime.h"

namespace blueshift::functions {

namespace {

using namespace kernels;
using K = TypeKind;

void check(Scope& scope, u32 flags) {
    if (flags != 0) raiseOutOfRange(scope.call.context, scope.call.result_type);
}

i32 datePlusDays(Scope& scope, i32 date, i64 days) {
    u32 flags = 0;
    const i32 result = addDays(date, days, flags);
    check(scope, flags);
    return result;
}
i32 dateMinusDays(Scope& scope, i32 date, i64 days) {
    return datePlusDays(scope, date, -days);
}
i32 daysPlusDate(Scope& scope, i64 days, i32 date) {
    return datePlusDays(scope, date, days);
}
i32 dateMinusDate(Scope&, i32 a, i32 b) {
    return i32(u32(a) - u32(b));
}

i32 datePlusMonths(Scope& scope, i32 date, i32 months) {
    if (!isFiniteDate(date)) return date;
    u32 flags = 0;
    const i32 result = addMonths(date, months, false, flags);
    check(scope, flags);
    return result;
}
i32 dateMinusMonths(Scope& scope, i32 date, i32 months) {
    return datePlusMonths(scope, date, -months);
}
i32 monthsPlusDate(Scope& scope, i32 months, i32 date) {
    return datePlusMonths(scope, date, months);
}

i64 plusMicros(Scope& scope, i64 timestamp, i64 micros) {
    u32 flags = 0;
    const i64 result = addMicros(timestamp, micros, flags);
    check(scope, flags);
    return result;
}
i64 minusMicros(Scope& scope, i64 timestamp, i64 micros) {
    if (micros == kTimestampMinusInfinity) check(scope, kOverflow);
    return plusMicros(scope, timestamp, -micros);
}
i64 microsPlus(Scope& scope, i64 micros, i64 timestamp) {
    return plusMicros(scope, timestamp, micros);
}
i64 plusMonths(Scope& scope, i64 timestamp, i32 months) {
    u32 flags = 0;
    const i64 result = addMonthsTimestamp(timestamp, months, false, flags);
    check(scope, flags);
    return result;
}
i64 minusMonths(Scope& scope, i64 timestamp, i32 months) {
    return plusMonths(scope, timestamp, -months);
}
i64 monthsPlus(Scope& scope, i32 months, i64 timestamp) {
    return plusMonths(scope, timestamp, months);
}
/// Months of a zoned timestamp are counted on the session's clock.
i64 zonedPlusMonths(Scope& scope, i64 timestamp, i32 months) {
    const TimeZone zone = sessionTimeZone(scope.session());
    return zone.toUtc(plusMonths(scope, zone.toLocal(timestamp), months));
}
i64 zonedMinusMonths(Scope& scope, i64 timestamp, i32 months) {
    return zonedPlusMonths(scope, timestamp, -months);
}
i64 monthsPlusZoned(Scope& scope, i32 months, i64 timestamp) {
    return zonedPlusMonths(scope, timestamp, months);
}

i64 timestampDifference(Scope& scope, i64 a, i64 b) {
    u32 flags = 0;
    const i64 result = subtractChecked(a, b, flags);
    if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b)) flags |= kOverflow;
    check(scope, flags);
    return result;
}
i64 timePlus(Scope&, i64 time, i64 micros) {
    return floorModulo(time + micros % kMicrosPerDay, kMicrosPerDay);
}
i64 timeMinus(Scope&, i64 time, i64 micros) {
    return floorModulo(time - micros % kMicrosPerDay, kMicrosPerDay);
}
i64 microsPlusTime(Scope& scope, i64 micros, i64 time) {
    return timePlus(scope, time, micros);
}
i64 dateTime(Scope&, i32 date, i64 time) {
    const i64 start = timestampOfDate(date);
    return isFiniteTimestamp(start) ? start + time : start;
}
i64 timeDate(Scope& scope, i64 time, i32 date) {
    return dateTime(scope, date, time);
}

template <class T> T scaled(Scope& scope, f64 value) {
    const f64 rounded = std::rint(value);
    const f64 bound = sizeof(T) == 4 ? 2147483648.0 : 9223372036854775808.0;
    if (!(rounded > -bound && rounded < bound)) {
        check(scope, kOverflow);
        return 0;
    }
    return T(rounded);
}
template <class T> T times(Scope& scope, T interval, f64 factor) {
    return scaled<T>(scope, f64(interval) * factor);
}
template <class T> T factorTimes(Scope& scope, f64 factor, T interval) {
    return times<T>(scope, interval, factor);
}
template <class T> T divided(Scope& scope, T interval, f64 divisor) {
    if (divisor == 0) {
        scope.fail(sqlstate::kDivisionByZero, "division by zero");
        return 0;
    }
    return scaled<T>(scope, f64(interval) / divisor);
}
template <class T> T sum(Scope& scope, T a, T b) {
    u32 flags = 0;
    const T result = addChecked(a, b, flags);
    check(scope, flags);
    return result;
}
template <class T> T difference(Scope& scope, T a, T b) {
    u32 flags = 0;
    const T result = subtractChecked(a, b, flags);
    check(scope, flags);
    return result;
}

struct Rule {
    Operator op;
    K left;
    K right;
    K result;
    Function function;
};

constexpr Function entry(std::string_view name, VectorLoop loop,
                         Volatility volatility = Volatility::kImmutable) {
    return {.name = name, .volatility = volatility, .can_fail = true, .loop = loop};
}

constexpr auto kStable = Volatility::kStable;
constexpr Operator kPlus = Operator::kAdd;
constexpr Operator kMinus = Operator::kSubtract;
constexpr K kYearMonth = K::kIntervalMonths;
constexpr K kDaySecond = K::kIntervalMicros;

const Rule kRules[] = {
    {kPlus, K::kDate, K::kBigInt, K::kDate, entry("+", rowLoop<datePlusDays>)},
    {kPlus, K::kBigInt, K::kDate, K::kDate, entry("+", rowLoop<daysPlusDate>)},
    {kMinus, K::kDate, K::kBigInt, K::kDate, entry("-", rowLoop<dateMinusDays>)},
    {kMinus,
     K::kDate,
     K::kDate,
     K::kInteger,
     {.name = "-", .leak_proof = true, .loop = rowLoop<dateMinusDate>}},
    {kPlus, K::kDate, kYearMonth, K::kDate, entry("+", rowLoop<datePlusMonths>)},
    {kPlus, kYearMonth, K::kDate, K::kDate, entry("+", rowLoop<monthsPlusDate>)},
    {kMinus, K::kDate, kYearMonth, K::kDate, entry("-", rowLoop<dateMinusMonths>)},
    {kPlus, K::kDate, K::kTime, K::kTimestamp, entry("+", rowLoop<dateTime>)},
    {kPlus, K::kTime, K::kDate, K::kTimestamp, entry("+", rowLoop<timeDate>)},
    {kPlus, K::kDate, K::kTimeTz, K::kTimestampTz, entry("+", rowLoop<dateTime>)},
    {kPlus, K::kTimeTz, K::kDate, K::kTimestampTz, entry("+", rowLoop<timeDate>)},
    {kPlus, K::kTimestamp, kDaySecond, K::kTimestamp, entry("+", rowLoop<plusMicros>)},
    {kPlus, kDaySecond, K::kTimestamp, K::kTimestamp, entry("+", rowLoop<microsPlus>)},
    {kMinus, K::kTimestamp, kDaySecond, K::kTimestamp, entry("-", rowLoop<minusMicros>)},
    {kPlus, K::kTimestamp, kYearMonth, K::kTimestamp, entry("+", rowLoop<plusMonths>)},
    {kPlus, kYearMonth, K::kTimestamp, K::kTimestamp, entry("+", rowLoop<monthsPlus>)},
    {kMinus, K::kTimestamp, kYearMonth, K::kTimestamp, entry("-", rowLoop<minusMonths>)},
    {kMinus, K::kTimestamp, K::kTimestamp, kDaySecond, entry("-", rowLoop<timestampDifference>)},
    {kPlus, K::kTimestampTz, kDaySecond, K::kTimestampTz, entry("+", rowLoop<plusMicros>)},
    {kPlus, kDaySecond, K::kTimestampTz, K::kTimestampTz, entry("+", rowLoop<microsPlus>)},
    {kMinus, K::kTimestampTz, kDaySecond, K::kTimestampTz, entry("-", rowLoop<minusMicros>)},
    {kPlus, K::kTimestampTz, kYearMonth, K::kTimestampTz,
     entry("+", rowLoop<zonedPlusMonths>, kStable)},
    {kPlus, kYearMonth, K::kTimestampTz, K::kTimestampTz,
     entry("+", rowLoop<monthsPlusZoned>, kStable)},
    {kMinus, K::kTimestampTz, kYearMonth, K::kTimestampTz,
     entry("-", rowLoop<zonedMinusMonths>, kStable)},
    {kMinus, K::kTimestampTz, K::kTimestampTz, kDaySecond,
     entry("-", rowLoop<timestampDifference>)},
    {kPlus, K::kTime, kDaySecond, K::kTime, entry("+", rowLoop<timePlus>)},
    {kPlus, kDaySecond, K::kTime, K::kTime, entry("+", rowLoop<microsPlusTime>)},
    {kMinus, K::kTime, kDaySecond, K::kTime, entry("-", rowLoop<timeMinus>)},
    {kMinus, K::kTime, K::kTime, kDaySecond, entry("-", rowLoop<timestampDifference>)},
    {kPlus, K::kTimeTz, kDaySecond, K::kTimeTz, entry("+", rowLoop<timePlus>)},
    {kMinus, K::kTimeTz, kDaySecond, K::kTimeTz, entry("-", rowLoop<timeMinus>)},
    {kPlus, kYearMonth, kYearMonth, kYearMonth, entry("+", rowLoop<sum<i32>>)},
    {kMinus, kYearMonth, kYearMonth, kYearMonth, entry("-", rowLoop<difference<i32>>)},
    {kPlus, kDaySecond, kDaySecond, kDaySecond, entry("+", rowLoop<sum<i64>>)},
    {kMinus, kDaySecond, kDaySecond, kDaySecond, entry("-", rowLoop<difference<i64>>)},
    {Operator::kMultiply, kYearMonth, K::kDouble, kYearMonth, entry("*", rowLoop<times<i32>>)},
    {Operator::kMultiply, K::kDouble, kYearMonth, kYearMonth,
     entry("*", rowLoop<factorTimes<i32>>)},
    {Operator::kDivide, kYearMonth, K::kDouble, kYearMonth, entry("/", rowLoop<divided<i32>>)},
    {Operator::kMultiply, kDaySecond, K::kDouble, kDaySecond, entry("*", rowLoop<times<i64>>)},
    {Operator::kMultiply, K::kDouble, kDaySecond, kDaySecond,
     entry("*", rowLoop<factorTimes<i64>>)},
    {Operator::kDivide, kDaySecond, K::kDouble, kDaySecond, entry("/", rowLoop<divided<i64>>)},
};

bool isTemporal(K kind) {
    return isDateTime(kind) || isInterval(kind);
}

/// The kind an operand counts as beside `other`.
K operandKind(const SqlType& type, const SqlType& other, Operator op, const Value* constant) {
    if (isNumeric(type.kind)) {
        if (isInterval(other.kind)) return K::kDouble;
        return isInteger(type.kind) ? K::kBigInt : type.kind;
    }
    if (type.kind != K::kUnknown) return type.kind;
    if (constant != nullptr && !constant->is_null) {
        // An untyped literal beside a date: an interval when it reads as one with a unit.
        i64 months, micros, number;
        const std::string_view text = constant->text;
        if (parseInteger(text, -100'000'000, 100'000'000, number) == InputError::kNone)
            return isInterval(other.kind) ? K::kDouble : K::kBigInt;
        const bool is_date =
            op == kMinus && other.kind != K::kTime && isDateTime(other.kind) &&
            text.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
                std::string_view::npos;
        if (!is_date && parseInterval(text, months, micros) == InputError::kNone)
            return months != 0 && micros == 0 ? kYearMonth : kDaySecond;
    }
    return isInterval(other.kind) && (op == kPlus || op == kMinus) ? K::kTimestamp : other.kind;
}

SqlType typeOf(K wanted, const SqlType& own) {
    return own.kind == wanted ? own : SqlType::of(wanted);
}

} // namespace

std::optional<BoundFunction> bindDateArithmetic(Operator op, const SqlType& a, const SqlType& b,
                                                std::span<const Value* const> constants) {
    if (!isTemporal(a.kind) && !isTemporal(b.kind)) return {};
    K left = operandKind(a, b, op, constants.empty() ? nullptr : constants[0]);
    K right = operandKind(b, a, op, constants.size() < 2 ? nullptr : constants[1]);
    const auto find = [&]() -> const Rule* {
        for (const Rule& rule : kRules)
            if (rule.op == op && rule.left == left && rule.right == right) return &rule;
        return nullptr;
    };
    const Rule* rule = find();
    if (rule == nullptr && op == kMinus && isDateTime(left) && isDateTime(right)) {
        // date - timestamp and its kin meet in the wider type.
        left = right = std::max(left, right);
        rule = find();
    }
    if (rule == nullptr && (left == K::kDate || right == K::kDate)) {
        if (left == K::kDate) left = K::kTimestamp;
        if (right == K::kDate) right = K::kTimestamp;
        rule = find();
    }
    if (rule == nullptr) return {};
    return BoundFunction{
        &rule->function, SqlType::of(rule->result), {typeOf(left, a), typeOf(right, b)}};
}

} // namespace blueshift::functions
