// SELECT: the order of binding and the order of the operators.
//
// Bound: FROM, WHERE, GROUP BY, select list, HAVING, QUALIFY, ORDER BY. Built: FROM, filter,
// aggregate, filter (HAVING), windows, filter (QUALIFY), map, distinct, sort, limit. Everything is
// bound before the aggregate is built, because every later clause may add to it.
#include <algorithm>

#include "bind/binder.h"
#include "bind/plan_walk.h"

namespace blueshift::bind {

BoundQuery Binder::boundQuery(const parse::Query& query, Block* outer) {
    NestingGuard guard(depth_);
    if (query.with_ties) notYet("FETCH FIRST .. WITH TIES", query.position);
    const CommonEntry* before = common_;
    if (query.with != nullptr) declareCommonTables(*query.with);
    BoundQuery result;
    switch (query.kind) {
    case parse::QueryKind::kSelect: result = select(*query.as<parse::SelectQuery>(), outer); break;
    case parse::QueryKind::kSetOperation:
        result = setOperation(*query.as<parse::SetOperation>(), outer);
        result.root = orderByOutput(query, result);
        break;
    case parse::QueryKind::kValues:
        result = values(*query.as<parse::ValuesQuery>(), outer);
        result.root = orderByOutput(query, result);
        break;
    }
    common_ = before;
    const parse::Expression* rows = query.limit;
    if (query.kind == parse::QueryKind::kSelect && query.as<parse::SelectQuery>()->top != nullptr)
        rows = query.as<parse::SelectQuery>()->top;
    result.root = limit(result.root, rows, query.offset);
    return result;
}

BoundQuery Binder::select(const parse::SelectQuery& query, Block* outer) {
    if (!query.distinct_on.empty()) notYet("DISTINCT ON", query.position);
    if (query.connect_by != nullptr || query.start_with != nullptr)
        notYet("CONNECT BY", query.position);
    Block block;
    block.outer = outer;
    block.select = &query;
    block.first_column = next_id_;
    LogicalOp* root = query.from.empty() ? makeOneRow() : fromClause(query.from, block);
    block.end_column = next_id_;

    expandOutputs(query, block);
    block.aliases = block.outputs.size();
    if (query.where != nullptr)
        root = makeFilter(root, condition(query.where, block, Clause::kWhere));
    const std::vector<u64> sets = groupBy(query, block);
    for (size_t i = 0; i < block.outputs.size(); ++i) output(i, block, Clause::kSelect);
    const Expr* having = nullptr;
    if (query.having != nullptr) having = condition(query.having, block, Clause::kHaving);
    const Expr* qualify = nullptr;
    if (query.qualify != nullptr) qualify = condition(query.qualify, block, Clause::kQualify);
    std::vector<OrderKey> sort_keys = orderKeys(query, block);

    const bool groups = !query.group_by.empty() || query.group_by_all || having != nullptr ||
                        !block.aggregates.empty();
    if (groups) {
        root = aggregate(root, block, sets);
        for (SelectOutput& item : block.outputs) item.expr = grouped(item.expr, block);
        if (having != nullptr) root = makeFilter(root, grouped(having, block));
        if (qualify != nullptr) qualify = grouped(qualify, block);
        for (OrderKey& key : sort_keys)
            if (key.output < 0) key.expr = grouped(key.expr, block);
        groupWindows(block);
    }
    root = windows(root, block);
    root = makeFilter(root, qualify);

    BoundQuery result = project(block, root);
    if (query.distinct) makeDistinct(result, sort_keys);
    result.root = order(sort_keys, block, result);
    return result;
}

/// SELECT DISTINCT: only the select list is left to sort by.
void Binder::makeDistinct(BoundQuery& result, const std::vector<OrderKey>& keys) {
    for (const OrderKey& key : keys)
        if (key.output < 0)
            fail(sqlstate::kInvalidColumnReference,
                 "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                 key.item->expression->position, "Add the expression to the select list.");
    settle(result);
    auto* distinct = makeOp<DistinctOp>(LogicalKind::kDistinct, {result.root});
    distinct->columns = List<ColumnId>(arena_);
    for (const QueryColumn& column : result.columns) {
        const ColumnId id = column.expr->as<ColumnExpr>()->id;
        if (std::find(distinct->columns.begin(), distinct->columns.end(), id) ==
            distinct->columns.end())
            distinct->columns.push(id);
    }
    result.root = distinct;
}

void Binder::expandOutputs(const parse::SelectQuery& query, Block& block) {
    for (const parse::SelectItem& item : query.items) {
        if (item.expression->is<parse::Star>()) {
            expandStar(*item.expression->as<parse::Star>(), query, block);
            continue;
        }
        SelectOutput made;
        made.source = item.expression;
        made.has_alias = !item.alias.empty();
        made.name = made.has_alias ? item.alias : outputName(item.expression);
        block.outputs.push_back(made);
    }
    for (const parse::ColumnName& name : query.exclude) {
        const bool known = std::ranges::any_of(
            block.from.visible,
            [&](const VisibleColumn& column) { return column.name == name.name; });
        if (!known)
            fail(sqlstate::kUndefinedColumn,
                 "column \"" + std::string(name.name) + "\" does not exist", name.position,
                 "EXCLUDE names columns of the tables in FROM.");
    }
}

void Binder::expandStar(const parse::Star& star, const parse::SelectQuery& query, Block& block) {
    const std::vector<VisibleColumn>* columns = &block.from.visible;
    if (!star.qualifier.empty()) {
        const u32 count = star.qualifier.size();
        const std::string_view name = star.qualifier[count - 1];
        const std::string_view schema = count > 1 ? star.qualifier[count - 2] : std::string_view();
        columns = nullptr;
        for (const NamedTable& table : block.from.tables)
            if (table.name == name && (schema.empty() || table.schema == schema))
                columns = &table.columns;
        if (columns == nullptr)
            fail(sqlstate::kUndefinedTable,
                 "missing FROM-clause entry for table \"" + std::string(name) + "\"", star.position,
                 "Add the table to FROM, or use its alias.");
    } else if (block.from.tables.empty()) {
        fail(sqlstate::kSyntaxError, "SELECT * with no tables specified is not valid",
             star.position, "Add a FROM clause.");
    }
    for (const VisibleColumn& column : *columns) {
        const bool excluded = std::ranges::any_of(
            query.exclude, [&](const parse::ColumnName& name) { return name.name == column.name; });
        if (excluded || column.hidden) continue;
        SelectOutput made;
        made.name = column.name;
        made.expr = atPosition(column.expr, star.position);
        made.table = column.table;
        made.attribute = column.attribute;
        block.outputs.push_back(made);
    }
}

const Expr* Binder::output(size_t index, Block& block, Clause clause) {
    SelectOutput& item = block.outputs[index];
    if (item.expr != nullptr) return item.expr;
    ClauseGuard guard(block, clause);
    const size_t aliases = block.aliases;
    block.aliases = index;
    item.busy = true;
    const Expr* bound = expr(item.source, block);
    block.outputs[index].busy = false;
    block.aliases = aliases;
    block.outputs[index].expr = bound;
    if (bound->kind == ExprKind::kColumn) {
        const ColumnId id = bound->as<ColumnExpr>()->id;
        for (const VisibleColumn& column : block.from.visible) {
            if (column.expr->kind != ExprKind::kColumn || column.expr->as<ColumnExpr>()->id != id)
                continue;
            block.outputs[index].table = column.table;
            block.outputs[index].attribute = column.attribute;
        }
    }
    return bound;
}

/// The column's name as PostgreSQL gives it.
std::string_view Binder::outputName(const parse::Expression* e) {
    constexpr std::string_view kNone = "?column?";
    switch (e->kind) {
    case parse::ExpressionKind::kColumn: {
        const auto& parts = e->as<parse::ColumnReference>()->parts;
        return parts[parts.size() - 1];
    }
    case parse::ExpressionKind::kFunction: {
        const std::string_view name = e->as<parse::FunctionCall>()->name.name;
        if (name == "extract") return "date_part";
        if (name == "nvl") return "coalesce";
        if (name == "nvl2" || name == "decode") return "case";
        if (name == "current_date") return "date";
        return name;
    }
    case parse::ExpressionKind::kCase: {
        const auto* otherwise = e->as<parse::Case>()->otherwise;
        if (otherwise != nullptr) {
            const parse::ExpressionKind kind = otherwise->kind;
            if (kind == parse::ExpressionKind::kColumn) return outputName(otherwise);
        }
        return "case";
    }
    case parse::ExpressionKind::kCast: return castName(*e->as<parse::Cast>());
    case parse::ExpressionKind::kTypedLiteral: {
        const parse::TypeName& name = *e->as<parse::TypedLiteral>()->type;
        return name.name == "interval" ? "interval" : typeName(type(name).kind);
    }
    case parse::ExpressionKind::kSubscript: return outputName(e->as<parse::Subscript>()->operand);
    case parse::ExpressionKind::kCollate: return outputName(e->as<parse::Collate>()->operand);
    case parse::ExpressionKind::kField: return e->as<parse::FieldAccess>()->field;
    case parse::ExpressionKind::kArrayQuery: return "array";
    case parse::ExpressionKind::kSubquery: {
        const parse::Query* query = e->as<parse::Subquery>()->query;
        if (!query->is<parse::SelectQuery>()) return kNone;
        const auto& items = query->as<parse::SelectQuery>()->items;
        if (items.empty()) return kNone;
        return items[0].alias.empty() ? outputName(items[0].expression) : items[0].alias;
    }
    default: return kNone;
    }
}

/// A cast is named after what it casts, or after the outermost type when that has no name.
std::string_view Binder::castName(const parse::Cast& cast) {
    const parse::Expression* operand = cast.operand;
    while (operand->is<parse::Cast>()) operand = operand->as<parse::Cast>()->operand;
    const std::string_view inner = outputName(operand);
    const bool named =
        inner != "?column?" && !operand->is<parse::Case>() && !operand->is<parse::TypedLiteral>();
    if (named) return inner;
    return cast.type->name == "interval" ? "interval" : typeName(type(*cast.type).kind);
}

/// Columns that the block's own operators make, so that a plan's results are its own.
bool Binder::makes(const Block& block, ColumnId id) const {
    if (block.owns(id) || id == block.grouping_id.id) return true;
    const auto has = [&](const auto& items) {
        return std::ranges::any_of(items, [&](const auto& item) { return item.column.id == id; });
    };
    if (has(block.keys) || has(block.aggregates)) return true;
    return std::ranges::any_of(block.windows,
                               [&](const WindowGroup& group) { return has(group.items); });
}

BoundQuery Binder::project(Block& block, LogicalOp* root) {
    BoundQuery result;
    std::vector<MapItem> items;
    for (const SelectOutput& item : block.outputs) {
        QueryColumn column{item.name, item.expr, item.table, item.attribute};
        const Expr* value = item.expr;
        const bool own =
            value->kind == ExprKind::kColumn && makes(block, value->as<ColumnExpr>()->id);
        if (!own && value->type.kind != TypeKind::kUnknown) {
            items.push_back({newColumn(item.name, value->type, value->nullable), value});
            column.expr = columnExpr(items.back().column, value->position);
        }
        result.columns.push_back(column);
    }
    result.root = makeMap(root, items);
    return result;
}

LogicalOp* Binder::windows(LogicalOp* root, Block& block) {
    for (const WindowGroup& group : block.windows) {
        auto* op = makeOp<WindowOp>(LogicalKind::kWindow, {root});
        op->partition_by = group.partition_by;
        op->order_by = group.order_by;
        op->items = group.items;
        root = op;
    }
    return root;
}

} // namespace blueshift::bind
