// Names of tables, views and system sources along the search path.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

/// The session's temporary schema, pg_catalog, then the path; each once.
std::vector<std::string> Binder::schemasInOrder() const {
    std::vector<std::string> schemas;
    const auto add = [&](std::string name) {
        if (!name.empty() && std::find(schemas.begin(), schemas.end(), name) == schemas.end())
            schemas.push_back(std::move(name));
    };
    add(context_.temporary_schema);
    add("pg_catalog");
    for (const std::string& name : search_path_) add(name == "$user" ? user_ : name);
    return schemas;
}

Relation Binder::findIn(std::string_view schema, std::string_view name) {
    Relation found;
    found.schema = schema;
    if (const catalog::Schema* entry = context_.catalog->findSchema(schema)) {
        found.schema = entry->name;
        found.table = context_.catalog->findTable(entry->oid, name);
        if (!found.table) found.view = context_.catalog->findView(entry->oid, name);
    }
    if (!found && context_.sources != nullptr) {
        found.source = context_.sources->find(schema, name);
        if (found.source != nullptr) found.schema = found.source->schema();
    }
    return found;
}

Relation Binder::findRelation(const parse::ObjectName& name) {
    if (!name.database.empty() && name.database != context_.catalog->database)
        fail(sqlstate::kFeatureNotSupported,
             "cross-database reference \"" + std::string(name.database) + "." +
                 std::string(name.schema) + "." + std::string(name.name) +
                 "\" is not supported yet",
             name.position, "Connect to the database that has the table.");
    if (!name.schema.empty()) {
        Relation found = findIn(name.schema, name.name);
        const catalog::Schema* schema = context_.catalog->findSchema(name.schema);
        if (found && schema != nullptr && !mayUseSchema(*schema))
            fail(sqlstate::kInsufficientPrivilege,
                 "permission denied for schema " + std::string(name.schema), name.position,
                 "GRANT USAGE ON SCHEMA gives the right to use it.");
        return found;
    }
    for (const std::string& schema : schemasInOrder()) {
        const catalog::Schema* entry = context_.catalog->findSchema(schema);
        if (entry != nullptr && !mayUseSchema(*entry)) continue;
        if (Relation found = findIn(schema, name.name)) return found;
    }
    return {};
}

Relation Binder::relation(const parse::ObjectName& name) {
    Relation found = findRelation(name);
    if (!found) failNoRelation(name);
    if (found.table) objects_.push_back(found.table->oid);
    if (found.view) objects_.push_back(found.view->oid);
    return found;
}

std::string Binder::nearestRelation(const parse::ObjectName& name) {
    std::vector<std::string> schemas = schemasInOrder();
    if (!name.schema.empty()) schemas = {std::string(name.schema)};
    NearestName nearest(name.name);
    for (const std::string& schema : schemas) {
        const catalog::Schema* entry = context_.catalog->findSchema(schema);
        if (entry == nullptr || !mayUseSchema(*entry)) continue;
        for (const auto& [oid, table] : context_.catalog->tables)
            if (table->schema == entry->oid) nearest.offer(table->name);
        for (const auto& [oid, view] : context_.catalog->views)
            if (view->schema == entry->oid) nearest.offer(view->name);
    }
    if (context_.sources != nullptr)
        for (const catalog::TableSource* source : context_.sources->all())
            if (std::find(schemas.begin(), schemas.end(), source->schema()) != schemas.end())
                nearest.offer(source->name());
    for (const CommonEntry* entry = common_; entry != nullptr && name.schema.empty();
         entry = entry->next)
        nearest.offer(entry->name);
    return std::string(nearest.best());
}

void Binder::failNoRelation(const parse::ObjectName& name) {
    std::string full(name.name);
    if (!name.schema.empty()) full = std::string(name.schema) + "." + full;
    if (!name.schema.empty() && context_.catalog->findSchema(name.schema) == nullptr &&
        name.schema != "information_schema" && name.schema != "pg_catalog")
        fail(sqlstate::kInvalidSchemaName,
             "schema \"" + std::string(name.schema) + "\" does not exist", name.position,
             "SHOW SCHEMAS FROM DATABASE lists the schemas.");
    const std::string nearest = nearestRelation(name);
    std::string hint = nearest.empty() ? "Check the spelling and the search_path."
                                       : "Perhaps you meant the table \"" + nearest + "\".";
    fail(sqlstate::kUndefinedTable, "relation \"" + full + "\" does not exist", name.position,
         std::move(hint));
}

} // namespace blueshift::bind
