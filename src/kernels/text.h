// text.h: the text value and its comparison form; the one meaning of equal, less and hash of text.
//
// Layout (16 bytes, as in Umbra and Arrow): u32 length, then 12 inline bytes, or a prefix of 4
// bytes and a pointer. Unused inline bytes are zero.
// Trailing blanks do not count in comparisons (Redshift, CHAR and VARCHAR alike). Order is by byte.
#pragma once

#include "kernels/scalar.h"

namespace blueshift::kernels {

struct TextView {
    static constexpr u32 kInlineBytes = 12;

    u32 length;
    char prefix[4];
    union {
        char rest[8];
        const char* pointer;
    };

    u32 size() const { return length; }
    bool isInline() const { return length <= kInlineBytes; }
    const char* data() const { return isInline() ? prefix : pointer; }
};
static_assert(sizeof(TextView) == 16);

/// A view of `length` bytes at `data`; copies them when they fit inline, else keeps the pointer.
inline TextView makeText(const char* data, u32 length) {
    TextView text;
    text.length = length;
    if (length <= TextView::kInlineBytes) {
        char bytes[12] = {};
        __builtin_memcpy(bytes, data, length);
        __builtin_memcpy(text.prefix, bytes, 4);
        __builtin_memcpy(text.rest, bytes + 4, 8);
    } else {
        __builtin_memcpy(text.prefix, data, 4);
        text.pointer = data;
    }
    return text;
}

/// Length without trailing blanks.
inline u32 trimmedLength(const char* data, u32 length) {
    while (length > 0 && data[length - 1] == ' ') --length;
    return length;
}

/// -1, 0 or 1 by bytes, trailing blanks ignored.
inline i32 compareText(const TextView& a, const TextView& b) {
    const char* x = a.data();
    const char* y = b.data();
    const u32 n = trimmedLength(x, a.length);
    const u32 m = trimmedLength(y, b.length);
    const i32 order = __builtin_memcmp(x, y, n < m ? n : m);
    if (order != 0) return order < 0 ? -1 : 1;
    return n < m ? -1 : n > m;
}

inline bool equal(const TextView& a, const TextView& b) {
    u64 a0, b0;
    __builtin_memcpy(&a0, &a, 8);
    __builtin_memcpy(&b0, &b, 8);
    if (a0 == b0) { // same length and prefix
        if (a.isInline()) return __builtin_memcmp(a.rest, b.rest, 8) == 0 || compareText(a, b) == 0;
        return a.pointer == b.pointer || __builtin_memcmp(a.pointer, b.pointer, a.length) == 0;
    }
    if (a.length == b.length && a.length >= 4 && a.prefix[3] != ' ' && b.prefix[3] != ' ')
        return false;
    return compareText(a, b) == 0;
}
inline bool less(const TextView& a, const TextView& b) {
    return compareText(a, b) < 0;
}
inline bool lessEqual(const TextView& a, const TextView& b) {
    return compareText(a, b) <= 0;
}

inline u64 mix(u64 key) {
    const u128 product = u128(key ^ 0x9E3779B97F4A7C15ul) * 0xD6E8FEB86659FD93ul;
    return u64(product) ^ u64(product >> 64);
}

/// Hash of the comparison form: equal texts have equal hashes, whatever their trailing blanks.
inline u64 hashText(const TextView& text) {
    const char* data = text.data();
    const u32 length = trimmedLength(data, text.length);
    u64 hash = length * 0x9E3779B97F4A7C15ul;
    u32 at = 0;
    for (; at + 8 <= length; at += 8) {
        u64 word;
        __builtin_memcpy(&word, data + at, 8);
        hash = mix(hash ^ word);
    }
    if (at < length) {
        u64 word = 0;
        for (u32 i = at; i < length; ++i) word |= u64(u8(data[i])) << ((i - at) * 8);
        hash = mix(hash ^ word);
    }
    return mix(hash);
}

/// Hash of an integer by its value, whatever its width; and of a float (0.0 and -0.0, all NaNs).
template <class T> inline u64 hashInteger(T value) {
    if constexpr (sizeof(T) == 16) {
        const u64 low = u64(u128(value));
        const i64 high = i64(value >> 64);
        if (high == (i64(low) >> 63)) return mix(low);
        return mix(mix(low) ^ u64(high));
    } else {
        return mix(u64(i64(value)));
    }
}
inline u64 hashFloat(f64 value) {
    if (value == 0) value = 0;
    u64 bits;
    if (value != value) bits = 0x7FF8000000000000ul;
    else __builtin_memcpy(&bits, &value, 8);
    return mix(bits);
}
/// The hash of NULL in a key column.
inline constexpr u64 kNullHash = 0xB5297A4D3F84D5B5ul;
inline u64 combine(u64 seed, u64 hash) {
    return mix(seed ^ (hash + 0x9E3779B97F4A7C15ul));
}

} // namespace blueshift::kernels
