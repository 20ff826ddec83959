#include "session/binary_format.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "session/message_reader.h"
#include "session/message_writer.h"

namespace blueshift::session {

namespace {

constexpr i16 kNumericNegative = 0x4000;
constexpr u32 kGroup = 10'000;

[[noreturn]] void failBinary(const SqlType& type) {
    throw SqlError(Error(sqlstate::kInvalidBinaryRepresentation,
                         "incorrect binary data format for type " + formatType(type))
                       .withHint("Send the parameter in text form, or check the driver's type."));
}

[[noreturn]] void failRange(const SqlType& type) {
    throw SqlError(
        Error(sqlstate::kNumericValueOutOfRange,
              "numeric parameter does not fit type " + formatType(type))
            .withHint("Cast the parameter to a wider type, such as $1::NUMERIC(38,10)."));
}

i64 readInteger(std::string_view bytes) {
    u64 value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~u64(0) : 0;
    for (const char byte : bytes) value = value << 8 | u8(byte);
    return i64(value);
}

i128 limitOfPrecision(u32 precision) {
    i128 limit = 1;
    for (u32 i = 0; i < precision; ++i) limit *= 10;
    return limit;
}

} // namespace

void appendNumeric(std::string& out, i128 unscaled, u32 scale) {
    const bool negative = unscaled < 0;
    u128 rest = negative ? -u128(unscaled) : u128(unscaled);
    // Pad the fraction to whole groups: a last partial group is scaled up.
    const u32 partial = scale % 4;
    const u32 fraction_groups = (scale + 3) / 4;
    i16 groups[16]; // from the right
    int count = 0;
    if (partial != 0) {
        u32 divisor = 1, factor = 1;
        for (u32 i = 0; i < partial; ++i) divisor *= 10;
        for (u32 i = partial; i < 4; ++i) factor *= 10;
        groups[count++] = i16(u32(rest % divisor) * factor);
        rest /= divisor;
    }
    while (rest != 0) {
        groups[count++] = i16(u32(rest % kGroup));
        rest /= kGroup;
    }
    const int weight = count - 1 - int(fraction_groups);
    int first = count;
    while (first > 0 && groups[first - 1] == 0) --first;
    int last = 0;
    while (last < first && groups[last] == 0) ++last;
    const int digits = first - last;
    appendInt16(out, i16(digits));
    appendInt16(out, digits == 0 ? i16(0) : i16(weight - (count - first)));
    appendInt16(out, negative ? kNumericNegative : i16(0));
    appendInt16(out, i16(scale));
    for (int i = first; i > last; --i) appendInt16(out, groups[i - 1]);
}

i128 readNumeric(std::string_view bytes, const SqlType& type) {
    FieldReader reader(bytes);
    const i16 digits = reader.readInt16();
    const i16 weight = reader.readInt16();
    const u16 sign = u16(reader.readInt16());
    reader.readInt16(); // display scale
    if (reader.failed() || digits < 0) failBinary(type);
    if (sign != 0 && sign != u16(kNumericNegative)) {
        if (sign == 0xC000) failRange(type); // NaN
        failBinary(type);
    }
    // Groups hold digits at positions 4 * (weight - i) .. + 3 from the decimal point.
    const int scale = type.scale;
    const i128 limit = limitOfPrecision(type.precision);
    i128 value = 0;
    const auto push = [&](u32 decimal) {
        if (value > (limit - 1 - i128(decimal)) / 10) failRange(type);
        value = value * 10 + decimal;
    };
    bool round_up = false;
    bool rounded = false;
    for (int i = 0; i < digits; ++i) {
        const i16 group = reader.readInt16();
        if (reader.failed() || group < 0 || group >= i16(kGroup)) failBinary(type);
        if (rounded) continue;
        const int exponent = 4 * (weight - i); // of the group's last digit
        u32 divisor = 1000;
        for (int digit = 3; digit >= 0; --digit, divisor /= 10) {
            const u32 decimal = u32(group) / divisor % 10;
            if (exponent + digit < -scale) {
                if (!rounded) round_up = exponent + digit == -scale - 1 && decimal >= 5;
                rounded = true;
                break;
            }
            push(decimal);
        }
    }
    if (!reader.complete()) failBinary(type);
    if (!rounded && value != 0) {
        // Zeros between the last group and the last digit of the type.
        for (int position = 4 * (weight - digits + 1); position > -scale; --position) push(0);
    }
    if (round_up && ++value >= limit) failRange(type);
    return sign == 0 ? value : -value;
}

Value readBinaryValue(std::string_view bytes, const SqlType& type) {
    const auto integer = [&](size_t width) {
        if (bytes.size() != width) failBinary(type);
        return Value::ofInteger(readInteger(bytes), type);
    };
    switch (type.kind) {
    case TypeKind::kBoolean: {
        Value value = integer(1);
        value.integer = value.integer != 0;
        return value;
    }
    case TypeKind::kSmallInt: return integer(2);
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kIntervalMonths:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype: return integer(4);
    case TypeKind::kBigInt:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kIntervalMicros: return integer(8);
    case TypeKind::kTimeTz: {
        if (bytes.size() != 12) failBinary(type);
        // The zone is in seconds west of UTC; blueshift keeps the time in UTC.
        constexpr i64 kDay = 86'400'000'000;
        const i64 utc = readInteger(bytes.substr(0, 8)) + readInteger(bytes.substr(8)) * 1'000'000;
        return Value::ofInteger(((utc % kDay) + kDay) % kDay, type);
    }
    case TypeKind::kReal:
        if (bytes.size() != 4) failBinary(type);
        return Value::ofFloat(std::bit_cast<f32>(u32(readInteger(bytes))), type);
    case TypeKind::kDouble:
        if (bytes.size() != 8) failBinary(type);
        return Value::ofFloat(std::bit_cast<f64>(readInteger(bytes)), type);
    case TypeKind::kDecimal: return Value::ofInteger(readNumeric(bytes, type), type);
    case TypeKind::kRegproc:
    case TypeKind::kInt2Array:
    case TypeKind::kInt2Vector:
    case TypeKind::kOidVector:
    case TypeKind::kOidArray:
    case TypeKind::kTextArray:
        throw SqlError(Error(sqlstate::kFeatureNotSupported,
                             "type " + formatType(type) + " is not read in binary form")
                           .withHint("Send the parameter in text form."));
    default:
        if (bytes.find('\0') != bytes.npos) failBinary(type);
        return Value::ofText(bytes, type);
    }
}

} // namespace blueshift::session
