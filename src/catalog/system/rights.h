// rights.h: who may what: owners and superusers everything, others what was granted to them, to a
// role or group they belong to, or to PUBLIC.
//
// Place: the views that show only what a user may see, and has_table_privilege and its kin.
// Threads: reads one immutable snapshot.
#pragma once

#include "catalog/catalog.h"

namespace blueshift::catalog {

class Rights {
public:
    Rights(const CatalogSnapshot& snapshot, std::string_view user);

    bool superuser() const { return superuser_; }
    bool holds(const std::vector<Privilege>& privileges, std::string_view owner,
               std::string_view privilege) const;
    /// Any privilege at all, or ownership.
    bool holdsAny(const std::vector<Privilege>& privileges, std::string_view owner) const;
    bool mayUse(const Schema& schema) const;
    /// Whether the user is, directly or through others, a member of a role or group.
    bool isMember(std::string_view role_or_group) const;

private:
    bool grantedToUser(std::string_view grantee) const;

    std::string user_;
    bool superuser_ = false;
    std::vector<std::string> memberships_;
};

} // namespace blueshift::catalog
