#include "execute/pipeline/lane.h"

#include <chrono>

namespace blueshift::execute {

namespace {

/// Adds the time of a scope to a counter, when asked for.
class ScopedTimer {
public:
    ScopedTimer(bool on, OperatorMetrics& metrics) : metrics_(on ? &metrics : nullptr) {
        if (metrics_ != nullptr) start_ = std::chrono::steady_clock::now();
    }
    ~ScopedTimer() {
        if (metrics_ == nullptr) return;
        const auto took = std::chrono::steady_clock::now() - start_;
        metrics_->nanos.fetch_add(
            u64(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()),
            std::memory_order_relaxed);
    }

private:
    OperatorMetrics* metrics_;
    std::chrono::steady_clock::time_point start_;
};

} // namespace

Lane::Lane(PipelineOperators& pipeline, WorkerContext& context)
    : pipeline_(pipeline), context_(context), source_state_(pipeline.source->makeState(context)) {
    for (StepOperator* step : pipeline.steps) step_states_.push_back(step->makeState(context));
    sink_columns_.resize(pipeline.sink_slots.size());
}

void Lane::count(u32 op, const Batch& batch) {
    pipeline_.metrics[op].rows.fetch_add(batch.selected, std::memory_order_relaxed);
    pipeline_.metrics[op].batches.fetch_add(1, std::memory_order_relaxed);
}

bool Lane::exhausted() const {
    for (const StepOperator* step : pipeline_.steps)
        if (step->exhausted()) return true;
    return false;
}

bool Lane::nextSourceBatch(Batch& batch) {
    for (;;) {
        if (context_.failed() || exhausted()) return false;
        if (!in_morsel_) {
            const u32 morsel = pipeline_.next_morsel.fetch_add(1, std::memory_order_relaxed);
            if (morsel >= pipeline_.source->morselCount()) return false;
            pipeline_.source->start(*source_state_, morsel, context_);
            in_morsel_ = true;
        }
        ScopedTimer timer(pipeline_.timed, pipeline_.metrics[pipeline_.source_op]);
        if (pipeline_.source->next(*source_state_, batch, context_)) {
            count(pipeline_.source_op, batch);
            return true;
        }
        in_morsel_ = false;
    }
}

bool Lane::pull(Batch& batch) {
    if (ended_) return false;
    const u32 steps = u32(pipeline_.steps.size());
    Batch current;
    for (;;) {
        if (context_.failed()) break;
        if (depth_ == 0) {
            if (!nextSourceBatch(current)) break;
        } else {
            const u32 step = depth_ - 1;
            const u32 op = pipeline_.step_ops[step];
            bool more;
            {
                ScopedTimer timer(pipeline_.timed, pipeline_.metrics[op]);
                more = pipeline_.steps[step]->more(*step_states_[step], current, context_);
            }
            if (!more) {
                --depth_;
                continue;
            }
            // The last step of an operator says how many rows the operator yields.
            if (step + 1 == steps || pipeline_.step_ops[step + 1] != op) {
                if (op != pipeline_.source_op) count(op, current);
            }
        }
        if (depth_ == steps) {
            if (context_.failed()) break;
            for (size_t i = 0; i < sink_columns_.size(); ++i)
                sink_columns_[i] = current.columns[pipeline_.sink_slots[i]];
            batch = {.rows = current.rows,
                     .selected = current.selected,
                     .selection = current.selection,
                     .columns = sink_columns_};
            return true;
        }
        const u32 step = depth_;
        ScopedTimer timer(pipeline_.timed, pipeline_.metrics[pipeline_.step_ops[step]]);
        pipeline_.steps[step]->start(*step_states_[step], current, context_);
        ++depth_;
    }
    ended_ = true;
    return false;
}

} // namespace blueshift::execute
