#include "execute/pipeline/basic_steps.h"

#include "execute/expression/evaluator.h"

namespace blueshift::execute {
namespace {

class Filter final : public StepOperator {
public:
    explicit Filter(const compile::FilterStep& spec) : spec_(spec) {}

    struct FilterState : State {
        explicit FilterState(const compile::Expression& predicate) : evaluator(predicate) {}
        Evaluator evaluator;
        Batch batch;
        bool ready = false;
        u16 selection[kVectorRows + 64];
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        return std::make_unique<FilterState>(spec_.predicate);
    }
    void start(State& base, const Batch& input, WorkerContext& context) override {
        auto& state = static_cast<FilterState&>(base);
        state.batch = input;
        state.batch.selected = state.evaluator.filter(input, state.selection, context.eval);
        state.batch.selection = state.batch.selected == input.rows ? nullptr : state.selection;
        state.ready = state.batch.selected > 0;
    }
    bool more(State& base, Batch& output, WorkerContext&) override {
        auto& state = static_cast<FilterState&>(base);
        if (!state.ready) return false;
        state.ready = false;
        output = state.batch;
        return true;
    }

private:
    const compile::FilterStep& spec_;
};

class Compute final : public StepOperator {
public:
    Compute(const compile::ComputeStep& spec, u32 slots) : spec_(spec), slots_(slots) {}

    struct ComputeState : State {
        std::vector<Evaluator> evaluators;
        std::vector<Vector> columns;
        Batch batch;
        bool ready = false;
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<ComputeState>();
        for (const auto& expression : spec_.expressions) state->evaluators.emplace_back(expression);
        state->columns.resize(slots_);
        return state;
    }
    void start(State& base, const Batch& input, WorkerContext& context) override {
        auto& state = static_cast<ComputeState&>(base);
        std::copy(input.columns.begin(), input.columns.end(), state.columns.begin());
        for (size_t i = 0; i < state.evaluators.size(); ++i)
            state.columns[spec_.targets[i]] = state.evaluators[i].evaluate(input, context.eval);
        state.batch = input;
        state.batch.columns = state.columns;
        state.ready = true;
    }
    bool more(State& base, Batch& output, WorkerContext&) override {
        auto& state = static_cast<ComputeState&>(base);
        if (!state.ready) return false;
        state.ready = false;
        output = state.batch;
        return true;
    }

private:
    const compile::ComputeStep& spec_;
    u32 slots_;
};

class Limit final : public StepOperator {
public:
    explicit Limit(const compile::LimitStep& spec) : spec_(spec) {}

    struct LimitState : State {
        Batch batch;
        bool ready = false;
        u16 selection[kVectorRows + 64];
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        return std::make_unique<LimitState>();
    }
    void start(State& base, const Batch& input, WorkerContext&) override {
        auto& state = static_cast<LimitState&>(base);
        const i64 first = seen_.fetch_add(input.selected);
        const i64 begin = std::max<i64>(spec_.offset - first, 0);
        const i64 end = spec_.limit < 0
                            ? i64(input.selected)
                            : std::min<i64>(input.selected, spec_.offset + spec_.limit - first);
        state.batch = input;
        state.ready = begin < end;
        if (!state.ready) return;
        for (i64 i = begin; i < end; ++i) state.selection[i - begin] = u16(input.rowAt(u32(i)));
        state.batch.selected = u32(end - begin);
        state.batch.selection = state.selection;
    }
    bool more(State& base, Batch& output, WorkerContext&) override {
        auto& state = static_cast<LimitState&>(base);
        if (!state.ready) return false;
        state.ready = false;
        output = state.batch;
        return true;
    }
    bool exhausted() const override {
        return spec_.limit >= 0 &&
               seen_.load(std::memory_order_relaxed) >= spec_.offset + spec_.limit;
    }

private:
    const compile::LimitStep& spec_;
    std::atomic<i64> seen_{0};
};

class Select final : public StepOperator {
public:
    explicit Select(const compile::SelectStep& spec) : spec_(spec) {}

    struct SelectState : State {
        std::vector<Vector> columns;
        Batch batch;
        bool ready = false;
    };
    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<SelectState>();
        state->columns.resize(spec_.from.size());
        return state;
    }
    void start(State& base, const Batch& input, WorkerContext&) override {
        auto& state = static_cast<SelectState&>(base);
        for (size_t i = 0; i < spec_.from.size(); ++i)
            state.columns[i] = input.columns[spec_.from[i]];
        state.batch = input;
        state.batch.columns = state.columns;
        state.ready = true;
    }
    bool more(State& base, Batch& output, WorkerContext&) override {
        auto& state = static_cast<SelectState&>(base);
        if (!state.ready) return false;
        state.ready = false;
        output = state.batch;
        return true;
    }

private:
    const compile::SelectStep& spec_;
};

} // namespace

std::unique_ptr<StepOperator> makeBasicStep(const compile::StepInfo& info) {
    if (const auto* filter = std::get_if<compile::FilterStep>(&info.step))
        return std::make_unique<Filter>(*filter);
    if (const auto* compute = std::get_if<compile::ComputeStep>(&info.step))
        return std::make_unique<Compute>(*compute, u32(info.output.size()));
    if (const auto* limit = std::get_if<compile::LimitStep>(&info.step))
        return std::make_unique<Limit>(*limit);
    return std::make_unique<Select>(std::get<compile::SelectStep>(info.step));
}

} // namespace blueshift::execute
