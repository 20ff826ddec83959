// Calls of aggregates, and GROUPING. An aggregate belongs to the innermost query block whose
// columns its arguments read; the call itself becomes a column of that block's grouping.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

using functions::CastContext;

AggregateItem Binder::aggregateItem(const parse::FunctionCall& e, Block& block,
                                    std::string_view name) {
    AggregateItem item;
    item.distinct = e.distinct;
    if (e.approximate) {
        if (name == "count" && e.distinct) name = "approximate_count";
        else if (name == "percentile_disc") name = "approximate_percentile_disc";
        else
            fail(sqlstate::kSyntaxError,
                 "APPROXIMATE is allowed before COUNT(DISTINCT ..) and PERCENTILE_DISC(..) only",
                 e.position, "Leave APPROXIMATE out.");
        item.distinct = false;
    }
    std::vector<const Expr*> args;
    const bool star = e.arguments.size() == 1 && e.arguments[0]->is<parse::Star>();
    if (star && name != "count")
        fail(sqlstate::kUndefinedFunction, "function " + std::string(name) + "(*) does not exist",
             e.position, "Only COUNT takes *.");
    if (!star) args = arguments(e, block);
    if (!star && name == "count" && args.empty())
        fail(sqlstate::kWrongObjectType,
             "count(*) must be used to call a parameterless aggregate function", e.position,
             "Write COUNT(*).");
    const auto& ordering = e.within_group.empty() ? e.order_by : e.within_group;
    item.order_by = sortKeys(ordering, block);
    const bool ordered_set =
        name.starts_with("percentile") || name == "approximate_percentile_disc";
    if (ordered_set) {
        if (item.order_by.size() != 1)
            fail(sqlstate::kSyntaxError,
                 "WITHIN GROUP (ORDER BY ..) is required for " + std::string(e.name.name),
                 e.position,
                 "Write " + std::string(e.name.name) + "(0.5) WITHIN GROUP (ORDER BY column).");
        args.push_back(item.order_by[0].expr);
    }
    std::vector<SqlType> types;
    for (const Expr* arg : args) types.push_back(arg->type);
    const auto bound = at(e.position, [&] { return functions::bindAggregate(name, types); });
    item.aggregate = bound.aggregate;
    item.args = List<const Expr*>(arena_);
    for (size_t i = 0; i < args.size(); ++i) {
        const i32 position = i < e.arguments.size() ? e.arguments[i]->position : e.position;
        const Expr* arg =
            castTo(args[i], bound.argument_types[i], CastContext::kExplicit, position);
        item.args.push(arg);
    }
    if (e.filter != nullptr)
        item.filter = asBoolean(expr(e.filter, block), "FILTER", e.filter->position);
    const bool counts = name == "count" || name == "approximate_count" || name == "hll";
    item.column = {kNoColumn, e.name.name, bound.result, !counts};
    return item;
}

Block& Binder::homeOf(const AggregateItem& item, Block& block) {
    std::vector<ColumnId> ids;
    for (const Expr* arg : item.args) collectColumns(arg, ids);
    if (item.filter != nullptr) collectColumns(item.filter, ids);
    if (ids.empty()) return block;
    for (Block* scope = &block; scope != nullptr; scope = scope->outer)
        if (std::ranges::any_of(ids, [&](ColumnId id) { return scope->owns(id); })) return *scope;
    return block;
}

const Expr* Binder::aggregateCall(const parse::FunctionCall& e, Block& block,
                                  std::string_view name) {
    AggregateItem item;
    const Clause clause = block.clause;
    {
        ClauseGuard guard(block, Clause::kAggregate);
        item = aggregateItem(e, block, name);
    }
    Block& home = homeOf(item, block);
    const Clause where = &home == &block ? clause : home.clause;
    switch (where) {
    case Clause::kSelect:
    case Clause::kHaving:
    case Clause::kQualify:
    case Clause::kOrderBy:
    case Clause::kWindow: break;
    case Clause::kAggregate:
        fail(sqlstate::kGroupingError, "aggregate function calls cannot be nested", e.position,
             "Compute the inner aggregate in a subquery.");
    default:
        fail(sqlstate::kGroupingError,
             "aggregate functions are not allowed in " + std::string(clauseName(where)), e.position,
             where == Clause::kWhere ? "Put the condition into HAVING."
                                     : "Compute it in a subquery.");
    }
    const auto same = [&](const AggregateItem& other) {
        if (other.aggregate != item.aggregate || other.distinct != item.distinct ||
            other.args.size() != item.args.size() ||
            other.order_by.size() != item.order_by.size() ||
            (other.filter == nullptr) != (item.filter == nullptr) ||
            other.column.type != item.column.type)
            return false;
        for (u32 i = 0; i < item.args.size(); ++i)
            if (!sameExpr(other.args[i], item.args[i])) return false;
        for (u32 i = 0; i < item.order_by.size(); ++i)
            if (!sameExpr(other.order_by[i].expr, item.order_by[i].expr) ||
                other.order_by[i].descending != item.order_by[i].descending ||
                other.order_by[i].nulls_first != item.order_by[i].nulls_first)
                return false;
        return item.filter == nullptr || sameExpr(other.filter, item.filter);
    };
    for (const AggregateItem& other : home.aggregates)
        if (same(other)) return columnExpr(other.column, e.position);
    item.column.id = newId();
    home.aggregates.push_back(item);
    return columnExpr(item.column, e.position);
}

/// GROUPING(a, b): a bit for each argument, the first the highest, 1 where it is not grouped.
const Expr* Binder::groupingCall(const parse::FunctionCall& e, Block& block) {
    if (block.keys.empty() || e.arguments.empty() || e.arguments.size() > 31)
        fail(sqlstate::kGroupingError, "GROUPING needs a query with GROUP BY", e.position,
             "Its arguments are expressions of GROUP BY.");
    if (block.grouping_id.id == kNoColumn)
        block.grouping_id = newColumn("grouping", SqlType::bigInt(), false);
    const Expr* set = columnExpr(block.grouping_id, e.position);
    const auto number = [&](i64 value) { return makeConstant(arena_, Value::ofBigInt(value)); };
    const Expr* sum = nullptr;
    for (u32 i = 0; i < e.arguments.size(); ++i) {
        const Expr* argument = expr(e.arguments[i], block);
        const auto key = std::ranges::find_if(block.keys, [&](const GroupKey& candidate) {
            return sameExpr(candidate.expr, argument);
        });
        if (key == block.keys.end())
            fail(sqlstate::kGroupingError,
                 "arguments to GROUPING must be grouping expressions of the associated query level",
                 e.arguments[i]->position, "Name an expression of GROUP BY.");
        // The bit of key k, moved to where this argument stands.
        const i64 bit = i64{1} << (key - block.keys.begin());
        const i64 weight = i64{1} << (e.arguments.size() - 1 - i);
        const Expr* masked =
            call("%", {call("/", {set, number(bit)}, e.position), number(2)}, e.position);
        const Expr* part = call("*", {masked, number(weight)}, e.position);
        sum = sum == nullptr ? part : call("+", {sum, part}, e.position);
    }
    return castTo(sum, SqlType::integer(), CastContext::kExplicit, e.position);
}

} // namespace blueshift::bind
