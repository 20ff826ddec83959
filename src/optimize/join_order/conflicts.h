// conflicts.h: which reorderings of inner, outer, semi and anti joins keep the result.
//
// Place: join_order/. For every join of the written plan: the relations that must lie on either
// side before it may be applied, and rules of the form "with any of these, all of those".
// Why so: conflict detector CD-C, Moerkotte, Fender, Eich 2013, tables 2 and 3.
#pragma once

#include <vector>

#include "bind/logical_plan.h"
#include "optimize/join_order/dphyp.h"

namespace blueshift::optimize {

struct ConflictRule {
    RelationSet any = 0;
    RelationSet all = 0;
};

/// A join of the written plan, children before parents.
struct WrittenJoin {
    bind::JoinType type = bind::JoinType::kInner;
    RelationSet left = 0; // relations below either child
    RelationSet right = 0;
    RelationSet predicate = 0; // relations that the condition reads
    /// The condition is not TRUE when all columns of that child are NULL.
    bool rejects_left = false;
    bool rejects_right = false;
    std::vector<u32> below_left; // indexes of all joins below either child
    std::vector<u32> below_right;
};

struct Eligibility {
    RelationSet left = 0;
    RelationSet right = 0;
    std::vector<ConflictRule> rules;

    bool allows(RelationSet a, RelationSet b) const;
};

/// For the join at `index`, with a condition that reads `predicate` (its own, or one term of it).
Eligibility eligibilityOf(const std::vector<WrittenJoin>& joins, u32 index, RelationSet predicate);

} // namespace blueshift::optimize
