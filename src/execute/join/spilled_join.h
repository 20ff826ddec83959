// spilled_join.h: the part of a hash join whose build rows are on disk.
//
// Life: while the pipeline runs, probe rows of such parts are written to parts of their own
// (WaitingProbes), with the slots that are still read. Afterwards SpilledJoinSource is the join for
// them: a morsel loads the build rows of a part, probes them, and delivers what the probe step
// would have.
// Too large a part is divided on both sides by the next bits of the hash; one that cannot be
// divided (one key) is joined in chunks of its build rows: every probe row meets every chunk, a bit
// per probe row says whether it matched, and what depends on that comes out with the last chunk.
// Threads: WaitingProbes locks; a morsel is one worker's.
#pragma once

#include <mutex>

#include "execute/join/join_build.h"
#include "execute/join/probe.h"
#include "execute/rows/partitioned_rows.h"

namespace blueshift::execute {

class WaitingProbes {
public:
    explicit WaitingProbes(StepInput input);

    /// Rows `rows` of a batch, by worker: collected, and written when they are many.
    void add(RowPages& kept, const Batch& batch, const u16* rows, u32 count, const u64* hashes,
             WorkerContext& context);
    void write(RowPages& kept, WorkerContext& context);
    bool empty() const { return file.bytesSpilled() == 0; }
    const SpilledRows& part(u32 index) const { return parts_[index]; }
    const StepInput& input() const { return input_; }
    const RowLayout& layout() const { return layout_; }

    SpillFile file;
    const RowCodec& codec() const { return codec_; }

private:
    StepInput input_;
    RowLayout layout_; // column i is slot input_.live[i]
    RowCodec codec_;
    std::mutex mutex_;
    SpilledParts parts_;
};

class SpilledJoinSource final : public SourceOperator {
public:
    SpilledJoinSource(const compile::StepInfo& info, JoinBuild& build, WaitingProbes& probes)
        : info_(info), build_(build), probes_(probes) {}

    void open() override;
    u32 morselCount() const override { return u32(parts_.size()); }
    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Part {
        u32 level = 0;
        bool divisible = true;
        SpilledRows build;
        SpilledRows probe;
    };
    struct Joining;

    bool nextPart(Joining& state, WorkerContext& context);
    bool loadChunk(Joining& state, WorkerContext& context);
    void divide(Joining& state, RowPages held, WorkerContext& context);
    void endChunk(Joining& state, WorkerContext& context);
    bool nextProbes(Joining& state, WorkerContext& context);

    const compile::StepInfo& info_;
    JoinBuild& build_;
    WaitingProbes& probes_;
    std::vector<u32> parts_; // with probe rows
};

} // namespace blueshift::execute
