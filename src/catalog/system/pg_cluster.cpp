// Catalogs of the whole cluster: databases, users, groups, roles, settings, sessions.
#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"
#include "functions/function.h"

namespace blueshift::catalog {
namespace {

constexpr i32 kUtf8 = 6;
constexpr Oid kDefaultTablespace = 1663;
constexpr std::string_view kHidden = "********";

void pgDatabase(const CatalogReader& reader, RowWriter& out) {
    out.row(kDatabaseOid, reader.database(), kAdminUser, kUtf8, false, true, 16383, 0, 0,
            kDefaultTablespace, std::nullopt, std::nullopt, "C", "C", -1, 'c', std::nullopt,
            std::nullopt);
}

void pgDatabaseInfo(const CatalogReader& reader, RowWriter& out) {
    out.row(kDatabaseOid, reader.database(), kAdminUser, kUtf8, false, true, 16383, 0, 0,
            kDefaultTablespace, std::nullopt, std::nullopt, kDatabaseOid, "UNLIMITED");
}

bool isLogin(const User& user) {
    return !user.is_role && !user.is_group;
}

std::optional<std::string_view> validUntil(const User& user) {
    if (user.valid_until.empty()) return {};
    return std::string_view(user.valid_until);
}

void pgUser(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        if (isLogin(*user))
            out.row(name, user->oid, user->create_db, user->superuser, user->superuser, kHidden,
                    validUntil(*user), std::nullopt);
}

void pgUserInfo(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users) {
        if (!isLogin(*user) || (!reader.superuser() && name != reader.user())) continue;
        out.row(name, user->oid, user->create_db, user->superuser, user->superuser, kHidden,
                validUntil(*user), std::nullopt,
                user->connection_limit < 0 ? "UNLIMITED" : std::to_string(user->connection_limit));
    }
}

void pgGroup(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, group] : reader.snapshot().users) {
        if (!group->is_group) continue;
        std::vector<i64> members;
        for (const auto& [member, user] : reader.snapshot().users)
            for (const std::string& of : user->member_of)
                if (of == name) members.push_back(user->oid);
        out.row(name, group->oid, arrayOf(members));
    }
}

void pgRoles(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        out.row(user->oid, name, user->superuser, true, user->superuser, user->create_db,
                user->superuser, isLogin(*user), user->connection_limit, kHidden, validUntil(*user),
                std::nullopt, false, user->superuser);
}

void pgAuthMembers(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [name, user] : reader.snapshot().users)
        for (const std::string& of : user->member_of)
            if (const User* role = reader.snapshot().findUser(of))
                out.row(role->oid, user->oid, kAdminUser, false);
}

/// Settings of the session; without a server, what drivers cannot do without.
void pgSettings(const CatalogReader& reader, RowWriter& out) {
    const auto write = [&](std::string_view name, std::string_view value,
                           std::string_view description) {
        out.row(name, value, std::nullopt, "Settings", description, std::nullopt, "user", "string",
                "session", std::nullopt, std::nullopt, std::nullopt, value, value, std::nullopt,
                std::nullopt, false);
    };
    bool has_index_keys = false;
    if (reader.server() != nullptr && reader.session() != nullptr)
        for (const SettingFacts& setting :
             reader.server()->settings(reader.session()->process_id)) {
            write(setting.name, setting.value, setting.description);
            has_index_keys |= setting.name == "max_index_keys";
        }
    if (!has_index_keys) write("max_index_keys", "32", "Most columns of a key.");
}

bool maySeeSession(const CatalogReader& reader, const SessionRow& session) {
    return reader.superuser() || session.user == reader.user();
}

void pgStatActivity(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() == nullptr) return;
    for (const SessionRow& session : reader.server()->sessions()) {
        const bool visible = maySeeSession(reader, session);
        const bool busy = !session.current_query.empty();
        const std::string_view query = !visible ? "<insufficient privilege>"
                                       : busy   ? std::string_view(session.current_query)
                                                : "<IDLE>";
        const auto time = [](i64 micros) {
            return micros == 0 ? std::nullopt : std::optional(micros);
        };
        out.row(kDatabaseOid, session.database, session.process_id, session.user_id, session.user,
                query, time(session.query_start), session.process_id, session.application_name,
                session.remote_host, time(session.start_time), time(session.transaction_start),
                busy                          ? "active"
                : session.transaction_id != 0 ? "idle in transaction"
                                              : "idle",
                query, session.transaction_id, "client backend");
    }
}

void pgLocks(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() == nullptr) return;
    for (const SessionRow& session : reader.server()->sessions())
        if (session.transaction_id != 0 && maySeeSession(reader, session))
            out.row("transactionid", kDatabaseOid, std::nullopt, session.transaction_id,
                    session.process_id, "ExclusiveLock", true);
}

void pgTablespace(const CatalogReader&, RowWriter& out) {
    out.row(kDefaultTablespace, "pg_default", kAdminUser, "", std::nullopt, std::nullopt);
    out.row(1664, "pg_global", kAdminUser, "", std::nullopt, std::nullopt);
}

constexpr std::string_view kUserColumns =
    "usename name, usesysid i4, usecreatedb b, usesuper b, usecatupd b, passwd t, valuntil t, "
    "useconfig t[]";
constexpr std::string_view kDatabaseColumns =
    "oid oid, datname name, datdba i4, encoding i4, datistemplate b, datallowconn b, "
    "datlastsysoid oid, datvacuumxid xid, datfrozenxid xid, dattablespace oid, datconfig t[], "
    "datacl t[]";

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "pg_database", kDatabaseColumns, pgDatabase, Audience::kEveryone, 1262,
     "datcollate t, datctype t, datconnlimit i4, datlocprovider char, daticulocale t, "
     "datcollversion t"},
    {"pg_catalog", "pg_database_info", kDatabaseColumns, pgDatabaseInfo, Audience::kEveryone, 0,
     "datid oid, datconnlimit t"},
    {"pg_catalog", "pg_user", kUserColumns, pgUser},
    {"pg_catalog", "pg_shadow", kUserColumns, pgUser, Audience::kSuperusers, 1260},
    {"pg_catalog", "pg_user_info", kUserColumns, pgUserInfo, Audience::kEveryone, 0,
     "useconnlimit t"},
    {"pg_catalog", "pg_group", "groname name, grosysid i4, grolist t[]", pgGroup,
     Audience::kEveryone, 1261},
    {"pg_catalog", "pg_roles",
     "oid oid, rolname name, rolsuper b, rolinherit b, rolcreaterole b, rolcreatedb b, "
     "rolcatupdate b, rolcanlogin b, rolconnlimit i4, rolpassword t, rolvaliduntil t, "
     "rolconfig t[], rolreplication b, rolbypassrls b",
     pgRoles},
    {"pg_catalog", "pg_auth_members", "roleid oid, member oid, grantor oid, admin_option b",
     pgAuthMembers},
    {"pg_catalog", "pg_settings",
     "name t, setting t, unit t, category t, short_desc t, extra_desc t, context t, vartype t, "
     "source t, min_val t, max_val t, enumvals t[], boot_val t, reset_val t, sourcefile t, "
     "sourceline i4, pending_restart b",
     pgSettings},
    {"pg_catalog", "pg_stat_activity",
     "datid oid, datname name, procpid i4, usesysid i4, usename name, current_query t, "
     "query_start tstz, pid i4, application_name t, client_addr t, backend_start tstz, "
     "xact_start tstz, state t, query t, backend_xid i8, backend_type t",
     pgStatActivity},
    {"pg_catalog", "pg_locks",
     "locktype t, database oid, relation oid, transaction i8, pid i4, mode t, granted b", pgLocks},
    {"pg_catalog", "pg_tablespace",
     "oid oid, spcname name, spcowner i4, spclocation t, spcacl t[], spcoptions t[]", pgTablespace,
     Audience::kEveryone, 1213},
};

} // namespace

void addClusterViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
