// merge_groups.h: makes the final groups of one partition from what all workers hold of it.
//
// Steps: rows of equal keys are combined into one; then collected input of deferred calls is
// de-duplicated or sorted and applied. A partition with a single unrepeated source is taken as is.
// Parts on disk are merged block by block into rows of their own (spilled_merge.cpp).
// Threads: one per partition; partitions share nothing that changes.
#pragma once

#include <memory>
#include <vector>

#include "execute/group/local_groups.h"

namespace blueshift::execute {

class MergedGroups {
public:
    /// Partition `part` of every worker (of one lot: 0), and of what they wrote to disk.
    MergedGroups(const GroupShape& shape, std::span<const std::unique_ptr<LocalGroups>> workers,
                 u32 part, GroupSpill* spill);
    /// For load().
    explicit MergedGroups(const GroupShape& shape) : MergedGroups(shape, {}, 0, nullptr) {}

    void merge(WorkerContext& context);
    /// Makes the groups of a part from disk. False: it found no room and was divided into
    /// `children`, or an error was recorded; then this object is of no further use.
    bool load(const GroupPart& part, GroupSpill& spill, std::vector<GroupPart>& children,
              WorkerContext& context);
    /// Gives all memory back.
    void release(WorkerContext& context);
    /// Without keys: adds the states of another partition's only group.
    void combineOnly(const MergedGroups& other, WorkerContext& context);
    /// A group without rows: NULL keys, fresh states, of grouping set `set`.
    void addEmptyGroup(u32 set, WorkerContext& context);

    const std::vector<u8*>& groups() const { return groups_; }
    u64 memoryBytes() const { return memory_.memoryBytes() + own_rows_.memoryBytes(); }

private:
    void combineRow(u8* into, const u8* from, std::span<const u32> calls, WorkerContext& context);
    void mergeRows(std::span<u8* const> rows, WorkerContext& context);
    void applyDeferred(const DeferredShape& input, u32 index, WorkerContext& context);
    void applyRows(const DeferredShape& input, std::vector<u8*>& rows, bool may_repeat,
                   WorkerContext& context);
    /// Deferred input from disk; DISTINCT input that finds no room is divided by its own hash.
    void applySpilled(u32 index, const SpilledRows& from, u32 level, GroupSpill& spill,
                      WorkerContext& context);
    void combineBlock(const RowPages& block, WorkerContext& context);
    void divide(const GroupPart& part, size_t first_block, GroupSpill& spill,
                std::vector<GroupPart>& children, WorkerContext& context);
    u64 heldBytes() const {
        return own_rows_.memoryBytes() + memory_.memoryBytes() + table_.memoryBytes();
    }
    void deduplicate(const DeferredShape& input, std::vector<u8*>& rows, WorkerContext& context);
    void findGroups(const DeferredShape& input, std::span<u8* const> rows,
                    std::vector<u8*>& groups);
    void sortByGroup(const DeferredShape& input, std::vector<u8*>& rows, std::vector<u8*>& groups,
                     const StopToken& stop);
    void updateFrom(const DeferredShape& input, u8* const* rows, u8* const* groups, u32 count,
                    WorkerContext& context);

    const GroupShape& shape_;
    std::span<const std::unique_ptr<LocalGroups>> workers_;
    u32 part_;
    GroupSpill* spill_;
    KeyTable table_;
    RowPages own_rows_;
    StateMemory memory_;
    std::vector<u8*> groups_;
    std::vector<VectorBuffer> buffers_;
};

} // namespace blueshift::execute
