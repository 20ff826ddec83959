#include "execute/spill/live_slots.h"

#include <algorithm>

namespace blueshift::execute {
namespace {

using compile::Slot;

struct Liveness {
    std::vector<bool> live;

    void read(Slot slot) {
        if (slot == compile::kNoSlot) return;
        if (slot >= live.size()) live.resize(slot + 1, false);
        live[slot] = true;
    }
    void written(Slot slot) {
        if (slot < live.size()) live[slot] = false;
    }
    void read(const compile::EvalNode* node) {
        if (node == nullptr) return;
        if (node->op == compile::EvalOp::kSlot) read(node->slot);
        for (const compile::EvalNode* argument : node->args) read(argument);
    }

    void before(const compile::FilterStep& step) { read(step.predicate.root); }
    void before(const compile::ComputeStep& step) {
        for (const Slot slot : step.targets) written(slot);
        for (const auto& expression : step.expressions) read(expression.root);
    }
    void before(const compile::ProbeStep& step) {
        read(step.residual.root);
        for (const auto& [column, slot] : step.build_columns) written(slot);
        for (const auto& [column, slot] : step.residual_columns) written(slot);
        written(step.mark);
        for (const Slot slot : step.keys) read(slot);
    }
    void before(const compile::NestedLoopStep& step) {
        read(step.condition.root);
        for (const auto& [column, slot] : step.build_columns) written(slot);
        written(step.mark);
    }
    void before(const compile::LimitStep&) {}
    void before(const compile::SelectStep& step) {
        const std::vector<bool> after = live;
        live.assign(live.size(), false);
        for (size_t i = 0; i < step.from.size(); ++i)
            if (i < after.size() && after[i]) read(step.from[i]);
    }
};

} // namespace

StepInput inputOf(const compile::Pipeline& pipeline, size_t step) {
    StepInput input{.slots = step == 0 ? pipeline.source_slots : pipeline.steps[step - 1].output};
    Liveness liveness;
    for (const Slot slot : pipeline.sink_slots) liveness.read(slot);
    for (size_t i = pipeline.steps.size(); i-- > step;)
        std::visit([&](const auto& what) { liveness.before(what); }, pipeline.steps[i].step);
    for (u32 slot = 0; slot < liveness.live.size() && slot < input.slots.size(); ++slot)
        if (liveness.live[slot]) input.live.push_back(Slot(slot));
    return input;
}

} // namespace blueshift::execute
