// merge_groups.h: makes the final groups of one partition from what all workers hold of it.
//
// Steps: rows of equal keys are combined into one; then collected input of deferred calls is
// de-duplicated or sorted and applied. A partition with a single unrepeated source is taken as is.
// Threads: one per partition; partitions share nothing that changes.
#pragma once

#include <memory>
#include <vector>

#include "execute/group/local_groups.h"

namespace blueshift::execute {

class MergedGroups {
public:
    /// Partition `part` of every worker (of one lot: 0).
    MergedGroups(const GroupShape& shape, std::span<const std::unique_ptr<LocalGroups>> workers,
                 u32 part);

    void merge(WorkerContext& context);
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
    void deduplicate(const DeferredShape& input, std::vector<u8*>& rows, WorkerContext& context);
    void findGroups(const DeferredShape& input, std::span<u8* const> rows,
                    std::vector<u8*>& groups);
    void sortByGroup(const DeferredShape& input, std::vector<u8*>& rows, std::vector<u8*>& groups);
    void updateFrom(const DeferredShape& input, u8* const* rows, u8* const* groups, u32 count,
                    WorkerContext& context);

    const GroupShape& shape_;
    std::span<const std::unique_ptr<LocalGroups>> workers_;
    u32 part_;
    KeyTable table_;
    RowPages own_rows_;
    StateMemory memory_;
    std::vector<u8*> groups_;
    std::vector<VectorBuffer> buffers_;
};

} // namespace blueshift::execute
