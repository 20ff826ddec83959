// Step 2 of unnesting: every dependent join loses its dependence, from the top down.
#include <algorithm>

#include "optimize/unnest/unnest.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

class DependenceRemover {
public:
    explicit DependenceRemover(PlanContext& context) : context_(context), arena_(context.arena) {}

    LogicalOp* visit(LogicalOp* op);

private:
    LogicalOp* remove(bind::JoinOp* join);
    /// A grouping without keys under maps and filters: one row for each left row.
    LogicalOp* removeOverScalarAggregate(bind::JoinOp* join, const ColumnSet& outer);
    void dropUnreadItems(bind::JoinOp* join) const;
    void addTerms(bind::JoinOp* join, std::span<const Expr* const> terms) const {
        std::vector<const Expr*> all;
        splitConjunction(join->condition, all);
        all.insert(all.end(), terms.begin(), terms.end());
        join->condition = makeAnd(arena_, all);
    }

    PlanContext& context_;
    Arena& arena_;
};

/// Only the condition reads the right side of these joins: SELECT lists with outer columns vanish.
void DependenceRemover::dropUnreadItems(bind::JoinOp* join) const {
    if (join->type != JoinType::kSemi && join->type != JoinType::kAnti &&
        join->type != JoinType::kMark)
        return;
    const ColumnSet read = columnsOf(join->condition);
    LogicalOp*& right = join->children[1];
    while (right->kind == LogicalKind::kMap &&
           std::ranges::none_of(right->as<bind::MapOp>()->items, [&](const bind::MapItem& item) {
               return read.contains(item.column.id);
           }))
        right = right->children[0];
}

LogicalOp* DependenceRemover::removeOverScalarAggregate(bind::JoinOp* join,
                                                        const ColumnSet& outer) {
    std::vector<LogicalOp*> chain;
    LogicalOp* bottom = join->children[1];
    bool filtered = false;
    while (bottom->kind == LogicalKind::kMap || bottom->kind == LogicalKind::kFilter ||
           bottom->kind == LogicalKind::kSort) {
        filtered |= bottom->kind == LogicalKind::kFilter;
        if (bottom->kind != LogicalKind::kSort) chain.push_back(bottom);
        bottom = bottom->children[0];
    }
    if (!isScalarAggregate(bottom) || ownColumns(bottom).intersects(outer)) return nullptr;
    const bool keeps_left = join->type == JoinType::kLeft || join->type == JoinType::kSingle;
    const bool marks = join->type == JoinType::kMark && join->null_aware;
    if ((keeps_left && (filtered || join->condition != nullptr)) || marks) return nullptr;
    if (join->type == JoinType::kRight || join->type == JoinType::kFull) return nullptr;
    const Lifted below = liftCorrelation(context_, bottom->children[0], outer);
    if (!below.possible) return nullptr;
    const ColumnSet inner = outputsOf(below.op);
    const ColumnSet left = outputsOf(join->children[0]);
    // Keys of the grouping: the inner sides of the lifted equalities.
    auto* aggregate = arena_.make<bind::AggregateOp>(*bottom->as<bind::AggregateOp>());
    aggregate->children = List<LogicalOp*>(arena_, {below.op});
    aggregate->keys = List<bind::GroupKey>(arena_);
    aggregate->grouping_sets = List<u64>(arena_);
    aggregate->aggregates = List<bind::AggregateItem>(
        arena_, std::span<const bind::AggregateItem>(aggregate->aggregates));
    std::vector<const Expr*> terms;
    for (const Expr* predicate : below.predicates) {
        Equality equality = equalityOf(predicate);
        if (!equality) return nullptr;
        if (inner.containsAll(columnsOf(equality.left))) std::swap(equality.left, equality.right);
        if (!left.containsAll(columnsOf(equality.left)) || columnsOf(equality.right).empty() ||
            !inner.containsAll(columnsOf(equality.right)))
            return nullptr;
        const Expr* inside = equality.right;
        const bind::OutputColumn key = isColumn(inside)
                                           ? context_.copyOf(inside->as<ColumnExpr>()->id)
                                           : context_.newColumn("key", inside->type, true);
        aggregate->keys.push({key, inside});
        terms.push_back(makeComparison(arena_, "=", equality.left, context_.column(key.id)));
    }
    const std::vector<bind::MapItem> items = restoreEmptyGroup(context_, aggregate);
    LogicalOp* made =
        context_.join(JoinType::kLeft, join->children[0], visit(aggregate), makeAnd(arena_, terms));
    made = context_.map(made, items);
    std::vector<const Expr*> passes;
    for (size_t i = chain.size(); i-- > 0;) {
        if (chain[i]->kind == LogicalKind::kMap) {
            const auto& map = *chain[i]->as<bind::MapOp>();
            made = context_.map(
                made, std::span<const bind::MapItem>(map.items.begin(), map.items.size()));
        } else {
            splitConjunction(chain[i]->as<bind::FilterOp>()->predicate, passes);
        }
    }
    splitConjunction(join->condition, passes);
    switch (join->type) {
    case JoinType::kInner:
    case JoinType::kSemi: return context_.filter(made, passes);
    case JoinType::kLeft:
    case JoinType::kSingle: return made;
    default: break;
    }
    // Anti and mark: whether the only row passes, as TRUE or FALSE.
    const Expr* all =
        passes.empty() ? makeConstant(arena_, Value::ofBool(true)) : makeAnd(arena_, passes);
    const Expr* decide[] = {all, makeConstant(arena_, Value::ofBool(false))};
    const Expr* passed = makeLogic(arena_, ExprKind::kCoalesce, decide);
    if (join->type == JoinType::kMark) {
        const bind::MapItem mark{join->mark, passed};
        return context_.map(made, std::span(&mark, 1));
    }
    const Expr* args[] = {passed};
    const Expr* negated[] = {makeLogic(arena_, ExprKind::kNot, args)};
    return context_.filter(made, negated);
}

LogicalOp* DependenceRemover::remove(bind::JoinOp* join) {
    LogicalOp*& left = join->children[0];
    LogicalOp*& right = join->children[1];
    left = visit(left);
    const ColumnSet outer = freeColumns(right) & outputsOf(left);
    join->dependent = false;
    if (outer.empty()) {
        right = visit(right);
        return join;
    }
    dropUnreadItems(join);
    if (context_.enabled("lift_correlation")) {
        if (LogicalOp* made = removeOverScalarAggregate(join, outer)) {
            context_.note("unnest", "scalar aggregate grouped by its correlation");
            return made;
        }
        const Lifted lifted = liftCorrelation(context_, right, outer);
        if (lifted.possible) {
            right = visit(lifted.op);
            addTerms(join, lifted.predicates);
            context_.note("unnest", "correlated predicates lifted");
            return join;
        }
    }
    if (join->type == JoinType::kRight || join->type == JoinType::kFull)
        throw SqlError(sqlstate::kInvalidColumnReference,
                       "the right side of a RIGHT or FULL JOIN cannot refer to its left side");
    Domain domain(context_, left, outer);
    ColumnMap ids;
    right = pushDomain(context_, right, domain, ids);
    const ColumnSet nullable = nullableOutputs(left);
    std::vector<const Expr*> terms;
    outer.forEach([&](ColumnId id) {
        const bool either = nullable.contains(id) || context_.facts(ids.at(id)).nullable;
        addNullSafeEqual(context_, context_.column(id, either), context_.column(ids.at(id), either),
                         either, terms);
    });
    addTerms(join, terms);
    context_.note("unnest", "joined with the distinct outer values");
    right = visit(right);
    return join;
}

LogicalOp* DependenceRemover::visit(LogicalOp* op) {
    if (op->kind == LogicalKind::kJoin && op->as<bind::JoinOp>()->dependent)
        return remove(op->as<bind::JoinOp>());
    for (LogicalOp*& child : op->children) child = visit(child);
    return op;
}

} // namespace

LogicalOp* removeDependence(PlanContext& context, LogicalOp* op) {
    return DependenceRemover(context).visit(op);
}

} // namespace blueshift::optimize
