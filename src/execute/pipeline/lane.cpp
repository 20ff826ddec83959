#include "execute/pipeline/lane.h"

#include <algorithm>

namespace blueshift::execute {

namespace {

/// Adds the time of a scope to a counter, when asked for.
class ScopedTimer {
public:
    ScopedTimer(bool on, u64& nanos) : nanos_(on ? &nanos : nullptr) {
        if (nanos_ != nullptr) start_ = std::chrono::steady_clock::now();
    }
    ~ScopedTimer() {
        if (nanos_ == nullptr) return;
        const auto took = std::chrono::steady_clock::now() - start_;
        *nanos_ += u64(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
    }

private:
    u64* nanos_;
    std::chrono::steady_clock::time_point start_;
};

} // namespace

Lane::Lane(PipelineOperators& pipeline, WorkerContext& context, State* sink_state)
    : pipeline_(pipeline),
      context_(context),
      sink_state_(sink_state),
      source_state_(pipeline.source->makeState(context)),
      counts_(pipeline.metrics.size()) {
    interpreted_.steps = &pipeline.steps;
    interpreted_.step_ops = interpreted_.time_ops = &pipeline.step_ops;
    for (StepOperator* step : pipeline.steps)
        interpreted_.states.push_back(step->makeState(context));
    sink_columns_.resize(pipeline.sink_slots.size());
}

Lane::~Lane() {
    for (size_t op = 0; op < counts_.size(); ++op) {
        OperatorMetrics& metrics = pipeline_.metrics[op];
        if (counts_[op].rows > 0)
            metrics.rows.fetch_add(counts_[op].rows, std::memory_order_relaxed);
        if (counts_[op].nanos > 0)
            metrics.nanos.fetch_add(counts_[op].nanos, std::memory_order_relaxed);
    }
    if (pipeline_.code == nullptr) return;
    pipeline_.code->interpreted_rows.fetch_add(interpreted_rows_, std::memory_order_relaxed);
    pipeline_.code->generated_rows.fetch_add(generated_rows_, std::memory_order_relaxed);
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
        Counts& counts = counts_[pipeline_.source_op];
        ScopedTimer timer(pipeline_.timed, counts.nanos);
        if (pipeline_.source->next(*source_state_, batch, context_)) {
            counts.rows += batch.selected;
            (form_ == &generated_ ? generated_rows_ : interpreted_rows_) += batch.selected;
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
                ScopedTimer timer(pipeline_.timed, counts_[(*form_->time_ops)[step]].nanos);
                more = (*form_->steps)[step]->more(*form_->states[step], current, context_);
            }
            if (!more) {
                --depth_;
                continue;
            }
            // The last step of an operator says how many rows the operator yields.
            const bool is_last = step + 1 == steps || ops[step + 1] != op;
            if (is_last && op != pipeline_.source_op && op != GeneratedSteps::kCountsItself)
                counts_[op].rows += current.selected;
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
        ScopedTimer timer(pipeline_.timed, counts_[(*form_->time_ops)[step]].nanos);
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
