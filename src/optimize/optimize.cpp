#include "optimize/optimize.h"

#include "optimize/join_order/join_order.h"
#include "optimize/physical/gather.h"
#include "optimize/physical/join_filters.h"
#include "optimize/physical/place_exchanges.h"
#include "optimize/physical/plan_builder.h"
#include "optimize/rules/lower_set_operations.h"
#include "optimize/rules/move_limits.h"
#include "optimize/rules/push_predicates.h"
#include "optimize/unnest/unnest.h"

namespace blueshift::optimize {

using bind::LogicalOp;

namespace {

/// Own copies of all trees, so that the bound plan stays as it was.
LogicalOp* takeCopy(PlanContext& context, const bind::QueryPlan& plan) {
    for (bind::Cte& cte : context.ctes) {
        cte.plan = cloneTree(context, cte.plan, nullptr);
        context.learn(cte.plan);
    }
    LogicalOp* root = cloneTree(context, plan.root, nullptr);
    context.learn(root);
    return root;
}

template <class F> void forEachTree(PlanContext& context, LogicalOp*& root, F&& change) {
    for (size_t i = 0; i < context.ctes.size(); ++i) {
        LogicalOp* changed = change(context.ctes[i].plan);
        context.ctes[i].plan = changed;
    }
    root = change(root);
}

} // namespace

bind::QueryPlan unnest(const bind::QueryPlan& plan, Arena& arena) {
    const OptimizerOptions options;
    PlanContext context(arena, plan, options, nullptr);
    LogicalOp* root = takeCopy(context, plan);
    root = unnestAll(context, root);
    bind::QueryPlan made = plan;
    made.root = root;
    made.ctes = List<bind::Cte>(arena, std::span<const bind::Cte>(context.ctes));
    made.next_column = context.nextColumn();
    return made;
}

PhysicalPlan optimize(const bind::QueryPlan& plan, Arena& arena, SampleEvaluator* samples,
                      const OptimizerOptions& options) {
    PlanContext context(arena, plan, options, samples);
    LogicalOp* root = takeCopy(context, plan);
    root = unnestAll(context, root);
    forEachTree(context, root, [&](LogicalOp* op) { return lowerSetOperations(context, op); });
    forEachTree(context, root, [&](LogicalOp* op) { return pushPredicates(context, op); });
    forEachTree(context, root, [&](LogicalOp* op) { return dropSorts(context, op); });
    forEachTree(context, root, [&](LogicalOp* op) { return moveLimits(context, op); });

    for (const bind::Cte& cte : context.ctes) context.learn(cte.plan);
    context.learn(root);
    Cardinality cardinality(context);
    forEachTree(context, root, [&](LogicalOp* op) { return orderJoins(context, cardinality, op); });
    PhysicalPlan made = PlanBuilder(context, cardinality).build(root, plan.columns);
    const bool several = options.cluster.nodes > 1;
    if (several) placeExchanges(context, made);
    placeJoinFilters(context, made);
    if (!several) gatherResult(context, made);
    numberOperators(made);
    return made;
}

} // namespace blueshift::optimize
