// plan_walk.h: visits and replaces the expressions, column ids and operators of a logical plan.
//
// Place: private to bind/, for passes over a plan that is still being made. Plans inside subquery
// expressions are visited too.
#pragma once

#include "bind/logical_plan.h"

namespace blueshift::bind {

/// Calls visit(const Expr*&) for every expression slot of one operator that is not nullptr.
template <class F> void visitExprs(LogicalOp* op, F&& visit) {
    const auto slot = [&](const Expr*& expr) {
        if (expr != nullptr) visit(expr);
    };
    const auto each = [&](auto& list) {
        for (auto& expr : list) slot(expr);
    };
    const auto sort_keys = [&](List<SortKey>& keys) {
        for (SortKey& key : keys) slot(key.expr);
    };
    switch (op->kind) {
    case LogicalKind::kSource: each(op->as<SourceOp>()->arguments); break;
    case LogicalKind::kValues:
        for (auto& row : op->as<ValuesOp>()->rows) each(row);
        break;
    case LogicalKind::kFilter: slot(op->as<FilterOp>()->predicate); break;
    case LogicalKind::kMap:
        for (MapItem& item : op->as<MapOp>()->items) slot(item.expr);
        break;
    case LogicalKind::kJoin: slot(op->as<JoinOp>()->condition); break;
    case LogicalKind::kAggregate: {
        auto* aggregate = op->as<AggregateOp>();
        for (GroupKey& key : aggregate->keys) slot(key.expr);
        for (AggregateItem& item : aggregate->aggregates) {
            each(item.args);
            slot(item.filter);
            sort_keys(item.order_by);
        }
        break;
    }
    case LogicalKind::kWindow: {
        auto* window = op->as<WindowOp>();
        each(window->partition_by);
        sort_keys(window->order_by);
        for (WindowItem& item : window->items) each(item.args);
        break;
    }
    case LogicalKind::kSort: sort_keys(op->as<SortOp>()->keys); break;
    default: break;
    }
}

/// Calls visit(ColumnId&) for every column that one operator reads by id instead of by expression.
template <class F> void visitInputs(LogicalOp* op, F&& visit) {
    const auto lists = [&](List<List<ColumnId>>& inputs) {
        for (auto& input : inputs)
            for (ColumnId& id : input) visit(id);
    };
    switch (op->kind) {
    case LogicalKind::kDistinct:
        for (ColumnId& id : op->as<DistinctOp>()->columns) visit(id);
        break;
    case LogicalKind::kUnion: lists(op->as<UnionOp>()->inputs); break;
    case LogicalKind::kSetOp: lists(op->as<SetOpOp>()->inputs); break;
    case LogicalKind::kCteScan:
        for (ColumnId& id : op->as<CteScanOp>()->inputs) visit(id);
        break;
    default: break;
    }
}

/// Calls visit(SubqueryExpr*) for the subqueries of an expression and of their left sides, but not
/// for those inside their plans.
template <class F> void visitSubqueries(const Expr* expr, F&& visit) {
    if (expr->kind == ExprKind::kSubquery) {
        // Plans under construction may be changed; only the expression nodes are immutable.
        visit(const_cast<SubqueryExpr*>(expr->as<SubqueryExpr>()));
        for (const Expr* test : expr->as<SubqueryExpr>()->tests) visitSubqueries(test, visit);
        return;
    }
    for (const Expr* arg : argsOf(expr)) visitSubqueries(arg, visit);
}

/// Calls visit(LogicalOp*&) for every operator of the tree, children first.
template <class F> void visitOperators(LogicalOp*& root, F&& visit) {
    for (LogicalOp*& child : root->children) visitOperators(child, visit);
    visitExprs(root, [&](const Expr*& expr) {
        visitSubqueries(expr,
                        [&](SubqueryExpr* subquery) { visitOperators(subquery->plan, visit); });
    });
    visit(root);
}

template <class F> void rewritePlan(Arena& arena, LogicalOp* root, F&& replace);

/// A copy of the expression with parts replaced: `replace(expr)` returns the new node, or nullptr
/// to look inside. Plans of subqueries are changed in place.
template <class F> const Expr* rewriteExpr(Arena& arena, const Expr* expr, F&& replace) {
    if (const Expr* other = replace(expr)) return other;
    if (expr->kind == ExprKind::kSubquery) {
        const auto* subquery = expr->as<SubqueryExpr>();
        LogicalOp* plan = subquery->plan;
        rewritePlan(arena, plan, replace);
        auto* copy = arena.make<SubqueryExpr>(*subquery);
        copy->tests = List<const Expr*>(arena);
        for (const Expr* test : subquery->tests)
            copy->tests.push(rewriteExpr(arena, test, replace));
        return copy;
    }
    const auto args = argsOf(expr);
    if (args.empty()) return expr;
    std::vector<const Expr*> changed(args.begin(), args.end());
    bool any = false;
    for (const Expr*& arg : changed) {
        const Expr* other = rewriteExpr(arena, arg, replace);
        any |= other != arg;
        arg = other;
    }
    return any ? withArgs(arena, expr, changed) : expr;
}
template <class F> void rewritePlan(Arena& arena, LogicalOp* root, F&& replace) {
    for (LogicalOp* child : root->children) rewritePlan(arena, child, replace);
    visitExprs(root, [&](const Expr*& expr) { expr = rewriteExpr(arena, expr, replace); });
}

} // namespace blueshift::bind
