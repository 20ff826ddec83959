#include "optimize/rules/move_limits.h"

#include <algorithm>

#include "optimize/logical_shape.h"

namespace blueshift::optimize {

using bind::LogicalKind;
using bind::LogicalOp;

LogicalOp* moveLimits(PlanContext& context, LogicalOp* op) {
    if (!context.enabled("move_limits")) return op;
    for (LogicalOp*& child : op->children) child = moveLimits(context, child);
    if (op->kind != LogicalKind::kLimit) return op;
    auto* limit = op->as<bind::LimitOp>();
    LogicalOp* child = op->children[0];
    if (child->kind == LogicalKind::kMap) {
        // Rows beyond the limit would not be computed: nothing is added that could fail.
        op->children[0] = child->children[0];
        child->children[0] = moveLimits(context, op);
        return child;
    }
    i64 enough = 0;
    if (child->kind == LogicalKind::kUnion && limit->limit >= 0 &&
        !__builtin_add_overflow(limit->limit, limit->offset, &enough)) {
        for (LogicalOp*& branch : child->children)
            if (branch->kind != LogicalKind::kLimit)
                branch = moveLimits(context, context.limit(branch, enough, 0));
    }
    return op;
}

LogicalOp* dropSorts(PlanContext& context, LogicalOp* op) {
    if (!context.enabled("drop_sorts")) return op;
    for (LogicalOp*& child : op->children) {
        child = dropSorts(context, child);
        bool ordered_use = op->kind == LogicalKind::kLimit || op->kind == LogicalKind::kMap ||
                           op->kind == LogicalKind::kFilter;
        if (op->kind == LogicalKind::kAggregate) {
            // LISTAGG without WITHIN GROUP takes the rows as they come.
            ordered_use = std::ranges::any_of(
                op->as<bind::AggregateOp>()->aggregates, [](const bind::AggregateItem& item) {
                    return item.aggregate != nullptr && item.aggregate->ordered;
                });
        }
        while (!ordered_use && child->kind == LogicalKind::kSort) child = child->children[0];
    }
    return op;
}

} // namespace blueshift::optimize
