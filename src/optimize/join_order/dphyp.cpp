#include "optimize/join_order/dphyp.h"

#include <bit>

namespace blueshift::optimize {

namespace {

RelationSet lowest(RelationSet set) {
    return set & (~set + 1);
}
bool within(RelationSet part, RelationSet whole) {
    return (part & ~whole) == 0;
}

template <class F> void forEachSubset(RelationSet set, F&& visit) {
    for (RelationSet part = lowest(set); part != 0; part = (part - set) & set) visit(part);
}

} // namespace

RelationSet PairEnumerator::neighbours(RelationSet set, RelationSet excluded) const {
    const RelationSet forbidden = set | excluded;
    RelationSet found = 0;
    std::vector<RelationSet> wide;
    for (const HyperEdge& edge : edges_) {
        for (const bool flip : {false, true}) {
            const RelationSet near = flip ? edge.right : edge.left;
            const RelationSet far = flip ? edge.left : edge.right;
            if (!within(near, set) || (far & forbidden) != 0) continue;
            if (std::has_single_bit(far)) found |= far;
            else wide.push_back(far);
        }
    }
    // A wide far side is represented by its lowest member, unless a member is there already.
    for (const RelationSet far : wide)
        if ((far & found) == 0) found |= lowest(far);
    return found;
}

bool PairEnumerator::connected(RelationSet a, RelationSet b) const {
    for (const HyperEdge& edge : edges_) {
        if (within(edge.left, a) && within(edge.right, b)) return true;
        if (within(edge.left, b) && within(edge.right, a)) return true;
    }
    return false;
}

void PairEnumerator::emit(RelationSet a, RelationSet b) {
    if (emit_(a, b)) planned_.insert(a | b);
}

void PairEnumerator::growPartner(RelationSet set, RelationSet partner, RelationSet excluded) {
    const RelationSet next = neighbours(partner, excluded | set);
    if (next == 0 || stopped_) return;
    forEachSubset(next, [&](RelationSet part) {
        const RelationSet grown = partner | part;
        if (!stopped_ && planned_.contains(grown) && connected(set, grown)) emit(set, grown);
    });
    forEachSubset(next, [&](RelationSet part) {
        if (!stopped_) growPartner(set, partner | part, excluded | next);
    });
}

void PairEnumerator::pairSet(RelationSet set) {
    const RelationSet below = lowest(set) - 1;
    const RelationSet excluded = set | below;
    const RelationSet next = neighbours(set, excluded);
    for (u32 i = relations_; i-- > 0 && !stopped_;) {
        const RelationSet partner = RelationSet{1} << i;
        if ((next & partner) == 0) continue;
        if (connected(set, partner)) emit(set, partner);
        growPartner(set, partner, excluded | (next & (partner - 1)));
    }
}

void PairEnumerator::growSet(RelationSet set, RelationSet excluded) {
    const RelationSet next = neighbours(set, excluded);
    if (next == 0 || stopped_) return;
    forEachSubset(next, [&](RelationSet part) {
        if (!stopped_ && planned_.contains(set | part)) pairSet(set | part);
    });
    forEachSubset(next, [&](RelationSet part) {
        if (!stopped_) growSet(set | part, excluded | next);
    });
}

bool PairEnumerator::run() {
    for (u32 i = 0; i < relations_; ++i) planned_.insert(RelationSet{1} << i);
    for (u32 i = relations_; i-- > 0 && !stopped_;) {
        const RelationSet single = RelationSet{1} << i;
        pairSet(single);
        growSet(single, single | (single - 1));
    }
    return !stopped_;
}

} // namespace blueshift::optimize
