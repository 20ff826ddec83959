// bit_packing.h: unsigned integers stored at a fixed number of bits, 0 to 64, little-endian.
//
// Place: the inner form of frame of reference, delta, run length and dictionary codes.
// Format: value i occupies bits [i*width, (i+1)*width) of the byte string; ceil(n*width/8) bytes.
// Widths 8, 16, 32 and 64 are plain arrays; the writer prefers them when they cost at most a
// seventh more. Other widths up to 25 are unpacked by shuffles, eight values at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "base/ints.h"

namespace blueshift::storage {

/// Bits that hold every value up to `max`, rounded up to a byte-aligned width where that is cheap.
inline u32 packedWidth(u64 max) {
    const u32 bits = u32(std::bit_width(max));
    if (bits == 7) return 8;
    if (bits == 14 || bits == 15) return 16;
    if (bits >= 28 && bits < 32) return 32;
    return bits > 56 ? 64 : bits;
}

inline u64 packedBytes(u64 rows, u32 width) {
    return (rows * width + 7) / 8;
}

/// Appends `packedBytes(values.size(), width)` bytes.
inline void packBits(std::span<const u64> values, u32 width, std::vector<u8>& out) {
    const size_t start = out.size();
    const u64 bytes = packedBytes(values.size(), width);
    out.resize(start + bytes + 8);
    u8* at = out.data() + start;
    const auto store = [&]<class T>(T*) {
        for (const u64 value : values) {
            const T narrow = T(value);
            std::memcpy(at, &narrow, sizeof(T));
            at += sizeof(T);
        }
    };
    if (width == 8) {
        store(static_cast<u8*>(nullptr));
    } else if (width == 16) {
        store(static_cast<u16*>(nullptr));
    } else if (width == 32) {
        store(static_cast<u32*>(nullptr));
    } else if (width == 64) {
        store(static_cast<u64*>(nullptr));
    } else if (width > 0) {
        u64 pending = 0;
        u32 filled = 0;
        for (const u64 value : values) {
            pending |= value << filled;
            filled += width;
            if (filled >= 64) {
                std::memcpy(at, &pending, 8);
                at += 8;
                filled -= 64;
                pending = filled == 0 ? 0 : value >> (width - filled);
            }
        }
        std::memcpy(at, &pending, 8);
    }
    out.resize(start + bytes);
}

/// Widths of which eight values at a time are unpacked by vector instructions.
inline constexpr u32 kNarrowWidth = 25;
/// Values first, first + 1, ... of at most kNarrowWidth bits to `out`, as many as can be read in
/// groups of eight without looking beyond `in`; returns how many. `first` is a multiple of 8.
u32 unpackNarrow(std::span<const u8> in, u32 first, u32 rows, u32 width, u32* out);

/// Calls `store(i, value)` for each of `rows` values. `in` holds at least packedBytes(rows, width).
template <class Store>
inline void unpackBits(std::span<const u8> in, u32 rows, u32 width, Store&& store) {
    const u8* data = in.data();
    const auto load = [&]<class T>(T*) {
        for (u32 i = 0; i < rows; ++i) {
            T value;
            std::memcpy(&value, data + size_t(i) * sizeof(T), sizeof(T));
            store(i, u64(value));
        }
    };
    if (width == 0) {
        for (u32 i = 0; i < rows; ++i) store(i, u64{0});
    } else if (width == 8) {
        load(static_cast<u8*>(nullptr));
    } else if (width == 16) {
        load(static_cast<u16*>(nullptr));
    } else if (width == 32) {
        load(static_cast<u32*>(nullptr));
    } else if (width == 64) {
        load(static_cast<u64*>(nullptr));
    } else {
        // Widths up to 56 lie within the eight bytes from the value's first byte.
        const u64 mask = (u64{1} << width) - 1;
        const u64 safe_bits = in.size() >= 8 ? (in.size() - 8) * 8 : 0;
        u32 i = 0;
        if (width <= kNarrowWidth) {
            constexpr u32 kChunk = 512;
            u32 values[kChunk];
            for (u32 done = kChunk; done == kChunk && i < rows; i += done) {
                done = unpackNarrow(in, i, std::min(kChunk, rows - i), width, values);
                for (u32 k = 0; k < done; ++k) store(i + k, u64{values[k]});
            }
        }
        for (u64 bit = u64(i) * width; i < rows && in.size() >= 8 && bit <= safe_bits;
             ++i, bit += width) {
            u64 word;
            std::memcpy(&word, data + (bit >> 3), 8);
            store(i, word >> (bit & 7) & mask);
        }
        for (; i < rows; ++i) {
            const u64 bit = u64(i) * width;
            u8 last[8] = {};
            std::memcpy(last, data + (bit >> 3), std::min<u64>(8, in.size() - (bit >> 3)));
            u64 word;
            std::memcpy(&word, last, 8);
            store(i, word >> (bit & 7) & mask);
        }
    }
}

/// A width that a stored record may name.
inline bool isPackedWidth(u32 width) {
    return width <= 56 || width == 64;
}

} // namespace blueshift::storage
