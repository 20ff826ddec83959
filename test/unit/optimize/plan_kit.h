// plan_kit.h: logical plans by hand, and physical plans as short lines, for tests of the optimiser.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>

#include "optimize/logical_shape.h"
#include "optimize/optimize.h"

namespace blueshift::optimize::test {

/// A table of INTEGER columns, all nullable unless it is the declared primary key (column 1).
inline std::shared_ptr<catalog::Table> makeTable(std::string name, std::vector<std::string> columns,
                                                 u32 rows, std::vector<f64> distinct,
                                                 bool key = false) {
    auto table = std::make_shared<catalog::Table>();
    static catalog::Oid next_oid = 100000;
    table->oid = next_oid++;
    table->name = std::move(name);
    auto statistics = std::make_shared<catalog::TableStatistics>();
    statistics->rows = rows;
    for (u32 i = 0; i < columns.size(); ++i) {
        catalog::Column column{.id = i + 1, .name = columns[i], .type = SqlType::integer()};
        column.width_class = 4;
        column.not_null = key && i == 0;
        table->columns.push_back(column);
        catalog::ColumnStatistics about;
        about.distinct = distinct[i];
        statistics->columns.emplace_back(i + 1, about);
    }
    if (key) table->keys.push_back({.name = "pk", .primary = true, .columns = {1}});
    auto segment = std::make_shared<catalog::Segment>();
    segment->rows = rows;
    auto segments = std::make_shared<std::vector<catalog::SegmentEntry>>();
    segments->push_back({segment, nullptr});
    table->segments = segments;
    table->statistics = statistics;
    return table;
}

class Kit {
public:
    Arena arena;
    bind::QueryPlan plan;

    template <class T>
    T* op(bind::LogicalKind kind, std::initializer_list<bind::LogicalOp*> children) {
        T* made = arena.make<T>();
        made->kind = kind;
        made->children = List<bind::LogicalOp*>(arena, children);
        return made;
    }
    bind::OutputColumn newColumn(std::string_view name, SqlType type, bool nullable) {
        return {.id = plan.next_column++, .name = name, .type = type, .nullable = nullable};
    }
    bind::ScanOp* scan(const catalog::Table& table, std::string_view alias) {
        auto* made = op<bind::ScanOp>(bind::LogicalKind::kScan, {});
        made->table = &table;
        made->alias = alias;
        made->columns = List<bind::OutputColumn>(arena);
        made->column_ids = List<u32>(arena);
        for (const catalog::Column& column : table.columns) {
            made->columns.push(newColumn(column.name, column.type, !column.not_null));
            made->column_ids.push(column.id);
        }
        return made;
    }
    const Expr* column(const bind::OutputColumn& c) {
        return makeColumn(arena, c.id, c.type, c.nullable);
    }
    const Expr* of(const bind::ScanOp* scan, std::string_view name) {
        for (const bind::OutputColumn& c : scan->columns)
            if (c.name == name) return column(c);
        BS_UNREACHABLE("no such column");
    }
    const Expr* integer(i64 value) {
        return makeConstant(arena, Value::ofInteger(value, SqlType::integer()));
    }
    const Expr* compare(std::string_view symbol, const Expr* a, const Expr* b) {
        return makeComparison(arena, symbol, a, b);
    }
    const Expr* negate(const Expr* e) {
        const Expr* args[] = {e};
        return makeLogic(arena, ExprKind::kNot, args);
    }
    const Expr* any(std::vector<const Expr*> terms) {
        return makeLogic(arena, ExprKind::kOr, terms);
    }
    const Expr* all(std::vector<const Expr*> terms) { return makeAnd(arena, terms); }
    bind::LogicalOp* filter(bind::LogicalOp* child, const Expr* predicate) {
        auto* made = op<bind::FilterOp>(bind::LogicalKind::kFilter, {child});
        made->predicate = predicate;
        return made;
    }
    bind::JoinOp* join(bind::JoinType type, bind::LogicalOp* left, bind::LogicalOp* right,
                       const Expr* condition) {
        auto* made = op<bind::JoinOp>(bind::LogicalKind::kJoin, {left, right});
        made->type = type;
        made->condition = condition;
        return made;
    }
    /// An aggregate of one call; `keys` empty: one row.
    bind::AggregateOp* aggregate(bind::LogicalOp* child, std::vector<const Expr*> keys,
                                 std::string_view function, const Expr* argument) {
        auto* made = op<bind::AggregateOp>(bind::LogicalKind::kAggregate, {child});
        made->keys = List<bind::GroupKey>(arena);
        for (const Expr* key : keys) made->keys.push({newColumn("key", key->type, true), key});
        made->aggregates = List<bind::AggregateItem>(arena);
        made->grouping_sets = List<u64>(arena);
        std::vector<SqlType> types;
        if (argument != nullptr) types.push_back(argument->type);
        const auto bound = functions::bindAggregate(function, types);
        bind::AggregateItem item{.column = newColumn(function, bound.result, function != "count"),
                                 .aggregate = bound.aggregate};
        item.args = List<const Expr*>(arena);
        if (argument != nullptr) item.args.push(argument);
        item.order_by = List<bind::SortKey>(arena);
        made->aggregates.push(item);
        return made;
    }
    const Expr* subquery(bind::SubqueryKind kind, bind::LogicalOp* inner, const Expr* output,
                         const Expr* test = nullptr, std::string_view comparison = "=") {
        auto* made = arena.make<bind::SubqueryExpr>();
        made->kind = ExprKind::kSubquery;
        made->subquery = kind;
        made->plan = inner;
        made->type = kind == bind::SubqueryKind::kScalar ? output->type : SqlType::boolean();
        made->outputs = List<ColumnId>(arena);
        if (output != nullptr) made->outputs.push(output->as<ColumnExpr>()->id);
        made->tests = List<const Expr*>(arena);
        if (test != nullptr) made->tests.push(test);
        made->comparison = comparison;
        return made;
    }
    bind::QueryPlan& finish(bind::LogicalOp* root, std::vector<const Expr*> result) {
        plan.root = root;
        plan.columns = List<bind::ResultColumn>(arena);
        for (const Expr* e : result)
            plan.columns.push({.id = e->as<ColumnExpr>()->id, .name = "c", .type = e->type});
        if (plan.ctes.empty()) plan.ctes = List<bind::Cte>(arena);
        return plan;
    }
};

/// Every dependent join, subquery or column without a maker below its reader.
inline std::string faultsOf(const bind::LogicalOp* op) {
    std::string text;
    if (op->kind == bind::LogicalKind::kJoin && op->as<bind::JoinOp>()->dependent)
        text += "dependent ";
    visitExprs(const_cast<bind::LogicalOp*>(op), [&](const Expr*& expr) {
        if (hasSubquery(expr)) text += "subquery ";
    });
    ColumnSet below;
    for (const bind::LogicalOp* child : op->children) below.addAll(outputsOf(child));
    if (!below.containsAll(ownColumns(op))) text += "unknown column ";
    for (const bind::LogicalOp* child : op->children) text += faultsOf(child);
    return text;
}
inline std::string faultsOf(const bind::QueryPlan& plan) {
    std::string text = faultsOf(plan.root);
    for (const bind::Cte& cte : plan.ctes) text += faultsOf(cte.plan);
    return text;
}

/// Every column that an operator's expressions read comes from its children.
inline std::string faultsOf(const PhysicalOp* op) {
    std::string text;
    ColumnSet below;
    for (const PhysicalOp* child : op->children) {
        text += faultsOf(child);
        for (const PhysicalColumn& column : child->columns) below.add(column.id);
    }
    const auto need = [&](const Expr* expr) {
        if (expr != nullptr && !below.containsAll(columnsOf(expr)))
            text += fmt::format("operator {} reads an unknown column ", int(op->kind));
    };
    if (op->kind == OpKind::kFilter) need(op->as<FilterOp>()->predicate);
    if (op->kind == OpKind::kMap)
        for (const MapItem& item : op->as<MapOp>()->items) need(item.expr);
    if (op->kind == OpKind::kHashJoin) {
        for (const JoinKey& key : op->as<HashJoinOp>()->keys) {
            need(key.probe);
            need(key.build);
        }
        need(op->as<HashJoinOp>()->residual);
    }
    if (op->kind == OpKind::kNestedLoopJoin) need(op->as<NestedLoopJoinOp>()->condition);
    if (op->kind == OpKind::kAggregate) {
        for (const auto& key : op->as<AggregateOp>()->keys) need(key.expr);
        for (const auto& call : op->as<AggregateOp>()->aggregates)
            for (const Expr* arg : call.args) need(arg);
    }
    if (op->kind == OpKind::kUnionAll)
        for (const auto& input : op->as<UnionAllOp>()->inputs)
            for (const ColumnId id : input)
                if (!below.contains(id)) text += "UNION ALL reads an unknown column ";
    return text;
}

/// EXPLAIN without costs.
inline std::string shape(const PhysicalPlan& plan) {
    std::string text;
    for (std::string line : explainPlan(plan)) {
        if (const size_t cost = line.find("  (cost="); cost != std::string::npos) line.resize(cost);
        text += line + "\n";
    }
    return text;
}

} // namespace blueshift::optimize::test
