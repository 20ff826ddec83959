// lane.h: one worker's way through a pipeline: takes morsels, drives the steps, yields batches.
//
// pull() is a generator: it keeps the depth of the deepest step that may have more output, so that
// a batch can be handed out (to a sink, a client or a writer) between any two steps' outputs.
// Tiers: when it takes a morsel, a lane looks whether generated code is there and goes on with it;
// sinks have the same states under both tiers.
// Threads: a lane belongs to one worker at a time; the morsel counter is shared by a pipeline's
// lanes.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

#include "execute/generated/generated_segment.h"
#include "execute/operator.h"

namespace blueshift::execute {

/// What EXPLAIN ANALYZE shows of an operator; summed over lanes.
struct OperatorMetrics {
    std::atomic<u64> rows{0};
    std::atomic<u64> nanos{0};
};

/// The steps of a pipeline with its segments in the place of what they stand for.
struct GeneratedSteps {
    std::vector<std::unique_ptr<GeneratedSegment>> segments;
    std::vector<StepOperator*> steps;
    std::vector<u32> step_ops; // kCountsItself: the step reports its operators' rows
    std::vector<u32> time_ops; // the operator whose time a step's is: a segment's last one
    static constexpr u32 kCountsItself = ~0u;
};

struct PipelineOperators {
    SourceOperator* source = nullptr;
    std::vector<StepOperator*> steps;
    std::vector<compile::Slot> sink_slots;
    u32 source_op = 0;
    std::vector<u32> step_ops;
    std::span<OperatorMetrics> metrics; // by operator id
    bool timed = false;
    /// Take turns with the tiers, morsel by morsel; for tests.
    bool alternate_tiers = false;
    std::atomic<u32> next_morsel{0};
    u32 lanes = 1;
    u32 nodes = 1; // that run the same code on their shares

    // ---- Generated code, when there is any. `generated` stands for all steps once it is made.
    PipelineCode* code = nullptr;
    std::function<std::unique_ptr<GeneratedSteps>()> make_generated;
    std::once_flag generated_once;
    std::unique_ptr<GeneratedSteps> generated;
};

class Lane {
public:
    /// `sink_state`: of the sink that takes the batches, when it has states (not a result).
    /// `pipeline`, with its metrics and code, outlives the lane, whose end counts.
    Lane(PipelineOperators& pipeline, WorkerContext& context, State* sink_state = nullptr);
    ~Lane();

    /// The next batch in the sink's slots; false at the end or after an error.
    bool pull(Batch& batch);
    /// pull() said false, but only because the source waits for another node.
    bool waiting() const { return waiting_; }
    State& sourceState() { return *source_state_; }
    /// True when the batch that pull() gave last was the last one of its morsel so far.
    bool betweenMorsels() const { return depth_ == 0 && !in_morsel_; }

private:
    /// Steps with the states of this lane.
    struct Form {
        const std::vector<StepOperator*>* steps = nullptr;
        const std::vector<u32>* step_ops = nullptr;
        const std::vector<u32>* time_ops = nullptr;
        std::vector<std::unique_ptr<State>> states;
    };

    bool nextSourceBatch(Batch& batch);
    bool takeMorsel();
    void endMorsel();
    void chooseForm();
    bool exhausted() const;

    PipelineOperators& pipeline_;
    WorkerContext& context_;
    State* sink_state_;
    std::unique_ptr<State> source_state_;
    Form interpreted_;
    Form generated_;
    Form* form_ = &interpreted_;
    std::vector<Vector> sink_columns_;
    /// Of this lane, by operator id; added to the pipeline's at its end: lanes that counted
    /// together batch by batch would wait for each other's cache lines.
    struct Counts {
        u64 rows = 0;
        u64 nanos = 0;
    };
    std::vector<Counts> counts_;
    u64 interpreted_rows_ = 0;
    u64 generated_rows_ = 0;
    u32 depth_ = 0; // steps[depth_ - 1] may have more output
    bool in_morsel_ = false;
    bool ended_ = false;
    std::chrono::steady_clock::time_point morsel_start_;
    bool waiting_ = false;
};

} // namespace blueshift::execute
