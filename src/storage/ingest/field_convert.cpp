#include "storage/ingest/field_convert.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <limits>

#include "functions/ascii.h"
#include "functions/utf8.h"
#include "kernels/datetime.h"

namespace blueshift::storage {
namespace {

using functions::InputError;

constexpr i64 kMicrosPerSecond = 1'000'000;
constexpr i64 kMicrosPerDay = 86'400 * kMicrosPerSecond;
/// Seconds from 1970-01-01 to 2000-01-01.
constexpr i64 kEpochSeconds = 946'684'800;
constexpr i64 kPowers[] = {1,
                           10,
                           100,
                           1'000,
                           10'000,
                           100'000,
                           1'000'000,
                           10'000'000,
                           100'000'000,
                           1'000'000'000,
                           10'000'000'000,
                           100'000'000'000,
                           1'000'000'000'000,
                           10'000'000'000'000,
                           100'000'000'000'000,
                           1'000'000'000'000'000,
                           10'000'000'000'000'000,
                           100'000'000'000'000'000,
                           1'000'000'000'000'000'000};

bool isDigit(char c) {
    return u8(c - '0') < 10;
}

/// [-]digits, at most 18 of them.
bool plainInteger(std::string_view text, i64& value) {
    const char* at = text.data();
    const char* end = at + text.size();
    const bool negative = at < end && *at == '-';
    at += negative;
    if (at == end || end - at > 18) return false;
    i64 sum = 0;
    for (; at < end; ++at) {
        if (!isDigit(*at)) return false;
        sum = sum * 10 + (*at - '0');
    }
    value = negative ? -sum : sum;
    return true;
}

/// [-]digits[.digits] with at most `scale` places and 18 digits after scaling.
bool plainDecimal(std::string_view text, u32 scale, i64& value) {
    const char* at = text.data();
    const char* end = at + text.size();
    const bool negative = at < end && *at == '-';
    at += negative;
    const char* start = at;
    // Wraps around with too many digits; the sum is not used then.
    u64 sum = 0;
    for (; at < end && isDigit(*at); ++at) sum = sum * 10 + u64(*at - '0');
    const u32 whole = u32(at - start);
    u32 places = 0;
    if (at < end && *at == '.') {
        const char* point = at++;
        for (; at < end && isDigit(*at); ++at) sum = sum * 10 + u64(*at - '0');
        places = u32(at - point) - 1;
    }
    if (at != end || whole + places == 0 || whole + scale > 18 || places > scale) return false;
    const i64 scaled = i64(sum) * kPowers[scale - places];
    value = negative ? -scaled : scaled;
    return true;
}

/// YYYY-MM-DD of a real day.
bool plainDate(const char* at, i32& days) {
    for (int i : {0, 1, 2, 3, 5, 6, 8, 9})
        if (!isDigit(at[i])) return false;
    if (at[4] != '-' || at[7] != '-') return false;
    const i32 year =
        (at[0] - '0') * 1000 + (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
    const i32 month = (at[5] - '0') * 10 + (at[6] - '0');
    const i32 day = (at[8] - '0') * 10 + (at[9] - '0');
    if (year == 0 || month < 1 || month > 12 || day < 1 || day > kernels::daysInMonth(year, month))
        return false;
    days = kernels::daysFromCivil(year, month, day);
    return true;
}

/// YYYY-MM-DD HH:MM:SS[.f to six places].
bool plainTimestamp(std::string_view text, i64& micros) {
    const char* at = text.data();
    i32 days;
    if (text.size() < 19 || text.size() == 20 || text.size() > 26 || !plainDate(at, days))
        return false;
    if ((at[10] != ' ' && at[10] != 'T') || at[13] != ':' || at[16] != ':') return false;
    for (int i : {11, 12, 14, 15, 17, 18})
        if (!isDigit(at[i])) return false;
    const i64 hour = (at[11] - '0') * 10 + (at[12] - '0');
    const i64 minute = (at[14] - '0') * 10 + (at[15] - '0');
    const i64 second = (at[17] - '0') * 10 + (at[18] - '0');
    if (hour > 23 || minute > 59 || second > 59) return false;
    i64 fraction = 0;
    if (text.size() > 19) {
        if (at[19] != '.') return false;
        const std::string_view places = text.substr(20);
        if (!isDigit(places[0]) || !plainInteger(places, fraction)) return false;
        fraction *= kPowers[6 - places.size()];
    }
    micros =
        days * kMicrosPerDay + ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
    return true;
}

/// Digits, a point and more digits than `scale`: without those too many. Anything else as it is.
std::string_view cutPlaces(std::string_view text, u32 scale) {
    const std::string_view trimmed = functions::trimBlanks(text);
    const size_t point = trimmed.find('.');
    if (point == trimmed.npos || trimmed.size() - point - 1 <= scale) return text;
    for (size_t i = 0; i < trimmed.size(); ++i)
        if (i != point && !isDigit(trimmed[i]) &&
            !(i == 0 && (trimmed[i] == '-' || trimmed[i] == '+')))
            return text;
    return trimmed.substr(0, point + 1 + scale);
}

bool allBlank(std::string_view text) {
    return text.find_first_not_of(" \t") == text.npos;
}

/// As makeTextView, without a copy of variable length: bytes behind the text are readable.
TextView textAt(std::string_view text) {
    if (text.size() > TextView::kInlineBytes) return makeTextView(text);
    u64 first, second;
    __builtin_memcpy(&first, text.data(), 8);
    __builtin_memcpy(&second, text.data() + 8, 8);
    const u32 bits = u32(text.size()) * 8;
    if (bits < 64) {
        first &= (u64{1} << bits) - 1;
        second = 0;
    } else {
        second &= (u64{1} << (bits - 64)) - 1;
    }
    TextView view;
    view.length = u32(text.size());
    __builtin_memcpy(view.prefix, &first, 4);
    const u64 rest = first >> 32 | second << 32;
    __builtin_memcpy(view.rest, &rest, 8);
    return view;
}

} // namespace

bool FieldConverter::fault(i32 code, std::string_view state, std::string reason, std::string hint) {
    fault_ = {code, std::move(reason), state, std::move(hint)};
    return false;
}

bool FieldConverter::isNull(const FieldRef& field, std::string_view text, bool textual) const {
    if (field.kind == FieldRef::kAbsent)
        return !textual || format_.empty_as_null || !format_.redshift;
    const bool marks =
        field.kind == FieldRef::kPlain
            ? column_ >= format_.force_not_null.size() || !format_.force_not_null[column_]
            : field.quoted() && column_ < format_.force_null.size() && format_.force_null[column_];
    if (marks && text.size() == format_.null_text.size() && text == format_.null_text) return true;
    if (!format_.redshift) return false;
    if (!textual) return text.empty() || (text[0] == ' ' && allBlank(text));
    if (text.empty()) return format_.empty_as_null;
    return format_.blanks_as_null && allBlank(text);
}

/// Runs `store(text, row, null)` for every field that is no NULL; returns the row that failed.
template <class Store>
u32 FieldConverter::loop(const SplitRecords& records, const TargetField& target, VectorBuffer& out,
                         const u64* skip, bool& nulls, Store&& store) {
    const std::span<const FieldRef> fields = records.column(column_);
    const bool textual = out.kind() == PhysicalKind::kText;
    for (u32 row = next_row_; row < records.rows(); ++row) {
        if (bitAt(skip, row)) continue;
        const std::string_view text = records.textOf(fields[row]);
        bool null = isNull(fields[row], text, textual);
        if (!null && !store(text, row, null)) return next_row_ = row;
        if (!null) [[likely]]
            continue;
        clearBit(out.validity(), row);
        nulls = true;
        if (target.not_null) {
            fault(1213, sqlstate::kNotNullViolation, "Missing data for not-null field",
                  "Give the field a value, or take NOT NULL off the column.");
            return next_row_ = row;
        }
    }
    next_row_ = 0;
    return records.rows();
}

u32 FieldConverter::convertPlain(const SplitRecords& records, u32 column, const TargetField& target,
                                 VectorBuffer& out, u64* skip, bool& nulls) {
    const auto run = [&](auto&& plain) {
        return loop(records, target, out, skip, nulls,
                    [&](std::string_view text, u32 row, bool& null) {
                        return plain(text, row) || storeSlowly(text, target, out, row, null);
                    });
    };
    const auto integers = [&]<class T>(T* values) {
        return run([=](std::string_view text, u32 row) {
            i64 value;
            if (!plainInteger(text, value) || value != T(value)) return false;
            values[row] = T(value);
            return true;
        });
    };
    switch (target.type.kind) {
    case TypeKind::kSmallInt: return integers(out.values<i16>());
    case TypeKind::kInteger: return integers(out.values<i32>());
    case TypeKind::kBigInt: return integers(out.values<i64>());
    case TypeKind::kDecimal: {
        const u32 scale = target.type.scale;
        const u32 precision = std::min<u32>(target.type.precision, 18);
        const i64 limit = precision == 18 ? kPowers[18] : kPowers[precision];
        const auto decimals = [&]<class T>(T* values) {
            return run([=](std::string_view text, u32 row) {
                i64 value;
                if (!plainDecimal(text, scale, value) || value >= limit || value <= -limit)
                    return false;
                values[row] = value;
                return true;
            });
        };
        if (out.kind() == PhysicalKind::kI64) return decimals(out.values<i64>());
        return decimals(out.values<i128>());
    }
    case TypeKind::kDate:
        if (!format_.date_format)
            return run([days = out.values<i32>()](std::string_view text, u32 row) {
                return text.size() == 10 && plainDate(text.data(), days[row]);
            });
        break;
    case TypeKind::kTimestamp:
        if (!format_.time_format && format_.epoch == EpochUnit::kNone)
            return run([micros = out.values<i64>()](std::string_view text, u32 row) {
                return plainTimestamp(text, micros[row]);
            });
        break;
    default:
        if (out.kind() == PhysicalKind::kText)
            return loop(
                records, target, out, skip, nulls,
                [&, values = out.values<TextView>()](std::string_view text, u32 row, bool&) {
                    return storeText(text, target, values[row]);
                });
    }
    return run([](std::string_view, u32) { return false; });
}

bool FieldConverter::storeText(std::string_view text, const TargetField& target, TextView& slot) {
    bool mended_text = false;
    if (!checked_text_ &&
        (text.find('\0') != text.npos || !simdjson::validate_utf8(text.data(), text.size()))) {
        if (!format_.replace_invalid)
            return fault(1220, sqlstate::kCharacterNotInRepertoire,
                         text.find('\0') != text.npos
                             ? "String contains a zero byte"
                             : "String contains invalid or unsupported UTF8 codepoints",
                         "Write the file in UTF-8, or let ACCEPTINVCHARS replace what is not.");
        std::string mended;
        for (size_t at = 0; at < text.size();) {
            const size_t next = functions::utf8Next(text, at);
            const bool good =
                text[at] != '\0' && simdjson::validate_utf8(text.data() + at, next - at);
            if (good) mended.append(text, at, next - at);
            else mended.push_back(*format_.replace_invalid);
            at = next;
        }
        char* kept = heap_.allocate(mended.size());
        mended.copy(kept, mended.size());
        text = {kept, mended.size()};
        mended_text = true;
    }
    const bool fixed = target.type.kind == TypeKind::kChar;
    if (fixed || format_.trim_blanks)
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    const u32 limit = functions::textLimit(target.type);
    if (text.size() > limit) {
        const size_t cut = functions::utf8Floor(text, limit);
        if (!format_.truncate_columns && text.find_first_not_of(' ', cut) != text.npos)
            return fault(
                1204, sqlstate::kStringDataRightTruncation, "String length exceeds DDL length",
                fmt::format("The value has {} bytes, the column takes {}: use a longer type, "
                            "or cut it with TRUNCATECOLUMNS.",
                            text.size(), limit));
        text = text.substr(0, cut);
    }
    slot = mended_text ? makeTextView(text) : textAt(text);
    return true;
}

/// Dates and times under DATEFORMAT and TIMEFORMAT.
bool FieldConverter::storeByPattern(std::string_view text, const TargetField& target,
                                    VectorBuffer& out, u32 row) {
    const bool date = target.type.kind == TypeKind::kDate;
    if (!date && format_.epoch != EpochUnit::kNone) {
        const bool seconds = format_.epoch == EpochUnit::kSeconds;
        i128 value;
        // Fractions of the unit are kept.
        if (functions::parseDecimal(text, 24, seconds ? 6 : 3, value) != InputError::kNone)
            return fault(1206, sqlstate::kInvalidDatetimeFormat,
                         fmt::format("Invalid epoch value [{}]", text.substr(0, 64)),
                         "TIMEFORMAT 'epochsecs' and 'epochmillisecs' take numbers.");
        value -= i128(kEpochSeconds) * kMicrosPerSecond;
        if (value != i64(value))
            return fault(1206, sqlstate::kDatetimeFieldOverflow, "Epoch value out of range",
                         "Timestamps end in the year 294276.");
        out.values<i64>()[row] = i64(value);
        return true;
    }
    functions::DateTimeFormat::Parsed parsed;
    std::string message;
    const auto& pattern = date ? format_.date_format : format_.time_format;
    if (!pattern->parse(functions::trimBlanks(text), true, parsed, message))
        return fault(date ? 1205 : 1206, sqlstate::kInvalidDatetimeFormat,
                     date ? "Invalid Date Format - length must be 10 or more"
                          : "Invalid timestamp format or value",
                     message);
    if (date) {
        const i64 days =
            parsed.local_micros / kMicrosPerDay - (parsed.local_micros % kMicrosPerDay < 0);
        out.values<i32>()[row] = i32(days);
    } else {
        const bool zoned = target.type.kind == TypeKind::kTimestampTz;
        out.values<i64>()[row] = parsed.local_micros -
                                 (zoned ? parsed.offset_seconds.value_or(0) * kMicrosPerSecond : 0);
    }
    return true;
}

bool FieldConverter::storeSlowly(std::string_view text, const TargetField& target,
                                 VectorBuffer& out, u32 row, bool& null) {
    const TypeKind kind = target.type.kind;
    const bool stamp = kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz;
    bool stored;
    if ((kind == TypeKind::kDate && format_.date_format) ||
        (stamp && (format_.time_format || format_.epoch != EpochUnit::kNone))) {
        stored = storeByPattern(text, target, out, row);
    } else {
        if (kind == TypeKind::kDecimal && format_.redshift && !format_.round_decimals)
            text = cutPlaces(text, target.type.scale);
        void* slot = static_cast<char*>(out.data()) + size_t{widthOf(out.kind())} * row;
        const InputError error =
            functions::parseInto(text, target.type, out.kind(), slot, options_);
        stored = error == InputError::kNone || describe(error, text, target.type);
    }
    if (!stored && format_.accept_any_date && (kind == TypeKind::kDate || stamp)) {
        null = true;
        return true;
    }
    return stored;
}

bool FieldConverter::describe(InputError error, std::string_view text, const SqlType& type) {
    const Error inner = functions::describeInputError(error, text, type);
    const std::string hint = inner.hint;
    if (isInteger(type.kind)) {
        if (error == InputError::kOutOfRange)
            return fault(1204,
                         inner.sqlstate == sqlstate::kNumericValueOutOfRange
                             ? sqlstate::kNumericValueOutOfRange
                             : sqlstate::kDataException,
                         "Numeric value is out of range", "Use a wider integer type.");
        const std::string_view trimmed = functions::trimBlanks(text);
        size_t at = !trimmed.empty() && (trimmed[0] == '-' || trimmed[0] == '+') ? 1 : 0;
        while (at < trimmed.size() && isDigit(trimmed[at])) ++at;
        const std::string shown =
            at < trimmed.size()
                ? std::string(trimmed.substr(at, functions::utf8Next(trimmed, at) - at))
                : "";
        const char* name = type.kind == TypeKind::kSmallInt ? "Short"
                           : type.kind == TypeKind::kBigInt ? "Long"
                                                            : "Integer";
        return fault(1207, sqlstate::kInvalidTextRepresentation,
                     fmt::format("Invalid digit, Value '{}', Pos {}, Type: {}", shown, at, name),
                     "Mend the value, or load the column as text.");
    }
    switch (type.kind) {
    case TypeKind::kDecimal:
        if (error == InputError::kOutOfRange)
            return fault(1204, sqlstate::kNumericValueOutOfRange,
                         fmt::format("Overflow for NUMERIC({},{})", type.precision, type.scale),
                         "Use a type with more digits before the point.");
        return fault(1207, sqlstate::kInvalidTextRepresentation,
                     fmt::format("Invalid digit, Value '{}', Pos 0, Type: Decimal",
                                 text.substr(0, functions::utf8Floor(text, 32))),
                     "Mend the value, or load the column as text.");
    case TypeKind::kReal:
    case TypeKind::kDouble:
        return fault(1208,
                     error == InputError::kOutOfRange ? sqlstate::kNumericValueOutOfRange
                                                      : sqlstate::kInvalidTextRepresentation,
                     "Invalid floating point value", "Mend the value, or load the column as text.");
    case TypeKind::kBoolean:
        return fault(1210, sqlstate::kInvalidTextRepresentation, "Unknown boolean format",
                     "Booleans are t, f, true, false, y, n, yes, no, 1, 0.");
    case TypeKind::kDate:
        return fault(1205,
                     error == InputError::kFieldRange ? sqlstate::kDatetimeFieldOverflow
                                                      : sqlstate::kInvalidDatetimeFormat,
                     "Invalid date format or value",
                     "Write dates as YYYY-MM-DD, or describe them with DATEFORMAT.");
    default:
        return fault(1206,
                     error == InputError::kFieldRange ? sqlstate::kDatetimeFieldOverflow
                                                      : sqlstate::kInvalidDatetimeFormat,
                     "Invalid timestamp format or value",
                     "Write timestamps as YYYY-MM-DD HH:MI:SS, or describe them with TIMEFORMAT.");
    }
}

} // namespace blueshift::storage
