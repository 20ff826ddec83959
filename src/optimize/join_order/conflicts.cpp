#include "optimize/join_order/conflicts.h"

namespace blueshift::optimize {

using bind::JoinType;

namespace {

/// (e1 a e2) b e3 = e1 a (e2 b e3)
bool associative(const WrittenJoin& a, const WrittenJoin& b) {
    if (a.type == JoinType::kInner) return b.type != JoinType::kFull;
    if (a.type == JoinType::kLeft) return b.type == JoinType::kLeft && b.rejects_left;
    if (a.type == JoinType::kFull) {
        if (b.type == JoinType::kLeft) return b.rejects_left;
        return b.type == JoinType::kFull && a.rejects_right && b.rejects_left;
    }
    return false;
}

/// (e1 a e2) b e3 = (e1 b e3) a e2
bool leftAsscom(const WrittenJoin& a, const WrittenJoin& b) {
    if (a.type == JoinType::kFull) {
        if (b.type == JoinType::kLeft) return b.rejects_left;
        return b.type == JoinType::kFull && a.rejects_left && b.rejects_left;
    }
    if (b.type != JoinType::kFull) return true;
    return a.type == JoinType::kLeft && a.rejects_left;
}

/// e1 a (e2 b e3) = e2 b (e1 a e3)
bool rightAsscom(const WrittenJoin& a, const WrittenJoin& b) {
    if (a.type == JoinType::kInner) return b.type == JoinType::kInner;
    return a.type == JoinType::kFull && b.type == JoinType::kFull && a.rejects_right &&
           b.rejects_right;
}

} // namespace

bool Eligibility::allows(RelationSet a, RelationSet b) const {
    if ((left & ~a) != 0 || (right & ~b) != 0) return false;
    const RelationSet both = a | b;
    for (const ConflictRule& rule : rules)
        if ((rule.any & both) != 0 && (rule.all & ~both) != 0) return false;
    return true;
}

Eligibility eligibilityOf(const std::vector<WrittenJoin>& joins, u32 index, RelationSet predicate) {
    const WrittenJoin& b = joins[index];
    RelationSet eligible = predicate;
    // A condition over one side or none: nothing may be joined in between.
    if ((eligible & b.left) == 0) eligible |= b.left;
    if ((eligible & b.right) == 0) eligible |= b.right;
    std::vector<ConflictRule> rules;
    const auto rule = [&](RelationSet any, RelationSet all, RelationSet read) {
        rules.push_back({any, (all & read) != 0 ? all & read : all});
    };
    for (const u32 i : b.below_left) {
        const WrittenJoin& a = joins[i];
        if (!associative(a, b)) rule(a.right, a.left, a.predicate);
        if (!leftAsscom(a, b)) rule(a.left, a.right, a.predicate);
    }
    for (const u32 i : b.below_right) {
        const WrittenJoin& a = joins[i];
        if (!associative(b, a)) rule(a.left, a.right, a.predicate);
        if (!rightAsscom(b, a)) rule(a.right, a.left, a.predicate);
    }
    // Rules whose condition holds already only widen the set.
    for (bool changed = true; changed;) {
        changed = false;
        for (const ConflictRule& r : rules) {
            if ((r.any & eligible) == 0 || (r.all & ~eligible) == 0) continue;
            eligible |= r.all;
            changed = true;
        }
    }
    std::erase_if(rules, [&](const ConflictRule& r) { return (r.any & eligible) != 0; });
    return {.left = eligible & b.left, .right = eligible & b.right, .rules = std::move(rules)};
}

} // namespace blueshift::optimize
