// Rights on schemas, tables and views: owners and superusers may everything, others what was
// granted to them, to a role or group they belong to, or to PUBLIC.
#include <algorithm>
#include <set>

#include "bind/binder.h"

namespace blueshift::bind {

bool Binder::holds(const std::vector<catalog::Privilege>& privileges, std::string_view owner,
                   std::string_view privilege) const {
    if (superuser_ || owner == user_) return true;
    const auto granted = [&](std::string_view grantee) {
        return std::ranges::any_of(privileges, [&](const catalog::Privilege& entry) {
            return entry.grantee == grantee && (entry.name == privilege || entry.name == "all");
        });
    };
    if (granted("public") || granted(user_)) return true;
    // Roles may be granted to roles.
    std::set<std::string> seen{user_};
    std::vector<std::string> open{user_};
    while (!open.empty()) {
        const catalog::User* member = context_.catalog->findUser(open.back());
        open.pop_back();
        if (member == nullptr) continue;
        for (const std::string& name : member->member_of) {
            if (!seen.insert(name).second) continue;
            if (granted("role " + name) || granted("group " + name)) return true;
            open.push_back(name);
        }
    }
    return false;
}

bool Binder::mayUseSchema(const catalog::Schema& schema) const {
    if (schema.name == "pg_catalog" || schema.name == "information_schema") return true;
    if (!context_.temporary_schema.empty() && schema.name == context_.temporary_schema) return true;
    return holds(schema.privileges, schema.owner, "usage");
}

void Binder::require(const std::vector<catalog::Privilege>& privileges, std::string_view owner,
                     std::string_view privilege, std::string_view relation, i32 position) const {
    if (holds(privileges, owner, privilege)) return;
    std::string word(privilege);
    for (char& c : word) c = char(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    fail(sqlstate::kInsufficientPrivilege,
         "permission denied for relation " + std::string(relation), position,
         "GRANT " + word + " ON " + std::string(relation) + " gives the right.");
}

} // namespace blueshift::bind
