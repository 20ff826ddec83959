// generated_segment.h: a step whose work is machine code; stands for a run of a pipeline's steps.
//
// Place: made by a pipeline's lanes once code is ready; same contract as every StepOperator. A
// segment that fuses the group sink yields no batches: it updates the sink's state, which
// bindSink() hands to it.
// Owns: per worker a Frame, room for computed vectors and the interpreter's evaluators.
// Threads: states belong to workers; the rest is immutable.
#pragma once

#include <span>

#include "execute/generated/code_source.h"
#include "execute/operator.h"

namespace blueshift::execute {

class JoinBuild;
struct OperatorMetrics;

class GeneratedSegment final : public StepOperator {
public:
    /// `builds`: the finished sinks of segment.tables. All arguments outlive the step.
    GeneratedSegment(const compile::Segment& segment, const SegmentCode& code,
                     const std::vector<const JoinBuild*>& builds,
                     std::span<OperatorMetrics> metrics);
    ~GeneratedSegment() override;

    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void start(State& state, const Batch& input, WorkerContext& context) override;
    bool more(State& state, Batch& output, WorkerContext& context) override;
    /// Adds the rows of its operators to their metrics.
    void flush(State& state, WorkerContext& context) override;
    void bindSink(State& state, State& sink_state) const;

private:
    const compile::Segment& segment_;
    const SegmentCode& code_;
    std::vector<kernels::JoinTable> tables_;
    std::vector<const kernels::JoinTable*> table_pointers_;
    std::vector<i128> parameters_;
    std::vector<f64> float_parameters_;
    std::span<OperatorMetrics> metrics_;
};

/// Names and addresses that generated code may refer to; nothing else of the process is reachable.
struct RuntimeSymbol {
    const char* name;
    const void* address;
};
std::span<const RuntimeSymbol> runtimeSymbols();

/// Row shapes of a program's sinks.
compile::RowShapes rowShapes(const compile::Program& program);

} // namespace blueshift::execute
