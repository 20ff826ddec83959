#include "functions/text_input.h"

#include <limits>

#include "functions/ascii.h"
#include "functions/catalog_lookup.h"
#include "functions/utf8.h"
#include "kernels/convert.h"
#include "kernels/decimal.h"
#include "types/named_types.h"

namespace blueshift::functions {

namespace {

/// Stores an integer at a slot of any integer kind.
InputError storeInteger(i128 value, PhysicalKind kind, void* slot) {
    u32 flags = 0;
    switch (kind) {
    case PhysicalKind::kI8:
        *static_cast<i8*>(slot) = kernels::narrowInteger<i8>(value, flags);
        break;
    case PhysicalKind::kI16:
        *static_cast<i16*>(slot) = kernels::narrowInteger<i16>(value, flags);
        break;
    case PhysicalKind::kI32:
        *static_cast<i32*>(slot) = kernels::narrowInteger<i32>(value, flags);
        break;
    case PhysicalKind::kI64:
        *static_cast<i64*>(slot) = kernels::narrowInteger<i64>(value, flags);
        break;
    default: *static_cast<i128*>(slot) = value; break;
    }
    return flags == 0 ? InputError::kNone : InputError::kOutOfRange;
}

InputError storeText(std::string_view text, const SqlType& type, void* slot,
                     const InputOptions& options) {
    if (type.kind == TypeKind::kChar) {
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    }
    const u32 limit = textLimit(type);
    if (text.size() > limit) {
        std::string_view cut = text.substr(0, utf8Floor(text, limit));
        if (!options.truncate_text && type.kind != TypeKind::kName &&
            text.find_first_not_of(' ', cut.size()) != std::string_view::npos)
            return InputError::kTooLong;
        text = cut;
    }
    *static_cast<TextView*>(slot) = makeTextView(text);
    return InputError::kNone;
}

InputError parseRegclass(std::string_view text, const InputOptions& options, i64& oid) {
    text = trimBlanks(text);
    if (parseInteger(text, 0, std::numeric_limits<u32>::max(), oid) == InputError::kNone)
        return InputError::kNone;
    if (options.catalog == nullptr) return InputError::kNotRepresented;
    std::string parts[2];
    int part = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            if (quoted && i + 1 < text.size() && text[i + 1] == '"') parts[part] += text[i++];
            else quoted = !quoted;
        } else if (text[i] == '.' && !quoted) {
            if (part == 1) parts[0] = parts[1]; // the database is this one
            parts[part = 1].clear();
        } else {
            parts[part] += quoted ? text[i] : asciiLower(text[i]);
        }
    }
    const auto found = part == 0 ? options.catalog->relation("", parts[0])
                                 : options.catalog->relation(parts[0], parts[1]);
    if (!found) return InputError::kNotRepresented;
    oid = found->oid;
    return InputError::kNone;
}

InputError parseRegtype(std::string_view text, i64& oid) {
    text = trimBlanks(text);
    if (parseInteger(text, 0, std::numeric_limits<u32>::max(), oid) == InputError::kNone)
        return InputError::kNone;
    if (const auto named = namedTypeOid(text)) {
        oid = *named;
        return InputError::kNone;
    }
    try {
        const size_t modifiers = text.find('(');
        oid = typeOid(typeFromName(text.substr(0, modifiers), nullptr, 0).kind);
        return InputError::kNone;
    } catch (const SqlError&) {
        return InputError::kNotRepresented;
    }
}

InputError parseIntervalAs(std::string_view text, TypeKind kind, i64& value) {
    i64 months, micros;
    const InputError error = parseInterval(text, months, micros);
    if (error != InputError::kNone) return error;
    // Each of the two interval types drops the fields of the other only when they are zero.
    if (kind == TypeKind::kIntervalMonths ? micros != 0 : months != 0) return InputError::kSyntax;
    value = kind == TypeKind::kIntervalMonths ? months : micros;
    if (kind == TypeKind::kIntervalMonths && value != i32(value)) return InputError::kFieldRange;
    return InputError::kNone;
}

InputError parseIntegral(std::string_view text, const SqlType& type, const InputOptions& options,
                         i64& value) {
    switch (type.kind) {
    case TypeKind::kSmallInt: return parseInteger(text, -32768, 32767, value);
    case TypeKind::kInteger:
        return parseInteger(text, std::numeric_limits<i32>::min(), std::numeric_limits<i32>::max(),
                            value);
    case TypeKind::kBigInt:
        return parseInteger(text, std::numeric_limits<i64>::min(), std::numeric_limits<i64>::max(),
                            value);
    case TypeKind::kOid: return parseInteger(text, 0, std::numeric_limits<u32>::max(), value);
    case TypeKind::kRegclass: return parseRegclass(text, options, value);
    case TypeKind::kRegtype: return parseRegtype(text, value);
    case TypeKind::kBoolean: {
        bool truth = false;
        const InputError error = parseBoolean(text, truth);
        value = truth;
        return error;
    }
    case TypeKind::kDate: {
        i32 days = 0;
        const InputError error = parseDate(text, options, days);
        value = days;
        return error;
    }
    case TypeKind::kTime:
    case TypeKind::kTimeTz: return parseTime(text, options, type.kind == TypeKind::kTimeTz, value);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
        return parseTimestamp(text, options, type.kind == TypeKind::kTimestampTz, value);
    default: return parseIntervalAs(text, type.kind, value);
    }
}

} // namespace

u32 textLimit(const SqlType& type) {
    switch (type.kind) {
    case TypeKind::kChar:
    case TypeKind::kVarchar: return type.length > 0 ? u32(type.length) : kMaxVarcharBytes;
    case TypeKind::kName: return 127;
    case TypeKind::kSystemChar: return 1;
    default: return ~u32{0};
    }
}

InputError parseInto(std::string_view text, const SqlType& type, PhysicalKind kind, void* slot,
                     const InputOptions& options) {
    if (kind == PhysicalKind::kText) return storeText(text, type, slot, options);
    if (type.kind == TypeKind::kDecimal) {
        i128 value;
        const InputError error = parseDecimal(text, type.precision, type.scale, value);
        return error != InputError::kNone ? error : storeInteger(value, kind, slot);
    }
    if (isFloat(type.kind)) {
        f64 value;
        InputError error = parseDouble(text, value);
        if (error != InputError::kNone) return error;
        if (kind == PhysicalKind::kF64) {
            *static_cast<f64*>(slot) = value;
            return InputError::kNone;
        }
        u32 flags = 0;
        *static_cast<f32*>(slot) = kernels::doubleToReal(value, flags);
        return flags == 0 ? InputError::kNone : InputError::kOutOfRange;
    }
    i64 value = 0;
    const InputError error = parseIntegral(text, type, options, value);
    if (error != InputError::kNone) return error;
    // An OID fills 32 bits without a sign.
    if (widthOf(kind) == 4 && naturalKind(type) == PhysicalKind::kI32 &&
        type.kind >= TypeKind::kOid)
        value = i32(u32(value));
    return storeInteger(value, kind, slot);
}

Error describeInputError(InputError error, std::string_view text, const SqlType& type) {
    const std::string shown = "\"" + std::string(text.substr(0, utf8Floor(text, 100))) +
                              (text.size() > 100 ? "..." : "") + "\"";
    const bool temporal = isDateTime(type.kind) || isInterval(type.kind);
    std::string name = type.kind == TypeKind::kDecimal ? "numeric"
                       : isInterval(type.kind)         ? "interval"
                       : temporal                      ? std::string(typeName(type.kind))
                                                       : formatType(type);
    if (type.kind == TypeKind::kTimestamp || type.kind == TypeKind::kTimestampTz ||
        type.kind == TypeKind::kTime || type.kind == TypeKind::kTimeTz)
        name = formatType(type);
    switch (error) {
    case InputError::kTooLong:
        return Error(sqlstate::kStringDataRightTruncation,
                     "value too long for type " + formatType(type))
            .withDetail("The value " + shown + " has " + std::to_string(text.size()) + " bytes.")
            .withHint("Cast it to " + formatType(type) + " to cut it, or use a longer type.");
    case InputError::kFieldRange:
        return Error(sqlstate::kDatetimeFieldOverflow,
                     "date/time field value out of range: " + shown)
            .withHint("Write dates as YYYY-MM-DD and times as HH:MI:SS.");
    case InputError::kOutOfRange:
        if (type.kind == TypeKind::kDecimal)
            return Error(sqlstate::kNumericValueOutOfRange,
                         "Numeric data overflow (result precision)")
                .withDetail("The value " + shown + " does not fit " + formatType(type) + ".");
        return Error(sqlstate::kNumericValueOutOfRange,
                     "value " + shown + " is out of range for type " + name);
    case InputError::kNotRepresented:
        if (type.kind == TypeKind::kRegtype)
            return Error(sqlstate::kUndefinedObject, "type " + shown + " does not exist");
        return Error(sqlstate::kUndefinedTable, "relation " + shown + " does not exist");
    default: {
        Error described(
            temporal ? sqlstate::kInvalidDatetimeFormat : sqlstate::kInvalidTextRepresentation,
            "invalid input syntax for " + std::string(isInteger(type.kind) ? "" : "type ") + name +
                ": " + shown);
        if (isInteger(type.kind)) described.hint = "Write a whole number, such as 42.";
        else if (isNumeric(type.kind)) described.hint = "Write a number, such as 3.14.";
        else if (type.kind == TypeKind::kBoolean) described.hint = "Write true or false.";
        else if (isInterval(type.kind)) described.hint = "Write a span such as '3 days 02:00'.";
        else if (temporal) described.hint = "Write dates as YYYY-MM-DD and times as HH:MI:SS.";
        return described;
    }
    }
}

Result<Value> parseValue(std::string_view text, const SqlType& type, const SessionFacts& session,
                         Arena& arena) {
    const InputOptions options = InputOptions::of(session);
    alignas(16) char slot[16];
    const PhysicalKind kind = naturalKind(type);
    const InputError error = parseInto(text, type, kind, slot, options);
    if (error != InputError::kNone) return failure(describeInputError(error, text, type));
    if (kind == PhysicalKind::kText) {
        TextView view;
        std::memcpy(&view, slot, sizeof view);
        return Value::ofText(arena.copyText(asStringView(view)), type);
    }
    const Vector vector{.kind = kind, .form = VectorForm::kConstant, .data = slot};
    if (kind == PhysicalKind::kF64) return Value::ofFloat(vector.valueAt<f64>(0), type);
    if (kind == PhysicalKind::kF32) return Value::ofFloat(vector.valueAt<f32>(0), type);
    return Value::ofInteger(vector.integerAt(0), type);
}

} // namespace blueshift::functions
