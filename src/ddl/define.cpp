#include "ddl/define.h"

#include <fmt/format.h>

#include "ddl/definitions.h"
#include "parse/parse.h"

namespace blueshift::ddl {
namespace {

/// 42501 unless the user may create objects in the schema; everybody may in public.
void requireCreate(const catalog::Schema& schema, DefineContext& context) {
    if (context.bind.superuser || schema.owner == context.user || schema.temporary) return;
    if (schema.oid == catalog::kPublicSchema) return;
    const catalog::User* user = context.transaction.view()->findUser(context.user);
    for (const auto& privilege : schema.privileges) {
        if (privilege.name != "create") continue;
        if (privilege.grantee == "public" || privilege.grantee == context.user) return;
        if (user == nullptr) continue;
        for (const std::string& group : user->member_of)
            if (privilege.grantee == "role " + group || privilege.grantee == "group " + group)
                return;
    }
    throw SqlError(
        Error(sqlstate::kInsufficientPrivilege,
              fmt::format("permission denied for schema {}", schema.name))
            .withHint(fmt::format("GRANT CREATE ON SCHEMA {} gives the right.", schema.name)));
}

} // namespace

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
        requireCreate(*schema, context);
        return schema->oid;
    }
    for (const std::string& path : context.bind.search_path)
        if (const catalog::Schema* schema = view->findSchema(path)) {
            requireCreate(*schema, context);
            return schema->oid;
        }
    throw SqlError(Error(sqlstate::kInvalidSchemaName, "no schema has been selected to create in")
                       .withHint("Set search_path or name the schema."));
}

void requireOwner(std::string_view kind, std::string_view name, std::string_view owner,
                  DefineContext& context) {
    if (context.bind.superuser || owner == context.user) return;
    throw SqlError(sqlstate::kInsufficientPrivilege,
                   fmt::format("must be owner of {} {}", kind, name));
}

void requireSuperuser(std::string_view action, DefineContext& context) {
    if (context.bind.superuser) return;
    throw SqlError(sqlstate::kInsufficientPrivilege,
                   fmt::format("must be superuser to {}", action));
}

std::string define(const parse::Statement& statement, DefineContext& context) {
    using parse::StatementKind;
    switch (statement.kind) {
    case StatementKind::kCreateTable:
        return createTable(*statement.as<parse::CreateTable>(), context);
    case StatementKind::kAlterTable: return alterTable(*statement.as<parse::AlterTable>(), context);
    case StatementKind::kTruncate: return truncate(*statement.as<parse::Truncate>(), context);
    case StatementKind::kCreateView: return createView(*statement.as<parse::CreateView>(), context);
    case StatementKind::kCreateSchema:
        return createSchema(*statement.as<parse::CreateSchema>(), context);
    case StatementKind::kAlterSchema:
        return alterSchema(*statement.as<parse::AlterSchema>(), context);
    case StatementKind::kDrop: return drop(*statement.as<parse::Drop>(), context);
    case StatementKind::kComment: return comment(*statement.as<parse::Comment>(), context);
    case StatementKind::kCreateUser: return createUser(*statement.as<parse::CreateUser>(), context);
    case StatementKind::kAlterUser: return alterUser(*statement.as<parse::AlterUser>(), context);
    case StatementKind::kCreateGroup:
        return createGroup(*statement.as<parse::CreateGroup>(), context);
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

} // namespace blueshift::ddl
