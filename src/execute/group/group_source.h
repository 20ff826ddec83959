// group_source.h: reads merged groups as batches: keys, results of the calls, grouping id.
//
// Place: made by the group sink, which outlives it. A morsel is a stretch of one partition.
// Threads: states belong to workers; the groups are only read (and, by ordered results, each
// finalised by exactly one worker).
#pragma once

#include "execute/group/merge_groups.h"

namespace blueshift::execute {

class GroupSource final : public SourceOperator {
public:
    GroupSource(const GroupShape& shape, const std::vector<std::unique_ptr<MergedGroups>>& parts,
                std::vector<u32> columns)
        : shape_(shape), parts_(parts), columns_(std::move(columns)) {}

    void open() override;
    u32 morselCount() const override { return u32(morsels_.size()); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Morsel {
        u32 part;
        size_t begin;
        size_t end;
    };
    struct Cursor;

    Vector result(Cursor& cursor, u32 call, u8* const* groups, u32 count, VectorBuffer& out,
                  WorkerContext& context);
    Vector groupingId(u8* const* groups, u32 count, VectorBuffer& out);

    const GroupShape& shape_;
    const std::vector<std::unique_ptr<MergedGroups>>& parts_;
    std::vector<u32> columns_;
    std::vector<Morsel> morsels_;
};

} // namespace blueshift::execute
