// TO_CHAR, TO_DATE, TO_TIMESTAMP, TO_NUMBER.
#include <cmath>

#include "functions/datetime_format.h"
#include "functions/number_format.h"
#include "functions/overload.h"
#include "functions/scalar/rows.h"
#include "functions/text_input.h"
#include "functions/text_output.h"
#include "kernels/convert.h"
#include "kernels/datetime.h"
#include "kernels/decimal.h"

namespace blueshift::functions {

namespace {

using namespace kernels;
using K = TypeKind;
using Text = std::string_view;

Text textAt(const Vector& vector, u32 row) {
    return asStringView(vector.values<TextView>()[vector.indexOf(row)]);
}

/// Runs f(format, row), with the format of args[1] made once while it is constant.
template <class Format, class F> void formatRows(const LoopCall& call, F f) {
    std::optional<Format> format;
    const bool constant = call.args[1].form == VectorForm::kConstant;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        bool null = false;
        for (const Vector& arg : call.args) null |= arg.isNull(row);
        if (null) continue;
        if (!format || !constant) format.emplace(textAt(call.args[1], row));
        f(*format, row);
    }
}

void dateToCharLoop(const LoopCall& call) {
    const Scope scope{call, {}};
    const K kind = call.arg_types[0].kind;
    const TimeZone zone =
        kind == K::kTimestampTz ? sessionTimeZone(scope.session()) : TimeZone::utc();
    std::string text;
    formatRows<DateTimeFormat>(call, [&](const DateTimeFormat& format, u32 row) {
        const i64 value = i64(call.args[0].integerAt(row));
        DateTimeFormat::Instant instant;
        text.clear();
        if (kind == K::kTime || kind == K::kIntervalMicros) {
            instant.time = value;
        } else if (!isFiniteTimestamp(value)) {
            return clearBit(call.out.validity(), row);
        } else {
            const i64 local = zone.toLocal(value);
            instant.days = dateOfTimestamp(local);
            instant.time = timeOfTimestamp(local);
            if (kind == K::kTimestampTz) {
                instant.offset_seconds = zone.offsetAt(value);
                instant.zone = scope.session().timezone;
            }
        }
        format.append(text, instant);
        row_loop::write(call, row, Stored{text});
    });
}

/// The value times 10^digits, rounded, and its sign. False when it has more than 38 digits.
bool magnitudeOf(const LoopCall& call, u32 row, int digits, i128& magnitude, bool& negative) {
    const SqlType& type = call.arg_types[0];
    u32 flags = 0;
    i128 value;
    if (isFloat(type.kind)) {
        const f64 number = call.args[0].valueAt<f64>(row);
        value = floatToDecimal<i128>(number, f64(powerOfTen(digits)), kMaxDecimal, flags);
    } else {
        value = call.args[0].integerAt(row);
        const int shift = digits - type.scale;
        if (shift < 0) value = divideRounded(value, powerOfTen(-shift));
        else if (shift > 38 || __builtin_mul_overflow(value, powerOfTen(shift), &value))
            flags = kOverflow;
    }
    negative = value < 0;
    magnitude = negative ? -value : value;
    return flags == 0;
}

void appendScientific(std::string& out, f64 value, int digits) {
    char buffer[64];
    const int size =
        std::snprintf(buffer, sizeof buffer, "%+.*e", digits > 30 ? 30 : digits, value);
    if (buffer[0] == '+') buffer[0] = ' ';
    out.append(buffer, size_t(size));
}

void numberToCharLoop(const LoopCall& call) {
    std::string text;
    formatRows<NumberFormat>(call, [&](const NumberFormat& format, u32 row) {
        text.clear();
        if (format.isScientific()) {
            const SqlType& type = call.arg_types[0];
            const f64 value = isFloat(type.kind)
                                  ? call.args[0].valueAt<f64>(row)
                                  : f64(call.args[0].integerAt(row)) / f64(powerOfTen(type.scale));
            appendScientific(text, value, format.fractionDigits());
            return row_loop::write(call, row, Stored{text});
        }
        i128 magnitude;
        bool negative;
        if (!magnitudeOf(call, row, std::min(format.fractionDigits(), 38), magnitude, negative))
            magnitude = kMaxDecimal; // printed as ###
        format.append(text, magnitude, negative);
        row_loop::write(call, row, Stored{text});
    });
}

void failFormat(EvalContext& context, Text text, Text pattern, const std::string& message) {
    context.fail(Error(sqlstate::kInvalidDatetimeFormat,
                       "invalid value \"" + std::string(text.substr(0, 100)) + "\" for format \"" +
                           std::string(pattern.substr(0, 100)) + "\"")
                     .withDetail("In the text, " + message + ".")
                     .withHint("Change the format so that it describes the text."));
}

void parseLoop(const LoopCall& call) {
    const Scope scope{call, {}};
    const TimeZone zone = sessionTimeZone(scope.session());
    formatRows<DateTimeFormat>(call, [&](const DateTimeFormat& format, u32 row) {
        const bool strict = call.args.size() > 2 && call.args[2].valueAt<i8>(row) != 0;
        DateTimeFormat::Parsed parsed;
        std::string message;
        const Text text = textAt(call.args[0], row);
        if (!format.parse(text, strict, parsed, message))
            return failFormat(call.context, text, textAt(call.args[1], row), message);
        if (call.out.kind() == PhysicalKind::kI32) {
            call.out.values<i32>()[row] = dateOfTimestamp(parsed.local_micros);
        } else {
            call.out.values<i64>()[row] =
                parsed.offset_seconds
                    ? parsed.local_micros - *parsed.offset_seconds * kMicrosPerSecond
                    : zone.toUtc(parsed.local_micros);
        }
    });
}

SqlType numberResult(std::span<const SqlType>, std::span<const Value* const> constants) {
    if (constants.size() < 2 || constants[1] == nullptr || constants[1]->is_null)
        return SqlType::decimal(38, 10);
    const NumberFormat format(constants[1]->text);
    const int scale = std::min(format.fractionDigits(), 37);
    return SqlType::decimal(std::min(38, std::max(1, format.integerDigits() + scale)), scale);
}

void toNumberLoop(const LoopCall& call) {
    formatRows<NumberFormat>(call, [&](const NumberFormat& format, u32 row) {
        const Text text = textAt(call.args[0], row);
        i128 value = 0;
        const InputError error = parseDecimal(format.parse(text), call.result_type.precision,
                                              call.result_type.scale, value);
        if (error != InputError::kNone)
            return call.context.fail(describeInputError(error, text, call.result_type));
        if (call.out.kind() == PhysicalKind::kI64) call.out.values<i64>()[row] = i64(value);
        else call.out.values<i128>()[row] = value;
    });
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    constexpr auto kStable = Volatility::kStable;
    for (K kind : {K::kTimestamp, K::kTimestampTz, K::kTime, K::kIntervalMicros})
        table.push_back({{.name = "to_char",
                          .null_policy = NullPolicy::kStrictMayNull,
                          .volatility = kind == K::kTimestampTz ? kStable : Volatility::kImmutable,
                          .can_fail = true,
                          .loop = dateToCharLoop},
                         {kind, K::kText},
                         K::kText});
    for (K kind : {K::kInteger, K::kBigInt, K::kDecimal, K::kDouble})
        table.push_back({{.name = "to_char", .can_fail = true, .loop = numberToCharLoop},
                         {kind, K::kText},
                         K::kText});
    const Function parse{.name = "to_date", .can_fail = true, .loop = parseLoop};
    table.push_back({parse, {K::kText, K::kText}, K::kDate});
    table.push_back({parse, {K::kText, K::kText, K::kBoolean}, K::kDate});
    const Function zoned{
        .name = "to_timestamp", .volatility = kStable, .can_fail = true, .loop = parseLoop};
    table.push_back({zoned, {K::kText, K::kText}, K::kTimestampTz});
    table.push_back({zoned, {K::kText, K::kText, K::kBoolean}, K::kTimestampTz});
    table.push_back({{.name = "to_number", .can_fail = true, .loop = toNumberLoop},
                     {K::kText, K::kText},
                     K::kDecimal,
                     numberResult});
    return table;
}

} // namespace

OverloadTable dateFormatFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
