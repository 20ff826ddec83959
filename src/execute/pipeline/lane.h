// lane.h: one worker's way through a pipeline: takes morsels, drives the steps, yields batches.
//
// pull() is a generator: it keeps the depth of the deepest step that may have more output, so that
// a batch can be handed out (to a sink, a client or a writer) between any two steps' outputs.
// Threads: a lane belongs to one worker at a time; the morsel counter is shared by a pipeline's
// lanes.
#pragma once

#include <atomic>

#include "execute/operator.h"

namespace blueshift::execute {

/// What EXPLAIN ANALYZE shows of an operator; summed over lanes.
struct OperatorMetrics {
    std::atomic<u64> rows{0};
    std::atomic<u64> batches{0};
    std::atomic<u64> nanos{0};
};

struct PipelineOperators {
    SourceOperator* source = nullptr;
    std::vector<StepOperator*> steps;
    std::vector<compile::Slot> sink_slots;
    u32 source_op = 0;
    std::vector<u32> step_ops;
    std::span<OperatorMetrics> metrics; // by operator id
    bool timed = false;
    std::atomic<u32> next_morsel{0};
};

class Lane {
public:
    Lane(PipelineOperators& pipeline, WorkerContext& context);

    /// The next batch in the sink's slots; false at the end or after an error.
    bool pull(Batch& batch);
    /// True when the batch that pull() gave last was the last one of its morsel so far.
    bool betweenMorsels() const { return depth_ == 0 && !in_morsel_; }

private:
    bool nextSourceBatch(Batch& batch);
    bool exhausted() const;
    void count(u32 op, const Batch& batch);

    PipelineOperators& pipeline_;
    WorkerContext& context_;
    std::unique_ptr<State> source_state_;
    std::vector<std::unique_ptr<State>> step_states_;
    std::vector<Vector> sink_columns_;
    u32 depth_ = 0; // steps[depth_ - 1] may have more output
    bool in_morsel_ = false;
    bool ended_ = false;
};

} // namespace blueshift::execute
