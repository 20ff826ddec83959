#include "functions/number_format.h"

#include <algorithm>

#include "functions/ascii.h"
#include "kernels/decimal.h"

namespace blueshift::functions {

NumberFormat::NumberFormat(std::string_view pattern) {
    bool behind_point = false;
    bool behind_shift = false;
    for (size_t at = 0; at < pattern.size();) {
        const std::string_view rest = pattern.substr(at);
        const auto starts = [&](std::string_view word) {
            return rest.size() >= word.size() && equalNoCase(rest.substr(0, word.size()), word);
        };
        const auto take = [&](Kind kind, size_t size, char letter = 0) {
            items_.push_back({kind, letter});
            at += size;
        };
        const char c = asciiUpper(rest[0]);
        if (c == '"') {
            for (++at; at < pattern.size() && pattern[at] != '"'; ++at)
                items_.push_back({Kind::kText, pattern[at]});
            ++at;
        } else if (c == '9' || c == '0') {
            if (c == '0' && first_zero_ < 0 && !behind_point) first_zero_ = integer_digits_;
            if (behind_point) ++fraction_digits_;
            else ++integer_digits_;
            if (behind_shift) ++shift_;
            take(c == '9' ? Kind::kNine : Kind::kZero, 1);
        } else if (starts("FM")) {
            fill_ = false;
            at += 2;
        } else if (starts("EEEE")) {
            scientific_ = true;
            at += 4;
        } else if (starts("SG")) {
            has_sign_ = true;
            take(Kind::kPlusMinus, 2);
        } else if (starts("MI")) {
            has_sign_ = true;
            take(Kind::kMinus, 2);
        } else if (starts("PL")) {
            take(Kind::kPlus, 2);
        } else if (starts("PR")) {
            brackets_ = true;
            at += 2;
        } else if (starts("RN")) {
            roman_ = true;
            roman_lower_ = rest[0] == 'r';
            at += 2;
        } else if (starts("TH")) {
            take(Kind::kOrdinal, 2, rest[0]);
        } else if (c == '.' || c == 'D') {
            behind_point = true;
            take(Kind::kPoint, 1);
        } else if (c == ',' || c == 'G') {
            take(Kind::kGroup, 1);
        } else if (c == 'S') {
            has_sign_ = true;
            take(Kind::kSign, 1);
        } else if (c == 'L' || c == '$') {
            take(Kind::kCurrency, 1);
        } else if (c == 'V') {
            behind_shift = true;
            ++at;
        } else if (c == 'B') {
            ++at;
        } else {
            take(Kind::kText, 1, rest[0]);
        }
    }
}

void NumberFormat::appendRoman(std::string& out, i128 magnitude, bool negative) const {
    std::string text;
    if (negative || magnitude <= 0 || magnitude > 3999) {
        text.assign(15, '#');
    } else {
        constexpr struct {
            int value;
            std::string_view digits;
        } kSteps[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                      {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                      {5, "V"},    {4, "IV"},   {1, "I"}};
        int rest = int(magnitude);
        for (const auto& step : kSteps)
            for (; rest >= step.value; rest -= step.value) text += step.digits;
    }
    if (roman_lower_) text = asciiLower(text);
    if (fill_ && text.size() < 15) text.insert(0, 15 - text.size(), ' ');
    out += text;
}

void NumberFormat::append(std::string& out, i128 magnitude, bool negative) const {
    if (roman_) return appendRoman(out, magnitude, negative);
    if (magnitude == 0) negative = false;
    // With V the shifted digits stand before the point, which the pattern does not have.
    const int fraction = shift_ > 0 ? 0 : fraction_digits_;
    std::string digits;
    for (i128 rest = magnitude; rest > 0; rest /= 10)
        digits.insert(digits.begin(), char('0' + int(rest % 10)));
    if (int(digits.size()) < fraction) digits.insert(0, size_t(fraction) - digits.size(), '0');
    const int whole = int(digits.size()) - fraction;
    const bool overflow = whole > integer_digits_;
    std::string body;
    int position = 0;     // integer digit of the pattern
    bool started = false; // a digit or a 0 has been printed
    bool point = false;
    int printed_fraction = 0;
    size_t sign_at = 0; // where a leading sign goes: before the first printed digit
    bool sign_set = false;
    size_t number_at = std::string::npos; // where the places of digits begin
    size_t trim_to = 0;                   // FM: what lies behind may be cut while it is 0
    const auto begin = [&] {
        if (!sign_set) sign_at = body.size();
        sign_set = true;
    };
    for (const Item& item : items_) {
        switch (item.kind) {
        case Kind::kNine:
        case Kind::kZero:
            if (number_at == std::string::npos) number_at = body.size();
            if (point) {
                body += overflow ? '#' : digits[size_t(whole + printed_fraction)];
                ++printed_fraction;
                if (item.kind == Kind::kZero || body.back() != '0') trim_to = body.size();
                break;
            }
            {
                const int index = position - (integer_digits_ - whole);
                const bool forced = first_zero_ >= 0 && position >= first_zero_;
                // The last place before a missing fraction shows a 0.
                const bool last = position == integer_digits_ - 1 &&
                                  (fraction == 0 || (!fill_ && magnitude == 0));
                ++position;
                if (overflow) {
                    begin();
                    body += '#';
                    started = true;
                } else if (index >= 0) {
                    begin();
                    body += digits[size_t(index)];
                    started = true;
                } else if (forced || last) {
                    begin();
                    body += '0';
                    started = true;
                } else if (fill_) {
                    body += ' ';
                }
            }
            break;
        case Kind::kPoint:
            begin();
            point = true;
            body += '.';
            trim_to = body.size();
            break;
        case Kind::kGroup:
            if (started) body += ',';
            else if (fill_) body += ' ';
            break;
        case Kind::kSign:
            if (started || point) body += negative ? '-' : '+';
            break;
        case Kind::kPlusMinus: body += negative ? '-' : '+'; break;
        case Kind::kMinus:
            if (negative) body += '-';
            else if (fill_) body += ' ';
            break;
        case Kind::kPlus:
            if (!negative) body += '+';
            else if (fill_) body += ' ';
            break;
        case Kind::kCurrency: body += '$'; break;
        case Kind::kOrdinal: {
            if (negative || overflow) break;
            const int two = int(magnitude % 100);
            const int one = two % 10;
            const std::string_view suffix = two >= 11 && two <= 13 ? "TH"
                                            : one == 1             ? "ST"
                                            : one == 2             ? "ND"
                                            : one == 3             ? "RD"
                                                                   : "TH";
            body += item.letter == 't' ? asciiLower(suffix) : std::string(suffix);
            break;
        }
        case Kind::kText: body += item.letter; break;
        }
    }
    if (!fill_ && point && !overflow) {
        size_t end = body.size();
        while (end > trim_to && body[end - 1] == '0') --end;
        body.resize(end);
    }
    const bool leading_sign = !items_.empty() && items_.front().kind == Kind::kSign;
    if (leading_sign) {
        body.insert(sign_at, 1, negative ? '-' : '+');
    } else if (brackets_) {
        body.insert(sign_at, 1, negative ? '<' : ' ');
        body += negative ? '>' : ' ';
    } else if (!has_sign_) {
        body.insert(sign_at, 1, negative ? '-' : ' ');
    }
    if (!fill_) {
        size_t start = 0;
        while (start < body.size() && body[start] == ' ') ++start;
        body.erase(0, start);
        while (!body.empty() && body.back() == ' ') body.pop_back();
    } else if (!leading_sign && !brackets_ && !has_sign_ && !negative && sign_at > 0) {
        // The blank of a missing sign stands before the places of digits.
        body.erase(sign_at, 1);
        body.insert(number_at == std::string::npos ? 0 : std::min(number_at, sign_at), 1, ' ');
    }
    out += body;
}

std::string NumberFormat::parse(std::string_view text) const {
    std::string number;
    bool negative = false;
    for (char c : text) {
        if (isAsciiDigit(c) || c == '.') number += c;
        else if (c == '-' || c == '<') negative = true;
    }
    if (shift_ > 0 && int(number.size()) > shift_)
        number.insert(number.size() - size_t(shift_), 1, '.');
    return negative ? "-" + number : number;
}

} // namespace blueshift::functions
