// Step 2a of unnesting: lifts correlated predicates out of a subquery, so that they can stand in
// the join condition. Groupings, windows, limits and unions on the way take the inner side of
// correlated equalities as further keys; anything else in their way makes the lift impossible.
#include <algorithm>

#include "optimize/unnest/unnest.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

class Lifter {
public:
    Lifter(PlanContext& context, const ColumnSet& outer)
        : context_(context), arena_(context.arena), outer_(outer) {}

    Lifted lift(LogicalOp* op);

private:
    using Predicates = std::vector<const Expr*>;

    Lifted liftFilter(bind::FilterOp* filter);
    Lifted liftMap(bind::MapOp* map);
    Lifted liftJoin(bind::JoinOp* join);
    Lifted liftAggregate(bind::AggregateOp* aggregate);
    Lifted liftDistinct(bind::DistinctOp* distinct);
    Lifted liftWindow(bind::WindowOp* window);
    Lifted liftLimit(bind::LimitOp* limit);
    Lifted liftUnion(LogicalOp* op, List<bind::OutputColumn>& columns,
                     List<List<ColumnId>>& inputs);

    bool readsOuter(const Expr* expr) const { return columnsOf(expr).intersects(outer_); }
    bool readsOuter(const LogicalOp* op) const { return ownColumns(op).intersects(outer_); }
    /// The predicate as `outer expression = inner expression`; nothing when it is something else.
    Equality correlatedEquality(const Expr* predicate, const ColumnSet& inner) const;
    bool allEqualities(const Predicates& predicates, const ColumnSet& inner,
                       std::vector<Equality>& equalities) const;
    /// Outer columns replaced by inner ones that lifted equalities make equal to them.
    const Expr* substitute(const Expr* expr, const Predicates& predicates) const;
    bool substituteOwn(LogicalOp* op, const Predicates& predicates) const;
    /// The inner expression as a column of `child`.
    ColumnId columnFor(const Expr* expr, LogicalOp*& child);

    PlanContext& context_;
    Arena& arena_;
    const ColumnSet& outer_;
};

Equality Lifter::correlatedEquality(const Expr* predicate, const ColumnSet& inner) const {
    Equality equality = equalityOf(predicate);
    if (!equality) return {};
    const ColumnSet a = columnsOf(equality.left);
    const ColumnSet b = columnsOf(equality.right);
    const auto splits = [&](const ColumnSet& outside, const ColumnSet& inside) {
        return !outside.intersects(inner) && !inside.intersects(outer_) && !inside.empty() &&
               inner.containsAll(inside);
    };
    if (splits(a, b)) return equality;
    if (splits(b, a)) return {equality.right, equality.left};
    return {};
}

bool Lifter::allEqualities(const Predicates& predicates, const ColumnSet& inner,
                           std::vector<Equality>& equalities) const {
    for (const Expr* predicate : predicates) {
        const Equality equality = correlatedEquality(predicate, inner);
        if (!equality) return false;
        equalities.push_back(equality);
    }
    return true;
}

const Expr* Lifter::substitute(const Expr* expr, const Predicates& predicates) const {
    return rewriteColumns(arena_, expr, [&](ColumnId id, const ColumnExpr* column) -> const Expr* {
        if (!outer_.contains(id) || !equalMeansSame(column->type)) return nullptr;
        for (const Expr* predicate : predicates) {
            const Equality equality = equalityOf(predicate);
            if (!equality) continue;
            for (const bool flip : {false, true}) {
                const Expr* outside = flip ? equality.right : equality.left;
                const Expr* inside = flip ? equality.left : equality.right;
                if (isColumn(outside) && outside->as<ColumnExpr>()->id == id &&
                    inside->type == column->type && isColumn(inside) && !readsOuter(inside))
                    return inside;
            }
        }
        return nullptr;
    });
}

bool Lifter::substituteOwn(LogicalOp* op, const Predicates& predicates) const {
    visitExprs(op, [&](const Expr*& expr) { expr = substitute(expr, predicates); });
    return !readsOuter(op);
}

ColumnId Lifter::columnFor(const Expr* expr, LogicalOp*& child) {
    if (isColumn(expr)) return expr->as<ColumnExpr>()->id;
    const bind::MapItem item{context_.newColumn("key", expr->type, true), expr};
    child = context_.map(child, std::span(&item, 1));
    return item.column.id;
}

Lifted Lifter::liftFilter(bind::FilterOp* filter) {
    Lifted below = lift(filter->children[0]);
    if (!below.possible) return below;
    std::vector<const Expr*> terms;
    splitConjunction(filter->predicate, terms);
    std::vector<const Expr*> kept;
    for (const Expr* term : terms) {
        if (readsOuter(term)) below.predicates.push_back(term);
        else kept.push_back(term);
    }
    below.op = context_.filter(below.op, kept);
    return below;
}

Lifted Lifter::liftMap(bind::MapOp* map) {
    Lifted below = lift(map->children[0]);
    if (!below.possible) return below;
    map->children[0] = below.op;
    below.op = map;
    below.possible = substituteOwn(map, below.predicates);
    return below;
}

Lifted Lifter::liftJoin(bind::JoinOp* join) {
    if (join->type == JoinType::kFull || join->type == JoinType::kRight) return {};
    Lifted made = lift(join->children[0]);
    if (!made.possible) return {};
    join->children[0] = made.op;
    if (join->type == JoinType::kInner) {
        LogicalOp* right = join->children[1];
        if (join->dependent && freeColumns(right).intersects(outer_)) return {};
        const Lifted other = lift(right);
        if (!other.possible) return {};
        join->children[1] = other.op;
        std::vector<const Expr*> terms;
        splitConjunction(join->condition, terms);
        std::vector<const Expr*> kept;
        for (const Expr* term : terms) {
            if (readsOuter(term)) made.predicates.push_back(term);
            else kept.push_back(term);
        }
        join->condition = makeAnd(arena_, kept);
        made.predicates.insert(made.predicates.end(), other.predicates.begin(),
                               other.predicates.end());
        made.op = join;
        return made;
    }
    // Outer, semi, anti, mark and single joins: the right side and the condition may only read
    // outer columns that the left side knows under a name of its own.
    if (freeColumns(join->children[1]).intersects(outer_)) return {};
    made.op = join;
    made.possible = join->condition == nullptr || substituteOwn(join, made.predicates);
    return made;
}

Lifted Lifter::liftAggregate(bind::AggregateOp* aggregate) {
    if (aggregate->keys.empty() || !aggregate->grouping_sets.empty()) return {};
    LogicalOp* child = aggregate->children[0];
    Lifted below = lift(child);
    if (!below.possible) return {};
    std::vector<Equality> equalities;
    if (!allEqualities(below.predicates, outputsOf(below.op), equalities)) return {};
    aggregate->children[0] = below.op;
    if (!substituteOwn(aggregate, below.predicates)) return {};
    below.predicates.clear();
    for (const Equality& equality : equalities) {
        const bind::GroupKey* same = nullptr;
        for (const bind::GroupKey& key : aggregate->keys)
            if (sameExpr(key.expr, equality.right)) same = &key;
        if (same == nullptr) {
            const Expr* inside = equality.right;
            const bind::OutputColumn column = isColumn(inside)
                                                  ? context_.copyOf(inside->as<ColumnExpr>()->id)
                                                  : context_.newColumn("key", inside->type, true);
            aggregate->keys.push({column, inside});
            same = &aggregate->keys.back();
        }
        below.predicates.push_back(
            makeComparison(arena_, "=", equality.left, context_.column(same->column.id)));
    }
    below.op = aggregate;
    return below;
}

Lifted Lifter::liftDistinct(bind::DistinctOp* distinct) {
    Lifted below = lift(distinct->children[0]);
    if (!below.possible) return {};
    std::vector<Equality> equalities;
    if (!allEqualities(below.predicates, outputsOf(below.op), equalities)) return {};
    below.predicates.clear();
    for (const Equality& equality : equalities) {
        const ColumnId id = columnFor(equality.right, below.op);
        if (!std::ranges::count(distinct->columns, id)) distinct->columns.push(id);
        below.predicates.push_back(makeComparison(arena_, "=", equality.left, context_.column(id)));
    }
    distinct->children[0] = below.op;
    below.op = distinct;
    return below;
}

Lifted Lifter::liftWindow(bind::WindowOp* window) {
    Lifted below = lift(window->children[0]);
    if (!below.possible) return {};
    std::vector<Equality> equalities;
    if (!allEqualities(below.predicates, outputsOf(below.op), equalities)) return {};
    window->children[0] = below.op;
    if (!substituteOwn(window, below.predicates)) return {};
    for (const Equality& equality : equalities) window->partition_by.push(equality.right);
    below.op = window;
    return below;
}

Lifted Lifter::liftLimit(bind::LimitOp* limit) {
    LogicalOp* child = limit->children[0];
    const List<bind::SortKey>* order = nullptr;
    bind::SortOp* sort = nullptr;
    if (child->kind == LogicalKind::kSort) {
        sort = child->as<bind::SortOp>();
        child = sort->children[0];
    }
    Lifted below = lift(child);
    if (!below.possible) return {};
    std::vector<Equality> equalities;
    if (!allEqualities(below.predicates, outputsOf(below.op), equalities)) return {};
    if (sort != nullptr) {
        if (!substituteOwn(sort, below.predicates)) return {};
        order = &sort->keys;
    }
    std::vector<const Expr*> partition;
    for (const Equality& equality : equalities) partition.push_back(equality.right);
    below.op = limitPerPartition(context_, below.op, partition, order, *limit);
    return below;
}

Lifted Lifter::liftUnion(LogicalOp* op, List<bind::OutputColumn>& columns,
                         List<List<ColumnId>>& inputs) {
    Lifted made{.op = op, .possible = true};
    std::vector<const Expr*> outside;
    std::vector<SqlType> types;
    for (u32 k = 0; k < op->children.size(); ++k) {
        Lifted below = lift(op->children[k]);
        if (!below.possible) return {};
        std::vector<Equality> equalities;
        if (!allEqualities(below.predicates, outputsOf(below.op), equalities)) return {};
        if (k == 0) {
            for (const Equality& equality : equalities) {
                outside.push_back(equality.left);
                types.push_back(equality.right->type);
            }
        }
        if (equalities.size() != outside.size()) return {};
        for (size_t i = 0; i < outside.size(); ++i) {
            const auto found = std::ranges::find_if(equalities, [&](const Equality& equality) {
                return sameExpr(equality.left, outside[i]) && equality.right->type == types[i];
            });
            if (found == equalities.end()) return {};
            inputs[k].push(columnFor(found->right, below.op));
        }
        op->children[k] = below.op;
    }
    for (size_t i = 0; i < outside.size(); ++i) {
        columns.push(context_.newColumn("key", types[i], true));
        made.predicates.push_back(
            makeComparison(arena_, "=", outside[i], context_.column(columns.back().id)));
    }
    return made;
}

Lifted Lifter::lift(LogicalOp* op) {
    if (!freeColumns(op).intersects(outer_)) return {.op = op, .possible = true};
    switch (op->kind) {
    case LogicalKind::kFilter: return liftFilter(op->as<bind::FilterOp>());
    case LogicalKind::kMap: return liftMap(op->as<bind::MapOp>());
    case LogicalKind::kJoin: return liftJoin(op->as<bind::JoinOp>());
    case LogicalKind::kAggregate: return liftAggregate(op->as<bind::AggregateOp>());
    case LogicalKind::kDistinct: return liftDistinct(op->as<bind::DistinctOp>());
    case LogicalKind::kWindow: return liftWindow(op->as<bind::WindowOp>());
    case LogicalKind::kSort: return lift(op->children[0]); // no order survives a join
    case LogicalKind::kLimit: return liftLimit(op->as<bind::LimitOp>());
    case LogicalKind::kUnion: {
        auto* all = op->as<bind::UnionOp>();
        return liftUnion(all, all->columns, all->inputs);
    }
    case LogicalKind::kSetOp: {
        auto* set = op->as<bind::SetOpOp>();
        return liftUnion(set, set->columns, set->inputs);
    }
    default: return {};
    }
}

} // namespace

Lifted liftCorrelation(PlanContext& context, const LogicalOp* op, const ColumnSet& outer) {
    return Lifter(context, outer).lift(cloneTree(context, op, nullptr));
}

LogicalOp* limitPerPartition(PlanContext& context, LogicalOp* child,
                             std::span<const Expr* const> partition,
                             const List<bind::SortKey>* order, const bind::LimitOp& limit) {
    Arena& arena = context.arena;
    auto* window = context.op<bind::WindowOp>(LogicalKind::kWindow, {child});
    window->partition_by = List<const Expr*>(arena, partition);
    window->order_by = order == nullptr ? List<bind::SortKey>(arena) : *order;
    bind::WindowItem item{.column = context.newColumn("row_number", SqlType::bigInt(), false),
                          .function = bind::WindowFunction::kRowNumber};
    item.args = List<const Expr*>(arena);
    window->items = List<bind::WindowItem>(arena, {item});
    const Expr* number = context.column(item.column.id, false);
    std::vector<const Expr*> terms;
    if (limit.offset > 0)
        terms.push_back(
            makeComparison(arena, ">", number, makeConstant(arena, Value::ofBigInt(limit.offset))));
    if (limit.limit >= 0) {
        i64 last = 0;
        if (__builtin_add_overflow(limit.offset, limit.limit, &last))
            return context.filter(window, terms);
        terms.push_back(
            makeComparison(arena, "<=", number, makeConstant(arena, Value::ofBigInt(last))));
    }
    return context.filter(window, terms);
}

} // namespace blueshift::optimize
