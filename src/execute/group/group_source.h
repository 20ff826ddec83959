// group_source.h: reads merged groups as batches: keys, results of the calls, grouping id.
//
// Place: made by the group sink, which outlives it. A morsel is a stretch of one partition, or a
// part on disk, which is merged when the morsel starts and freed when it ends.
// Threads: states belong to workers; the groups are only read (and, by ordered results, each
// finalised by exactly one worker).
#pragma once

#include "execute/group/merge_groups.h"

namespace blueshift::execute {

/// Makes batches of groups: the part that both sources share.
class GroupReader {
public:
    GroupReader(const GroupShape& shape, std::vector<u32> columns)
        : shape_(shape), columns_(std::move(columns)) {}

    struct Cursor : State {
        u8* const* groups = nullptr;
        size_t left = 0;
        std::vector<VectorBuffer> buffers;
        std::vector<Vector> vectors;
        functions::TextHeap heap;
        StateMemory memory;
    };
    void prepare(Cursor& cursor) const;
    /// The next groups of the cursor; false at its end.
    bool next(Cursor& cursor, Batch& batch, WorkerContext& context) const;

private:
    Vector result(Cursor& cursor, u32 call, u8* const* groups, u32 count, VectorBuffer& out,
                  WorkerContext& context) const;
    Vector groupingId(u8* const* groups, u32 count, VectorBuffer& out) const;

    const GroupShape& shape_;
    std::vector<u32> columns_;
};

class GroupSource final : public SourceOperator {
public:
    GroupSource(const GroupShape& shape, const std::vector<std::unique_ptr<MergedGroups>>& parts,
                std::vector<u32> columns)
        : reader_(shape, std::move(columns)), parts_(parts) {}

    void open() override;
    u32 morselCount() const override { return u32(morsels_.size()); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override {
        return reader_.next(static_cast<GroupReader::Cursor&>(state), batch, context);
    }

private:
    struct Morsel {
        u32 part;
        size_t begin;
        size_t end;
    };
    GroupReader reader_;
    const std::vector<std::unique_ptr<MergedGroups>>& parts_;
    std::vector<Morsel> morsels_;
};

class SpilledGroupSource final : public SourceOperator {
public:
    SpilledGroupSource(const GroupShape& shape, GroupSpill& spill, std::vector<u32> columns)
        : shape_(shape), spill_(spill), reader_(shape, std::move(columns)) {}

    void open() override;
    u32 morselCount() const override { return u32(parts_.size()); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Merging;

    const GroupShape& shape_;
    GroupSpill& spill_;
    GroupReader reader_;
    std::vector<u32> parts_; // that have rows
};

} // namespace blueshift::execute
