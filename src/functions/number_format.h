// number_format.h: TO_CHAR and TO_NUMBER patterns of numbers (9, 0, D, G, S, MI, PR, RN, V ...).
//
// Place: TO_CHAR of numbers and TO_NUMBER. A pattern is split once and used for many values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace blueshift::functions {

class NumberFormat {
public:
    explicit NumberFormat(std::string_view pattern);

    /// Digits behind the point that the value must be given with.
    int fractionDigits() const { return shift_ > 0 ? shift_ : fraction_digits_; }
    bool isScientific() const { return scientific_; }
    /// Appends |value| * 10^fractionDigits, already rounded.
    void append(std::string& out, i128 magnitude, bool negative) const;
    /// Digits, sign and point that the pattern picks out of `text`: "-1234.5".
    std::string parse(std::string_view text) const;
    int integerDigits() const { return integer_digits_; }

private:
    enum class Kind : u8 {
        kNine,
        kZero,
        kPoint,
        kGroup,
        kSign,
        kMinus,
        kPlus,
        kPlusMinus,
        kCurrency,
        kOrdinal,
        kText
    };
    struct Item {
        Kind kind;
        char letter = 0; // of kText; case of kOrdinal
    };
    void appendRoman(std::string& out, i128 magnitude, bool negative) const;

    std::vector<Item> items_;
    int integer_digits_ = 0;
    int fraction_digits_ = 0;
    int first_zero_ = -1; // digit position, from the left, of the first 0
    int shift_ = 0;       // V: digits behind it
    bool fill_ = true;
    bool brackets_ = false;
    bool roman_ = false;
    bool roman_lower_ = false;
    bool has_sign_ = false;
    bool scientific_ = false;
};

} // namespace blueshift::functions
