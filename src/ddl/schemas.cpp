// Schemas, views, comments, and DROP with its dependents.
#include <fmt/format.h>

#include <algorithm>

#include "ddl/definitions.h"
#include "parse/parse.h"

namespace blueshift::ddl {
namespace {

bool ownedBySystem(const catalog::Schema& schema) {
    return schema.oid == catalog::kPgCatalogSchema || schema.oid == catalog::kInformationSchema;
}

/// Reports a missing object: a notice with IF EXISTS, else an error.
void missing(std::string_view state, std::string text, bool if_exists, DefineContext& context) {
    Error error(state, std::move(text));
    if (!if_exists)
        throw SqlError(
            std::move(error).withHint("Check the name and the search_path, or write IF EXISTS."));
    error.sqlstate = "00000";
    error.message += ", skipping";
    context.notice("NOTICE", std::move(error));
}

/// Views that read `oid`, directly or through other views.
std::vector<catalog::Oid> dependentViews(const catalog::CatalogSnapshot& snapshot,
                                         catalog::Oid oid) {
    std::vector<catalog::Oid> found;
    std::vector<catalog::Oid> open{oid};
    while (!open.empty()) {
        const catalog::Oid at = open.back();
        open.pop_back();
        for (const auto& [id, view] : snapshot.views) {
            if (view->late_binding) continue;
            if (std::find(view->depends_on.begin(), view->depends_on.end(), at) ==
                view->depends_on.end())
                continue;
            if (std::find(found.begin(), found.end(), id) != found.end()) continue;
            found.push_back(id);
            open.push_back(id);
        }
    }
    return found;
}

void dropRelation(catalog::Oid oid, std::string_view kind, std::string_view name, bool is_view,
                  parse::DropBehavior behavior, DefineContext& context) {
    const auto snapshot = context.transaction.view();
    const auto dependents = dependentViews(*snapshot, oid);
    if (!dependents.empty() && behavior != parse::DropBehavior::kCascade)
        throw SqlError(
            Error(sqlstate::kDependentObjectsStillExist,
                  fmt::format("cannot drop {} {} because other objects depend on it", kind, name))
                .withDetail(fmt::format("view {} depends on {} {}",
                                        snapshot->views.at(dependents[0])->name, kind, name))
                .withHint("Use DROP ... CASCADE to drop the dependent objects too."));
    for (catalog::Oid view : dependents) context.transaction.dropView(view);
    if (is_view) context.transaction.dropView(oid);
    else context.transaction.dropTable(oid);
}

template <class Find>
auto findAlongPath(const parse::ObjectName& name, DefineContext& context, Find&& find) {
    const auto snapshot = context.transaction.view();
    using Found = decltype(find(*snapshot, catalog::Oid{}));
    if (!name.schema.empty()) {
        const auto* schema = snapshot->findSchema(name.schema);
        return schema == nullptr ? Found{} : find(*snapshot, schema->oid);
    }
    std::vector<std::string> path{context.bind.temporary_schema};
    path.insert(path.end(), context.bind.search_path.begin(), context.bind.search_path.end());
    for (const std::string& part : path)
        if (const auto* schema = snapshot->findSchema(part))
            if (auto found = find(*snapshot, schema->oid)) return found;
    return Found{};
}

std::string dropTablesOrViews(const parse::Drop& drop, DefineContext& context) {
    const bool is_view = drop.object != parse::ObjectKind::kTable;
    const std::string_view kind = is_view ? "view" : "table";
    for (const auto& name : drop.names) {
        const auto table =
            findAlongPath(name, context, [&](const auto& snapshot, catalog::Oid schema) {
                return snapshot.findTable(schema, name.name);
            });
        const auto view =
            findAlongPath(name, context, [&](const auto& snapshot, catalog::Oid schema) {
                return snapshot.findView(schema, name.name);
            });
        if (is_view ? table && !view : view && !table)
            throw SqlError(Error(sqlstate::kWrongObjectType,
                                 fmt::format("\"{}\" is not a {}", name.name, kind))
                               .withHint(fmt::format("Use DROP {}.", is_view ? "TABLE" : "VIEW")));
        if (is_view ? !view : !table) {
            missing(sqlstate::kUndefinedTable,
                    fmt::format("{} \"{}\" does not exist", kind, name.name), drop.if_exists,
                    context);
            continue;
        }
        const catalog::Oid oid = is_view ? view->oid : table->oid;
        requireOwner(kind, name.name, is_view ? view->owner : table->owner, context);
        if (!is_view) context.lock_table(oid);
        dropRelation(oid, kind, name.name, is_view, drop.behavior, context);
    }
    return is_view ? "DROP VIEW" : "DROP TABLE";
}

std::string dropSchemas(const parse::Drop& drop, DefineContext& context) {
    for (const auto& name : drop.names) {
        const auto snapshot = context.transaction.view();
        const catalog::Schema* schema = snapshot->findSchema(name.name);
        if (schema == nullptr) {
            missing(sqlstate::kInvalidSchemaName,
                    fmt::format("schema \"{}\" does not exist", name.name), drop.if_exists,
                    context);
            continue;
        }
        requireOwner("schema", name.name, schema->owner, context);
        if (ownedBySystem(*schema))
            throw SqlError(sqlstate::kInsufficientPrivilege,
                           fmt::format("schema \"{}\" belongs to the system", name.name));
        std::vector<catalog::Oid> tables;
        std::vector<catalog::Oid> views;
        for (const auto& [oid, table] : snapshot->tables)
            if (table->schema == schema->oid) tables.push_back(oid);
        for (const auto& [oid, view] : snapshot->views)
            if (view->schema == schema->oid) views.push_back(oid);
        if (!(tables.empty() && views.empty()) && drop.behavior != parse::DropBehavior::kCascade)
            throw SqlError(
                Error(sqlstate::kDependentObjectsStillExist,
                      fmt::format("cannot drop schema {} because other objects depend on it",
                                  name.name))
                    .withHint("Use DROP ... CASCADE to drop the dependent objects too."));
        for (catalog::Oid oid : tables)
            dropRelation(oid, "table", snapshot->tables.at(oid)->name, false, drop.behavior,
                         context);
        for (catalog::Oid oid : views)
            if (context.transaction.view()->views.contains(oid)) context.transaction.dropView(oid);
        context.transaction.dropSchema(schema->oid);
    }
    return "DROP SCHEMA";
}

} // namespace

std::string createSchema(const parse::CreateSchema& create, DefineContext& context) {
    const std::string name(create.name.name.empty() ? create.owner : create.name.name);
    const catalog::User* user = context.transaction.view()->findUser(context.user);
    if (!context.bind.superuser && (user == nullptr || !user->create_db))
        throw SqlError(
            Error(sqlstate::kInsufficientPrivilege,
                  fmt::format("permission denied for database {}", context.bind.catalog->database))
                .withHint("ALTER USER ... CREATEDB gives the right."));
    if (context.transaction.view()->findSchema(name) != nullptr) {
        Error error(sqlstate::kDuplicateSchema, fmt::format("schema \"{}\" already exists", name));
        if (!create.if_not_exists) throw SqlError(std::move(error));
        error.message += ", skipping";
        context.notice("NOTICE", std::move(error));
        return "CREATE SCHEMA";
    }
    if (name.starts_with("pg_"))
        throw SqlError(
            Error(sqlstate::kReservedName, fmt::format("unacceptable schema name \"{}\"", name))
                .withHint("The prefix \"pg_\" is reserved for system schemas."));
    context.transaction.putSchema(std::make_shared<catalog::Schema>(
        catalog::Schema{.oid = context.transaction.newOid(),
                        .name = name,
                        .owner = create.owner.empty() ? context.user : std::string(create.owner)}));
    return "CREATE SCHEMA";
}

std::string alterSchema(const parse::AlterSchema& alter, DefineContext& context) {
    const auto snapshot = context.transaction.view();
    const catalog::Schema* found = snapshot->findSchema(alter.name.name);
    if (found == nullptr)
        throw SqlError(sqlstate::kInvalidSchemaName,
                       fmt::format("schema \"{}\" does not exist", alter.name.name));
    requireOwner("schema", found->name, found->owner, context);
    auto schema = std::make_shared<catalog::Schema>(*found);
    if (alter.alter == parse::AlterKind::kRename) {
        if (snapshot->findSchema(alter.value) != nullptr)
            throw SqlError(sqlstate::kDuplicateSchema,
                           fmt::format("schema \"{}\" already exists", alter.value));
        schema->name = alter.value;
    } else if (alter.alter == parse::AlterKind::kOwner) {
        schema->owner = alter.value;
    } else {
        BS_NOT_YET("ALTER SCHEMA QUOTA");
    }
    context.transaction.putSchema(std::move(schema));
    return "ALTER SCHEMA";
}

std::string createView(const parse::CreateView& create, DefineContext& context) {
    const catalog::Oid schema = targetSchema(create.name, context);
    const auto snapshot = context.transaction.view();
    if (snapshot->findTable(schema, create.name.name))
        throw SqlError(sqlstate::kWrongObjectType,
                       fmt::format("\"{}\" is not a view", create.name.name));
    const auto existing = snapshot->findView(schema, create.name.name);
    if (existing && !create.or_replace)
        throw SqlError(Error(sqlstate::kDuplicateTable,
                             fmt::format("relation \"{}\" already exists", create.name.name))
                           .withHint("Use CREATE OR REPLACE VIEW."));
    catalog::View view{.oid = existing ? existing->oid : context.transaction.newOid(),
                       .schema = schema,
                       .name = std::string(create.name.name),
                       .owner = context.user,
                       .query = std::string(create.query_text),
                       .late_binding = create.late_binding};
    for (const std::string& part : context.bind.search_path)
        view.search_path += (view.search_path.empty() ? "" : ", ") + part;
    view.definition =
        fmt::format("create view {} as {}", parse::quoteName(create.name.name), create.query_text);
    if (!create.late_binding) {
        const bind::QueryPlan plan = bind::bindQuery(*create.query, context.bind);
        for (u32 i = 0; i < plan.columns.size(); ++i)
            view.columns.push_back({std::string(i < create.columns.size() ? create.columns[i].name
                                                                          : plan.columns[i].name),
                                    plan.columns[i].type});
        view.depends_on.assign(plan.objects.begin(), plan.objects.end());
    } else {
        view.definition += " with no schema binding";
    }
    context.transaction.putView(std::make_shared<catalog::View>(std::move(view)));
    return "CREATE VIEW";
}

std::string comment(const parse::Comment& comment, DefineContext& context) {
    const std::string text(comment.to_null ? std::string_view() : comment.comment);
    switch (comment.object) {
    case parse::ObjectKind::kTable:
    case parse::ObjectKind::kColumn: {
        auto table =
            std::make_shared<catalog::Table>(*bind::resolveTable(comment.name, context.bind));
        requireOwner("relation", table->name, table->owner, context);
        if (comment.object == parse::ObjectKind::kTable) {
            table->comment = text;
        } else {
            const auto* column = table->findColumn(comment.part);
            if (column == nullptr)
                throw SqlError(sqlstate::kUndefinedColumn,
                               fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                           comment.part, table->name));
            for (auto& target : table->columns)
                if (target.id == column->id) target.comment = text;
        }
        context.transaction.putTable(std::move(table));
        break;
    }
    case parse::ObjectKind::kView: {
        const auto found =
            findAlongPath(comment.name, context, [&](const auto& snapshot, catalog::Oid schema) {
                return snapshot.findView(schema, comment.name.name);
            });
        if (!found)
            throw SqlError(sqlstate::kUndefinedTable,
                           fmt::format("view \"{}\" does not exist", comment.name.name));
        auto view = std::make_shared<catalog::View>(*found);
        view->comment = text;
        context.transaction.putView(std::move(view));
        break;
    }
    case parse::ObjectKind::kSchema: {
        const auto snapshot = context.transaction.view();
        const auto* found = snapshot->findSchema(comment.name.name);
        if (found == nullptr)
            throw SqlError(sqlstate::kInvalidSchemaName,
                           fmt::format("schema \"{}\" does not exist", comment.name.name));
        auto schema = std::make_shared<catalog::Schema>(*found);
        schema->comment = text;
        context.transaction.putSchema(std::move(schema));
        break;
    }
    default: BS_NOT_YET("COMMENT on this kind of object");
    }
    return "COMMENT";
}

std::string drop(const parse::Drop& drop, DefineContext& context) {
    switch (drop.object) {
    case parse::ObjectKind::kTable:
    case parse::ObjectKind::kView: return dropTablesOrViews(drop, context);
    case parse::ObjectKind::kSchema: return dropSchemas(drop, context);
    case parse::ObjectKind::kUser:
    case parse::ObjectKind::kGroup:
    case parse::ObjectKind::kRole: return dropUsers(drop, context);
    default: BS_NOT_YET("DROP of this kind of object");
    }
}

} // namespace blueshift::ddl
