// spilled_runs.h: sorted runs on disk, merged.
//
// Place: the end of a sort whose rows did not fit, and OrderedRows. A cursor reads a run block by
// block; MergeOfRuns takes the least row of up to runsFor() cursors; runs beyond that are first
// merged into longer ones. Memory: a block and its sort entries per cursor, besides blocks whose
// rows are still looked at. Threads: a merge is one worker's; runs are only read.
#pragma once

#include <memory>
#include <vector>

#include "execute/sort/sort_shape.h"
#include "execute/spill/spilled_rows.h"

namespace blueshift::execute {

class MergeOfRuns {
public:
    static constexpr size_t kMostRuns = 32;
    /// What merging takes for each run, and once more for a block whose rows were given out.
    static u64 bytesOfRun(std::span<const SpilledRows> runs);
    /// How many runs a worker may merge at once with so many bytes: few take little, but go over
    /// the rows more often.
    static size_t runsFor(u64 bytes, u64 bytes_of_run);

    MergeOfRuns(const RowOrder& order, const RowCodec& codec, const SpillFile& file,
                std::span<const SpilledRows> runs);

    /// Reads the first blocks. False after an error.
    bool open(WorkerContext& context);
    /// Up to `most` rows in order, valid until forget(). 0 at the end or after an error.
    u32 next(u8** rows, u32 most, WorkerContext& context);
    /// Rows given out are not looked at any more: frees blocks that were read to their end.
    void forget(WorkerContext& context);
    /// Gives all memory back.
    void close(WorkerContext& context);

private:
    struct Cursor {
        const SpilledRows* run = nullptr;
        size_t next_block = 0;
        RowPages pages;
        std::vector<SortEntry> entries;
        size_t at = 0;
    };
    /// The cursor's next block; false at the end of its run or after an error.
    bool load(Cursor& cursor, WorkerContext& context);

    const RowOrder& order_;
    const RowCodec& codec_;
    const SpillFile& file_;
    std::vector<std::unique_ptr<Cursor>> cursors_;
    std::vector<Cursor*> heap_;  // least first
    std::vector<RowPages> read_; // blocks at their end
};

/// Merges `runs`, which lie in `from`, into one in `into`.
SpilledRows mergeToRun(const RowOrder& order, const RowCodec& codec, const SpillFile& from,
                       std::span<const SpilledRows> runs, SpillFile& into, WorkerContext& context,
                       u64 block_bytes = SpilledRows::kBlockBytes);

/// The rows of few runs in order; one morsel.
class SpilledSortSource final : public SourceOperator {
public:
    SpilledSortSource(const SortShape& shape, const RowCodec& codec, const SpillFile& file,
                      const std::vector<SpilledRows>& runs, std::vector<u32> columns)
        : shape_(shape), codec_(codec), file_(file), runs_(runs), columns_(std::move(columns)) {}

    u32 morselCount() const override { return runs_.empty() ? 0 : 1; }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Reading;
    const SortShape& shape_;
    const RowCodec& codec_;
    const SpillFile& file_;
    const std::vector<SpilledRows>& runs_;
    std::vector<u32> columns_;
};

} // namespace blueshift::execute
