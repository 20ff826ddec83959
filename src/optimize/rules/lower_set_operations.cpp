#include "optimize/rules/lower_set_operations.h"

#include "optimize/logical_shape.h"

namespace blueshift::optimize {

using bind::LogicalKind;
using bind::LogicalOp;

namespace {

/// row_number() over (partition by the side's columns): numbers equal rows.
LogicalOp* numberCopies(PlanContext& context, LogicalOp* child, std::span<const ColumnId> columns,
                        bind::OutputColumn& number) {
    auto* window = context.op<bind::WindowOp>(LogicalKind::kWindow, {child});
    window->partition_by = List<const Expr*>(context.arena);
    for (const ColumnId id : columns) window->partition_by.push(context.column(id));
    window->order_by = List<bind::SortKey>(context.arena);
    number = context.newColumn("copy", SqlType::bigInt(), false);
    bind::WindowItem item{.column = number, .function = bind::WindowFunction::kRowNumber};
    item.args = List<const Expr*>(context.arena);
    window->items = List<bind::WindowItem>(context.arena, {item});
    return window;
}

LogicalOp* lower(PlanContext& context, bind::SetOpOp* set) {
    Arena& arena = context.arena;
    const SqlType flag_type = SqlType::integer();
    auto* both = context.op<bind::UnionOp>(LogicalKind::kUnion, {});
    both->columns = List<bind::OutputColumn>(arena);
    both->inputs = List<List<ColumnId>>(arena);
    for (const bind::OutputColumn& column : set->columns) {
        both->columns.push(context.newColumn(column.name, column.type, true));
    }
    if (set->all) both->columns.push(context.newColumn("copy", SqlType::bigInt(), false));
    const bind::OutputColumn flags[2] = {context.newColumn("in_left", flag_type, false),
                                         context.newColumn("in_right", flag_type, false)};
    for (const bind::OutputColumn& flag : flags) both->columns.push(flag);
    for (u32 side = 0; side < 2; ++side) {
        List<ColumnId> inputs(arena, std::span<const ColumnId>(set->inputs[side]));
        LogicalOp* child = set->children[side];
        if (set->all) {
            bind::OutputColumn number;
            child = numberCopies(context, child, set->inputs[side], number);
            inputs.push(number.id);
        }
        std::vector<bind::MapItem> items;
        for (u32 k = 0; k < 2; ++k) {
            items.push_back({context.newColumn("flag", flag_type, false),
                             makeConstant(arena, Value::ofInteger(k == side, flag_type))});
            inputs.push(items.back().column.id);
        }
        both->children.push(context.map(child, items));
        both->inputs.push(inputs);
    }
    auto* group = context.op<bind::AggregateOp>(LogicalKind::kAggregate, {both});
    group->keys = List<bind::GroupKey>(arena);
    group->aggregates = List<bind::AggregateItem>(arena);
    group->grouping_sets = List<u64>(arena);
    for (u32 i = 0; i + 2 < both->columns.size(); ++i) {
        const bind::OutputColumn& from = both->columns[i];
        bind::OutputColumn key =
            i < set->columns.size() ? set->columns[i] : context.copyOf(from.id);
        group->keys.push({key, context.column(from.id)});
    }
    std::vector<const Expr*> terms;
    for (u32 k = 0; k < 2; ++k) {
        const bind::OutputColumn& flag = flags[k];
        const SqlType argument[] = {flag_type};
        const functions::BoundAggregate bound = functions::bindAggregate("max", argument);
        bind::AggregateItem item{.column = context.newColumn("max", bound.result, true),
                                 .aggregate = bound.aggregate};
        item.args = List<const Expr*>(arena, {context.column(flag.id, false)});
        item.order_by = List<bind::SortKey>(arena);
        group->aggregates.push(item);
        const i128 wanted = k == 0 || set->operation == bind::SetOpKind::kIntersect ? 1 : 0;
        terms.push_back(
            makeComparison(arena, "=", context.column(item.column.id),
                           makeConstant(arena, Value::ofInteger(wanted, bound.result))));
    }
    return context.filter(group, terms);
}

} // namespace

LogicalOp* lowerSetOperations(PlanContext& context, LogicalOp* op) {
    for (LogicalOp*& child : op->children) child = lowerSetOperations(context, child);
    return op->kind == LogicalKind::kSetOp ? lower(context, op->as<bind::SetOpOp>()) : op;
}

} // namespace blueshift::optimize
