#include "execute/generated/generated_segment.h"

#include "execute/generated/segment_state.h"
#include "execute/group/group.h"
#include "execute/join/join_build.h"
#include "execute/join/scatter.h"
#include "execute/pipeline/lane.h"

namespace blueshift::execute {

GeneratedSegment::GeneratedSegment(const compile::Segment& segment, const SegmentCode& code,
                                   const std::vector<const JoinBuild*>& builds,
                                   std::span<OperatorMetrics> metrics)
    : segment_(segment), code_(code), metrics_(metrics) {
    for (const JoinBuild* build : builds) tables_.push_back(build->table());
    for (const auto& table : tables_) table_pointers_.push_back(&table);
    for (const auto& parameter : segment.parameters) {
        parameters_.push_back(parameter.value.integer);
        float_parameters_.push_back(parameter.value.floating);
    }
}

GeneratedSegment::~GeneratedSegment() = default;

std::unique_ptr<State> GeneratedSegment::makeState(WorkerContext& context) {
    auto state = std::make_unique<SegmentState>(segment_);
    state->context = &context;
    state->local.resize(code_.local_bytes / 8 + 1);
    kernels::Frame& frame = state->frame;
    frame.parameters = parameters_.data();
    frame.float_parameters = float_parameters_.data();
    frame.tables = table_pointers_.data();
    frame.step_rows = state->step_rows.data();
    frame.local = state->local.data();
    frame.runtime = state.get();
    return state;
}

void GeneratedSegment::bindSink(State& state, State& sink_state) const {
    if (segment_.fuses_group) static_cast<SegmentState&>(state).groups = &localGroupsOf(sink_state);
}

void GeneratedSegment::start(State& base, const Batch& input, WorkerContext&) {
    auto& state = static_cast<SegmentState&>(base);
    kernels::Frame& frame = state.frame;
    frame.rows = input.rows;
    frame.selected = input.selected;
    frame.selection = input.selection == nullptr ? kernels::bs_every_row.rows : input.selection;
    frame.in_tuples = frame.tuples = frame.depth = frame.failed = 0;
    state.source.forget();
    std::copy(input.columns.begin(), input.columns.end(), state.source.columns.begin());
}

bool GeneratedSegment::more(State& base, Batch& output, WorkerContext& context) {
    auto& state = static_cast<SegmentState&>(base);
    if (context.failed()) return false;
    state.tuples.forget();
    const bool gave = code_.function(&state.frame);
    if (!gave || context.failed()) return false;
    output = state.batch();
    SegmentState::Space& space = state.space();
    size_t next = 0;
    for (u32 slot = 0; slot < space.columns.size(); ++slot) {
        const bool delivered = next < segment_.delivered.size() && segment_.delivered[next] == slot;
        next += delivered;
        if (!delivered) space.columns[slot] = nullVector(segment_.output[slot].kind);
    }
    return true;
}

void GeneratedSegment::flush(State& base, WorkerContext&) {
    auto& state = static_cast<SegmentState&>(base);
    for (size_t i = 0; i < state.step_rows.size(); ++i)
        metrics_[segment_.counted_ops[i]].rows.fetch_add(state.step_rows[i],
                                                         std::memory_order_relaxed);
}

} // namespace blueshift::execute
