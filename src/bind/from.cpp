// FROM: tables, views, system sources, subqueries and functions.
#include <algorithm>
#include <utility>

#include "bind/binder.h"
#include "parse/parse.h"

namespace blueshift::bind {

using functions::CastContext;

namespace {

/// The schemas of a stored search_path: `"$user", public`.
std::vector<std::string> splitPath(std::string_view path) {
    std::vector<std::string> schemas;
    std::string current;
    const auto flush = [&] {
        if (!current.empty()) schemas.push_back(current);
        current.clear();
    };
    for (char c : path) {
        if (c == ',') flush();
        else if (c != '"' && c != ' ' && c != '\'') current += c;
    }
    flush();
    return schemas;
}

} // namespace

FromScope Binder::scopeOf(std::string_view schema, std::string_view name,
                          std::vector<VisibleColumn> columns) const {
    FromScope scope;
    scope.visible = columns;
    scope.tables.push_back({schema, name, std::move(columns)});
    return scope;
}

void Binder::addScope(FromScope& scope, FromScope more, i32 position) const {
    for (NamedTable& table : more.tables) {
        for (const NamedTable& other : scope.tables) {
            const bool same =
                other.name == table.name && !table.name.empty() &&
                (other.schema == table.schema || other.schema.empty() || table.schema.empty());
            if (same)
                fail(sqlstate::kDuplicateAlias,
                     "table name \"" + std::string(table.name) + "\" specified more than once",
                     position, "Give one of them another alias.");
        }
    }
    for (NamedTable& table : more.tables) scope.tables.push_back(std::move(table));
    for (VisibleColumn& column : more.visible) scope.visible.push_back(column);
}

LogicalOp* Binder::fromClause(const List<parse::FromItem*>& items, Block& block) {
    // The items to the left are what a LATERAL item sees.
    Block left;
    left.outer = block.outer;
    left.clause = Clause::kFrom;
    FromResult all;
    for (const parse::FromItem* item : items) {
        FromResult next = fromItem(*item, left);
        if (all.op == nullptr) {
            all.op = next.op;
        } else {
            auto* join = makeOp<JoinOp>(LogicalKind::kJoin, {all.op, next.op});
            join->type = JoinType::kInner;
            join->dependent = item->is<parse::FromQuery>() && item->as<parse::FromQuery>()->lateral;
            all.op = join;
        }
        addScope(left.from, std::move(next.scope), item->position);
    }
    block.from = std::move(left.from);
    return all.op;
}

FromResult Binder::fromItem(const parse::FromItem& item, Block& left) {
    NestingGuard guard(depth_);
    FromResult result;
    switch (item.kind) {
    case parse::FromKind::kTable: {
        const auto& table = *item.as<parse::FromTable>();
        const bool path =
            !table.name.schema.empty() &&
            std::ranges::any_of(left.from.tables, [&](const NamedTable& other) {
                return other.name == table.name.schema && other.schema != table.name.schema;
            });
        if (path && !findRelation(table.name))
            notYet("navigation into a SUPER column", item.position);
        result = fromTable(table);
        break;
    }
    case parse::FromKind::kQuery: result = fromQuery(*item.as<parse::FromQuery>(), left); break;
    case parse::FromKind::kFunction:
        result = fromFunction(*item.as<parse::FromFunction>(), left);
        break;
    case parse::FromKind::kJoin: {
        result = fromJoin(*item.as<parse::FromJoin>(), left);
        if (!item.alias.empty())
            result.scope = scopeOf({}, item.alias, std::move(result.scope.visible));
        break;
    }
    case parse::FromKind::kPath: notYet("navigation into a SUPER column", item.position);
    case parse::FromKind::kObjectUnpivot:
    case parse::FromKind::kUnpivot: notYet("UNPIVOT", item.position);
    case parse::FromKind::kPivot: notYet("PIVOT", item.position);
    }
    renameColumns(result, item);
    return result;
}

void Binder::renameColumns(FromResult& result, const parse::FromItem& item) {
    if (item.columns.empty()) return;
    auto& columns = result.scope.tables[0].columns;
    if (item.columns.size() > columns.size())
        fail(sqlstate::kInvalidColumnReference,
             "table \"" + std::string(item.alias) + "\" has " + std::to_string(columns.size()) +
                 " columns available but " + std::to_string(item.columns.size()) +
                 " columns specified",
             item.position, "Name at most as many columns as there are.");
    for (u32 i = 0; i < item.columns.size(); ++i) columns[i].name = item.columns[i].name;
    result.scope.visible = columns;
}

FromResult Binder::named(BoundQuery query, std::string_view alias) {
    settle(query);
    std::vector<VisibleColumn> columns;
    for (const QueryColumn& column : query.columns)
        columns.push_back({column.name, column.expr, column.table, column.attribute});
    return {query.root, scopeOf({}, alias, std::move(columns))};
}

FromResult Binder::fromQuery(const parse::FromQuery& item, Block& left) {
    return named(boundQuery(*item.query, item.lateral ? &left : left.outer), item.alias);
}

FromResult Binder::fromTable(const parse::FromTable& item) {
    if (item.name.schema.empty() && !recursive_name_.empty() && item.name.name == recursive_name_)
        notYet("a table of WITH RECURSIVE that reads itself", item.name.position);
    if (item.name.schema.empty())
        if (const CommonEntry* entry = findCommon(item.name.name))
            return scanCommon(*entry, item.alias.empty() ? item.name.name : item.alias);
    const Relation found = relation(item.name);
    const bool aliased = !item.alias.empty();
    FromResult result;
    if (found.table) {
        require(found.table->privileges, found.table->owner, "select", found.table->name,
                item.name.position);
        const std::string_view name = aliased ? item.alias : std::string_view(found.table->name);
        result = scanTable(*found.table, name, nullptr);
    } else if (found.view) {
        require(found.view->privileges, found.view->owner, "select", found.view->name,
                item.name.position);
        result = expandView(*found.view, aliased ? item.alias : std::string_view(found.view->name),
                            item.name.position);
    } else {
        result = scanSource(*found.source, aliased ? item.alias : found.source->name(), {});
    }
    if (!aliased) result.scope.tables[0].schema = found.schema;
    return result;
}

FromResult Binder::scanTable(const catalog::Table& table, std::string_view alias,
                             ColumnId* row_id) {
    auto* scan = makeOp<ScanOp>(LogicalKind::kScan, {});
    scan->table = &table;
    scan->alias = alias;
    scan->columns = List<OutputColumn>(arena_);
    scan->column_ids = List<u32>(arena_);
    std::vector<VisibleColumn> columns;
    i16 attribute = 0;
    for (const catalog::Column& column : table.columns) {
        ++attribute;
        if (column.dropped) continue;
        scan->columns.push(newColumn(column.name, column.type, !column.not_null));
        scan->column_ids.push(column.id);
        columns.push_back({column.name, columnExpr(scan->columns.back()), table.oid, attribute});
    }
    if (row_id != nullptr) *row_id = scan->row_id = newId();
    return {scan, scopeOf({}, alias, std::move(columns))};
}

FromResult Binder::scanSource(const catalog::TableSource& source, std::string_view alias,
                              List<const Expr*> arguments) {
    auto* scan = makeOp<SourceOp>(LogicalKind::kSource, {});
    scan->source = &source;
    scan->alias = alias;
    scan->arguments = arguments;
    scan->columns = List<OutputColumn>(arena_);
    std::vector<VisibleColumn> columns;
    i16 attribute = 0;
    for (const catalog::SourceColumn& column : source.columns()) {
        scan->columns.push(newColumn(column.name, column.type, true));
        columns.push_back({column.name, columnExpr(scan->columns.back()), source.oid(), ++attribute,
                           column.hidden});
    }
    if (source.oid() != 0) objects_.push_back(source.oid());
    return {scan, scopeOf({}, alias, std::move(columns))};
}

FromResult Binder::scanCommon(const CommonEntry& entry, std::string_view alias) {
    auto* scan = makeOp<CteScanOp>(LogicalKind::kCteScan, {});
    scan->cte = entry.cte;
    scan->columns = List<OutputColumn>(arena_);
    scan->inputs = List<ColumnId>(arena_);
    std::vector<VisibleColumn> columns;
    for (const QueryColumn& column : entry.columns) {
        scan->columns.push(newColumn(column.name, column.expr->type, column.expr->nullable));
        scan->inputs.push(column.expr->as<ColumnExpr>()->id);
        columns.push_back(
            {column.name, columnExpr(scan->columns.back()), column.table, column.attribute});
    }
    return {scan, scopeOf({}, alias, std::move(columns))};
}

/// The view's text, bound as its owner with the search path of its creation.
FromResult Binder::expandView(const catalog::View& view, std::string_view alias, i32 position) {
    constexpr u32 kMostViews = 100;
    if (stored_text_ >= kMostViews)
        fail(sqlstate::kInvalidRecursion, "view \"" + view.name + "\" refers to itself", position,
             "Recreate one of the views.");
    const catalog::User* owner = context_.catalog->findUser(view.owner);
    auto path = std::exchange(search_path_, splitPath(view.search_path));
    auto user = std::exchange(user_, view.owner);
    const bool superuser =
        std::exchange(superuser_, owner != nullptr ? owner->superuser : superuser_);
    const CommonEntry* common = std::exchange(common_, nullptr);
    const std::string_view recursive = std::exchange(recursive_name_, {});
    ++stored_text_;
    BoundQuery query;
    try {
        query = boundQuery(*parse::parseQuery(view.query, arena_), nullptr);
    } catch (SqlError& error) {
        --stored_text_;
        error.error().position = place(position) >= 0 ? position + 1 : 0;
        if (error.error().detail.empty())
            error.error().detail = "In the query of view \"" + view.name + "\".";
        throw;
    }
    --stored_text_;
    common_ = common;
    recursive_name_ = recursive;
    superuser_ = superuser;
    user_ = std::move(user);
    search_path_ = std::move(path);
    // Columns that were added to a table under a `*` come last and are not the view's.
    while (!view.columns.empty() && view.columns.size() < query.columns.size())
        query.columns.pop_back();
    if (!view.columns.empty() && view.columns.size() != query.columns.size())
        fail(sqlstate::kUndefinedColumn, "the tables under view \"" + view.name + "\" have changed",
             position, "Recreate the view.");
    i16 attribute = 0;
    for (QueryColumn& column : query.columns) {
        if (!view.columns.empty()) column.name = view.columns[size_t(attribute)].name;
        column.table = view.oid;
        column.attribute = ++attribute;
    }
    return named(std::move(query), alias);
}

FromResult Binder::fromFunction(const parse::FromFunction& item, Block& left) {
    if (item.with_offset || item.with_ordinality)
        notYet("WITH OFFSET and WITH ORDINALITY", item.position);
    const parse::FunctionCall& call = *item.call;
    if (call.name.name == "unnest" && call.arguments.size() == 1) return fromUnnest(item, left);
    const catalog::TableSource* source =
        context_.sources == nullptr
            ? nullptr
            : context_.sources->findFunction(call.name.name, call.arguments.size());
    if (source == nullptr) return fromScalarFunction(item, left);
    List<const Expr*> arguments(arena_);
    for (const parse::Expression* argument : call.arguments) {
        const Expr* value = foldConstants(arena_, expr(argument, left), session_);
        if (value->type.kind == TypeKind::kUnknown)
            value = castTo(value, SqlType::text(), CastContext::kExplicit, argument->position);
        if (value->kind != ExprKind::kConstant && value->kind != ExprKind::kParameter)
            notYet("a table function of arguments that are not constants", argument->position);
        arguments.push(value);
    }
    const bool aliased = !item.alias.empty();
    FromResult result = scanSource(*source, aliased ? item.alias : call.name.name, arguments);
    auto& columns = result.scope.tables[0].columns;
    // A function of one column: its alias names the column as well.
    if (aliased && columns.size() == 1 && item.columns.empty() && item.definitions.empty())
        columns[0].name = item.alias;
    if (!item.definitions.empty()) {
        if (item.definitions.size() != columns.size())
            fail(sqlstate::kDatatypeMismatch,
                 "function " + std::string(call.name.name) + " returns " +
                     std::to_string(columns.size()) + " columns, the column definition list has " +
                     std::to_string(item.definitions.size()),
                 item.position, "Define every column.");
        std::vector<MapItem> casts;
        for (u32 i = 0; i < columns.size(); ++i) {
            const parse::FunctionColumn& definition = item.definitions[i];
            columns[i].name = definition.name;
            const SqlType to = type(*definition.type);
            const bool text = isString(to.kind) && isString(columns[i].expr->type.kind);
            if (to == columns[i].expr->type || text) continue;
            const Expr* value =
                castTo(columns[i].expr, to, CastContext::kExplicit, definition.position);
            casts.push_back({newColumn(definition.name, to, true), value});
            columns[i].expr = columnExpr(casts.back().column);
        }
        result.op = makeMap(result.op, casts);
    }
    result.scope.visible = columns;
    return result;
}

/// FROM unnest(array): an element a row. The rows are numbers that count further than a text value
/// of 64 KiB has elements; those beyond the array's length are dropped.
FromResult Binder::fromUnnest(const parse::FromFunction& item, Block& left) {
    constexpr i64 kMostElements = 32768;
    const parse::Expression* written = item.call->arguments[0];
    const Expr* array = expr(written, left);
    const TypeKind kind = array->type.kind;
    if (kind != TypeKind::kTextArray && kind != TypeKind::kInt2Array && kind != TypeKind::kOidArray)
        fail(sqlstate::kUndefinedFunction,
             "function unnest(" + formatType(array->type) + ") does not exist", item.position,
             "Give an array, such as a column of pg_catalog or ARRAY(SELECT ..).");
    const auto number = [&](i64 value) {
        return makeConstant(arena_, Value::ofInteger(value, SqlType::integer()));
    };
    List<const Expr*> bounds(arena_);
    bounds.push(number(1));
    bounds.push(number(kMostElements));
    const catalog::TableSource* series = context_.sources == nullptr
                                             ? nullptr
                                             : context_.sources->findFunction("generate_series", 2);
    if (series == nullptr) notYet("unnest", item.position);
    FromResult result = scanSource(*series, "unnest", bounds);
    const Expr* place = result.scope.tables[0].columns[0].expr;
    const Expr* length = call("array_length", {array, number(1)}, item.position);
    result.op = makeFilter(result.op, compare("<=", place, length, item.position));
    const Expr* element =
        call("array_element", {again(array, written, left), place}, item.position);
    const std::string_view alias = item.alias.empty() ? item.call->name.name : item.alias;
    const MapItem made{newColumn(alias, element->type, true), element};
    result.op = makeMap(result.op, std::span(&made, 1));
    result.scope = scopeOf({}, alias, {{alias, columnExpr(made.column)}});
    return result;
}

/// FROM current_database(): one row with the function's value.
FromResult Binder::fromScalarFunction(const parse::FromFunction& item, Block& left) {
    const parse::FunctionCall& call = *item.call;
    const Expr* value = expr(item.call, left);
    const std::string_view alias = item.alias.empty() ? call.name.name : item.alias;
    const std::string_view name = !item.definitions.empty() ? item.definitions[0].name : alias;
    if (item.definitions.size() > 1)
        fail(sqlstate::kDatatypeMismatch,
             "function " + std::string(call.name.name) + " returns one column", item.position,
             "Define one column.");
    if (!item.definitions.empty())
        value =
            castTo(value, type(*item.definitions[0].type), CastContext::kExplicit, item.position);
    const MapItem made{newColumn(name, value->type, value->nullable), value};
    FromResult result;
    result.op = makeMap(makeOneRow(), std::span(&made, 1));
    result.scope = scopeOf({}, alias, {{name, columnExpr(made.column)}});
    return result;
}

} // namespace blueshift::bind
