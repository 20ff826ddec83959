#include "optimize/rules/push_predicates.h"

#include <algorithm>

#include "optimize/logical_shape.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

using Terms = std::vector<const Expr*>;

class PredicatePusher {
public:
    explicit PredicatePusher(PlanContext& context) : context_(context), arena_(context.arena) {}

    LogicalOp* push(LogicalOp* op, Terms terms);

private:
    LogicalOp* pushMap(bind::MapOp* map, const Terms& terms);
    LogicalOp* pushAggregate(bind::AggregateOp* aggregate, const Terms& terms);
    LogicalOp* pushWindow(bind::WindowOp* window, const Terms& terms);
    LogicalOp* pushUnion(LogicalOp* op, const List<bind::OutputColumn>& columns,
                         const List<List<ColumnId>>& inputs, const Terms& terms);
    LogicalOp* pushJoin(bind::JoinOp* join, Terms terms);
    LogicalOp* pushInner(bind::JoinOp* join, Terms terms);
    LogicalOp* pushOneSided(bind::JoinOp* join, const Terms& terms);
    void simplifyOuter(bind::JoinOp* join, const Terms& terms);
    void flatten(LogicalOp* op, std::vector<LogicalOp*>& leaves, Terms& pool, Terms& failing);

    bool rejects(const Terms& terms, const ColumnSet& columns) const {
        const std::vector<ColumnId> ids = columns.ids();
        return std::ranges::any_of(terms,
                                   [&](const Expr* term) { return rejectsNulls(term, ids); });
    }

    PlanContext& context_;
    Arena& arena_;
    /// Terms that stay above the map over the next join, in terms of its columns: not tested there,
    /// but rows that they reject need not be made.
    Terms rejecting_;
};

bool isVolatile(const Expr* expr) {
    return volatilityOf(expr) == functions::Volatility::kVolatile;
}

/// May be tested on more or fewer rows than written.
bool movable(const Expr* term) {
    return !mayRaise(term) && !isVolatile(term);
}

/// A comparison of columns and constants: the same for all values that compare equal.
bool comparesPlainly(const Expr* term) {
    if (term->kind == ExprKind::kCall) {
        const auto op = term->as<CallExpr>()->function->op;
        if (op < functions::Operator::kEqual || op > functions::Operator::kGreaterEqual)
            return false;
    } else if (term->kind != ExprKind::kInList) {
        return false;
    }
    return std::ranges::all_of(argsOf(term), [](const Expr* arg) {
        return arg->kind == ExprKind::kColumn || arg->kind == ExprKind::kConstant;
    });
}

void take(Terms& from, Terms& to, auto&& wanted) {
    std::erase_if(from, [&](const Expr* term) {
        if (!wanted(term)) return false;
        to.push_back(term);
        return true;
    });
}

LogicalOp* PredicatePusher::pushMap(bind::MapOp* map, const Terms& terms) {
    Terms below;
    Terms above;
    Terms hints = rejecting_;
    for (const Expr* term : terms) {
        bool possible = !isVolatile(term);
        const Expr* moved =
            rewriteColumns(arena_, term, [&](ColumnId id, const ColumnExpr*) -> const Expr* {
                for (const bind::MapItem& item : map->items) {
                    if (item.column.id != id) continue;
                    possible &= movable(item.expr);
                    return item.expr;
                }
                return nullptr;
            });
        if (possible) below.push_back(moved);
        else above.push_back(term);
        if (!possible && !isVolatile(moved)) hints.push_back(moved);
    }
    const LogicalKind below_kind = map->children[0]->kind;
    if (below_kind == LogicalKind::kJoin || below_kind == LogicalKind::kMap) rejecting_ = hints;
    else rejecting_.clear();
    map->children[0] = push(map->children[0], below);
    rejecting_.clear();
    return context_.filter(map, above);
}

LogicalOp* PredicatePusher::pushAggregate(bind::AggregateOp* aggregate, const Terms& terms) {
    Terms below;
    Terms above;
    for (const Expr* term : terms) {
        bool possible = !aggregate->keys.empty() && aggregate->grouping_sets.empty() &&
                        movable(term) && !columnsOf(term).empty();
        const Expr* moved =
            rewriteColumns(arena_, term, [&](ColumnId id, const ColumnExpr*) -> const Expr* {
                for (const bind::GroupKey& key : aggregate->keys) {
                    if (key.column.id != id) continue;
                    possible &= movable(key.expr);
                    // A group stands for all values that compare equal; functions may tell them
                    // apart.
                    possible &= equalMeansSame(key.column.type) || comparesPlainly(term);
                    return key.expr;
                }
                possible = false;
                return nullptr;
            });
        if (possible) below.push_back(moved);
        else above.push_back(term);
    }
    aggregate->children[0] = push(aggregate->children[0], below);
    return context_.filter(aggregate, above);
}

LogicalOp* PredicatePusher::pushWindow(bind::WindowOp* window, const Terms& terms) {
    ColumnSet partition;
    for (const Expr* key : window->partition_by)
        if (isColumn(key) && equalMeansSame(key->type)) partition.add(key->as<ColumnExpr>()->id);
    Terms below;
    Terms above;
    for (const Expr* term : terms) {
        const ColumnSet read = columnsOf(term);
        const bool possible = movable(term) && !read.empty() && partition.containsAll(read);
        (possible ? below : above).push_back(term);
    }
    window->children[0] = push(window->children[0], below);
    return context_.filter(window, above);
}

LogicalOp* PredicatePusher::pushUnion(LogicalOp* op, const List<bind::OutputColumn>& columns,
                                      const List<List<ColumnId>>& inputs, const Terms& terms) {
    Terms above;
    Terms moved;
    for (const Expr* term : terms) (isVolatile(term) ? above : moved).push_back(term);
    for (u32 k = 0; k < op->children.size(); ++k) {
        ColumnMap map;
        for (u32 i = 0; i < columns.size(); ++i) map[columns[i].id] = inputs[k][i];
        Terms below;
        for (const Expr* term : moved) below.push_back(replaceColumns(context_, term, map));
        op->children[k] = push(op->children[k], below);
    }
    return context_.filter(op, above);
}

void PredicatePusher::simplifyOuter(bind::JoinOp* join, const Terms& terms) {
    if (join->type == JoinType::kRight) {
        std::swap(join->children[0], join->children[1]);
        join->type = JoinType::kLeft;
    }
    if (!context_.enabled("outer_to_inner")) return;
    if (join->type == JoinType::kFull) {
        const bool left = rejects(terms, outputsOf(join->children[0]));
        const bool right = rejects(terms, outputsOf(join->children[1]));
        if (left && right) {
            join->type = JoinType::kInner;
        } else if (left) {
            join->type = JoinType::kLeft;
        } else if (right) {
            std::swap(join->children[0], join->children[1]);
            join->type = JoinType::kLeft;
        }
        if (left || right) context_.note("outer_to_inner", "FULL JOIN");
    } else if (join->type == JoinType::kLeft && rejects(terms, outputsOf(join->children[1]))) {
        join->type = JoinType::kInner;
        context_.note("outer_to_inner", "LEFT JOIN");
    }
}

void PredicatePusher::flatten(LogicalOp* op, std::vector<LogicalOp*>& leaves, Terms& pool,
                              Terms& failing) {
    const auto add = [&](const Expr* predicate) {
        Terms terms;
        splitConjunction(predicate, terms);
        for (const Expr* term : terms) (movable(term) ? pool : failing).push_back(term);
    };
    if (op->kind == LogicalKind::kJoin && op->as<bind::JoinOp>()->type == JoinType::kInner) {
        add(op->as<bind::JoinOp>()->condition);
        flatten(op->children[0], leaves, pool, failing);
        flatten(op->children[1], leaves, pool, failing);
        return;
    }
    if (op->kind == LogicalKind::kFilter) {
        Terms terms;
        splitConjunction(op->as<bind::FilterOp>()->predicate, terms);
        // Filters that may fail saw these rows only; they stay where they are.
        if (std::ranges::all_of(terms, movable)) {
            pool.insert(pool.end(), terms.begin(), terms.end());
            flatten(op->children[0], leaves, pool, failing);
            return;
        }
    }
    leaves.push_back(op);
}

LogicalOp* PredicatePusher::pushInner(bind::JoinOp* join, Terms terms) {
    std::vector<LogicalOp*> leaves;
    Terms pool;
    Terms failing;
    take(terms, failing, [](const Expr* term) { return !movable(term); });
    flatten(join, leaves, pool, failing);
    pool.insert(pool.end(), terms.begin(), terms.end());
    pool = simplifyTerms(context_, pool);
    if (pool.size() == 1 && isConstantFalseOrNull(pool[0]) && context_.enabled("empty_results")) {
        context_.note("empty_results", "contradiction");
        return context_.noRows(outputsOf(join));
    }
    const Terms inferred = inferTerms(context_, pool);
    pool.insert(pool.end(), inferred.begin(), inferred.end());
    if (!inferred.empty()) context_.note("infer_constants", "along equalities");
    std::vector<ColumnSet> made;
    std::vector<Terms> own(leaves.size());
    for (size_t i = 0; i < leaves.size(); ++i) {
        made.push_back(outputsOf(leaves[i]));
        take(pool, own[i], [&](const Expr* term) {
            const ColumnSet read = columnsOf(term);
            return !read.empty() && made[i].containsAll(read);
        });
        for (const Expr* term : pool)
            if (const Expr* implied = impliedByOr(context_, term, made[i]))
                own[i].push_back(implied);
    }
    // The order as written; join ordering comes later.
    LogicalOp* result = push(leaves[0], own[0]);
    ColumnSet seen = made[0];
    for (size_t i = 1; i < leaves.size(); ++i) {
        seen.addAll(made[i]);
        Terms condition;
        const bool last = i + 1 == leaves.size();
        take(pool, condition,
             [&](const Expr* term) { return last || seen.containsAll(columnsOf(term)); });
        result = context_.join(JoinType::kInner, result, push(leaves[i], own[i]),
                               makeAnd(arena_, condition));
    }
    return context_.filter(result, failing);
}

LogicalOp* PredicatePusher::pushOneSided(bind::JoinOp* join, const Terms& terms) {
    const ColumnSet left = outputsOf(join->children[0]);
    const ColumnSet right = outputsOf(join->children[1]);
    Terms above;
    Terms to_left;
    Terms to_right;
    for (const Expr* term : terms) {
        const bool down = movable(term) && left.containsAll(columnsOf(term));
        (down ? to_left : above).push_back(term);
    }
    Terms split;
    splitConjunction(join->condition, split);
    Terms condition = simplifyTerms(context_, split);
    const bool aware = join->null_aware;
    if (!aware && join->type != JoinType::kFull) {
        // What left rows satisfy holds for their partners' equal columns as well.
        Terms known = condition;
        known.insert(known.end(), to_left.begin(), to_left.end());
        for (const Expr* term : inferTerms(context_, known)) {
            const ColumnSet read = columnsOf(term);
            if (right.containsAll(read)) to_right.push_back(term);
            else if (join->type == JoinType::kSemi && left.containsAll(read))
                to_left.push_back(term);
        }
        take(condition, to_right, [&](const Expr* term) {
            const ColumnSet read = columnsOf(term);
            return movable(term) && !read.empty() && right.containsAll(read);
        });
        for (const Expr* term : condition)
            if (const Expr* implied = impliedByOr(context_, term, right))
                to_right.push_back(implied);
        if (join->type == JoinType::kSemi) {
            take(condition, to_left, [&](const Expr* term) {
                const ColumnSet read = columnsOf(term);
                return movable(term) && !read.empty() && left.containsAll(read);
            });
        }
        join->condition = makeAnd(arena_, condition);
    }
    if (join->type == JoinType::kFull) {
        above.insert(above.end(), to_left.begin(), to_left.end());
        to_left.clear();
    }
    join->children[0] = push(join->children[0], to_left);
    join->children[1] = push(join->children[1], to_right);
    return context_.filter(join, above);
}

LogicalOp* PredicatePusher::pushJoin(bind::JoinOp* join, Terms terms) {
    Terms rejecting = terms;
    rejecting.insert(rejecting.end(), rejecting_.begin(), rejecting_.end());
    rejecting_.clear();
    simplifyOuter(join, rejecting);
    if (join->type == JoinType::kInner) return pushInner(join, std::move(terms));
    return pushOneSided(join, terms);
}

LogicalOp* PredicatePusher::push(LogicalOp* op, Terms terms) {
    terms = simplifyTerms(context_, terms);
    if (terms.size() == 1 && isConstantFalseOrNull(terms[0]) && context_.enabled("empty_results") &&
        op->kind != LogicalKind::kValues) {
        context_.note("empty_results", "contradiction");
        return context_.noRows(outputsOf(op));
    }
    switch (op->kind) {
    case LogicalKind::kFilter:
        splitConjunction(op->as<bind::FilterOp>()->predicate, terms);
        return push(op->children[0], std::move(terms));
    case LogicalKind::kMap: return pushMap(op->as<bind::MapOp>(), terms);
    case LogicalKind::kJoin: return pushJoin(op->as<bind::JoinOp>(), std::move(terms));
    case LogicalKind::kAggregate: return pushAggregate(op->as<bind::AggregateOp>(), terms);
    case LogicalKind::kWindow: return pushWindow(op->as<bind::WindowOp>(), terms);
    case LogicalKind::kSort: op->children[0] = push(op->children[0], std::move(terms)); return op;
    case LogicalKind::kDistinct: {
        Terms above;
        take(terms, above, [](const Expr* term) { return !movable(term); });
        op->children[0] = push(op->children[0], std::move(terms));
        return context_.filter(op, above);
    }
    case LogicalKind::kUnion: {
        auto* all = op->as<bind::UnionOp>();
        return pushUnion(all, all->columns, all->inputs, terms);
    }
    case LogicalKind::kLimit:
    case LogicalKind::kSetOp:
        for (LogicalOp*& child : op->children) child = push(child, {});
        return context_.filter(op, terms);
    default: return context_.filter(op, terms);
    }
}

} // namespace

LogicalOp* pushPredicates(PlanContext& context, LogicalOp* op) {
    if (!context.enabled("push_predicates")) return op;
    return PredicatePusher(context).push(op, {});
}

} // namespace blueshift::optimize
