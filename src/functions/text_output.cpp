#include "functions/text_output.h"

#include <charconv>
#include <cmath>

#include "functions/ascii.h"
#include "functions/catalog_lookup.h"
#include "functions/keywords.h"
#include "functions/utf8.h"
#include "kernels/datetime.h"
#include "types/named_types.h"

namespace blueshift::functions {

namespace {

using namespace kernels;

void appendPadded(std::string& out, u32 value, int width) {
    char digits[10];
    for (int i = width - 1; i >= 0; --i) {
        digits[i] = char('0' + value % 10);
        value /= 10;
    }
    out.append(digits, size_t(width));
}

/// Lays out shortest digits: plain for exponents -4 .. limit-1, else d.ddde+XX.
template <class T> void appendShortest(std::string& out, T value, int plain_limit) {
    if (std::isnan(value)) {
        out += "NaN";
        return;
    }
    if (std::isinf(value)) {
        out += value < 0 ? "-Infinity" : "Infinity";
        return;
    }
    if (value == 0) {
        out += std::signbit(value) ? "-0" : "0";
        return;
    }
    char buffer[40];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
    std::string_view text(buffer, size_t(end - buffer));
    if (text.front() == '-') {
        out += '-';
        text.remove_prefix(1);
    }
    const size_t mark = text.find('e');
    int exponent = 0;
    const char* exponent_text = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
    std::from_chars(exponent_text, text.data() + text.size(), exponent);
    if (exponent < -4 || exponent >= plain_limit) {
        out.append(text);
        return;
    }
    std::string digits(1, text[0]);
    if (mark > 2) digits.append(text.substr(2, mark - 2));
    if (exponent < 0) {
        out += "0.";
        out.append(size_t(-exponent - 1), '0');
        out += digits;
    } else if (size_t(exponent) + 1 >= digits.size()) {
        out += digits;
        out.append(size_t(exponent) + 1 - digits.size(), '0');
    } else {
        out.append(digits, 0, size_t(exponent) + 1);
        out += '.';
        out.append(digits, size_t(exponent) + 1, std::string::npos);
    }
}

void appendFraction(std::string& out, i64 micros) {
    if (micros == 0) return;
    out += '.';
    appendPadded(out, u32(micros), 6);
    while (out.back() == '0') out.pop_back();
}

/// The year's digits; true when "BC" must follow.
bool appendCivil(std::string& out, i32 days) {
    const Civil civil = civilFromDays(days);
    const bool before_christ = civil.year <= 0;
    const u32 year = u32(before_christ ? 1 - civil.year : civil.year);
    appendPadded(out, year, year < 10000 ? 4 : year < 100000 ? 5 : 6);
    out += '-';
    appendPadded(out, u32(civil.month), 2);
    out += '-';
    appendPadded(out, u32(civil.day), 2);
    return before_christ;
}

void appendOffset(std::string& out, i64 seconds) {
    out += seconds < 0 ? '-' : '+';
    if (seconds < 0) seconds = -seconds;
    appendPadded(out, u32(seconds / 3600), 2);
    if (seconds % 3600 != 0) {
        out += ':';
        appendPadded(out, u32(seconds / 60 % 60), 2);
    }
    if (seconds % 60 != 0) {
        out += ':';
        appendPadded(out, u32(seconds % 60), 2);
    }
}

void appendRelation(std::string& out, u32 oid, const SessionFacts& session) {
    if (oid == 0) {
        out += '-';
        return;
    }
    if (session.catalog != nullptr) {
        if (const auto relation = session.catalog->relation(oid)) {
            if (!relation->visible) out += quoteIdentifier(relation->schema) + ".";
            out += quoteIdentifier(relation->name);
            return;
        }
    }
    appendInteger(out, oid);
}

void appendTypeName(std::string& out, u32 oid) {
    const auto type = typeFromOid(i32(oid), -1);
    if (!type) {
        if (const auto named = namedTypeText(i32(oid)); !named.empty()) out += named;
        else if (oid == 0) out += '-';
        else appendInteger(out, oid);
        return;
    }
    SqlType bare = *type;
    bare.length = 0;
    out += bare.kind == TypeKind::kDecimal ? "numeric" : formatType(bare);
}

/// Everything but floats and text, from an integer of any width.
void appendIntegral(std::string& out, i128 value, const SqlType& type,
                    const SessionFacts& session) {
    switch (type.kind) {
    case TypeKind::kBoolean: out += value != 0 ? 't' : 'f'; break;
    case TypeKind::kDecimal: appendDecimal(out, value, type.scale); break;
    case TypeKind::kDate: appendDate(out, i32(value)); break;
    case TypeKind::kTime: appendTime(out, i64(value)); break;
    case TypeKind::kTimeTz: {
        const TimeZone zone = sessionTimeZone(session);
        const i64 offset = zone.offsetAt(session.statement_time);
        appendTime(out, floorModulo(i64(value) + offset * kMicrosPerSecond, kMicrosPerDay));
        appendOffset(out, offset);
        break;
    }
    case TypeKind::kTimestamp: appendTimestamp(out, i64(value)); break;
    case TypeKind::kTimestampTz:
        appendTimestampTz(out, i64(value), sessionTimeZone(session));
        break;
    case TypeKind::kIntervalMonths: appendIntervalMonths(out, i64(value)); break;
    case TypeKind::kIntervalMicros: appendIntervalMicros(out, i64(value)); break;
    case TypeKind::kOid: appendInteger(out, i64(u32(value))); break;
    case TypeKind::kRegclass: appendRelation(out, u32(value), session); break;
    case TypeKind::kRegtype: appendTypeName(out, u32(value)); break;
    default: appendInteger(out, i64(value)); break;
    }
}

void appendTextual(std::string& out, std::string_view text, const SqlType& type) {
    out += text;
    // CHAR is kept without its trailing blanks and shown with them.
    if (type.kind == TypeKind::kChar && size_t(type.length) > text.size())
        out.append(size_t(type.length) - text.size(), ' ');
}

} // namespace

void appendInteger(std::string& out, i64 value) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    out.append(buffer, size_t(end - buffer));
}

void appendDecimal(std::string& out, i128 value, int scale) {
    char buffer[48];
    char* at = buffer + sizeof buffer;
    char* const end = at;
    const bool negative = value < 0;
    u128 rest = negative ? -u128(value) : u128(value);
    int digits = 0;
    const auto put = [&](u32 digit) {
        if (digits == scale && scale > 0) *--at = '.';
        *--at = char('0' + digit);
        ++digits;
    };
    while (rest >> 64 != 0) {
        put(u32(rest % 10));
        rest /= 10;
    }
    for (u64 low = u64(rest); low != 0 || digits <= scale; low /= 10) put(u32(low % 10));
    if (negative) *--at = '-';
    out.append(at, size_t(end - at));
}

void appendDouble(std::string& out, f64 value) {
    appendShortest(out, value, 15);
}
void appendReal(std::string& out, f32 value) {
    appendShortest(out, value, 6);
}

void appendDate(std::string& out, i32 days) {
    if (!isFiniteDate(days)) {
        out += days > 0 ? "infinity" : "-infinity";
        return;
    }
    if (appendCivil(out, days)) out += " BC";
}

void appendTime(std::string& out, i64 micros) {
    appendPadded(out, u32(micros / kMicrosPerHour), 2);
    out += ':';
    appendPadded(out, u32(micros / kMicrosPerMinute % 60), 2);
    out += ':';
    appendPadded(out, u32(micros / kMicrosPerSecond % 60), 2);
    appendFraction(out, micros % kMicrosPerSecond);
}

void appendTimestamp(std::string& out, i64 micros) {
    if (!isFiniteTimestamp(micros)) {
        out += micros > 0 ? "infinity" : "-infinity";
        return;
    }
    const bool before_christ = appendCivil(out, dateOfTimestamp(micros));
    out += ' ';
    appendTime(out, timeOfTimestamp(micros));
    if (before_christ) out += " BC";
}

void appendTimestampTz(std::string& out, i64 micros, const TimeZone& zone) {
    if (!isFiniteTimestamp(micros)) return appendTimestamp(out, micros);
    const i64 offset = zone.offsetAt(micros);
    const i64 local = micros + offset * kMicrosPerSecond;
    const bool before_christ = appendCivil(out, dateOfTimestamp(local));
    out += ' ';
    appendTime(out, timeOfTimestamp(local));
    appendOffset(out, offset);
    if (before_christ) out += " BC";
}

void appendIntervalMonths(std::string& out, i64 months) {
    const i64 years = months / 12;
    const i64 rest = months % 12;
    if (years != 0) {
        appendInteger(out, years);
        out += years == 1 ? " year" : " years";
        if (rest == 0) return;
        out += ' ';
    }
    appendInteger(out, rest);
    out += rest == 1 ? " mon" : " mons";
}

void appendIntervalMicros(std::string& out, i64 micros) {
    const i64 days = micros / kMicrosPerDay;
    i64 rest = micros % kMicrosPerDay;
    if (days != 0) {
        appendInteger(out, days);
        out += days == 1 ? " day" : " days";
        if (rest == 0) return;
        out += ' ';
    }
    if (rest < 0) {
        out += '-';
        rest = -rest;
    }
    appendTime(out, rest);
}

TimeZone sessionTimeZone(const SessionFacts& session) {
    if (session.timezone == "UTC") return TimeZone::utc();
    return TimeZone::find(session.timezone).value_or(TimeZone::utc());
}

std::string quoteIdentifier(std::string_view name) {
    bool plain =
        !name.empty() && (isAsciiLower(name[0]) || name[0] == '_') && !isReservedWord(name);
    for (char c : name) plain &= isAsciiLower(c) || isAsciiDigit(c) || c == '_' || c == '$';
    if (plain) return std::string(name);
    std::string quoted = "\"";
    for (char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

void appendText(std::string& out, const Vector& vector, u32 row, const SqlType& type,
                const SessionFacts& session) {
    switch (vector.kind) {
    case PhysicalKind::kText:
        return appendTextual(out, asStringView(vector.valueAt<TextView>(row)), type);
    case PhysicalKind::kF32: return appendReal(out, vector.valueAt<f32>(row));
    case PhysicalKind::kF64:
        if (type.kind == TypeKind::kReal) return appendReal(out, f32(vector.valueAt<f64>(row)));
        return appendDouble(out, vector.valueAt<f64>(row));
    default: return appendIntegral(out, vector.integerAt(row), type, session);
    }
}

std::string valueText(const Value& value, const SessionFacts& session) {
    std::string out;
    if (value.is_null) return out;
    switch (naturalKind(value.type)) {
    case PhysicalKind::kText: appendTextual(out, value.text, value.type); break;
    case PhysicalKind::kF32: appendReal(out, f32(value.floating)); break;
    case PhysicalKind::kF64: appendDouble(out, value.floating); break;
    default: appendIntegral(out, value.integer, value.type, session); break;
    }
    return out;
}

} // namespace blueshift::functions
