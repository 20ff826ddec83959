#include "engine/show.h"

#include "ddl/define.h"

namespace blueshift::engine {
namespace {

ResultField textField(std::string name) {
    return {.name = std::move(name), .type = SqlType::text()};
}

std::string parameterName(std::string_view name) {
    if (name == "transaction isolation level") return "transaction_isolation";
    if (name == "session authorization") return "session_authorization";
    if (name == "time zone") return "timezone";
    return std::string(name);
}

} // namespace

std::vector<ResultField> showFields(EngineConnection&, const parse::Show& show) {
    using parse::ShowKind;
    switch (show.show) {
    case ShowKind::kParameter: return {textField(parameterName(show.name))};
    case ShowKind::kAll: return {textField("name"), textField("setting"), textField("description")};
    case ShowKind::kDatabases: return {textField("database_name"), textField("database_owner")};
    case ShowKind::kSchemas:
        return {textField("database_name"), textField("schema_name"), textField("schema_owner")};
    case ShowKind::kTables:
        return {textField("database_name"), textField("schema_name"), textField("table_name"),
                textField("table_type"),    textField("remarks"),     textField("owner")};
    case ShowKind::kColumns:
        return {textField("database_name"),    textField("schema_name"),
                textField("table_name"),       textField("column_name"),
                textField("ordinal_position"), textField("column_default"),
                textField("is_nullable"),      textField("data_type")};
    case ShowKind::kTable: return {textField("Show Table DDL statement")};
    case ShowKind::kView: return {textField("Show View DDL statement")};
    default: break;
    }
    BS_NOT_YET("this form of SHOW");
}

TextRows showRows(EngineConnection& connection, const parse::Show& show) {
    using parse::ShowKind;
    TextRows result{.fields = showFields(connection, show), .tag = "SHOW"};
    Arena arena;
    const bind::BindContext context = connection.bindContext(arena, {});
    const catalog::CatalogSnapshot& catalog = *context.catalog;
    const std::string database = connection.engine().databaseName();
    switch (show.show) {
    case ShowKind::kParameter:
        result.rows.push_back({connection.settings().get(parameterName(show.name))});
        break;
    case ShowKind::kAll:
        for (const auto& row : connection.settings().all())
            result.rows.push_back({row.name, row.value, row.description});
        break;
    case ShowKind::kDatabases: result.rows.push_back({database, "admin"}); break;
    case ShowKind::kSchemas:
        for (const auto& [oid, schema] : catalog.schemas)
            result.rows.push_back({database, schema->name, schema->owner});
        break;
    case ShowKind::kTables: {
        const std::string_view wanted = show.object.name.empty() ? show.name : show.object.name;
        for (const auto& [oid, table] : catalog.tables) {
            const auto* schema = catalog.findSchema(table->schema);
            if (!wanted.empty() && schema->name != wanted) continue;
            result.rows.push_back(
                {database, schema->name, table->name, "TABLE",
                 table->comment.empty() ? std::nullopt : std::optional(table->comment),
                 table->owner});
        }
        for (const auto& [oid, view] : catalog.views) {
            const auto* schema = catalog.findSchema(view->schema);
            if (!wanted.empty() && schema->name != wanted) continue;
            result.rows.push_back(
                {database, schema->name, view->name, "VIEW", std::nullopt, view->owner});
        }
        break;
    }
    case ShowKind::kColumns: {
        bind::BindContext lookup = context;
        const auto table = bind::resolveTable(show.object, lookup);
        int position = 0;
        for (const auto* column : table->liveColumns())
            result.rows.push_back({database, catalog.findSchema(table->schema)->name, table->name,
                                   column->name, std::to_string(++position), column->default_sql,
                                   column->not_null ? "NO" : "YES", formatType(column->type)});
        break;
    }
    case ShowKind::kTable: {
        bind::BindContext lookup = context;
        result.rows.push_back(
            {ddl::describeTable(catalog, *bind::resolveTable(show.object, lookup))});
        break;
    }
    case ShowKind::kView: {
        for (const auto& [oid, view] : catalog.views)
            if (view->name == show.object.name) result.rows.push_back({view->definition});
        if (result.rows.empty())
            throw SqlError(sqlstate::kUndefinedTable,
                           "view \"" + std::string(show.object.name) + "\" does not exist");
        break;
    }
    default: break;
    }
    return result;
}

} // namespace blueshift::engine
