// UPDATE and DELETE: plans that name rows of the target by row id, each at most once.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

/// Of several partners of a row one is taken: a whole one, never a mixture.
LogicalOp* Binder::firstMatch(LogicalOp* root, ColumnId row_id) {
    const SqlType type = SqlType::bigInt();
    auto* window = makeOp<WindowOp>(LogicalKind::kWindow, {root});
    window->partition_by = List<const Expr*>(arena_, {makeColumn(arena_, row_id, type, false)});
    window->order_by = List<SortKey>(arena_);
    WindowItem number;
    number.column = newColumn("match", type, false);
    number.function = WindowFunction::kRowNumber;
    number.args = List<const Expr*>(arena_);
    window->items = List<WindowItem>(arena_, {number});
    return makeFilter(window, compare("=", columnExpr(number.column),
                                      makeConstant(arena_, Value::ofBigInt(1)), -1));
}

BoundModify Binder::update(const parse::Update& statement) {
    if (statement.with != nullptr) declareCommonTables(*statement.with);
    const auto table = target(statement.table, "update");
    ColumnId row_id = kNoColumn;
    const std::string_view alias =
        statement.alias.empty() ? std::string_view(table->name) : statement.alias;
    Block block;
    block.first_column = next_id_;
    FromResult scan = scanTable(*table, alias, &row_id);
    const std::vector<VisibleColumn> old_row = scan.scope.visible;
    LogicalOp* root = scan.op;
    block.from = std::move(scan.scope);
    if (!statement.from.empty()) {
        Block others;
        LogicalOp* partners = fromClause(statement.from, others);
        auto* join = makeOp<JoinOp>(LogicalKind::kJoin, {root, partners});
        root = join;
        addScope(block.from, std::move(others.from), statement.from[0]->position);
    }
    block.end_column = next_id_;
    if (statement.where != nullptr) {
        require(table->privileges, table->owner, "select", table->name, statement.table.position);
        root = makeFilter(root, condition(statement.where, block, Clause::kWhere));
    }

    const std::vector<const catalog::Column*> live = table->liveColumns();
    std::vector<const Expr*> new_row(live.size(), nullptr);
    block.clause = Clause::kSet;
    for (const parse::Assignment& assignment : statement.assignments) {
        const std::string_view name = assignment.column.name;
        const auto found = std::ranges::find_if(
            live, [&](const catalog::Column* column) { return column->name == name; });
        if (found == live.end()) {
            NearestName nearest(name);
            for (const catalog::Column* column : live) nearest.offer(column->name);
            fail(sqlstate::kUndefinedColumn,
                 "column \"" + std::string(name) + "\" of relation \"" + table->name +
                     "\" does not exist",
                 assignment.column.position,
                 nearest.best().empty()
                     ? "Check the spelling."
                     : "Perhaps you meant the column \"" + std::string(nearest.best()) + "\".");
        }
        const catalog::Column& column = **found;
        const Expr*& slot = new_row[size_t(found - live.begin())];
        if (slot != nullptr)
            fail(sqlstate::kSyntaxError,
                 "multiple assignments to same column \"" + column.name + "\"",
                 assignment.column.position, "Assign to each column once.");
        if (column.is_identity)
            fail(sqlstate::kFeatureNotSupported,
                 "cannot set an identity column to a value: \"" + column.name + "\"",
                 assignment.column.position, "Leave the column out.");
        slot = assignment.value->is<parse::DefaultValue>()
                   ? defaultOf(column)
                   : assigned(expr(assignment.value, block), column, assignment.value->position);
        // Reading a column needs the right to, also when only the new value reads it.
        std::vector<ColumnId> read;
        collectColumns(slot, read);
        if (!read.empty())
            require(table->privileges, table->owner, "select", table->name,
                    statement.table.position);
    }
    if (!statement.from.empty()) root = firstMatch(root, row_id);

    BoundQuery result;
    result.columns.push_back({"row_id", makeColumn(arena_, row_id, SqlType::bigInt(), false)});
    std::vector<MapItem> items;
    for (size_t i = 0; i < live.size(); ++i) {
        const Expr* value = new_row[i] == nullptr ? old_row[i].expr : new_row[i];
        if (value->kind != ExprKind::kColumn) {
            items.push_back({newColumn(live[i]->name, live[i]->type, value->nullable), value});
            value = columnExpr(items.back().column);
        }
        result.columns.push_back({live[i]->name, value});
    }
    result.root = makeMap(root, items);
    return {table.get(), true, finish(std::move(result))};
}

BoundModify Binder::remove(const parse::Delete& statement) {
    if (statement.with != nullptr) declareCommonTables(*statement.with);
    const auto table = target(statement.table, "delete");
    ColumnId row_id = kNoColumn;
    const std::string_view alias =
        statement.alias.empty() ? std::string_view(table->name) : statement.alias;
    Block block;
    block.first_column = next_id_;
    FromResult scan = scanTable(*table, alias, &row_id);
    LogicalOp* root = scan.op;
    block.from = std::move(scan.scope);
    if (!statement.using_items.empty()) {
        Block others;
        LogicalOp* partners = fromClause(statement.using_items, others);
        root = makeOp<JoinOp>(LogicalKind::kJoin, {root, partners});
        addScope(block.from, std::move(others.from), statement.using_items[0]->position);
    }
    block.end_column = next_id_;
    if (statement.where != nullptr) {
        require(table->privileges, table->owner, "select", table->name, statement.table.position);
        root = makeFilter(root, condition(statement.where, block, Clause::kWhere));
    }
    const Expr* row = makeColumn(arena_, row_id, SqlType::bigInt(), false);
    if (!statement.using_items.empty()) {
        auto* once = makeOp<AggregateOp>(LogicalKind::kAggregate, {root});
        once->keys = List<GroupKey>(arena_, {GroupKey{newColumn("row_id", row->type, false), row}});
        once->aggregates = List<AggregateItem>(arena_);
        once->grouping_sets = List<u64>(arena_);
        row = columnExpr(once->keys[0].column);
        root = once;
    }
    BoundQuery result;
    result.root = root;
    result.columns.push_back({"row_id", row});
    return {table.get(), false, finish(std::move(result))};
}

} // namespace blueshift::bind
