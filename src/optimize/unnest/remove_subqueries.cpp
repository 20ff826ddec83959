// Step 1 of unnesting: subquery expressions become (dependent) joins below their operator.
#include <algorithm>

#include "optimize/unnest/unnest.h"

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;
using bind::SubqueryExpr;
using bind::SubqueryKind;

namespace {

std::string_view negatedComparison(std::string_view symbol) {
    if (symbol == "=") return "<>";
    if (symbol == "<>" || symbol == "!=") return "=";
    if (symbol == "<") return ">=";
    if (symbol == "<=") return ">";
    if (symbol == ">") return "<=";
    return "<";
}

class SubqueryRemover {
public:
    explicit SubqueryRemover(PlanContext& context) : context_(context), arena_(context.arena) {}

    LogicalOp* visit(LogicalOp* op);

private:
    LogicalOp* visitFilter(LogicalOp* child, std::span<const Expr* const> terms);
    LogicalOp* visitJoin(bind::JoinOp* join);
    LogicalOp* visitValues(bind::ValuesOp* values);
    void conditionOverBothSides(bind::JoinOp* join, std::span<const Expr* const> terms);

    /// The expression without subqueries; joins are put over `input`.
    const Expr* replace(const Expr* expr, LogicalOp*& input);
    const Expr* replaceScalar(const SubqueryExpr* subquery, LogicalOp*& input);
    const Expr* replaceMark(const SubqueryExpr* subquery, LogicalOp*& input);
    /// A WHERE term that is a semi or anti join by itself.
    bool asSemiJoin(const Expr* term, LogicalOp*& input);

    /// What a comparison with a subquery compares; nullptr for EXISTS.
    struct Comparison {
        const Expr* condition = nullptr;
        bool single_equality = false;
        bool nullable = false;
    };
    Comparison comparisonOf(const SubqueryExpr* subquery, std::string_view symbol, LogicalOp* plan,
                            LogicalOp*& input);
    LogicalOp* planOf(const SubqueryExpr* subquery);
    LogicalOp* existencePlan(LogicalOp* plan) const;
    bind::JoinOp* attach(JoinType type, LogicalOp*& input, LogicalOp* plan, const Expr* condition);
    const Expr* attachMark(LogicalOp*& input, LogicalOp* plan, const Expr* condition,
                           bool null_aware);
    const Expr* isTruth(const Expr* expr, i8 truth, bool negated) const;

    PlanContext& context_;
    Arena& arena_;
};

const Expr* SubqueryRemover::isTruth(const Expr* expr, i8 truth, bool negated) const {
    auto* test = arena_.make<LogicExpr>();
    test->kind = ExprKind::kIsTruth;
    test->type = SqlType::boolean();
    test->nullable = false;
    test->args = List<const Expr*>(arena_, {expr});
    test->truth = truth;
    test->negated = negated;
    return test;
}

LogicalOp* SubqueryRemover::planOf(const SubqueryExpr* subquery) {
    LogicalOp* plan = visit(subquery->plan);
    // SELECT of an outer column alone: give the subquery a column of its own.
    const ColumnSet made = outputsOf(plan);
    std::vector<bind::MapItem> items;
    auto* changed = const_cast<SubqueryExpr*>(subquery);
    for (ColumnId& id : changed->outputs) {
        if (made.contains(id)) continue;
        items.push_back({context_.copyOf(id), context_.column(id)});
        id = items.back().column.id;
    }
    return context_.map(plan, items);
}

/// EXISTS looks at no values: order, duplicates and computed columns do not matter.
LogicalOp* SubqueryRemover::existencePlan(LogicalOp* plan) const {
    for (;;) {
        const bool ignorable =
            plan->kind == LogicalKind::kSort || plan->kind == LogicalKind::kMap ||
            plan->kind == LogicalKind::kDistinct || plan->kind == LogicalKind::kWindow;
        const bool limit = plan->kind == LogicalKind::kLimit &&
                           plan->as<bind::LimitOp>()->limit != 0 &&
                           plan->as<bind::LimitOp>()->offset == 0;
        const bool groups = plan->kind == LogicalKind::kAggregate && !isScalarAggregate(plan) &&
                            plan->as<bind::AggregateOp>()->grouping_sets.empty();
        if (!ignorable && !limit && !groups) return plan;
        plan = plan->children[0];
    }
}

bind::JoinOp* SubqueryRemover::attach(JoinType type, LogicalOp*& input, LogicalOp* plan,
                                      const Expr* condition) {
    bind::JoinOp* join = context_.join(type, input, plan, condition);
    join->dependent = freeColumns(plan).intersects(outputsOf(input));
    input = join;
    return join;
}

const Expr* SubqueryRemover::attachMark(LogicalOp*& input, LogicalOp* plan, const Expr* condition,
                                        bool null_aware) {
    bind::JoinOp* join = attach(JoinType::kMark, input, plan, condition);
    join->mark = context_.newColumn("mark", SqlType::boolean(), null_aware);
    join->null_aware = null_aware;
    return makeColumn(arena_, join->mark.id, SqlType::boolean(), null_aware);
}

const Expr* SubqueryRemover::replaceScalar(const SubqueryExpr* subquery, LogicalOp*& input) {
    LogicalOp* plan = planOf(subquery);
    const bool correlated = !freeColumns(plan).empty();
    JoinType type = JoinType::kSingle;
    if (!correlated && exactlyOneRow(plan)) type = JoinType::kInner;
    else if (atMostOneRow(plan)) type = JoinType::kLeft;
    attach(type, input, plan, nullptr);
    return makeColumn(arena_, subquery->outputs[0], subquery->type, true);
}

SubqueryRemover::Comparison SubqueryRemover::comparisonOf(const SubqueryExpr* subquery,
                                                          std::string_view symbol, LogicalOp* plan,
                                                          LogicalOp*& input) {
    Comparison made;
    const ColumnSet nullable_inside = nullableOutputs(plan);
    std::vector<const Expr*> terms;
    for (u32 i = 0; i < subquery->tests.size(); ++i) {
        const Expr* test = replace(subquery->tests[i], input);
        const ColumnId output = subquery->outputs[i];
        const bool inside = nullable_inside.contains(output);
        made.nullable |=
            inside || test->nullable || columnsOf(test).intersects(nullableOutputs(input));
        const std::string_view each = subquery->tests.size() > 1 && symbol == "<>" ? "=" : symbol;
        terms.push_back(makeComparison(arena_, each, test, context_.column(output, inside)));
    }
    made.condition = makeAnd(arena_, terms);
    made.single_equality = terms.size() == 1 && bool(equalityOf(terms[0]));
    if (terms.size() > 1 && symbol == "<>") {
        const Expr* equal[] = {made.condition};
        made.condition = makeLogic(arena_, ExprKind::kNot, equal);
    }
    return made;
}

const Expr* SubqueryRemover::replaceMark(const SubqueryExpr* subquery, LogicalOp*& input) {
    LogicalOp* plan = planOf(subquery);
    if (subquery->subquery == SubqueryKind::kExists) {
        plan = existencePlan(plan);
        if (exactlyOneRow(plan)) return makeConstant(arena_, Value::ofBool(true));
        return attachMark(input, plan, nullptr, false);
    }
    // x op ALL (S) is NOT (x negated-op ANY (S)).
    const bool all = subquery->subquery == SubqueryKind::kCompareAll;
    const Comparison comparison =
        comparisonOf(subquery, all ? negatedComparison(subquery->comparison) : subquery->comparison,
                     plan, input);
    const Expr* mark = nullptr;
    if (comparison.nullable && !freeColumns(plan).empty()) {
        // Three values under correlation: one mark for TRUE, one for UNKNOWN over a second copy.
        // The copy is made before the first one is joined, with columns of its own.
        ColumnMap renamed;
        LogicalOp* second = cloneTree(context_, plan, &renamed);
        const Expr* is_true = attachMark(input, plan, comparison.condition, false);
        const Expr* unknown_args[] = {replaceColumns(context_, comparison.condition, renamed)};
        const Expr* unknown = makeLogic(arena_, ExprKind::kIsNull, unknown_args);
        const Expr* is_unknown = attachMark(input, second, unknown, false);
        auto* decide = arena_.make<LogicExpr>();
        decide->kind = ExprKind::kCase;
        decide->type = SqlType::boolean();
        decide->has_else = true;
        decide->args = List<const Expr*>(
            arena_, {is_true, makeConstant(arena_, Value::ofBool(true)), is_unknown,
                     makeConstant(arena_, Value::null(SqlType::boolean())),
                     makeConstant(arena_, Value::ofBool(false))});
        mark = decide;
    } else {
        mark = attachMark(input, plan, comparison.condition, comparison.nullable);
    }
    if (!all) return mark;
    const Expr* negated[] = {mark};
    return makeLogic(arena_, ExprKind::kNot, negated);
}

const Expr* SubqueryRemover::replace(const Expr* expr, LogicalOp*& input) {
    if (!hasSubquery(expr)) return expr;
    if (expr->kind == ExprKind::kSubquery) {
        const auto* subquery = expr->as<SubqueryExpr>();
        return subquery->subquery == SubqueryKind::kScalar ? replaceScalar(subquery, input)
                                                           : replaceMark(subquery, input);
    }
    const auto args = argsOf(expr);
    std::vector<const Expr*> changed(args.begin(), args.end());
    for (const Expr*& arg : changed) arg = replace(arg, input);
    return withArgs(arena_, expr, changed);
}

bool SubqueryRemover::asSemiJoin(const Expr* term, LogicalOp*& input) {
    bool negated = false;
    while (term->kind == ExprKind::kNot) {
        negated = !negated;
        term = argsOf(term)[0];
    }
    if (term->kind != ExprKind::kSubquery) return false;
    const auto* subquery = term->as<SubqueryExpr>();
    if (subquery->subquery == SubqueryKind::kScalar) return false;
    LogicalOp* plan = planOf(subquery);
    if (subquery->subquery == SubqueryKind::kExists) {
        plan = existencePlan(plan);
        if (exactlyOneRow(plan)) {
            if (negated) {
                const Expr* never[] = {makeConstant(arena_, Value::ofBool(false))};
                input = context_.filter(input, never);
            }
            return true;
        }
        attach(negated ? JoinType::kAnti : JoinType::kSemi, input, plan, nullptr);
        return true;
    }
    const bool all = subquery->subquery == SubqueryKind::kCompareAll;
    const Comparison comparison =
        comparisonOf(subquery, all ? negatedComparison(subquery->comparison) : subquery->comparison,
                     plan, input);
    if (all == negated) {
        attach(JoinType::kSemi, input, plan, comparison.condition);
        return true;
    }
    // The row passes when no comparison is TRUE or UNKNOWN.
    const bool aware = comparison.nullable;
    const bool by_hash = aware && comparison.single_equality && freeColumns(plan).empty();
    const Expr* condition =
        aware && !by_hash ? isTruth(comparison.condition, 0, true) : comparison.condition;
    bind::JoinOp* join = attach(JoinType::kAnti, input, plan, condition);
    join->null_aware = by_hash;
    return true;
}

LogicalOp* SubqueryRemover::visitFilter(LogicalOp* child, std::span<const Expr* const> terms) {
    std::vector<const Expr*> below;
    std::vector<const Expr*> above;
    std::vector<const Expr*> general;
    LogicalOp* input = child;
    for (const Expr* term : terms)
        if (!hasSubquery(term)) (mayRaise(term) ? above : below).push_back(term);
    input = context_.filter(input, below);
    for (const Expr* term : terms) {
        if (!hasSubquery(term)) continue;
        if (!asSemiJoin(term, input)) general.push_back(term);
    }
    for (const Expr* term : general) above.push_back(replace(term, input));
    return context_.filter(input, above);
}

void SubqueryRemover::conditionOverBothSides(bind::JoinOp* join,
                                             std::span<const Expr* const> terms) {
    // The pairs that satisfy the condition are found by an inner join over numbered left rows, and
    // joined back to the left rows by number.
    LogicalOp* left = join->children[0];
    auto* window = context_.op<bind::WindowOp>(LogicalKind::kWindow, {left});
    window->partition_by = List<const Expr*>(arena_);
    window->order_by = List<bind::SortKey>(arena_);
    const bind::OutputColumn number = context_.newColumn("number", SqlType::bigInt(), false);
    bind::WindowItem item{.column = number, .function = bind::WindowFunction::kRowNumber};
    item.args = List<const Expr*>(arena_);
    window->items = List<bind::WindowItem>(arena_, {item});

    ColumnMap shared;
    LogicalOp* plan = cloneTree(context_, window, &shared);
    const u32 cte = u32(context_.ctes.size());
    context_.ctes.push_back({.name = "", .plan = plan});
    std::vector<bind::OutputColumn> originals;
    std::vector<bind::OutputColumn> copies;
    std::vector<ColumnId> inputs;
    ColumnMap to_copy;
    outputsOf(window).forEach([&](ColumnId id) {
        const ColumnFacts& about = context_.facts(id);
        originals.push_back(
            {.id = id, .name = about.name, .type = about.type, .nullable = about.nullable});
        copies.push_back(context_.copyOf(id));
        to_copy[id] = copies.back().id;
        inputs.push_back(shared.at(id));
    });
    LogicalOp* pairs = context_.join(JoinType::kInner, context_.cteScan(cte, copies, inputs),
                                     join->children[1], nullptr);
    std::vector<const Expr*> copied;
    for (const Expr* term : terms) copied.push_back(replaceColumns(context_, term, to_copy));
    for (size_t i = 0; i < terms.size(); ++i) {
        // Outer references inside the subqueries are columns of the left side as well.
        if (!hasSubquery(copied[i])) continue;
        const auto rename = [&](auto& self, const Expr* expr) -> void {
            if (expr->kind == ExprKind::kSubquery) {
                auto* subquery = const_cast<SubqueryExpr*>(expr->as<SubqueryExpr>());
                replaceColumns(context_, subquery->plan, to_copy);
                for (const Expr*& test : subquery->tests)
                    test = replaceColumns(context_, test, to_copy);
            }
            for (const Expr* arg : argsOf(expr)) self(self, arg);
        };
        rename(rename, copied[i]);
    }
    pairs = visitFilter(pairs, copied);
    join->children[0] = context_.cteScan(cte, originals, inputs);
    join->children[1] = pairs;
    join->condition = makeComparison(arena_, "=", context_.column(number.id, false),
                                     context_.column(to_copy.at(number.id), false));
}

LogicalOp* SubqueryRemover::visitJoin(bind::JoinOp* join) {
    if (!hasSubquery(join->condition)) return join;
    std::vector<const Expr*> terms;
    splitConjunction(join->condition, terms);
    if (join->type == JoinType::kInner) {
        std::vector<const Expr*> plain;
        std::vector<const Expr*> rest;
        for (const Expr* term : terms) (hasSubquery(term) ? rest : plain).push_back(term);
        join->condition = makeAnd(arena_, plain);
        return visitFilter(join, rest);
    }
    if (join->type == JoinType::kRight) {
        std::swap(join->children[0], join->children[1]);
        join->type = JoinType::kLeft;
    }
    const ColumnSet left = outputsOf(join->children[0]);
    const ColumnSet right = outputsOf(join->children[1]);
    const bool mixed = std::ranges::any_of(terms, [&](const Expr* term) {
        const ColumnSet read = columnsWithSubqueries(term);
        return hasSubquery(term) && read.intersects(left) && read.intersects(right);
    });
    if (mixed) {
        if (join->type != JoinType::kLeft)
            BS_NOT_YET("a subquery over both sides of FULL JOIN ... ON");
        conditionOverBothSides(join, terms);
        return join;
    }
    for (const Expr*& term : terms) {
        if (!hasSubquery(term)) continue;
        LogicalOp*& side = join->children[columnsWithSubqueries(term).intersects(right) ? 1 : 0];
        term = replace(term, side);
    }
    join->condition = makeAnd(arena_, terms);
    return join;
}

/// Rows with subqueries or outer columns: each row becomes a Map over one empty row.
LogicalOp* SubqueryRemover::visitValues(bind::ValuesOp* values) {
    bool plain = true;
    visitExprs(values, [&](const Expr*& expr) {
        plain &= columnsWithSubqueries(expr).empty() && !hasSubquery(expr);
    });
    if (plain) return values;
    std::vector<LogicalOp*> rows;
    std::vector<List<ColumnId>> inputs;
    for (const auto& row : values->rows) {
        auto* one = context_.op<bind::ValuesOp>(LogicalKind::kValues, {});
        one->columns = List<bind::OutputColumn>(arena_);
        one->rows = List<List<const Expr*>>(arena_, {List<const Expr*>(arena_)});
        std::vector<bind::MapItem> items;
        List<ColumnId> ids(arena_);
        LogicalOp* input = one;
        for (u32 i = 0; i < values->columns.size(); ++i) {
            const bind::OutputColumn column = values->rows.size() == 1
                                                  ? values->columns[i]
                                                  : context_.copyOf(values->columns[i].id);
            items.push_back({column, replace(row[i], input)});
            ids.push(column.id);
        }
        rows.push_back(context_.map(input, items));
        inputs.push_back(ids);
    }
    if (rows.size() == 1) return rows[0];
    auto* all = context_.op<bind::UnionOp>(LogicalKind::kUnion, {});
    all->columns = values->columns;
    all->children = List<LogicalOp*>(arena_, std::span<LogicalOp* const>(rows));
    all->inputs = List<List<ColumnId>>(arena_, std::span<const List<ColumnId>>(inputs));
    return all;
}

LogicalOp* SubqueryRemover::visit(LogicalOp* op) {
    for (LogicalOp*& child : op->children) child = visit(child);
    switch (op->kind) {
    case LogicalKind::kFilter: {
        const Expr* predicate = op->as<bind::FilterOp>()->predicate;
        if (!hasSubquery(predicate)) return op;
        std::vector<const Expr*> terms;
        splitConjunction(predicate, terms);
        return visitFilter(op->children[0], terms);
    }
    case LogicalKind::kJoin: return visitJoin(op->as<bind::JoinOp>());
    case LogicalKind::kValues: return visitValues(op->as<bind::ValuesOp>());
    default:
        if (op->children.size() != 1) return op;
        visitExprs(op, [&](const Expr*& expr) { expr = replace(expr, op->children[0]); });
        return op;
    }
}

} // namespace

LogicalOp* removeSubqueries(PlanContext& context, LogicalOp* op) {
    return SubqueryRemover(context).visit(op);
}

} // namespace blueshift::optimize
