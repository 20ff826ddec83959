// Joins of the physical plan: equi keys and the rest, which side builds, what the join yields.
#include <algorithm>

#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalOp;

namespace {

/// Building costs about this many times as much per row as probing.
constexpr f64 kBuildFactor = 2;

void markNullable(PhysicalOp* op, const PhysicalOp* side) {
    for (PhysicalColumn& column : op->columns)
        if (side->find(column.id) != nullptr) column.nullable = true;
}

} // namespace

void PlanBuilder::addJoinColumns(PhysicalOp* made, JoinOutput output, const ColumnSet& needed,
                                 const bind::JoinOp& join) {
    const PhysicalOp* probe = made->children[0];
    const PhysicalOp* build = made->children[1];
    const bool build_only = output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
    const bool probe_only = output == JoinOutput::kProbeSemi || output == JoinOutput::kProbeAnti ||
                            output == JoinOutput::kProbeMark;
    if (!build_only) pass(made, probe, needed);
    if (!probe_only) pass(made, build, needed);
    if (output == JoinOutput::kProbeOuter || output == JoinOutput::kFullOuter ||
        output == JoinOutput::kProbeSingle)
        markNullable(made, build);
    if (output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter)
        markNullable(made, probe);
    if (output == JoinOutput::kProbeMark) {
        PhysicalColumn mark = columnOf(join.mark);
        mark.type = SqlType::boolean();
        mark.nullable = join.null_aware;
        made->columns.push(mark);
    }
    made->distribution = probe->distribution;
    if (build_only || output == JoinOutput::kBuildOuter) made->distribution = build->distribution;
}

PhysicalOp* PlanBuilder::hashJoin(const bind::JoinOp& join, const ColumnSet& needed,
                                  std::span<const Equality> keys,
                                  std::span<const Expr* const> rest) {
    const LogicalOp* left = join.children[0];
    const LogicalOp* right = join.children[1];
    const f64 left_rows = cardinality_.rows(left);
    const f64 right_rows = cardinality_.rows(right);
    const bool swap_pays = left_rows * kBuildFactor < right_rows;
    bool swapped = false;
    JoinOutput output = JoinOutput::kInner;
    switch (join.type) {
    case JoinType::kInner: swapped = left_rows < right_rows; break;
    case JoinType::kLeft:
        swapped = swap_pays;
        output = swapped ? JoinOutput::kBuildOuter : JoinOutput::kProbeOuter;
        break;
    case JoinType::kRight:
        swapped = right_rows >= left_rows * kBuildFactor;
        output = swapped ? JoinOutput::kProbeOuter : JoinOutput::kBuildOuter;
        break;
    case JoinType::kFull:
        swapped = left_rows < right_rows;
        output = JoinOutput::kFullOuter;
        break;
    case JoinType::kSemi:
        swapped = swap_pays;
        output = swapped ? JoinOutput::kBuildSemi : JoinOutput::kProbeSemi;
        break;
    case JoinType::kAnti:
        swapped = swap_pays && !join.null_aware;
        output = swapped ? JoinOutput::kBuildAnti : JoinOutput::kProbeAnti;
        break;
    case JoinType::kMark: output = JoinOutput::kProbeMark; break;
    case JoinType::kSingle: output = JoinOutput::kProbeSingle; break;
    }
    ColumnSet read = needed;
    ColumnSet build_keys;
    for (const Equality& key : keys) {
        read.addAll(columnsOf(key.left));
        read.addAll(columnsOf(key.right));
        const Expr* build_key = swapped ? key.left : key.right;
        if (isColumn(build_key)) build_keys.add(build_key->as<ColumnExpr>()->id);
    }
    const Expr* residual = makeAnd(arena_, rest);
    read.addAll(columnsOf(residual));
    const LogicalOp* probe_op = swapped ? right : left;
    const LogicalOp* build_op = swapped ? left : right;
    PhysicalOp* probe = build(probe_op, read & outputsOf(probe_op));
    PhysicalOp* build_side = build(build_op, read & outputsOf(build_op));
    auto* made = make<HashJoinOp>(OpKind::kHashJoin, {probe, build_side});
    made->output = output;
    made->keys = List<JoinKey>(arena_);
    for (const Equality& key : keys)
        made->keys.push({swapped ? key.right : key.left, swapped ? key.left : key.right});
    made->residual = residual;
    made->mark = join.type == JoinType::kMark ? join.mark.id : kNoColumn;
    made->null_aware = join.type == JoinType::kMark && join.null_aware;
    made->null_aware_anti = join.type == JoinType::kAnti && join.null_aware;
    made->unique_build_keys = isUnique(context_, build_op, build_keys, KeyTrust::kProved);
    made->publishes = List<HashJoinOp::Published>(arena_);
    made->label = "DS_DIST_NONE";
    addJoinColumns(made, output, needed, join);
    estimate(made, &join);
    return made;
}

PhysicalOp* PlanBuilder::nestedLoopJoin(const bind::JoinOp& join, const ColumnSet& needed) {
    const LogicalOp* left = join.children[0];
    const LogicalOp* right = join.children[1];
    JoinOutput output = JoinOutput::kInner;
    bool swapped = false;
    switch (join.type) {
    case JoinType::kInner: swapped = cardinality_.rows(left) < cardinality_.rows(right); break;
    case JoinType::kLeft: output = JoinOutput::kProbeOuter; break;
    case JoinType::kRight:
        output = JoinOutput::kProbeOuter;
        swapped = true;
        break;
    case JoinType::kFull: output = JoinOutput::kFullOuter; break;
    case JoinType::kSemi: output = JoinOutput::kProbeSemi; break;
    case JoinType::kAnti: output = JoinOutput::kProbeAnti; break;
    case JoinType::kMark: output = JoinOutput::kProbeMark; break;
    case JoinType::kSingle: output = JoinOutput::kProbeSingle; break;
    }
    const ColumnSet read = needed | columnsOf(join.condition);
    const LogicalOp* probe_op = swapped ? right : left;
    const LogicalOp* build_op = swapped ? left : right;
    PhysicalOp* probe = build(probe_op, read & outputsOf(probe_op));
    PhysicalOp* inner = build(build_op, read & outputsOf(build_op));
    auto* made = make<NestedLoopJoinOp>(OpKind::kNestedLoopJoin, {probe, inner});
    made->output = output;
    made->condition = join.condition;
    if (join.type == JoinType::kAnti && join.null_aware) {
        // NOT IN: a comparison that is unknown rejects the row as one that is true does.
        const Expr* args[] = {join.condition};
        made->condition = makeLogic(arena_, ExprKind::kIsTruth, args, true, 0);
    }
    made->mark = join.type == JoinType::kMark ? join.mark.id : kNoColumn;
    made->null_aware = join.type == JoinType::kMark && join.null_aware;
    made->label = "DS_DIST_NONE";
    addJoinColumns(made, output, needed, join);
    estimate(made, &join);
    return made;
}

PhysicalOp* PlanBuilder::buildJoin(const bind::JoinOp& join, const ColumnSet& needed) {
    BS_CHECK(!join.dependent, "a dependent join is left after unnesting");
    const ColumnSet left = outputsOf(join.children[0]);
    const ColumnSet right = outputsOf(join.children[1]);
    std::vector<const Expr*> terms;
    splitConjunction(join.condition, terms);
    std::vector<Equality> keys;
    std::vector<const Expr*> rest;
    for (const Expr* term : terms) {
        Equality equality = equalityOf(term);
        if (equality) {
            const ColumnSet a = columnsOf(equality.left);
            const ColumnSet b = columnsOf(equality.right);
            if (a.empty() || b.empty()) equality = {};
            else if (left.containsAll(b) && right.containsAll(a))
                std::swap(equality.left, equality.right);
            else if (!left.containsAll(a) || !right.containsAll(b)) equality = {};
        }
        if (equality) keys.push_back(equality);
        else rest.push_back(term);
    }
    // NULL-aware forms look at the keys alone; a further condition needs the loop.
    const bool aware =
        join.null_aware && (join.type == JoinType::kMark || join.type == JoinType::kAnti);
    if (keys.empty() || (aware && (!rest.empty() || keys.size() > 1)))
        return nestedLoopJoin(join, needed);
    return hashJoin(join, needed, keys, rest);
}

} // namespace blueshift::optimize
