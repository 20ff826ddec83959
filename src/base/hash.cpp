#include "base/hash.h"

#define XXH_INLINE_ALL
#include <nmmintrin.h>
#include <xxhash.h>

#include <cstring>

namespace blueshift {

u64 hashBytes(const void* data, size_t bytes, u64 seed) {
    return XXH3_64bits_withSeed(data, bytes, seed);
}

Hash128 hashBytes128(const void* data, size_t bytes) {
    const XXH128_hash_t hash = XXH3_128bits(data, bytes);
    return {hash.low64, hash.high64};
}

u32 crc32c(const void* data, size_t bytes, u32 seed) {
    const auto* at = static_cast<const unsigned char*>(data);
    u64 crc = ~seed;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        u64 word;
        std::memcpy(&word, at, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    u32 tail = u32(crc);
    for (; bytes > 0; --bytes, ++at) tail = _mm_crc32_u8(tail, *at);
    return ~tail;
}

} // namespace blueshift
