#include "execute/pipeline/lane.h"

#include <algorithm>

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

Lane::Lane(PipelineOperators& pipeline, WorkerContext& context, State* sink_state)
    : pipeline_(pipeline),
      context_(context),
      sink_state_(sink_state),
      source_state_(pipeline.source->makeState(context)) {
    interpreted_.steps = &pipeline.steps;
    interpreted_.step_ops = interpreted_.time_ops = &pipeline.step_ops;
    for (StepOperator* step : pipeline.steps)
        interpreted_.states.push_back(step->makeState(context));
    sink_columns_.resize(pipeline.sink_slots.size());
}

Lane::~Lane() = default;

OperatorMetrics& Lane::metricsOf(u32 op) {
    return op == GeneratedSteps::kCountsItself ? unnamed_ : pipeline_.metrics[op];
}

void Lane::count(u32 op, const Batch& batch) {
    OperatorMetrics& metrics = metricsOf(op);
    metrics.rows.fetch_add(batch.selected, std::memory_order_relaxed);
    metrics.batches.fetch_add(1, std::memory_order_relaxed);
}

bool Lane::exhausted() const {
    for (const StepOperator* step : pipeline_.steps)
        if (step->exhausted()) return true;
    return false;
}

/// Between morsels: changes over to generated code once it is there.
void Lane::chooseForm() {
    PipelineCode* code = pipeline_.code;
    if (code == nullptr) return;
    if (pipeline_.alternate_tiers && form_ == &generated_) {
        form_ = &interpreted_;
        code->switches.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (form_ == &generated_ || code->ready() == nullptr) return;
    std::call_once(pipeline_.generated_once,
                   [&] { pipeline_.generated = pipeline_.make_generated(); });
    if (pipeline_.generated == nullptr) return;
    if (generated_.steps == nullptr) {
        generated_.steps = &pipeline_.generated->steps;
        generated_.step_ops = &pipeline_.generated->step_ops;
        generated_.time_ops = &pipeline_.generated->time_ops;
        size_t segment = 0;
        for (StepOperator* step : *generated_.steps) {
            generated_.states.push_back(step->makeState(context_));
            if (segment == pipeline_.generated->segments.size()) continue;
            GeneratedSegment* made = pipeline_.generated->segments[segment].get();
            if (step != made) continue;
            ++segment;
            if (sink_state_ != nullptr) made->bindSink(*generated_.states.back(), *sink_state_);
        }
    }
    form_ = &generated_;
    code->switches.fetch_add(1, std::memory_order_relaxed);
}

bool Lane::takeMorsel() {
    const u32 morsel = pipeline_.next_morsel.fetch_add(1, std::memory_order_relaxed);
    if (morsel >= pipeline_.source->morselCount()) return false;
    chooseForm();
    if (pipeline_.code != nullptr) morsel_start_ = std::chrono::steady_clock::now();
    pipeline_.source->start(*source_state_, morsel, context_);
    in_morsel_ = true;
    return true;
}

void Lane::endMorsel() {
    in_morsel_ = false;
    if (pipeline_.code == nullptr || form_ != &interpreted_) return;
    const auto took = std::chrono::steady_clock::now() - morsel_start_;
    const u32 all = pipeline_.source->morselCount();
    const u32 taken = std::min(all, pipeline_.next_morsel.load(std::memory_order_relaxed));
    pipeline_.code->morselEnded(
        u64(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()),
        (all - taken) * pipeline_.nodes, pipeline_.lanes);
}

bool Lane::nextSourceBatch(Batch& batch) {
    for (;;) {
        if (context_.failed() || exhausted()) return false;
        if (!in_morsel_ && !takeMorsel()) return false;
        ScopedTimer timer(pipeline_.timed, pipeline_.metrics[pipeline_.source_op]);
        if (pipeline_.source->next(*source_state_, batch, context_)) {
            count(pipeline_.source_op, batch);
            if (pipeline_.code != nullptr) {
                auto& rows = form_ == &generated_ ? pipeline_.code->generated_rows
                                                  : pipeline_.code->interpreted_rows;
                rows.fetch_add(batch.selected, std::memory_order_relaxed);
            }
            return true;
        }
        if (pipeline_.source->waits(*source_state_)) {
            waiting_ = true;
            return false;
        }
        endMorsel();
    }
}

bool Lane::pull(Batch& batch) {
    if (ended_) return false;
    waiting_ = false;
    Batch current;
    for (;;) {
        if (context_.failed()) break;
        if (depth_ == 0 && !nextSourceBatch(current)) {
            if (waiting_) return false;
            break;
        }
        const std::vector<u32>& ops = *form_->step_ops;
        const u32 steps = u32(ops.size());
        if (depth_ > 0) {
            const u32 step = depth_ - 1;
            const u32 op = ops[step];
            bool more;
            {
                ScopedTimer timer(pipeline_.timed, pipeline_.metrics[(*form_->time_ops)[step]]);
                more = (*form_->steps)[step]->more(*form_->states[step], current, context_);
            }
            if (!more) {
                --depth_;
                continue;
            }
            // The last step of an operator says how many rows the operator yields.
            if (step + 1 == steps || ops[step + 1] != op) {
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
        ScopedTimer timer(pipeline_.timed, pipeline_.metrics[(*form_->time_ops)[step]]);
        (*form_->steps)[step]->start(*form_->states[step], current, context_);
        ++depth_;
    }
    ended_ = true;
    for (const Form* form : {&interpreted_, &generated_})
        for (size_t step = 0; step < form->states.size() && !context_.failed(); ++step)
            (*form->steps)[step]->flush(*form->states[step], context_);
    return false;
}

} // namespace blueshift::execute
