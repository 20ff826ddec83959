// dphyp.h: enumerates the connected pairs of connected sets of a hypergraph, each pair once.
//
// Place: join_order/; knows sets of relations and edges only, not plans.
// Why so: DPhyp, Moerkotte and Neumann 2008: no pair without a joining edge is ever looked at, also
// with edges between sets, as outer joins and predicates over several relations make them.
#pragma once

#include <functional>
#include <unordered_set>
#include <vector>

#include "base/ints.h"

namespace blueshift::optimize {

/// A set of at most 64 relations.
using RelationSet = u64;

struct HyperEdge {
    RelationSet left = 0;
    RelationSet right = 0;
};

class PairEnumerator {
public:
    /// Called for each pair in an order in which the pairs that make up either set came before.
    /// Returns true when the union is a plan (conflict rules may forbid it). `stop()` ends early.
    using Emit = std::function<bool(RelationSet a, RelationSet b)>;

    PairEnumerator(u32 relations, std::vector<HyperEdge> edges, Emit emit)
        : relations_(relations), edges_(std::move(edges)), emit_(std::move(emit)) {}

    /// False when it was stopped.
    bool run();
    void stop() { stopped_ = true; }

private:
    void growSet(RelationSet set, RelationSet excluded);
    void pairSet(RelationSet set);
    void growPartner(RelationSet set, RelationSet partner, RelationSet excluded);
    RelationSet neighbours(RelationSet set, RelationSet excluded) const;
    bool connected(RelationSet a, RelationSet b) const;
    void emit(RelationSet a, RelationSet b);

    u32 relations_;
    std::vector<HyperEdge> edges_;
    Emit emit_;
    std::unordered_set<RelationSet> planned_;
    bool stopped_ = false;
};

} // namespace blueshift::optimize
