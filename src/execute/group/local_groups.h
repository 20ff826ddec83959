// local_groups.h: what one worker has grouped so far.
//
// Life: consume() per batch. Groups are found by a direct index (few dictionary codes or bytes), or
// by hash. At 16 k groups the table is near the size of the second-level cache: if most rows still
// meet a known group it may grow, else it is emptied (the rows stay, in 64 partitions, and are
// merged later). If nearly every row made a new group, looking up stops altogether. Where fewer
// than half a million groups are expected the table grows for all of them: that costs less than
// merging. Owns: rows, states, collected input of deferred calls. Threads: one worker's.
#pragma once

#include <memory>

#include "execute/group/group_spill.h"
#include "execute/rows/hash_columns.h"
#include "execute/rows/partitioned_rows.h"
#include "execute/rows/state_memory.h"
#include "kernels/pipeline.h"

namespace blueshift::execute {

/// Rows by key with the policy above: a table over partitioned rows.
class KeyedRows {
public:
    KeyedRows(const RowLayout& layout, const std::vector<u32>& compared,
              const std::vector<u8>& initial_extra, f64 expected_keys = 0)
        : rows(layout),
          layout_(layout),
          table_(layout, compared),
          initial_extra_(initial_extra),
          first_limit_(expected_keys * 2 > f64(kMostLocalGroups)
                           ? kLocalGroups
                           : std::max(kLocalGroups, u64(expected_keys * 2))),
          limit_(first_limit_) {}

    /// For each i: the row with the key columns[..] at selection[i]; new keys get a row.
    bool locate(std::span<const Vector> columns, const u16* selection, u32 count, const u64* hashes,
                u8** out, WorkerContext& context);
    /// The same in three steps: room for `count` new keys, without which rows would move; a row
    /// that may have the key of each hash (nullptr: none); the keys that were not found.
    bool makeRoom(u32 count, WorkerContext& context);
    kernels::GroupSlots slots() const { return table_.slots(); }
    /// Says nullptr for all while most keys are new: add() finds them as well.
    void findFirst(const u64* hashes, u32 count, u8** out) const {
        if (mostly_new_) std::fill(out, out + count, nullptr);
        else table_.findFirst(hashes, count, out);
    }
    bool add(std::span<const Vector> columns, const u16* selection, u32 count, const u64* hashes,
             u8** out, WorkerContext& context);
    /// Rows that were looked up since the table was last emptied: what its policy goes by.
    void countLookups(u32 count) {
        looked_up_ = count;
        seen_ += count;
    }
    /// Rows may repeat keys, because the table was emptied meanwhile.
    bool mayRepeat() const { return emptied_; }
    /// Changes whenever the rows moved to other addresses.
    u32 generation() const { return generation_; }
    bool split(WorkerContext& context);
    void dropTable(WorkerContext& context) { table_.release(context); }
    /// What locate() may take for tables and for moving rows, the new rows themselves excepted.
    u64 growthBytes(u32 count) const;
    /// What split() takes while it goes on.
    u64 splitBytes() const;
    /// Writes all rows to parts on disk and forgets them.
    bool spill(SpillFile& file, const RowCodec& codec, SpilledParts& parts, WorkerContext& context);
    u64 memoryBytes() const { return rows.memoryBytes() + table_.memoryBytes(); }

    PartitionedRows rows;

private:
    bool insert(std::span<const Vector> columns, const u16* selection, const u64* hashes,
                const u16* fresh, u32 count, u8** out, WorkerContext& context);
    /// Gives new rows their first states.
    void initialize(u8* const* fresh, u32 count);

    const RowLayout& layout_;
    KeyTable table_;
    const std::vector<u8>& initial_extra_;
    const u64 first_limit_;
    u64 limit_;
    u64 seen_ = 0; // rows since the table was last emptied
    u32 useless_rounds_ = 0;
    u32 generation_ = 0;
    bool emptied_ = false;
    bool append_only_ = false;
    bool mostly_new_ = false; // of the keys looked up last
    u32 looked_up_ = 0;

    static constexpr u64 kLocalGroups = 16 << 10;
    static constexpr u64 kMostLocalGroups = 1 << 20;
};

class LocalGroups final : public State {
public:
    LocalGroups(const GroupShape& shape, GroupSpill& spill);

    void consume(const Batch& batch, WorkerContext& context);

    // ---- For generated code, which updates states itself; all for grouping without sets. Of each
    // batch the groups are found by one of the four, then come the calls that are left.
    /// Without keys: the one group; nullptr after an error.
    u8* onlyGroup(const Batch& batch, WorkerContext& context);
    /// By number: live row i belongs to groups[numbers[i]].
    struct Numbered {
        const u16* numbers;
        u8* const* groups;
        u32 group_count;
    };
    bool number(const Batch& batch, Numbered& found, WorkerContext& context);
    /// By hash, looked up by the caller in findFirst() between the two.
    kernels::GroupSlots open(const Batch& batch, WorkerContext& context);
    void findFirst(const u64* hashes, u32 count, u8** rows) const {
        groups_.findFirst(hashes, count, rows);
    }
    bool addMissing(const Batch& batch, kernels::GroupRuns& runs, u32 first,
                    WorkerContext& context);
    /// By value: an index of all values that the keys may have, as compile::groupRanges() says.
    const kernels::GroupIndex& openIndex(const Batch& batch, WorkerContext& context);
    bool addIndexed(const Batch& batch, kernels::GroupRuns& runs, u32 first, u8** const* places,
                    WorkerContext& context);
    /// Calls that are not in `done`, and input of deferred calls.
    void applyRest(const Batch& batch, const std::vector<bool>& done, WorkerContext& context);
    /// Moves everything to partitions.
    bool split(WorkerContext& context);
    bool isSplit() const;
    void dropTables(WorkerContext& context);
    /// At the end of consumption: keeps the groups with what merging them takes, or writes them
    /// out.
    void settle(WorkerContext& context);
    /// MemoryGrant::hold() of settle(), to be undone after the merge.
    u64 heldToMerge() const { return held_to_merge_; }
    /// Writes everything out; a group without keys stays, only its deferred input goes.
    void spill(WorkerContext& context);
    /// Frees everything.
    void release(WorkerContext& context);

    KeyedRows& groups() { return groups_; }
    KeyedRows& deferred(u32 index) { return *deferred_[index]; }
    StateMemory& memory() { return memory_; }
    u64 memoryBytes() const;

private:
    /// Rows of a batch in the order in which they are applied, with their groups. A run is a
    /// stretch of rows of one group.
    struct Assignment {
        const u16* rows = nullptr; // nullptr: 0 .. count-1
        u32 count = 0;
        u8* const* groups = nullptr;
        bool in_runs = false;
    };
    /// What the codes of a key stand for: equal names, equal codes.
    struct CodesName {
        enum class Kind : u8 { kNone, kDictionary, kBytes, kOfSet, kNull, kConstant } kind;
        u64 low = 0; // the dictionary's number, or the constant's bytes
        u64 high = 0;
        bool operator==(const CodesName&) const = default;
    };
    static CodesName nameOfConstant(const Vector& constant);
    /// Groups by the codes of their keys; valid while the dictionaries stay and no row moves.
    struct DirectIndex {
        std::vector<CodesName> names; // by key
        std::vector<u32> sizes;       // codes per key, NULL's included
        std::vector<u8*> groups;
        std::vector<u16> known; // codes that have a group
        u64 known_mask = 0;     // those of them below 64
        u32 generation = 0;

        void forget(u64 codes);
    };

    /// Before rows are added to a set: binds its keys, and writes out what is held when there is no
    /// room. False after an error.
    bool makeRoom(u32 set, const Batch& batch, WorkerContext& context);
    /// What a batch may take.
    u64 batchBytes(const Batch& batch, bool with_texts) const;
    bool locate(u32 set, const Batch& batch, Assignment& to, WorkerContext& context);
    void consumeSet(u32 set, const Batch& batch, WorkerContext& context);
    void bindKeys(u32 set, const Batch& batch);
    bool findOnly(WorkerContext& context);
    bool locateOnly(const Batch& batch, Assignment& to, WorkerContext& context);
    bool locateDirect(u32 set, const Batch& batch, Assignment& to, WorkerContext& context);
    /// Makes `index` fit the keys at hand; false when their codes are too many.
    bool prepareDirect(DirectIndex& index);
    void readCodes(const DirectIndex& index, const Batch& batch);
    bool fillDirect(DirectIndex& index, const Batch& batch, WorkerContext& context);
    bool numberByCode(DirectIndex& index, const Batch& batch, Numbered& found,
                      WorkerContext& context);
    u64 codesOf(u32 count) const;
    void numberLocated(u32 count, Numbered& found);
    /// The groups of all rows, after one of the four.
    Assignment assigned(const Batch& batch);
    bool orderByKnownCodes(const DirectIndex& index, const Batch& batch, Assignment& to);
    void orderByCode(const DirectIndex& index, const Batch& batch, Assignment& to);
    bool locateHashed(const Batch& batch, Assignment& to, WorkerContext& context);
    void applyCall(u32 call, const Batch& batch, const Assignment& rows, WorkerContext& context);
    void collect(u32 index, const Batch& batch, const Assignment& rows, WorkerContext& context);
    /// Rows of `from` that pass the filter and have no NULL in `args`.
    Assignment livingRows(const Batch& batch, const std::vector<compile::Slot>& args,
                          compile::Slot filter, const Assignment& from);

    bool addRuns(const Batch& batch, kernels::GroupRuns& runs, u32 first, WorkerContext& context);
    void releaseIndex(WorkerContext& context);

    /// The value under the NULL of a key that is not in a grouping set.
    alignas(16) static constexpr u8 kZeroValue[16] = {};

    const GroupShape& shape_;
    GroupSpill& spill_;
    StateMemory memory_;
    KeyedRows groups_;
    std::vector<u8> no_extra_;
    std::vector<std::unique_ptr<KeyedRows>> deferred_;
    ColumnHasher hasher_;
    std::vector<ColumnHasher> argument_hashers_; // by deferred input
    std::vector<DirectIndex> direct_;            // by grouping set
    u8* only_group_ = nullptr;
    u64 held_to_merge_ = 0;
    kernels::GroupIndex index_;
    std::vector<u8*> indexed_;
    u32 index_generation_ = 0;
    // Of the batch at hand, for applyRest().
    Numbered numbered_{};
    const kernels::GroupRuns* runs_ = nullptr;

    std::vector<Vector> keys_;     // of the set at hand, with the set's index
    std::vector<Vector> compared_; // those of them that make a group
    std::vector<Vector> wide_;     // columns of a deferred input
    std::vector<i32> set_numbers_;
    u64 hashes_[kVectorRows];
    u64 group_hash_of_row_[kVectorRows];
    u64 argument_hashes_[kVectorRows];
    u8* located_[kVectorRows];
    u8* ordered_groups_[kVectorRows];
    u16 ordered_rows_[kVectorRows + 64];
    u16 codes_[kVectorRows];
    u16 numbers_[kVectorRows];
    std::vector<u64> no_group_; // stands for the group of a number that no row has
    u8* numbered_groups_[kVectorRows];
    u8* living_groups_[kVectorRows];
    u16 living_rows_[kVectorRows];
};

} // namespace blueshift::execute
