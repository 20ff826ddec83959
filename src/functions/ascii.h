// ascii.h: letters, digits and blanks of ASCII, whatever the locale of the process.
//
// Place: parsers and string functions; bytes above 127 are never letters here.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"

namespace blueshift::functions {

constexpr bool isAsciiDigit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool isAsciiUpper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool isAsciiLower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool isAsciiLetter(char c) {
    return isAsciiUpper(c) || isAsciiLower(c);
}
constexpr bool isBlank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr char asciiLower(char c) {
    return isAsciiUpper(c) ? char(c + 32) : c;
}
constexpr char asciiUpper(char c) {
    return isAsciiLower(c) ? char(c - 32) : c;
}

inline std::string asciiLower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = asciiLower(c);
    return result;
}
inline bool equalNoCase(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (asciiLower(a[i]) != asciiLower(b[i])) return false;
    return true;
}
inline bool isAscii(std::string_view text) {
    u8 bits = 0;
    for (char c : text) bits |= u8(c);
    return bits < 0x80;
}
inline std::string_view trimBlanks(std::string_view text) {
    while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
    return text;
}

} // namespace blueshift::functions
