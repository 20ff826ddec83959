// INSERT: every live column of the target gets a value of its type, in the table's order.
#include <algorithm>

#include "bind/binder.h"
#include "bind/plan_walk.h"
#include "parse/parse.h"

namespace blueshift::bind {

using functions::CastContext;

std::shared_ptr<const catalog::Table> Binder::target(const parse::ObjectName& name,
                                                     std::string_view privilege) {
    const Relation found = relation(name);
    if (found.view)
        fail(sqlstate::kWrongObjectType, "cannot change view \"" + std::string(name.name) + "\"",
             name.position, "Change the tables under the view.");
    if (found.source != nullptr)
        fail(sqlstate::kInsufficientPrivilege,
             "permission denied: \"" + std::string(name.name) + "\" is a system catalog",
             name.position, "System tables are read only.");
    require(found.table->privileges, found.table->owner, privilege, found.table->name,
            name.position);
    return found.table;
}

const Expr* Binder::columnDefault(std::string_view sql, SqlType type) {
    ++stored_text_;
    try {
        Block block;
        const Expr* value = expr(parse::parseExpression(sql, arena_), block);
        visitSubqueries(value, [&](SubqueryExpr*) {
            fail(sqlstate::kFeatureNotSupported, "a default cannot hold a subquery", -1,
                 "Use a constant or a function.");
        });
        value = castTo(value, type, CastContext::kAssignment, -1);
        --stored_text_;
        return value;
    } catch (SqlError& error) {
        error.error().position = 0;
        throw;
    }
}

/// The default of a column, NULL without one.
const Expr* Binder::defaultOf(const catalog::Column& column) {
    if (!column.default_sql) return makeConstant(arena_, Value::null(column.type));
    return columnDefault(*column.default_sql, column.type);
}

const Expr* Binder::assigned(const Expr* value, const catalog::Column& column, i32 position) {
    const bool open = value->type.kind == TypeKind::kUnknown;
    if (!open && !functions::canCast(value->type, column.type, CastContext::kAssignment))
        fail(sqlstate::kDatatypeMismatch,
             "column \"" + column.name + "\" is of type " + formatType(column.type) +
                 " but expression is of type " + formatType(value->type),
             position, "Cast the expression to the type of the column.");
    return castTo(value, column.type, CastContext::kAssignment, position);
}

/// Rows of VALUES, straight to the types of their columns; items may be DEFAULT.
BoundQuery Binder::insertRows(const parse::ValuesQuery& query,
                              const std::vector<const catalog::Column*>& columns) {
    auto* op = makeOp<ValuesOp>(LogicalKind::kValues, {});
    op->columns = List<OutputColumn>(arena_);
    op->rows = List<List<const Expr*>>(arena_);
    std::vector<bool> nullable(columns.size(), false);
    Block block;
    for (const auto& row : query.rows) {
        if (row.size() > columns.size())
            fail(sqlstate::kSyntaxError, "INSERT has more expressions than target columns",
                 row[columns.size()]->position,
                 "The target has " + std::to_string(columns.size()) + " columns.");
        List<const Expr*> bound(arena_);
        for (u32 i = 0; i < row.size(); ++i) {
            const parse::Expression* item = row[i];
            const Expr* value = item->is<parse::DefaultValue>()
                                    ? defaultOf(*columns[i])
                                    : assigned(expr(item, block), *columns[i], item->position);
            nullable[i] = nullable[i] || value->nullable;
            bound.push(value);
        }
        op->rows.push(bound);
    }
    BoundQuery result;
    result.root = op;
    const size_t width = query.rows.empty() ? 0 : query.rows[0].size();
    for (size_t i = 0; i < width; ++i) {
        op->columns.push(newColumn(columns[i]->name, columns[i]->type, nullable[i]));
        result.columns.push_back({columns[i]->name, columnExpr(op->columns.back())});
    }
    return result;
}

BoundInsert Binder::insert(const parse::Insert& statement) {
    const auto table = target(statement.table, "insert");
    const std::vector<const catalog::Column*> live = table->liveColumns();
    std::vector<const catalog::Column*> columns;
    for (const parse::ColumnName& name : statement.columns) {
        const catalog::Column* column = table->findColumn(name.name);
        if (column == nullptr) {
            NearestName nearest(name.name);
            for (const catalog::Column* candidate : live) nearest.offer(candidate->name);
            fail(sqlstate::kUndefinedColumn,
                 "column \"" + std::string(name.name) + "\" of relation \"" + table->name +
                     "\" does not exist",
                 name.position,
                 nearest.best().empty()
                     ? "Check the spelling."
                     : "Perhaps you meant the column \"" + std::string(nearest.best()) + "\".");
        }
        if (std::find(columns.begin(), columns.end(), column) != columns.end())
            fail(sqlstate::kDuplicateColumn,
                 "column \"" + std::string(name.name) + "\" specified more than once",
                 name.position, "Name it once.");
        if (column->is_identity)
            fail(sqlstate::kFeatureNotSupported,
                 "cannot set an identity column to a value: \"" + column->name + "\"",
                 name.position, "Leave the column out; it gets its value by itself.");
        columns.push_back(column);
    }
    // Without a list, identity columns are left out of the row.
    if (statement.columns.empty())
        for (const catalog::Column* column : live)
            if (!column->is_identity) columns.push_back(column);

    BoundQuery source;
    if (statement.default_values) {
        source.root = makeOneRow();
        columns.clear();
    } else if (statement.query->is<parse::ValuesQuery>() && statement.query->order_by.empty() &&
               statement.query->with == nullptr && statement.query->limit == nullptr &&
               statement.query->offset == nullptr) {
        source = insertRows(*statement.query->as<parse::ValuesQuery>(), columns);
    } else {
        source = boundQuery(*statement.query, nullptr);
    }
    const i32 position =
        statement.query != nullptr ? statement.query->position : statement.position;
    if (source.columns.size() > columns.size())
        fail(sqlstate::kSyntaxError, "INSERT has more expressions than target columns", position,
             "The target has " + std::to_string(columns.size()) + " columns.");
    if (source.columns.size() < columns.size() && !statement.columns.empty())
        fail(sqlstate::kSyntaxError, "INSERT has more target columns than expressions", position,
             "The target has " + std::to_string(columns.size()) + " columns.");

    BoundQuery rows;
    std::vector<MapItem> items;
    for (const catalog::Column* column : live) {
        const auto found = std::find(columns.begin(), columns.end(), column);
        const size_t index = size_t(found - columns.begin());
        const bool given = found != columns.end() && index < source.columns.size();
        const Expr* value = given ? assigned(source.columns[index].expr, *column,
                                             source.columns[index].expr->position >= 0
                                                 ? source.columns[index].expr->position
                                                 : position)
                                  : defaultOf(*column);
        if (value->kind != ExprKind::kColumn) {
            items.push_back({newColumn(column->name, column->type, value->nullable), value});
            value = columnExpr(items.back().column);
        }
        rows.columns.push_back({column->name, value});
    }
    rows.root = makeMap(source.root, items);
    return {table.get(), finish(std::move(rows))};
}

} // namespace blueshift::bind
