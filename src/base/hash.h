// hash.h: hashes for memory (fast mixing) and for stored bytes (CRC32C, XXH3).
//
// Stored checksums never change their meaning; in-memory hashes may. The bucket hash of
// distribution keys is a format of its own: see cluster/bucket_hash.h.
#pragma once

#include <span>
#include <string_view>

#include "base/ints.h"

namespace blueshift {

/// Mixes all bits of a key (multiply and fold; constants from wyhash's public-domain family).
inline u64 mixHash(u64 key) {
    const u128 product = u128(key ^ 0x9E3779B97F4A7C15ull) * 0xD6E8FEB86659FD93ull;
    return u64(product) ^ u64(product >> 64);
}
inline u64 combineHash(u64 seed, u64 hash) {
    return mixHash(seed ^ (hash + 0x9E3779B97F4A7C15ull));
}

/// XXH3, 64 bits.
u64 hashBytes(const void* data, size_t bytes, u64 seed = 0);
inline u64 hashBytes(std::string_view text) {
    return hashBytes(text.data(), text.size());
}

/// XXH3, 128 bits: object checksums and the hash chain of the log.
struct Hash128 {
    u64 low = 0;
    u64 high = 0;
    bool operator==(const Hash128&) const = default;
};
Hash128 hashBytes128(const void* data, size_t bytes);

/// CRC32C (Castagnoli) of block bytes, as stored. `seed` continues an earlier call.
u32 crc32c(const void* data, size_t bytes, u32 seed = 0);

} // namespace blueshift
