// Compiled once per instruction set; see block_steps.cmake. Includes no standard headers: an inline
// function compiled here for AVX-512 could otherwise be the copy that the linker keeps for all.
#include "kernels/block_steps.h"

#include <immintrin.h>

namespace blueshift::kernels {

namespace {

#if defined(BS_BLOCK_STEPS_AVX512)

template <class T> inline u64 between64(const T* values, T low, T high) {
    u64 bits = 0;
    constexpr u32 kLanes = 64 / sizeof(T);
    for (u32 i = 0; i < sizeof(T); ++i) {
        const __m512i v = _mm512_loadu_si512(values + i * kLanes);
        u64 hit;
        if constexpr (sizeof(T) == 1)
            hit = _mm512_mask_cmple_epi8_mask(_mm512_cmpge_epi8_mask(v, _mm512_set1_epi8(low)), v,
                                              _mm512_set1_epi8(high));
        else if constexpr (sizeof(T) == 2)
            hit = _mm512_mask_cmple_epi16_mask(_mm512_cmpge_epi16_mask(v, _mm512_set1_epi16(low)),
                                               v, _mm512_set1_epi16(high));
        else if constexpr (sizeof(T) == 4)
            hit = _mm512_mask_cmple_epi32_mask(_mm512_cmpge_epi32_mask(v, _mm512_set1_epi32(low)),
                                               v, _mm512_set1_epi32(high));
        else
            hit = _mm512_mask_cmple_epi64_mask(_mm512_cmpge_epi64_mask(v, _mm512_set1_epi64(low)),
                                               v, _mm512_set1_epi64(high));
        bits |= hit << (i * kLanes % 64);
    }
    return bits;
}

struct Iota32 {
    u16 at[32];
    constexpr Iota32() : at() {
        for (u32 i = 0; i < 32; ++i) at[i] = u16(i);
    }
};

u32 selectionFromMask(const u64* mask, u32 rows, u16* selection) {
    static constexpr Iota32 kIota;
    u32 count = 0;
    for (u32 word = 0; word * 64 < rows; ++word) {
        const u64 both = mask[word];
        if (both == 0) continue;
        __m512i position =
            _mm512_add_epi16(_mm512_loadu_si512(kIota.at), _mm512_set1_epi16(short(word * 64)));
        for (u32 half = 0; half < 2; ++half) {
            const __mmask32 bits = __mmask32(both >> (half * 32));
            // Compress in a register: the form that stores to memory is microcoded on Zen 4.
            _mm512_storeu_si512(selection + count, _mm512_maskz_compress_epi16(bits, position));
            count += u32(__builtin_popcount(bits));
            position = _mm512_add_epi16(position, _mm512_set1_epi16(32));
        }
    }
    return count;
}

#else

struct BytePositions {
    u16 at[256][8];
    constexpr BytePositions() : at() {
        for (u32 byte = 0; byte < 256; ++byte)
            for (u32 bit = 0, n = 0; bit < 8; ++bit)
                if (byte >> bit & 1) at[byte][n++] = u16(bit);
    }
};

u32 selectionFromMask(const u64* mask, u32 rows, u16* selection) {
    static constexpr BytePositions kPositions;
    u32 count = 0;
    for (u32 word = 0; word * 64 < rows; ++word) {
        if (mask[word] == 0) continue;
        for (u32 byte = 0; byte < 8; ++byte) {
            const u32 bits = mask[word] >> (byte * 8) & 255;
            const __m128i positions =
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(kPositions.at[bits]));
            const __m128i base = _mm_set1_epi16(short(word * 64 + byte * 8));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(selection + count),
                             _mm_add_epi16(positions, base));
            count += u32(__builtin_popcount(bits));
        }
    }
    return count;
}

#if defined(BS_BLOCK_STEPS_AVX2)

template <class T> inline __m256i lanesBetween(const T* values, __m256i low, __m256i high) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
    if constexpr (sizeof(T) == 1)
        return _mm256_cmpeq_epi8(v, _mm256_min_epi8(_mm256_max_epi8(v, low), high));
    else if constexpr (sizeof(T) == 2)
        return _mm256_cmpeq_epi16(v, _mm256_min_epi16(_mm256_max_epi16(v, low), high));
    else if constexpr (sizeof(T) == 4)
        return _mm256_cmpeq_epi32(v, _mm256_min_epi32(_mm256_max_epi32(v, low), high));
    else // no 64-bit min and max: set where outside, the caller inverts
        return _mm256_or_si256(_mm256_cmpgt_epi64(low, v), _mm256_cmpgt_epi64(v, high));
}

template <class T> inline u64 between64(const T* values, T low, T high) {
    u64 bits = 0;
    if (low > high) return 0;
    if constexpr (sizeof(T) == 1) {
        const __m256i l = _mm256_set1_epi8(low), h = _mm256_set1_epi8(high);
        for (u32 i = 0; i < 2; ++i)
            bits |= u64(u32(_mm256_movemask_epi8(lanesBetween(values + i * 32, l, h)))) << (i * 32);
    } else if constexpr (sizeof(T) == 2) {
        const __m256i l = _mm256_set1_epi16(low), h = _mm256_set1_epi16(high);
        for (u32 i = 0; i < 2; ++i) {
            // Packing works within 128-bit lanes: the permutation restores the order.
            const __m256i packed = _mm256_permute4x64_epi64(
                _mm256_packs_epi16(lanesBetween(values + i * 32, l, h),
                                   lanesBetween(values + i * 32 + 16, l, h)),
                0xD8);
            bits |= u64(u32(_mm256_movemask_epi8(packed))) << (i * 32);
        }
    } else if constexpr (sizeof(T) == 4) {
        const __m256i l = _mm256_set1_epi32(low), h = _mm256_set1_epi32(high);
        for (u32 i = 0; i < 8; ++i)
            bits |= u64(u32(_mm256_movemask_ps(
                        _mm256_castsi256_ps(lanesBetween(values + i * 8, l, h)))))
                    << (i * 8);
    } else {
        const __m256i l = _mm256_set1_epi64x(low), h = _mm256_set1_epi64x(high);
        for (u32 i = 0; i < 16; ++i)
            bits |= u64(u32(_mm256_movemask_pd(
                            _mm256_castsi256_pd(lanesBetween(values + i * 4, l, h)))) ^
                        15u)
                    << (i * 4);
    }
    return bits;
}

#else

template <class T> inline u64 between64(const T* values, T low, T high) {
    u64 bits = 0;
    for (u32 i = 0; i < 64; ++i) bits |= u64(low <= values[i] && values[i] <= high) << i;
    return bits;
}

#endif
#endif

/// Calls `group(first value of 64) -> bits` for all rows. The last, partial group is copied so
/// that nothing past the end is read.
template <class T, class Group>
inline void forEachGroup(const T* values, u32 rows, u64* mask, Group&& group) {
    u32 word = 0;
    for (; word * 64 + 64 <= rows; ++word) mask[word] &= group(values + word * 64);
    const u32 rest = rows - word * 64;
    if (rest == 0) return;
    T tail[64] = {};
    __builtin_memcpy(tail, values + word * 64, rest * sizeof(T));
    mask[word] &= group(tail);
}

template <class T> void between(const void* values, i64 low, i64 high, u32 rows, u64* mask) {
    forEachGroup(static_cast<const T*>(values), rows, mask,
                 [=](const T* at) { return between64<T>(at, T(low), T(high)); });
}
template <class T> void outside(const void* values, i64 low, i64 high, u32 rows, u64* mask) {
    forEachGroup(static_cast<const T*>(values), rows, mask,
                 [=](const T* at) { return ~between64<T>(at, T(low), T(high)); });
}

// Unsigned codes: plain loops that the compiler turns into vector compares.
template <class T> void codesBetween(const void* codes, i64 low, i64 high, u32 rows, u64* mask) {
    forEachGroup(static_cast<const T*>(codes), rows, mask, [=](const T* at) {
        alignas(64) u8 hit[64];
        const T l = T(low), span = T(high - low);
        for (u32 i = 0; i < 64; ++i) hit[i] = T(at[i] - l) <= span;
        u64 bits = 0;
        for (u32 i = 0; i < 8; ++i) {
            u64 eight;
            __builtin_memcpy(&eight, hit + i * 8, 8);
            bits |= (eight * 0x0102040810204080ul >> 56) << (i * 8);
        }
        return bits;
    });
}
template <class T> void codesIn(const void* codes, const u64* members, u32 rows, u64* mask) {
    forEachGroup(static_cast<const T*>(codes), rows, mask, [=](const T* at) {
        u64 bits = 0;
        for (u32 i = 0; i < 64; ++i) bits |= (members[at[i] >> 6] >> (at[i] & 63) & 1) << i;
        return bits;
    });
}
template <class T> void floatBetween(const void* values, f64 low, f64 high, u32 rows, u64* mask) {
    forEachGroup(static_cast<const T*>(values), rows, mask, [=](const T* at) {
        u64 bits = 0;
        for (u32 i = 0; i < 64; ++i) bits |= u64(f64(at[i]) >= low && f64(at[i]) <= high) << i;
        return bits;
    });
}

} // namespace

extern "C" {

#define BS_BLOCK_STEPS(NAME)                                  \
    {NAME,                                                    \
     {between<i8>, between<i16>, between<i32>, between<i64>}, \
     {outside<i8>, outside<i16>, outside<i32>, outside<i64>}, \
     {codesBetween<u8>, codesBetween<u16>},                   \
     {codesIn<u8>, codesIn<u16>},                             \
     {floatBetween<f32>, floatBetween<f64>},                  \
     selectionFromMask}

#if defined(BS_BLOCK_STEPS_AVX512)
constinit const BlockSteps bs_block_steps_avx512 = BS_BLOCK_STEPS("avx512");
#elif defined(BS_BLOCK_STEPS_AVX2)
constinit const BlockSteps bs_block_steps_avx2 = BS_BLOCK_STEPS("avx2");
#else
constinit const BlockSteps bs_block_steps_scalar = BS_BLOCK_STEPS("scalar");

const BlockSteps* bs_choose_block_steps(const char* name) {
    const bool has_avx512 = __builtin_cpu_supports("avx512vbmi2") &&
                            __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq");
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    if (name != nullptr) {
        if (__builtin_strcmp(name, "scalar") == 0) return &bs_block_steps_scalar;
        if (__builtin_strcmp(name, "avx2") == 0 && has_avx2) return &bs_block_steps_avx2;
    }
    return has_avx512 ? &bs_block_steps_avx512
           : has_avx2 ? &bs_block_steps_avx2
                      : &bs_block_steps_scalar;
}
#endif

} // extern "C"

} // namespace blueshift::kernels
