// bucket_hash.h: the hash of distribution keys. A format: it never changes.
//
// Place: storage (which rows of a table are a node's), exchange (which node gets a row); fixed by
// the vectors in docs/formats/bucket_hash.md and test/unit/types/bucket_hash_test.cpp. Independent
// of width and integer type: the value counts. Text by its comparison form. NULL has a hash of its
// own. The hashes of hash tables (text.h) are others, and may change.
#pragma once

#include "kernels/text.h"

namespace blueshift::kernels {

inline constexpr u32 kBucketBits = 12;
inline constexpr u32 kBuckets = 1u << kBucketBits;
inline constexpr u64 kBucketNullHash = 0x6E756C6C6E756C6Cul; // "nullnull"

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
inline u64 bucketMix(u64 word) {
    word += 0x9E3779B97F4A7C15ul;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9ul;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBul;
    return word ^ (word >> 31);
}

template <class T> inline u64 bucketHashInteger(T value) {
    if constexpr (sizeof(T) == 16) {
        const u64 low = u64(u128(value));
        const i64 high = i64(value >> 64);
        if (high == (i64(low) >> 63)) return bucketMix(low);
        return bucketMix(bucketMix(low) ^ u64(high));
    } else {
        return bucketMix(u64(i64(value)));
    }
}

/// Floats by their value as a double: -0.0 is 0.0, all NaNs are one.
inline u64 bucketHashFloat(f64 value) {
    if (value == 0) value = 0;
    u64 bits;
    if (value != value) bits = 0x7FF8000000000000ul;
    else __builtin_memcpy(&bits, &value, 8);
    return bucketMix(bits ^ 0x666C6F6174ul); // "float"
}

inline u64 bucketHashText(const TextView& text) {
    const char* data = text.data();
    const u32 length = trimmedLength(data, text.length);
    u64 hash = bucketMix(length);
    for (u32 at = 0; at < length; at += 8) {
        u64 word = 0;
        __builtin_memcpy(&word, data + at, length - at < 8 ? length - at : 8);
        hash = bucketMix(hash ^ word);
    }
    return hash;
}

/// Of several columns, in order.
inline u64 bucketCombine(u64 hash, u64 next) {
    return bucketMix(hash * 31 + next);
}

inline u32 bucketOf(u64 hash) {
    return u32(hash >> (64 - kBucketBits));
}

} // namespace blueshift::kernels
