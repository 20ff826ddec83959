// hash_columns.h: hashes of key columns, a batch at a time.
//
// Place: grouping, join build and probe, window partitions: equal keys have equal hashes, whatever
// the width of the integers, trailing blanks of text, the sign of zero or the bits of a NaN.
// Dictionaries: an entry is hashed once and remembered for as long as the dictionary stays.
// Threads: one hasher per worker.
#pragma once

#include <span>
#include <vector>

#include "types/vector.h"

namespace blueshift::execute {

using kernels::kNullHash;

class ColumnHasher {
public:
    explicit ColumnHasher(u32 columns) : columns_(columns) {}

    /// hashes[i] becomes the hash of row rows[i] (nullptr: i) over all `keys`. No keys: 0.
    void hash(std::span<const Vector> keys, const u16* rows, u32 count, u64* hashes);
    /// Combines further columns into `hashes`; `keys[i]` is the hasher's column first + i.
    void extend(std::span<const Vector> keys, u32 first, const u16* rows, u32 count, u64* hashes,
                bool combine);

private:
    struct EntryHashes {
        u64 dictionary_id = 0;
        std::vector<u64> hashes;
    };

    void hashDictionary(const Vector& key, EntryHashes& entries, const u16* rows, u32 count,
                        u64* hashes, bool combine);

    std::vector<EntryHashes> columns_;
};

} // namespace blueshift::execute
