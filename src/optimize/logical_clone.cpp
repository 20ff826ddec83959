// Copies of logical trees: lists are copied too, because passes change them in place.
#include "optimize/logical_shape.h"

namespace blueshift::optimize {

using bind::LogicalKind;
using bind::LogicalOp;

namespace {

class Cloner {
public:
    Cloner(PlanContext& context, ColumnMap* renamed) : context_(context), renamed_(renamed) {}

    LogicalOp* clone(const LogicalOp* op);

private:
    template <class T> T* copyNode(const LogicalOp* op) {
        return context_.arena.make<T>(*op->as<T>());
    }
    template <class T> void own(List<T>& list) {
        list = List<T>(context_.arena, std::span<const T>(list.begin(), list.size()));
    }
    void makeNames(bind::OutputColumn& column) {
        if (renamed_ == nullptr || column.id == kNoColumn) return;
        const ColumnId old = column.id;
        column.id = context_.copyOf(old).id;
        (*renamed_)[old] = column.id;
    }
    void read(ColumnId& id) {
        if (renamed_ == nullptr) return;
        if (const auto found = renamed_->find(id); found != renamed_->end()) id = found->second;
    }
    LogicalOp* copyLists(const LogicalOp* op);
    void makeAll(List<bind::OutputColumn>& columns) {
        own(columns);
        for (bind::OutputColumn& column : columns) makeNames(column);
    }
    void readAll(List<List<ColumnId>>& inputs) {
        own(inputs);
        for (auto& input : inputs) {
            own(input);
            for (ColumnId& id : input) read(id);
        }
    }
    const Expr* cloneExpr(const Expr* expr);

    PlanContext& context_;
    ColumnMap* renamed_;
};

const Expr* Cloner::cloneExpr(const Expr* expr) {
    if (expr->kind == ExprKind::kSubquery) {
        auto* copy = context_.arena.make<bind::SubqueryExpr>(*expr->as<bind::SubqueryExpr>());
        copy->plan = clone(copy->plan);
        own(copy->outputs);
        for (ColumnId& id : copy->outputs) read(id);
        own(copy->tests);
        for (const Expr*& test : copy->tests) test = cloneExpr(test);
        return copy;
    }
    if (expr->kind == ExprKind::kColumn) {
        if (renamed_ == nullptr) return expr;
        const auto found = renamed_->find(expr->as<ColumnExpr>()->id);
        if (found == renamed_->end()) return expr;
        return makeColumn(context_.arena, found->second, expr->type, expr->nullable);
    }
    const auto args = argsOf(expr);
    std::vector<const Expr*> changed(args.begin(), args.end());
    bool any = false;
    for (const Expr*& arg : changed) {
        const Expr* other = cloneExpr(arg);
        any |= other != arg;
        arg = other;
    }
    return any ? withArgs(context_.arena, expr, changed) : expr;
}

LogicalOp* Cloner::copyLists(const LogicalOp* op) {
    switch (op->kind) {
    case LogicalKind::kScan: {
        auto* copy = copyNode<bind::ScanOp>(op);
        if (copy->row_id != kNoColumn && renamed_ != nullptr) {
            const ColumnId old = copy->row_id;
            bool listed = false;
            for (const bind::OutputColumn& column : copy->columns) listed |= column.id == old;
            makeAll(copy->columns);
            if (!listed) (*renamed_)[old] = context_.copyOf(old).id;
            copy->row_id = (*renamed_)[old];
        } else {
            makeAll(copy->columns);
        }
        return copy;
    }
    case LogicalKind::kSource: {
        auto* copy = copyNode<bind::SourceOp>(op);
        makeAll(copy->columns);
        own(copy->arguments);
        return copy;
    }
    case LogicalKind::kValues: {
        auto* copy = copyNode<bind::ValuesOp>(op);
        makeAll(copy->columns);
        own(copy->rows);
        for (auto& row : copy->rows) own(row);
        return copy;
    }
    case LogicalKind::kFilter: return copyNode<bind::FilterOp>(op);
    case LogicalKind::kMap: {
        auto* copy = copyNode<bind::MapOp>(op);
        own(copy->items);
        return copy;
    }
    case LogicalKind::kJoin: return copyNode<bind::JoinOp>(op);
    case LogicalKind::kAggregate: {
        auto* copy = copyNode<bind::AggregateOp>(op);
        own(copy->keys);
        own(copy->aggregates);
        own(copy->grouping_sets);
        for (auto& item : copy->aggregates) {
            own(item.args);
            own(item.order_by);
        }
        return copy;
    }
    case LogicalKind::kWindow: {
        auto* copy = copyNode<bind::WindowOp>(op);
        own(copy->partition_by);
        own(copy->order_by);
        own(copy->items);
        for (auto& item : copy->items) own(item.args);
        return copy;
    }
    case LogicalKind::kSort: {
        auto* copy = copyNode<bind::SortOp>(op);
        own(copy->keys);
        return copy;
    }
    case LogicalKind::kLimit: return copyNode<bind::LimitOp>(op);
    case LogicalKind::kDistinct: {
        auto* copy = copyNode<bind::DistinctOp>(op);
        own(copy->columns);
        for (ColumnId& id : copy->columns) read(id);
        return copy;
    }
    case LogicalKind::kUnion: {
        auto* copy = copyNode<bind::UnionOp>(op);
        readAll(copy->inputs);
        makeAll(copy->columns);
        return copy;
    }
    case LogicalKind::kSetOp: {
        auto* copy = copyNode<bind::SetOpOp>(op);
        readAll(copy->inputs);
        makeAll(copy->columns);
        return copy;
    }
    case LogicalKind::kCteScan: {
        auto* copy = copyNode<bind::CteScanOp>(op);
        makeAll(copy->columns);
        own(copy->inputs);
        return copy;
    }
    }
    BS_UNREACHABLE("logical operator");
}

LogicalOp* Cloner::clone(const LogicalOp* op) {
    // Children first: what they make is what this operator reads.
    List<LogicalOp*> children(context_.arena);
    for (const LogicalOp* child : op->children) children.push(clone(child));
    LogicalOp* copy = copyLists(op);
    copy->children = children;
    visitExprs(copy, [&](const Expr*& expr) { expr = cloneExpr(expr); });
    switch (copy->kind) {
    case LogicalKind::kMap:
        for (auto& item : copy->as<bind::MapOp>()->items) makeNames(item.column);
        break;
    case LogicalKind::kJoin: makeNames(copy->as<bind::JoinOp>()->mark); break;
    case LogicalKind::kAggregate: {
        auto* aggregate = copy->as<bind::AggregateOp>();
        for (auto& key : aggregate->keys) makeNames(key.column);
        for (auto& item : aggregate->aggregates) makeNames(item.column);
        makeNames(aggregate->grouping_id);
        break;
    }
    case LogicalKind::kWindow:
        for (auto& item : copy->as<bind::WindowOp>()->items) makeNames(item.column);
        break;
    default: break;
    }
    return copy;
}

} // namespace

LogicalOp* cloneTree(PlanContext& context, const LogicalOp* op, ColumnMap* renamed) {
    LogicalOp* copy = Cloner(context, renamed).clone(op);
    if (renamed != nullptr) context.learn(copy);
    return copy;
}

} // namespace blueshift::optimize
