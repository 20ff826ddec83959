#include <algorithm>
#include <bit>
#include <cmath>

#include "storage/storage.h"

namespace blueshift::storage {

// Flajolet, Fusy, Gandouet, Meunier 2007; linear counting below 2.5 registers.
void HyperLogLog::add(u64 hash) {
    // The hashes of joins and grouping are too even over runs of integers for a sketch: consecutive
    // keys gave 10 to 60 % too many. Two more rounds (the finisher of splitmix64) mend that.
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9ull;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EBull;
    hash ^= hash >> 31;
    const u64 index = hash >> (64 - kIndexBits);
    const u8 rank = u8(std::countl_zero(hash << kIndexBits | u64{1} << (kIndexBits - 1)) + 1);
    if (rank > registers_[index]) registers_[index] = rank;
}

void HyperLogLog::merge(std::span<const u8> other) {
    if (other.size() != registers_.size()) return;
    for (size_t i = 0; i < registers_.size(); ++i)
        registers_[i] = std::max(registers_[i], other[i]);
}

f64 HyperLogLog::estimate() const {
    const f64 m = f64(registers_.size());
    f64 sum = 0;
    u32 zeros = 0;
    for (const u8 rank : registers_) {
        sum += std::ldexp(1.0, -int(rank));
        zeros += rank == 0;
    }
    const f64 raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && zeros > 0) return m * std::log(m / zeros);
    return raw;
}

} // namespace blueshift::storage
