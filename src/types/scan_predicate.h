// scan_predicate.h: what a scan can test by itself: simple predicates of one column, and filters
// that a hash join's build side sends to the scans of its probe side.
//
// Place: made by compile/ and execute/, evaluated by storage/ on zone maps and on vectors.
#pragma once

#include <atomic>
#include <vector>

#include "base/ints.h"
#include "kernels/text.h"
#include "types/value.h"

namespace blueshift {

/// In place of a column id: the row's address in its table, for UPDATE and DELETE.
inline constexpr u32 kRowIdColumn = ~u32{0};

/// `column OP value`; NULLs never satisfy it (kIsNull excepted). Conjoined.
struct ScanPredicate {
    enum class Op : u8 {
        kEqual,
        kNotEqual,
        kLess,
        kLessEqual,
        kGreater,
        kGreaterEqual,
        kIn, // any of `values`
        kIsNull,
        kIsNotNull,
    };
    u32 column_id = 0;
    Op op = Op::kEqual;
    /// Of the column's own type (decimals at its scale). One value; kIn: at least one.
    std::vector<Value> values;
};

/// Filled by the thread that finishes a hash build, then published once; read by scans, which look
/// at `ready` again at every block. Rows that fail it cannot find a partner; NULL keys fail too.
struct JoinFilter {
    std::atomic<bool> ready{false};

    bool build_empty = false;
    bool has_range = false; // integer keys: all build keys lie in [min, max]
    i128 min = 0;
    i128 max = 0;
    /// Blocked Bloom filter over kernels::hashInteger / hashText of the key; empty: not built.
    std::vector<u64> bloom;
    u32 bloom_shift = 64; // word index = hash >> bloom_shift

    /// Two bits in one 64-bit word, from hash bits that the word index does not use.
    static u64 bloomMask(u64 hash) {
        return (u64{1} << (hash & 63)) | (u64{1} << (hash >> 6 & 63));
    }
    bool mayContain(u64 hash) const {
        const u64 mask = bloomMask(hash);
        return (bloom[hash >> bloom_shift] & mask) == mask;
    }

    /// To a Bloom filter that was made; from several workers at once.
    void add(u64 hash) {
        u64& word = bloom[hash >> bloom_shift];
        const u64 mask = bloomMask(hash);
        if ((__atomic_load_n(&word, __ATOMIC_RELAXED) & mask) != mask)
            __atomic_fetch_or(&word, mask, __ATOMIC_RELAXED);
    }

    /// How it did, for EXPLAIN ANALYZE and for switching it off.
    std::atomic<u64> rows_tested{0};
    std::atomic<u64> rows_passed{0};
};

/// One join filter as a scan sees it: on which of its columns.
struct ScanJoinFilter {
    u32 column_id = 0;
    JoinFilter* filter = nullptr;
};

} // namespace blueshift
