// key_table.h: open addressing over rows: finds rows by key or inserts them, a batch at a time.
//
// Place: grouping, DISTINCT sets, window partitions. The rows lie in RowPages of the caller; a slot
// is 16 bits of salt from the hash and a 48-bit address, so that most mismatches cost no row
// access. Staged: all slots of a batch are prefetched, then the candidate rows, then keys are
// compared column by column; rows that met another key go to the next round. Hash bits: the top 6
// are left to partitioning, salt is below, slots come from the low end. Threads: one at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "execute/rows/row_pages.h"
#include "kernels/pipeline.h"

namespace blueshift::execute {

/// Partition of a row by the top bits of its hash.
inline constexpr u32 kPartitionBits = 6;
inline constexpr u32 kPartitions = 1u << kPartitionBits;
inline u32 partitionOf(u64 hash) {
    return u32(hash >> (64 - kPartitionBits));
}
/// The part within a partition that did not fit, by the next bits of the hash: levels 1 to 8.
inline u32 partitionOf(u64 hash, u32 level) {
    return u32(hash << (kPartitionBits * level) >> (64 - kPartitionBits));
}

class KeyTable {
public:
    /// `compared` are the layout's key columns. The layout must have a hash and outlive the table.
    KeyTable(const RowLayout& layout, std::vector<u32> compared);

    /// Makes room for `more` further keys; false after recording 53200.
    bool reserve(u64 more, WorkerContext& context);
    /// What reserve(more) would take.
    u64 growthBytes(u64 more) const;
    /// Forgets all keys; the rows stay where they are.
    void clear();
    void release(WorkerContext& context);
    u64 keys() const { return keys_; }
    u64 memoryBytes() const { return slots_.size() * 8; }

    /// For each i < count: out[i] is the row with the key columns[..] at rows[i] and hashes[i].
    /// Keys that were not there are inserted: `insert(list, n, addresses)` appends the rows list[k]
    /// (positions i, ascending) and gives their addresses; false stops everything.
    /// reserve(count) must have succeeded before.
    template <class Insert>
    bool findOrInsert(std::span<const Vector> columns, const u16* rows, u32 count,
                      const u64* hashes, u8** out, Insert&& insert) {
        return probe(
            count, hashes, out,
            [&](u16* candidates, u32 n) { return match(columns, rows, out, candidates, n); },
            insert);
    }

    /// To be prefetched before findFirst().
    kernels::GroupSlots slots() const { return {slots_.data(), mask_}; }
    /// For each hash the first row with its salt, which may have the same key, or nullptr; the rows
    /// are prefetched.
    void findFirst(const u64* hashes, u32 count, u8** out) const;

    /// findOrInsert for rows of the table's layout: out[i] == rows[i] where the key was new.
    bool mergeRows(u8* const* rows, u32 count, u8** out);

    /// out[i] is the row whose keys equal columns `other_columns` of others[i] (of layout `other`)
    /// and whose hash is hashes[i]; nullptr when there is none.
    void find(const RowLayout& other, std::span<const u32> other_columns, u8* const* others,
              u32 count, const u64* hashes, u8** out) const;

private:
    static constexpr u64 kAddressMask = (u64{1} << 48) - 1;
    static constexpr u64 kPending = 1; // an address that no row has

    static u64 saltOf(u64 hash) { return hash >> (64 - kPartitionBits - 16) << 48; }
    static u8* rowOf(u64 slot) { return reinterpret_cast<u8*>(slot & kAddressMask); }

    u32 match(std::span<const Vector> columns, const u16* rows, u8* const* found, u16* candidates,
              u32 count) const;
    u32 matchFound(const RowLayout& other, std::span<const u32> other_columns, u8* const* others,
                   u8* const* found, u16* candidates, u32 count) const;
    template <class Match, class Insert>
    bool probe(u32 count, const u64* hashes, u8** out, Match&& match, Insert&& insert);

    const RowLayout& layout_;
    std::vector<u32> compared_;
    std::vector<u64> slots_;
    u64 mask_ = 0;
    u64 keys_ = 0;
};

template <class Match, class Insert>
bool KeyTable::probe(u32 count, const u64* hashes, u8** out, Match&& match, Insert&& insert) {
    u64 positions[kVectorRows];
    u16 waiting[kVectorRows];
    u16 fresh[kVectorRows];
    u16 candidates[kVectorRows];
    u8* addresses[kVectorRows];
    for (u32 i = 0; i < count; ++i) {
        waiting[i] = u16(i);
        positions[i] = hashes[i] & mask_;
        __builtin_prefetch(&slots_[positions[i]]);
    }
    u32 waiting_count = count;
    while (waiting_count > 0) {
        u32 fresh_count = 0;
        u32 candidate_count = 0;
        for (u32 k = 0; k < waiting_count; ++k) {
            const u16 i = waiting[k];
            const u64 salt = saltOf(hashes[i]);
            u64 at = positions[i];
            while (true) {
                const u64 slot = slots_[at];
                if (slot == 0) {
                    slots_[at] = salt | kPending;
                    fresh[fresh_count++] = i;
                    break;
                }
                if ((slot & ~kAddressMask) == salt) {
                    candidates[candidate_count++] = i;
                    break;
                }
                at = (at + 1) & mask_;
            }
            positions[i] = at;
        }
        if (fresh_count > 0) {
            if (!insert(fresh, fresh_count, addresses)) return false;
            for (u32 k = 0; k < fresh_count; ++k) {
                const u16 i = fresh[k];
                slots_[positions[i]] = saltOf(hashes[i]) | reinterpret_cast<u64>(addresses[k]);
                out[i] = addresses[k];
            }
            keys_ += fresh_count;
        }
        for (u32 k = 0; k < candidate_count; ++k) {
            const u16 i = candidates[k];
            out[i] = rowOf(slots_[positions[i]]);
            __builtin_prefetch(out[i]);
        }
        std::copy(candidates, candidates + candidate_count, waiting);
        const u32 matched = match(candidates, candidate_count);
        // What did not match goes on to the next slot.
        u32 left = 0;
        for (u32 k = 0, m = 0; k < candidate_count; ++k) {
            const u16 i = waiting[k];
            if (m < matched && candidates[m] == i) {
                ++m;
                continue;
            }
            positions[i] = (positions[i] + 1) & mask_;
            waiting[left++] = i;
        }
        waiting_count = left;
    }
    return true;
}

} // namespace blueshift::execute
