// Users, groups, roles, and rights.
#include <fmt/format.h>

#include <algorithm>

#include "ddl/definitions.h"

namespace blueshift::ddl {
namespace {

std::shared_ptr<catalog::User> copyOfUser(std::string_view name, DefineContext& context) {
    const catalog::User* found = context.transaction.view()->findUser(name);
    if (found == nullptr)
        throw SqlError(
            Error(sqlstate::kUndefinedObject, fmt::format("user \"{}\" does not exist", name))
                .withHint("SELECT usename FROM pg_user lists the users; CREATE USER makes one."));
    return std::make_shared<catalog::User>(*found);
}

void requireFreeName(std::string_view name, std::string_view kind, DefineContext& context) {
    if (context.transaction.view()->findUser(name) != nullptr)
        throw SqlError(sqlstate::kDuplicateObject,
                       fmt::format("{} \"{}\" already exists", kind, name));
}

void setPassword(catalog::User& user, const parse::UserOptions& options, DefineContext& context) {
    if (options.password_kind == parse::PasswordKind::kDisabled) {
        user.scram_verifier = user.md5_verifier = user.digest_verifier = "";
        return;
    }
    if (options.password_kind != parse::PasswordKind::kText) return;
    const std::string password(options.password);
    const bool is_md5 = password.size() == 35 && password.starts_with("md5");
    if (is_md5 || password.starts_with("sha256|") || password.starts_with("SCRAM-SHA-256$")) {
        user.scram_verifier = password.starts_with("SCRAM") ? password : "";
        user.md5_verifier = is_md5 ? password : "";
        user.digest_verifier = password.starts_with("sha256|") ? password : "";
        const bool scram = !user.scram_verifier.empty();
        context.notice(
            "NOTICE",
            Error("00000", fmt::format("user \"{}\" can log in with {} only", user.name,
                                       scram ? "PostgreSQL's clients" : "Redshift's drivers"))
                .withHint("Give the password itself, from which all forms are made."));
        return;
    }
    if (password.size() < 8 || password.size() > 64)
        throw SqlError(
            Error(sqlstate::kInvalidParameterValue, "the password must have 8 to 64 characters")
                .withHint("Choose a longer password."));
    PasswordForms forms = context.verifiers(user.name, password);
    user.scram_verifier = std::move(forms.scram);
    user.md5_verifier = std::move(forms.md5);
    user.digest_verifier = std::move(forms.digest);
}

void applyOptions(catalog::User& user, const parse::UserOptions& options, DefineContext& context) {
    setPassword(user, options, context);
    if (options.create_user != parse::Tristate::kUnspecified)
        user.superuser = options.create_user == parse::Tristate::kYes;
    if (options.create_database != parse::Tristate::kUnspecified)
        user.create_db = options.create_database == parse::Tristate::kYes;
    if (!options.valid_until.empty()) user.valid_until = options.valid_until;
    if (options.connection_limit != parse::kNoLimitGiven)
        user.connection_limit = i32(options.connection_limit);
    if (options.session_timeout_seconds != 0)
        user.session_timeout = i32(options.session_timeout_seconds);
    for (const auto& group : options.groups) {
        copyOfUser(group.name, context);
        user.member_of.emplace_back(group.name);
    }
}

std::string granteeName(const parse::Grantee& grantee, DefineContext& context) {
    if (grantee.kind == parse::GranteeKind::kPublic) return "public";
    copyOfUser(grantee.name, context);
    switch (grantee.kind) {
    case parse::GranteeKind::kRole: return fmt::format("role {}", grantee.name);
    case parse::GranteeKind::kGroup: return fmt::format("group {}", grantee.name);
    default: return std::string(grantee.name);
    }
}

/// Adds or removes privileges in a list.
void change(std::vector<catalog::Privilege>& list, const parse::Grant& grant,
            std::span<const std::string_view> all, DefineContext& context) {
    for (const auto& grantee : grant.grantees) {
        const std::string name = granteeName(grantee, context);
        const auto apply = [&](std::string_view privilege) {
            const auto same = [&](const catalog::Privilege& p) {
                return p.grantee == name && p.name == privilege;
            };
            std::erase_if(list, same);
            if (!grant.revoke) list.push_back({name, std::string(privilege), grantee.with_option});
        };
        if (grant.all_privileges)
            for (std::string_view privilege : all) apply(privilege);
        for (const auto& privilege : grant.privileges) {
            if (std::find(all.begin(), all.end(), privilege.name) == all.end())
                throw SqlError(
                    Error(sqlstate::kInvalidParameterValue,
                          fmt::format("privilege {} does not apply to this kind of object",
                                      privilege.name))
                        .withHint(
                            fmt::format("Its privileges are {} and all.", fmt::join(all, ", "))));
            if (!privilege.columns.empty()) BS_NOT_YET("GRANT of column privileges");
            apply(privilege.name);
        }
    }
}

constexpr std::string_view kTablePrivileges[] = {"select",     "insert", "update",   "delete",
                                                 "references", "drop",   "truncate", "alter"};
constexpr std::string_view kSchemaPrivileges[] = {"usage", "create", "drop", "alter"};

void grantOnTable(const parse::ObjectName& name, const parse::Grant& grant,
                  DefineContext& context) {
    const auto snapshot = context.transaction.view();
    const auto tryView = [&](catalog::Oid schema) {
        const auto found = snapshot->findView(schema, name.name);
        if (!found) return false;
        auto view = std::make_shared<catalog::View>(*found);
        requireOwner("view", view->name, view->owner, context);
        change(view->privileges, grant, kTablePrivileges, context);
        context.transaction.putView(std::move(view));
        return true;
    };
    if (!name.schema.empty()) {
        if (const auto* schema = snapshot->findSchema(name.schema); schema && tryView(schema->oid))
            return;
    } else {
        for (const std::string& part : context.bind.search_path)
            if (const auto* schema = snapshot->findSchema(part); schema && tryView(schema->oid))
                return;
    }
    auto table = std::make_shared<catalog::Table>(*bind::resolveTable(name, context.bind));
    requireOwner("relation", table->name, table->owner, context);
    change(table->privileges, grant, kTablePrivileges, context);
    context.transaction.putTable(std::move(table));
}

} // namespace

std::string createUser(const parse::CreateUser& create, DefineContext& context) {
    requireSuperuser("create users", context);
    requireFreeName(create.name, "user", context);
    auto user = std::make_shared<catalog::User>();
    user->oid = context.transaction.newOid();
    user->name = create.name;
    applyOptions(*user, create.options, context);
    context.transaction.putUser(std::move(user));
    return "CREATE USER";
}

std::string alterUser(const parse::AlterUser& alter, DefineContext& context) {
    auto user = copyOfUser(alter.name, context);
    const bool only_own_password = alter.name == context.user && alter.new_name.empty() &&
                                   alter.options.create_user == parse::Tristate::kUnspecified &&
                                   alter.options.create_database == parse::Tristate::kUnspecified;
    if (!only_own_password) requireSuperuser("alter other users", context);
    if (alter.set != nullptr || alter.reset != nullptr) BS_NOT_YET("ALTER USER SET");
    if (alter.reset_session_timeout) user->session_timeout = 0;
    if (!alter.new_name.empty()) {
        requireFreeName(alter.new_name, "user", context);
        context.transaction.dropUser(user->name);
        user->name = alter.new_name;
        // The MD5 verifier contains the name.
        user->md5_verifier.clear();
    }
    applyOptions(*user, alter.options, context);
    context.transaction.putUser(std::move(user));
    return "ALTER USER";
}

std::string createGroup(const parse::CreateGroup& create, DefineContext& context) {
    requireSuperuser("create groups", context);
    requireFreeName(create.name, "group", context);
    auto group = std::make_shared<catalog::User>();
    group->oid = context.transaction.newOid();
    group->name = create.name;
    group->is_group = true;
    context.transaction.putUser(group);
    for (const auto& member : create.users) {
        auto user = copyOfUser(member.name, context);
        user->member_of.push_back(group->name);
        context.transaction.putUser(std::move(user));
    }
    return "CREATE GROUP";
}

std::string alterGroup(const parse::AlterGroup& alter, DefineContext& context) {
    requireSuperuser("alter groups", context);
    auto group = copyOfUser(alter.name, context);
    if (alter.action == parse::AlterGroupAction::kRename) BS_NOT_YET("ALTER GROUP RENAME");
    for (const auto& member : alter.users) {
        auto user = copyOfUser(member.name, context);
        std::erase(user->member_of, group->name);
        if (alter.action == parse::AlterGroupAction::kAddUsers)
            user->member_of.push_back(group->name);
        context.transaction.putUser(std::move(user));
    }
    return "ALTER GROUP";
}

std::string createRole(const parse::CreateRole& create, DefineContext& context) {
    requireSuperuser("create roles", context);
    requireFreeName(create.name, "role", context);
    auto role = std::make_shared<catalog::User>();
    role->oid = context.transaction.newOid();
    role->name = create.name;
    role->is_role = true;
    context.transaction.putUser(std::move(role));
    return "CREATE ROLE";
}

std::string grant(const parse::Grant& grant, DefineContext& context) {
    const auto snapshot = context.transaction.view();
    switch (grant.object) {
    case parse::ObjectKind::kTable:
        for (const auto& name : grant.names) {
            if (!grant.all_in_schema) {
                grantOnTable(name, grant, context);
                continue;
            }
            const auto* schema = snapshot->findSchema(name.name);
            if (schema == nullptr)
                throw SqlError(sqlstate::kInvalidSchemaName,
                               fmt::format("schema \"{}\" does not exist", name.name));
            for (const auto& [oid, table] : snapshot->tables)
                if (table->schema == schema->oid)
                    grantOnTable({.schema = schema->name, .name = table->name}, grant, context);
            for (const auto& [oid, view] : snapshot->views)
                if (view->schema == schema->oid)
                    grantOnTable({.schema = schema->name, .name = view->name}, grant, context);
        }
        break;
    case parse::ObjectKind::kSchema:
        for (const auto& name : grant.names) {
            const auto* found = snapshot->findSchema(name.name);
            if (found == nullptr)
                throw SqlError(sqlstate::kInvalidSchemaName,
                               fmt::format("schema \"{}\" does not exist", name.name));
            auto schema = std::make_shared<catalog::Schema>(*found);
            requireOwner("schema", schema->name, schema->owner, context);
            change(schema->privileges, grant, kSchemaPrivileges, context);
            context.transaction.putSchema(std::move(schema));
        }
        break;
    default: BS_NOT_YET("GRANT on this kind of object");
    }
    return grant.revoke ? "REVOKE" : "GRANT";
}

std::string grantRole(const parse::GrantRole& grant, DefineContext& context) {
    requireSuperuser("grant roles", context);
    for (const auto& grantee : grant.grantees) {
        auto user = copyOfUser(grantee.name, context);
        for (const auto& role : grant.roles) {
            copyOfUser(role.name, context);
            std::erase(user->member_of, std::string(role.name));
            if (!grant.revoke) user->member_of.emplace_back(role.name);
        }
        context.transaction.putUser(std::move(user));
    }
    return grant.revoke ? "REVOKE" : "GRANT";
}

std::string dropUsers(const parse::Drop& drop, DefineContext& context) {
    requireSuperuser("drop users", context);
    const std::string_view kind = drop.object == parse::ObjectKind::kUser    ? "user"
                                  : drop.object == parse::ObjectKind::kGroup ? "group"
                                                                             : "role";
    for (const auto& name : drop.names) {
        const auto snapshot = context.transaction.view();
        const catalog::User* user = snapshot->findUser(name.name);
        if (user == nullptr) {
            if (drop.if_exists) continue;
            throw SqlError(sqlstate::kUndefinedObject,
                           fmt::format("{} \"{}\" does not exist", kind, name.name));
        }
        if (name.name == context.user)
            throw SqlError(sqlstate::kObjectInUse, "current user cannot be dropped");
        for (const auto& [oid, table] : snapshot->tables)
            if (table->owner == name.name)
                throw SqlError(
                    Error(sqlstate::kDependentObjectsStillExist,
                          fmt::format(
                              "user \"{}\" cannot be dropped because some objects depend on it",
                              name.name))
                        .withDetail(fmt::format("owner of table {}", table->name))
                        .withHint("Change their owner with ALTER TABLE ... OWNER TO."));
        const auto refuse = [&](const std::vector<catalog::Privilege>& privileges,
                                std::string_view object) {
            for (const auto& privilege : privileges)
                if (privilege.grantee == name.name ||
                    privilege.grantee == fmt::format("{} {}", kind, name.name))
                    throw SqlError(
                        Error(sqlstate::kDependentObjectsStillExist,
                              fmt::format(
                                  "{} \"{}\" cannot be dropped because some objects depend on it",
                                  kind, name.name))
                            .withDetail(fmt::format("privileges on {}", object))
                            .withHint("REVOKE its privileges first."));
        };
        for (const auto& [oid, table] : snapshot->tables) refuse(table->privileges, table->name);
        for (const auto& [oid, view] : snapshot->views) refuse(view->privileges, view->name);
        for (const auto& [oid, schema] : snapshot->schemas)
            refuse(schema->privileges, schema->name);
        context.transaction.dropUser(std::string(name.name));
    }
    return kind == "user" ? "DROP USER" : kind == "group" ? "DROP GROUP" : "DROP ROLE";
}

} // namespace blueshift::ddl
