// utf8.h: characters of UTF-8 text: counting, stepping, validity.
//
// Place: string functions and length limits. Text in tables is valid UTF-8; bytes that are not are
// treated as characters of one byte, never as errors.
#pragma once

#include <string_view>

#include "base/ints.h"

namespace blueshift::functions {

constexpr bool isContinuation(char c) {
    return (u8(c) & 0xC0) == 0x80;
}

/// The largest offset <= `limit` that does not split a character.
inline size_t utf8Floor(std::string_view text, size_t limit) {
    if (limit >= text.size()) return text.size();
    while (limit > 0 && isContinuation(text[limit])) --limit;
    return limit;
}
inline size_t utf8Length(std::string_view text) {
    size_t count = 0;
    for (char c : text) count += !isContinuation(c);
    return count;
}
/// The offset behind the character at `at`.
inline size_t utf8Next(std::string_view text, size_t at) {
    ++at;
    while (at < text.size() && isContinuation(text[at])) ++at;
    return at;
}
/// The byte offset of character number `characters` (0-based), at most the length.
inline size_t utf8Offset(std::string_view text, size_t characters) {
    size_t at = 0;
    while (characters > 0 && at < text.size()) {
        at = utf8Next(text, at);
        --characters;
    }
    return at;
}
/// The code point at `at`; a broken sequence gives its first byte.
inline u32 utf8Decode(std::string_view text, size_t at) {
    const u8 first = u8(text[at]);
    const size_t length = utf8Next(text, at) - at;
    if (first < 0x80 || length == 1) return first;
    u32 point = length == 2 ? first & 0x1F : length == 3 ? first & 0x0F : first & 0x07;
    for (size_t i = 1; i < length; ++i) point = point << 6 | (u8(text[at + i]) & 0x3F);
    return point;
}
/// Writes a code point of at most 0x10FFFF; returns its bytes.
inline u32 utf8Encode(u32 point, char* out) {
    if (point < 0x80) {
        out[0] = char(point);
        return 1;
    }
    if (point < 0x800) {
        out[0] = char(0xC0 | point >> 6);
        out[1] = char(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = char(0xE0 | point >> 12);
        out[1] = char(0x80 | (point >> 6 & 0x3F));
        out[2] = char(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = char(0xF0 | point >> 18);
    out[1] = char(0x80 | (point >> 12 & 0x3F));
    out[2] = char(0x80 | (point >> 6 & 0x3F));
    out[3] = char(0x80 | (point & 0x3F));
    return 4;
}

} // namespace blueshift::functions
