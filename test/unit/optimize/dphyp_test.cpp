// The pair enumerator against brute force on random small hypergraphs.
#include "optimize/join_order/dphyp.h"

#include <doctest/doctest.h>

#include <bit>
#include <functional>
#include <map>
#include <random>
#include <set>

using namespace blueshift;
using namespace blueshift::optimize;

namespace {

using Pair = std::pair<RelationSet, RelationSet>;

bool joins(const std::vector<HyperEdge>& edges, RelationSet a, RelationSet b) {
    for (const HyperEdge& edge : edges) {
        if ((edge.left & ~a) == 0 && (edge.right & ~b) == 0) return true;
        if ((edge.left & ~b) == 0 && (edge.right & ~a) == 0) return true;
    }
    return false;
}

std::set<Pair> bruteForce(u32 relations, const std::vector<HyperEdge>& edges) {
    std::map<RelationSet, bool> planned;
    std::set<Pair> pairs;
    const std::function<bool(RelationSet)> plan = [&](RelationSet set) {
        if (std::has_single_bit(set)) return true;
        if (const auto found = planned.find(set); found != planned.end()) return found->second;
        bool any = false;
        for (RelationSet a = (set - 1) & set; a != 0; a = (a - 1) & set) {
            const RelationSet b = set & ~a;
            if (a > b || !plan(a) || !plan(b) || !joins(edges, a, b)) continue;
            pairs.insert({a, b});
            any = true;
        }
        return planned[set] = any;
    };
    for (RelationSet set = 1; set < RelationSet{1} << relations; ++set) plan(set);
    return pairs;
}

} // namespace

TEST_CASE("every connected pair once, as brute force finds them") {
    std::mt19937 random(7);
    for (int round = 0; round < 400; ++round) {
        CAPTURE(round);
        const u32 relations = 2 + random() % 6;
        std::vector<HyperEdge> edges;
        const u32 count = relations - 1 + random() % 4;
        for (u32 i = 0; i < count; ++i) {
            const RelationSet all = (RelationSet{1} << relations) - 1;
            RelationSet left = RelationSet{1} << random() % relations;
            if (random() % 4 == 0) left |= RelationSet{1} << random() % relations;
            RelationSet right = RelationSet{1} << random() % relations;
            if (random() % 4 == 0) right |= RelationSet{1} << random() % relations;
            right &= all & ~left;
            if (right != 0) edges.push_back({left, right});
        }
        std::set<Pair> found;
        u32 emitted = 0;
        PairEnumerator enumerator(relations, edges, [&](RelationSet a, RelationSet b) {
            ++emitted;
            found.insert({std::min(a, b), std::max(a, b)});
            return true;
        });
        CHECK(enumerator.run());
        CHECK(found == bruteForce(relations, edges));
        CHECK(emitted == found.size());
    }
}
