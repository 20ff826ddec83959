#include "ddl/define.h"

#include <fmt/format.h>

#include "ddl/definitions.h"
#include "parse/parse.h"

namespace blueshift::ddl {

catalog::Oid targetSchema(const parse::ObjectName& name, DefineContext& context) {
    const auto view = context.transaction.view();
    if (!name.schema.empty()) {
        const catalog::Schema* schema = view->findSchema(name.schema);
        if (schema == nullptr)
            throw SqlError(Error(sqlstate::kInvalidSchemaName,
                                 fmt::format("schema \"{}\" does not exist", name.schema))
                               .withHint("Create it with CREATE SCHEMA.")
                               .at(parse::characterPosition(context.bind.text, name.position)));
        if (schema->oid == catalog::kPgCatalogSchema || schema->oid == catalog::kInformationSchema)
            throw SqlError(sqlstate::kInsufficientPrivilege,
                           fmt::format("schema \"{}\" belongs to the system", name.schema));
        return schema->oid;
    }
    for (const std::string& path : context.bind.search_path)
        if (const catalog::Schema* schema = view->findSchema(path)) return schema->oid;
    throw SqlError(Error(sqlstate::kInvalidSchemaName, "no schema has been selected to create in")
                       .withHint("Set search_path or name the schema."));
}

void requireOwner(std::string_view kind, std::string_view name, std::string_view owner,
                  DefineContext& context) {
    if (context.bind.superuser || owner == context.user) return;
    throw SqlError(sqlstate::kInsufficientPrivilege, fmt::format("must be owner of {} {}", kind, name));
}

void requireSuperuser(std::string_view action, DefineContext& context) {
    if (context.bind.superuser) return;
    throw SqlError(sqlstate::kInsufficientPrivilege, fmt::format("must be superuser to {}", action));
}

std::string define(const parse::Statement& statement, DefineContext& context) {
    using parse::StatementKind;
    switch (statement.kind) {
    case StatementKind::kCreateTable: return createTable(*statement.as<parse::CreateTable>(), context);
    case StatementKind::kAlterTable: return alterTable(*statement.as<parse::AlterTable>(), context);
    case StatementKind::kTruncate: return truncate(*statement.as<parse::Truncate>(), context);
    case StatementKind::kCreateView: return createView(*statement.as<parse::CreateView>(), context);
    case StatementKind::kCreateSchema: return createSchema(*statement.as<parse::CreateSchema>(), context);
    case StatementKind::kAlterSchema: return alterSchema(*statement.as<parse::AlterSchema>(), context);
    case StatementKind::kDrop: return drop(*statement.as<parse::Drop>(), context);
    case StatementKind::kComment: return comment(*statement.as<parse::Comment>(), context);
    case StatementKind::kCreateUser: return createUser(*statement.as<parse::CreateUser>(), context);
    case StatementKind::kAlterUser: return alterUser(*statement.as<parse::AlterUser>(), context);
    case StatementKind::kCreateGroup: return createGroup(*statement.as<parse::CreateGroup>(), context);
    case StatementKind::kAlterGroup: return alterGroup(*statement.as<parse::AlterGroup>(), context);
    case StatementKind::kCreateRole: return createRole(*statement.as<parse::CreateRole>(), context);
    case StatementKind::kGrant: return grant(*statement.as<parse::Grant>(), context);
    case StatementKind::kGrantRole: return grantRole(*statement.as<parse::GrantRole>(), context);
    case StatementKind::kCreateDatabase: BS_NOT_YET("CREATE DATABASE");
    case StatementKind::kAlterDatabase: BS_NOT_YET("ALTER DATABASE");
    case StatementKind::kAlterRole: BS_NOT_YET("ALTER ROLE");
    default: break;
    }
    BS_NOT_YET("this statement");
}

}  // namespace blueshift::ddl
