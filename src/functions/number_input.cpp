// Numbers and booleans from text; see text_input.h.
#include <charconv>

#include "functions/ascii.h"
#include "functions/text_input.h"
#include "kernels/decimal.h"

namespace blueshift::functions {

InputError parseInteger(std::string_view text, i64 min, i64 max, i64& value) {
    text = trimBlanks(text);
    const char* at = text.data();
    const char* end = at + text.size();
    bool negative = false;
    if (at < end && (*at == '-' || *at == '+')) negative = *at++ == '-';
    if (at == end) return InputError::kSyntax;
    // 18 digits cannot overflow; longer ones take the checked path.
    u64 sum = 0;
    bool overflow = false;
    const bool is_short = end - at <= 18;
    for (; at < end; ++at) {
        const u32 digit = u32(u8(*at)) - '0';
        if (digit > 9) return InputError::kSyntax;
        if (is_short) {
            sum = sum * 10 + digit;
        } else {
            overflow |= __builtin_mul_overflow(sum, u64{10}, &sum);
            overflow |= __builtin_add_overflow(sum, u64{digit}, &sum);
        }
    }
    const u64 limit = u64{1} << 63;
    if (overflow || sum > (negative ? limit : limit - 1)) return InputError::kOutOfRange;
    const i64 result = negative ? i64(0 - sum) : i64(sum);
    if (result < min || result > max) return InputError::kOutOfRange;
    value = result;
    return InputError::kNone;
}

namespace {

/// Digits of a decimal literal: `mantissa` with `scale` digits after the point, more may follow.
struct DecimalText {
    std::string_view whole;
    std::string_view fraction;
    i64 exponent = 0;
    bool negative = false;
};

bool splitDecimal(std::string_view text, DecimalText& parts) {
    size_t at = 0;
    if (at < text.size() && (text[at] == '-' || text[at] == '+'))
        parts.negative = text[at++] == '-';
    const size_t whole = at;
    while (at < text.size() && isAsciiDigit(text[at])) ++at;
    parts.whole = text.substr(whole, at - whole);
    if (at < text.size() && text[at] == '.') {
        const size_t fraction = ++at;
        while (at < text.size() && isAsciiDigit(text[at])) ++at;
        parts.fraction = text.substr(fraction, at - fraction);
    }
    if (parts.whole.empty() && parts.fraction.empty()) return false;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && text[at] == '+') ++at;
        const auto [end, error] =
            std::from_chars(text.data() + at, text.data() + text.size(), parts.exponent);
        if (error != std::errc() || end != text.data() + text.size()) return false;
        return true;
    }
    return at == text.size();
}

} // namespace

InputError parseDecimal(std::string_view text, int precision, int scale, i128& value) {
    DecimalText parts;
    if (!splitDecimal(trimBlanks(text), parts)) return InputError::kSyntax;
    std::string_view whole = parts.whole;
    while (!whole.empty() && whole.front() == '0') whole.remove_prefix(1);
    // The digits that count: those up to `scale` behind the (shifted) point.
    const i64 digits_total = i64(whole.size() + parts.fraction.size());
    const i64 kept = i64(whole.size()) + parts.exponent + scale;
    i128 result = 0;
    if (kept >= 0) {
        int significant = 0;
        const i64 available = kept < digits_total ? kept : digits_total;
        const auto digitAt = [&](i64 i) {
            return i < i64(whole.size()) ? whole[size_t(i)]
                                         : parts.fraction[size_t(i) - whole.size()];
        };
        for (i64 i = 0; i < available; ++i) {
            const int digit = digitAt(i) - '0';
            if (significant > 0 || digit != 0) ++significant;
            if (significant > 38) return InputError::kOutOfRange;
            result = result * 10 + digit;
        }
        if (result != 0) {
            for (i64 i = available; i < kept; ++i) {
                if (++significant > 38) return InputError::kOutOfRange;
                result *= 10;
            }
        }
        if (kept < digits_total && digitAt(kept) >= '5') ++result;
    }
    if (result >= kernels::powerOfTen(precision)) return InputError::kOutOfRange;
    value = parts.negative ? -result : result;
    return InputError::kNone;
}

InputError parseDouble(std::string_view text, f64& value) {
    text = trimBlanks(text);
    if (text.empty()) return InputError::kSyntax;
    const bool plus = text.front() == '+';
    if (plus) text.remove_prefix(1);
    if (text.empty() || (plus && text.front() == '-')) return InputError::kSyntax;
    // from_chars reads `nan(...)` too, which SQL does not know.
    if (text.find('(') != std::string_view::npos) return InputError::kSyntax;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) return InputError::kOutOfRange;
    if (error != std::errc() || end != text.data() + text.size()) return InputError::kSyntax;
    return InputError::kNone;
}

InputError parseBoolean(std::string_view text, bool& value) {
    text = trimBlanks(text);
    const std::string lower = asciiLower(text);
    if (lower.empty()) return InputError::kSyntax;
    const auto isPrefixOf = [&](std::string_view word) { return word.starts_with(lower); };
    if (isPrefixOf("true") || isPrefixOf("yes") || lower == "on" || lower == "1") {
        value = true;
        return InputError::kNone;
    }
    if (isPrefixOf("false") || isPrefixOf("no") || lower == "of" || lower == "off" ||
        lower == "0") {
        value = false;
        return InputError::kNone;
    }
    return InputError::kSyntax;
}

} // namespace blueshift::functions
