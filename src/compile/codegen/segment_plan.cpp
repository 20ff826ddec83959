#include "compile/codegen/segment_plan.h"

#include <algorithm>

namespace blueshift::compile {

using functions::Operator;
using optimize::JoinOutput;

namespace {

/// IN lists beyond this are left to the interpreter's hash set.
constexpr u32 kMostListItems = 8;
/// A function of more steps takes too long to compile for what it saves.
constexpr u32 kMostSteps = 16;

bool isNumber(const EvalNode& node) {
    return node.kind != PhysicalKind::kText;
}

bool isNativeCall(const EvalNode& node) {
    if (node.function == nullptr) return true; // widening and rescaling
    const Operator op = node.function->op;
    if (op >= Operator::kEqual && op <= Operator::kGreaterEqual)
        return node.filter != nullptr && isNumber(*node.args[0]) && isNumber(*node.args[1]);
    if (op < Operator::kAdd || op > Operator::kNegate) return false;
    // Other meanings of the same symbols (dates, intervals) have loops of their own.
    return node.loop != nullptr &&
           node.loop == functions::arithmeticLoop(op, node.kind, node.can_fail);
}

/// What a later lookup would have to find again by the old row numbers.
bool storesValues(const Step& step) {
    if (const auto* compute = std::get_if<ComputeStep>(&step))
        return std::any_of(
            compute->expressions.begin(), compute->expressions.end(),
            [](const Expression& e) { return !isNative(*e.root) || e.root->subtree_fails; });
    if (const auto* filter = std::get_if<FilterStep>(&step))
        return !isNative(*filter->predicate.root);
    if (const auto* probe = std::get_if<ProbeStep>(&step))
        return probe->output == JoinOutput::kProbeMark;
    return false;
}

bool isGenerated(const Program& program, const StepInfo& info) {
    if (std::holds_alternative<FilterStep>(info.step)) return true;
    if (std::holds_alternative<ComputeStep>(info.step)) return true;
    const auto* probe = std::get_if<ProbeStep>(&info.step);
    if (probe == nullptr) return false;
    if (!std::holds_alternative<BuildSink>(program.sinks[probe->sink].sink)) return false;
    return probe->residual.root == nullptr ||
           (isNative(*probe->residual.root) && !probe->residual.root->subtree_fails);
}

bool isWorthIt(const Pipeline& pipeline, const SegmentRange& range) {
    if (range.fuses_group) return true;
    for (u32 i = range.first_step; i < range.first_step + range.step_count; ++i) {
        const Step& step = pipeline.steps[i].step;
        if (const auto* compute = std::get_if<ComputeStep>(&step)) {
            for (const Expression& e : compute->expressions)
                if (isNative(*e.root) && e.root->op != EvalOp::kConstant &&
                    e.root->op != EvalOp::kSlot)
                    return true;
        } else if (const auto* filter = std::get_if<FilterStep>(&step)) {
            if (isNative(*filter->predicate.root)) return true;
            if (filter->predicate.root->op != EvalOp::kAnd) continue;
            for (const EvalNode* arm : filter->predicate.root->args)
                if (isNative(*arm)) return true;
        } else {
            return true;
        }
    }
    return false;
}

} // namespace

bool isWritable(const EvalNode& node) {
    if (!isNumber(node)) return false;
    switch (node.op) {
    case EvalOp::kSlot: return true;
    case EvalOp::kConstant: return true;
    case EvalOp::kCall: return isNativeCall(node);
    case EvalOp::kInList:
        return node.args.size() <= kMostListItems + 1 && !node.subtree_fails &&
               isNumber(*node.args[0]);
    default: return !node.subtree_fails;
    }
}

bool isNative(const EvalNode& node) {
    return isWritable(node) && std::all_of(node.args.begin(), node.args.end(),
                                           [](const EvalNode* arg) { return isNative(*arg); });
}

bool passesMatches(const ProbeStep& probe) {
    switch (probe.output) {
    case JoinOutput::kInner:
    case JoinOutput::kProbeOuter:
    case JoinOutput::kBuildOuter:
    case JoinOutput::kFullOuter:
    case JoinOutput::kProbeSingle: return true;
    default: return false;
    }
}

bool matchesOnce(const ProbeStep& probe, const BuildSink& build) {
    switch (probe.output) {
    case JoinOutput::kProbeSemi:
    case JoinOutput::kProbeAnti:
    case JoinOutput::kProbeMark:
    case JoinOutput::kProbeSingle: return true;
    case JoinOutput::kBuildSemi:
    case JoinOutput::kBuildAnti: return true; // nothing comes out: all matches are marked
    default: return build.unique_keys;
    }
}

void collectSlots(const EvalNode* node, std::vector<bool>& slots) {
    if (node == nullptr) return;
    if (node->op == EvalOp::kSlot) slots[node->slot] = true;
    for (const EvalNode* arg : node->args) collectSlots(arg, slots);
}

void collectSlots(const Step& step, std::vector<bool>& slots) {
    if (const auto* filter = std::get_if<FilterStep>(&step)) {
        collectSlots(filter->predicate.root, slots);
    } else if (const auto* compute = std::get_if<ComputeStep>(&step)) {
        for (const Expression& e : compute->expressions) collectSlots(e.root, slots);
    } else if (const auto* probe = std::get_if<ProbeStep>(&step)) {
        for (const Slot key : probe->keys) slots[key] = true;
        collectSlots(probe->residual.root, slots);
    } else if (const auto* loop = std::get_if<NestedLoopStep>(&step)) {
        collectSlots(loop->condition.root, slots);
    } else if (const auto* select = std::get_if<SelectStep>(&step)) {
        for (const Slot slot : select->from) slots[slot] = true;
    }
}

std::vector<bool> fusedCalls(const Program& program, const Pipeline& pipeline) {
    const auto* group = std::get_if<GroupSink>(&program.sinks[pipeline.sink].sink);
    if (group == nullptr || group->calls.empty() || !group->grouping_sets.empty()) return {};
    const std::vector<SlotInfo>& slots =
        pipeline.steps.empty() ? pipeline.source_slots : pipeline.steps.back().output;
    std::vector<bool> fused;
    for (const auto& call : group->calls) {
        bool fits = call.aggregate->fused != functions::FusedState::kNone && !call.distinct &&
                    call.order_by.empty() && call.args.size() <= 1;
        for (const Slot arg : call.args)
            fits = fits && slots[pipeline.sink_slots[arg]].kind != PhysicalKind::kText;
        fused.push_back(fits);
    }
    if (std::find(fused.begin(), fused.end(), true) == fused.end()) return {};
    return fused;
}

std::vector<SegmentRange> findSegments(const Program& program, const Pipeline& pipeline) {
    std::vector<SegmentRange> found;
    SegmentRange range;
    bool expanded = false; // the range left the source batch's rows
    bool stored = false;   // and holds values by tuple since
    const auto end = [&](u32 next) {
        if (range.step_count > 0 && isWorthIt(pipeline, range)) found.push_back(range);
        range = {.first_step = next};
        expanded = stored = false;
    };
    for (u32 i = 0; i < pipeline.steps.size(); ++i) {
        const StepInfo& info = pipeline.steps[i];
        if (!isGenerated(program, info)) {
            end(i + 1);
            continue;
        }
        const auto* probe = std::get_if<ProbeStep>(&info.step);
        const bool expands =
            probe != nullptr &&
            !matchesOnce(*probe, std::get<BuildSink>(program.sinks[probe->sink].sink));
        if (range.step_count == kMostSteps || (expands && stored)) end(i);
        ++range.step_count;
        expanded |= expands;
        stored |= expanded && storesValues(info.step);
    }
    range.fuses_group = !fusedCalls(program, pipeline).empty();
    if ((range.step_count > 0 || range.fuses_group) && isWorthIt(pipeline, range))
        found.push_back(range);
    return found;
}

} // namespace blueshift::compile
