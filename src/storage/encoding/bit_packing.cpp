#include "storage/encoding/bit_packing.h"

#include <immintrin.h>

namespace blueshift::storage {

u32 unpackNarrow(std::span<const u8> in, u32 first, u32 rows, u32 width, u32* out) {
    // Eight values fill `width` bytes. Each lies within the four bytes from its first one: those go
    // to a lane of its own, values 0 to 3 from the group's first byte, 4 to 7 from that of value 4.
    const u32 second = 4 * width / 8;
    alignas(32) u8 bytes[32];
    alignas(32) u32 shifts[8];
    for (u32 i = 0; i < 8; ++i) {
        const u32 from = i * width / 8 - (i < 4 ? 0 : second);
        for (u32 b = 0; b < 4; ++b) bytes[i * 4 + b] = u8(from + b);
        shifts[i] = i * width % 8;
    }
    const __m256i places = _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i shift = _mm256_load_si256(reinterpret_cast<const __m256i*>(shifts));
    const __m256i mask = _mm256_set1_epi32(int((u32{1} << width) - 1));
    const u8* at = in.data() + size_t(first / 8) * width;
    const u8* const end = in.data() + in.size();
    u32 done = 0;
    for (; done + 8 <= rows && size_t(end - at) >= second + 16; done += 8, at += width) {
        const __m256i words = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))),
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + second)), 1);
        _mm256_storeu_si256(
            reinterpret_cast<__m256i*>(out + done),
            _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(words, places), shift), mask));
    }
    return done;
}

} // namespace blueshift::storage
