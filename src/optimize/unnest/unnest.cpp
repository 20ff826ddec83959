#include "optimize/unnest/unnest.h"

namespace blueshift::optimize {

using bind::LogicalKind;
using bind::LogicalOp;

namespace {

/// A shared subplan that reads columns of its surroundings is no subplan: each reader gets a copy.
void inlineCorrelated(PlanContext& context, LogicalOp*& op) {
    if (op->kind == LogicalKind::kCteScan) {
        const auto* scan = op->as<bind::CteScanOp>();
        const LogicalOp* plan = context.ctes[scan->cte].plan;
        if (freeColumns(plan).empty()) return;
        ColumnMap renamed;
        LogicalOp* copy = cloneTree(context, plan, &renamed);
        inlineCorrelated(context, copy);
        std::vector<bind::MapItem> items;
        for (u32 i = 0; i < scan->columns.size(); ++i) {
            const auto found = renamed.find(scan->inputs[i]);
            const ColumnId from = found == renamed.end() ? scan->inputs[i] : found->second;
            items.push_back({scan->columns[i], context.column(from)});
        }
        op = context.map(copy, items);
        return;
    }
    const auto inside = [&](auto& self, const Expr* expr) -> void {
        if (expr->kind == ExprKind::kSubquery) {
            auto* subquery = const_cast<bind::SubqueryExpr*>(expr->as<bind::SubqueryExpr>());
            inlineCorrelated(context, subquery->plan);
            for (const Expr* test : subquery->tests) self(self, test);
            return;
        }
        for (const Expr* arg : argsOf(expr)) self(self, arg);
    };
    visitExprs(op, [&](const Expr*& expr) {
        if (hasSubquery(expr)) inside(inside, expr);
    });
    for (LogicalOp*& child : op->children) inlineCorrelated(context, child);
}

class CteOrder {
public:
    explicit CteOrder(PlanContext& context)
        : context_(context), readers_(context.ctes.size()), place_(context.ctes.size(), kUnseen) {}

    LogicalOp* run(LogicalOp* root) {
        count(root);
        root = visit(root);
        context_.ctes = std::move(ordered_);
        renumber(root);
        for (bind::Cte& cte : context_.ctes) renumber(cte.plan);
        return root;
    }

private:
    static constexpr u32 kUnseen = ~u32{0};

    void count(const LogicalOp* op) {
        if (op->kind == LogicalKind::kCteScan) {
            const u32 cte = op->as<bind::CteScanOp>()->cte;
            if (readers_[cte]++ == 0) count(context_.ctes[cte].plan);
        }
        for (const LogicalOp* child : op->children) count(child);
    }
    LogicalOp* visit(LogicalOp* op) {
        for (LogicalOp*& child : op->children) child = visit(child);
        if (op->kind != LogicalKind::kCteScan) return op;
        auto* scan = op->as<bind::CteScanOp>();
        bind::Cte& cte = context_.ctes[scan->cte];
        if (readers_[scan->cte] == 1 && context_.enabled("inline_ctes")) {
            LogicalOp* plan = visit(cte.plan);
            std::vector<bind::MapItem> items;
            for (u32 i = 0; i < scan->columns.size(); ++i)
                items.push_back({scan->columns[i],
                                 context_.column(scan->inputs[i], scan->columns[i].nullable)});
            return context_.map(plan, items);
        }
        if (place_[scan->cte] == kUnseen) {
            LogicalOp* plan = visit(cte.plan);
            bind::Cte kept = context_.ctes[scan->cte];
            kept.plan = plan;
            kept.references = readers_[scan->cte];
            place_[scan->cte] = u32(ordered_.size());
            ordered_.push_back(kept);
        }
        return op;
    }
    void renumber(LogicalOp* op) {
        if (op->kind == LogicalKind::kCteScan)
            op->as<bind::CteScanOp>()->cte = place_[op->as<bind::CteScanOp>()->cte];
        for (LogicalOp* child : op->children) renumber(child);
    }

    PlanContext& context_;
    std::vector<u32> readers_;
    std::vector<u32> place_;
    std::vector<bind::Cte> ordered_;
};

} // namespace

LogicalOp* orderCtes(PlanContext& context, LogicalOp* root) {
    return CteOrder(context).run(root);
}

LogicalOp* unnestAll(PlanContext& context, LogicalOp* root) {
    for (size_t i = 0; i < context.ctes.size(); ++i) {
        LogicalOp* plan = context.ctes[i].plan;
        inlineCorrelated(context, plan);
        if (freeColumns(plan).empty()) plan = removeSubqueries(context, plan);
        context.ctes[i].plan = plan;
    }
    inlineCorrelated(context, root);
    root = removeSubqueries(context, root);
    // The list grows while domains and numbered rows become shared subplans.
    for (size_t i = 0; i < context.ctes.size(); ++i) {
        if (!freeColumns(context.ctes[i].plan).empty()) continue;
        LogicalOp* plan = removeDependence(context, context.ctes[i].plan);
        context.ctes[i].plan = plan;
    }
    const size_t visited = context.ctes.size();
    root = removeDependence(context, root);
    for (size_t i = visited; i < context.ctes.size(); ++i) {
        LogicalOp* plan = removeDependence(context, context.ctes[i].plan);
        context.ctes[i].plan = plan;
    }
    return orderCtes(context, root);
}

} // namespace blueshift::optimize
