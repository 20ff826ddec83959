#include "catalog/system/rights.h"

#include <algorithm>

namespace blueshift::catalog {

Rights::Rights(const CatalogSnapshot& snapshot, std::string_view user) : user_(user) {
    const User* entry = snapshot.findUser(user);
    if (entry == nullptr) return;
    superuser_ = entry->superuser;
    memberships_ = entry->member_of;
    // Roles may be granted to roles.
    for (size_t at = 0; at < memberships_.size(); ++at) {
        const User* role = snapshot.findUser(memberships_[at]);
        if (role == nullptr) continue;
        for (const std::string& further : role->member_of)
            if (std::ranges::find(memberships_, further) == memberships_.end())
                memberships_.push_back(further);
    }
}

bool Rights::isMember(std::string_view role_or_group) const {
    return std::ranges::find(memberships_, role_or_group) != memberships_.end();
}

bool Rights::grantedToUser(std::string_view grantee) const {
    if (grantee == "public" || grantee == user_) return true;
    for (std::string_view prefix : {"role ", "group "})
        if (grantee.starts_with(prefix)) return isMember(grantee.substr(prefix.size()));
    return false;
}

bool Rights::holds(const std::vector<Privilege>& privileges, std::string_view owner,
                   std::string_view privilege) const {
    if (superuser_ || owner == user_) return true;
    return std::ranges::any_of(privileges, [&](const Privilege& entry) {
        return (entry.name == privilege || entry.name == "all") && grantedToUser(entry.grantee);
    });
}

bool Rights::holdsAny(const std::vector<Privilege>& privileges, std::string_view owner) const {
    if (superuser_ || owner == user_) return true;
    return std::ranges::any_of(
        privileges, [&](const Privilege& entry) { return grantedToUser(entry.grantee); });
}

bool Rights::mayUse(const Schema& schema) const {
    if (schema.name == "pg_catalog" || schema.name == "information_schema" || schema.temporary)
        return true;
    return holds(schema.privileges, schema.owner, "usage");
}

} // namespace blueshift::catalog
