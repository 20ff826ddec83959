// SVV views of users, roles and what was granted to them.
#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

struct Grantee {
    std::string_view name;
    std::string_view type;
    Oid id = 0;
};

Grantee granteeOf(const CatalogReader& reader, const Privilege& privilege) {
    Grantee grantee{privilege.grantee, "user"};
    if (grantee.name == "public") return {"public", "public", 0};
    for (std::string_view prefix : {"role", "group"})
        if (grantee.name.starts_with(prefix) && grantee.name.size() > prefix.size() &&
            grantee.name[prefix.size()] == ' ')
            grantee = {grantee.name.substr(prefix.size() + 1), prefix};
    grantee.id = reader.userId(grantee.name);
    return grantee;
}

bool maySee(const CatalogReader& reader, std::string_view owner, const Grantee& grantee) {
    return reader.superuser() || owner == reader.user() || grantee.name == reader.user() ||
           grantee.type == "public" || reader.rights().isMember(grantee.name);
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
    return result;
}

void relationPrivileges(const CatalogReader& reader, RowWriter& out) {
    reader.accessible(
        [&](const RelationRow& relation) {
            const auto& privileges =
                relation.table != nullptr ? relation.table->privileges : relation.view->privileges;
            for (const Privilege& privilege : privileges) {
                const Grantee grantee = granteeOf(reader, privilege);
                if (maySee(reader, relation.owner, grantee))
                    out.row(reader.schemaName(relation.schema), relation.name,
                            upper(privilege.name), grantee.id, grantee.name, grantee.type,
                            privilege.with_grant, "TABLE", relation.owner);
            }
        },
        false);
}

void schemaPrivileges(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, schema] : reader.snapshot().schemas)
        for (const Privilege& privilege : schema->privileges) {
            const Grantee grantee = granteeOf(reader, privilege);
            if (maySee(reader, schema->owner, grantee))
                out.row(schema->name, upper(privilege.name), grantee.id, grantee.name, grantee.type,
                        privilege.with_grant, "SCHEMA");
        }
}

bool isLogin(const User& user) {
    return !user.is_role && !user.is_group;
}

void userInfo(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        if (isLogin(*user) && (reader.superuser() || name == reader.user()))
            out.row(
                name, user->oid, user->create_db, user->superuser, user->superuser,
                user->connection_limit < 0 ? "UNLIMITED" : std::to_string(user->connection_limit),
                user->superuser ? "UNRESTRICTED" : "RESTRICTED", std::nullopt,
                user->session_timeout, std::nullopt);
}

void roles(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        if (user->is_role && (reader.superuser() || reader.rights().isMember(name)))
            out.row(user->oid, name, "admin", std::nullopt);
}

void userGrants(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users) {
        if (!isLogin(*user) || (!reader.superuser() && name != reader.user())) continue;
        for (const std::string& of : user->member_of)
            if (const User* role = reader.snapshot().findUser(of); role != nullptr && role->is_role)
                out.row(user->oid, name, role->oid, of, false);
    }
}

void roleGrants(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users) {
        if (!user->is_role || (!reader.superuser() && !reader.rights().isMember(name))) continue;
        for (const std::string& of : user->member_of)
            if (const User* role = reader.snapshot().findUser(of); role != nullptr && role->is_role)
                out.row(user->oid, name, role->oid, of);
    }
}

void svlUserInfo(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        if (isLogin(*user))
            out.row(
                name, user->oid, user->create_db, user->superuser, user->superuser,
                user->connection_limit < 0 ? "UNLIMITED" : std::to_string(user->connection_limit),
                user->superuser ? "UNRESTRICTED" : "RESTRICTED", std::nullopt,
                user->session_timeout, std::nullopt);
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "svv_relation_privileges",
     "namespace_name t, relation_name t, privilege_type t, identity_id i4, identity_name t, "
     "identity_type t, admin_option b, privilege_scope t, grantor_name t",
     relationPrivileges},
    {"pg_catalog", "svv_schema_privileges",
     "namespace_name t, privilege_type t, identity_id i4, identity_name t, identity_type t, "
     "admin_option b, privilege_scope t",
     schemaPrivileges},
    {"pg_catalog", "svv_database_privileges",
     "database_name t, privilege_type t, identity_id i4, identity_name t, identity_type t, "
     "admin_option b, privilege_scope t"},
    {"pg_catalog", "svv_function_privileges",
     "namespace_name t, function_name t, argument_types t, privilege_type t, identity_id i4, "
     "identity_name t, identity_type t, admin_option b"},
    {"pg_catalog", "svv_column_privileges",
     "namespace_name t, relation_name t, column_name t, privilege_type t, identity_id i4, "
     "identity_name t, identity_type t"},
    {"pg_catalog", "svv_default_privileges",
     "schema_name t, object_type t, owner_id i4, owner_name t, owner_type t, privilege_type t, "
     "grantee_id i4, grantee_name t, grantee_type t, admin_option b"},
    {"pg_catalog", "svv_system_privileges",
     "system_privilege t, identity_id i4, identity_name t, identity_type t"},
    {"pg_catalog", "svv_user_info",
     "user_name t, user_id i4, createdb b, superuser b, catalog_update b, connection_limit t, "
     "syslog_access t, last_ddl_timestamp ts, session_timeout i4, external_user_id t",
     userInfo},
    {"pg_catalog", "svl_user_info",
     "usename name, usesysid i4, usecreatedb b, usesuper b, usecatupd b, useconnlimit t, "
     "syslogaccess t, last_ddl_ts ts, sessiontimeout i4, external_user_id t",
     svlUserInfo, Audience::kSuperusers},
    {"pg_catalog", "svv_roles", "role_id i4, role_name t, role_owner t, external_id t", roles},
    {"pg_catalog", "svv_user_grants",
     "user_id i4, user_name t, role_id i4, role_name t, admin_option b", userGrants},
    {"pg_catalog", "svv_role_grants",
     "role_id i4, role_name t, granted_role_id i4, granted_role_name t", roleGrants},
    {"pg_catalog", "svv_rls_policy",
     "poldb t, polname t, polalias t, polatts t, polqual t, polenabled b, polmodifiedby t, "
     "polmodifiedtime ts"},
    {"pg_catalog", "svv_rls_attached_policy",
     "relschema t, relname t, relkind t, polname t, grantor t, grantee t, granteekind t, is_pol_on "
     "b, "
     "is_rls_on b, rls_conjunction_type t"},
    {"pg_catalog", "svv_rls_relation",
     "datname t, relschema t, relname t, relkind t, is_rls_on b, is_rls_datashare_on b, "
     "rls_conjunction_type t"},
    {"pg_catalog", "svv_masking_policy",
     "policy_database t, policy_name t, input_columns t, policy_expression t, policy_modified_by "
     "t, "
     "policy_modified_time ts"},
};

} // namespace

void addSvvRights(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
