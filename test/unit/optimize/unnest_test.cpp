// Unnesting: no dependent join, no subquery and no dangling column is left, and the joins are those
// that give the same rows.
#include <doctest/doctest.h>

#include "unit/optimize/plan_kit.h"

using namespace blueshift;
using namespace blueshift::optimize;
using namespace blueshift::optimize::test;
using bind::JoinType;
using bind::LogicalKind;
using bind::SubqueryKind;

namespace {

struct Tables {
    std::shared_ptr<catalog::Table> t =
        makeTable("t", {"a", "b", "c"}, 1000, {1000, 10, 100}, true);
    std::shared_ptr<catalog::Table> s = makeTable("s", {"x", "y", "z"}, 100000, {5000, 1000, 10});
};

/// The only join types of a plan, from the top down.
std::string joins(const bind::LogicalOp* op) {
    static constexpr std::string_view kNames[] = {"inner", "left", "right", "full",
                                                  "semi",  "anti", "mark",  "single"};
    std::string text;
    if (op->kind == LogicalKind::kJoin) {
        const auto* join = op->as<bind::JoinOp>();
        text = std::string(kNames[size_t(join->type)]) + (join->null_aware ? "? " : " ");
    }
    for (const auto* child : op->children) text += joins(child);
    return text;
}

std::string check(Kit& kit, bind::LogicalOp* root, std::vector<const Expr*> result) {
    const bind::QueryPlan& plan = kit.finish(root, result);
    const bind::QueryPlan flat = unnest(plan, kit.arena);
    CHECK(faultsOf(flat) == "");
    const PhysicalPlan physical = optimize::optimize(plan, kit.arena, nullptr, {});
    std::string faults = faultsOf(physical.root);
    for (const PhysicalOp* cte : physical.ctes) faults += faultsOf(cte);
    CHECK(faults == "");
    std::string text = joins(flat.root);
    for (const bind::Cte& cte : flat.ctes) text += "| " + joins(cte.plan);
    return text;
}

} // namespace

TEST_CASE("EXISTS and NOT EXISTS become semi and anti joins") {
    Tables tables;
    for (const bool negated : {false, true}) {
        Kit kit;
        auto* t = kit.scan(*tables.t, "t");
        auto* s = kit.scan(*tables.s, "s");
        auto* inner = kit.filter(s, kit.compare("=", kit.of(s, "x"), kit.of(t, "a")));
        const Expr* exists = kit.subquery(SubqueryKind::kExists, inner, kit.of(s, "x"));
        auto* root = kit.filter(t, negated ? kit.negate(exists) : exists);
        CHECK(check(kit, root, {kit.of(t, "a")}) == (negated ? "anti " : "semi "));
    }
}

TEST_CASE("NOT IN keeps its three values") {
    Tables tables;
    Kit kit;
    auto* t = kit.scan(*tables.t, "t");
    auto* s = kit.scan(*tables.s, "s");
    const Expr* in = kit.subquery(SubqueryKind::kCompareAny, s, kit.of(s, "x"), kit.of(t, "b"));
    CHECK(check(kit, kit.filter(t, kit.negate(in)), {kit.of(t, "a")}) == "anti? ");

    // Correlated: a plain anti join whose condition is "not false".
    Kit other;
    auto* t2 = other.scan(*tables.t, "t");
    auto* s2 = other.scan(*tables.s, "s");
    auto* inner = other.filter(s2, other.compare("=", other.of(s2, "y"), other.of(t2, "a")));
    const Expr* in2 =
        other.subquery(SubqueryKind::kCompareAny, inner, other.of(s2, "x"), other.of(t2, "b"));
    CHECK(check(other, other.filter(t2, other.negate(in2)), {other.of(t2, "a")}) == "anti ");
}

TEST_CASE("IN under OR becomes a mark join; correlated and nullable, two of them") {
    Tables tables;
    for (const bool correlated : {false, true}) {
        Kit kit;
        auto* t = kit.scan(*tables.t, "t");
        auto* s = kit.scan(*tables.s, "s");
        bind::LogicalOp* inner = s;
        if (correlated) inner = kit.filter(s, kit.compare("=", kit.of(s, "y"), kit.of(t, "a")));
        const Expr* in =
            kit.subquery(SubqueryKind::kCompareAny, inner, kit.of(s, "x"), kit.of(t, "b"));
        auto* root = kit.filter(t, kit.any({in, kit.compare("=", kit.of(t, "c"), kit.integer(1))}));
        CHECK(check(kit, root, {kit.of(t, "a")}) == (correlated ? "mark mark " : "mark? "));
    }
}

TEST_CASE("a scalar aggregate is grouped by its correlation and joined from the left") {
    Tables tables;
    for (const std::string_view function : {"count", "min"}) {
        Kit kit;
        auto* t = kit.scan(*tables.t, "t");
        auto* s = kit.scan(*tables.s, "s");
        auto* inner = kit.filter(s, kit.compare("=", kit.of(s, "x"), kit.of(t, "a")));
        auto* group = kit.aggregate(inner, {}, function, kit.of(s, "z"));
        const Expr* value = kit.column(group->aggregates[0].column);
        const Expr* scalar = kit.subquery(SubqueryKind::kScalar, group, value);
        auto* map = kit.op<bind::MapOp>(LogicalKind::kMap, {t});
        const bind::OutputColumn result = kit.newColumn("v", scalar->type, true);
        map->items = List<bind::MapItem>(kit.arena, {bind::MapItem{result, scalar}});
        CHECK(check(kit, map, {kit.of(t, "a"), kit.column(result)}) == "left ");
        const bind::QueryPlan flat = unnest(kit.plan, kit.arena);
        // COUNT over no rows is 0: a COALESCE brings it back.
        bool restored = false;
        for (const auto* op = flat.root; op->kind == LogicalKind::kMap; op = op->children[0])
            for (const auto& item : op->as<bind::MapOp>()->items)
                restored |= item.expr->kind == ExprKind::kCoalesce;
        CHECK(restored == (function == "count"));
    }
}

TEST_CASE("what cannot be lifted is joined with the distinct outer values") {
    Tables tables;
    Kit kit;
    auto* t = kit.scan(*tables.t, "t");
    auto* s = kit.scan(*tables.s, "s");
    // (SELECT count(z) FROM s WHERE s.x < t.b): no equality to group by.
    auto* inner = kit.filter(s, kit.compare("<", kit.of(s, "x"), kit.of(t, "b")));
    auto* group = kit.aggregate(inner, {}, "count", kit.of(s, "z"));
    const Expr* scalar =
        kit.subquery(SubqueryKind::kScalar, group, kit.column(group->aggregates[0].column));
    auto* root =
        kit.filter(t, kit.compare(">", scalar, kit.column({.id = 0, .type = SqlType::bigInt()})));
    (void)root;
    auto* map = kit.op<bind::MapOp>(LogicalKind::kMap, {t});
    const bind::OutputColumn result = kit.newColumn("v", scalar->type, true);
    map->items = List<bind::MapItem>(kit.arena, {bind::MapItem{result, scalar}});
    const std::string made = check(kit, map, {kit.of(t, "a"), kit.column(result)});
    CHECK(made.find("left left inner") != std::string::npos);
}

TEST_CASE("correlated LIMIT, windows, DISTINCT, UNION ALL, outer joins, and two levels") {
    Tables tables;
    for (const int form : {0, 1, 2, 3, 4, 5, 6}) {
        CAPTURE(form);
        Kit kit;
        auto* t = kit.scan(*tables.t, "t");
        auto* s = kit.scan(*tables.s, "s");
        const Expr* correlation =
            kit.compare(form % 2 == 0 ? "=" : "<", kit.of(s, "x"), kit.of(t, "b"));
        bind::LogicalOp* inner = kit.filter(s, correlation);
        const Expr* output = kit.of(s, "y");
        if (form <= 1) {
            auto* sort = kit.op<bind::SortOp>(LogicalKind::kSort, {inner});
            sort->keys =
                List<bind::SortKey>(kit.arena, {bind::SortKey{kit.of(s, "z"), true, false}});
            auto* limit = kit.op<bind::LimitOp>(LogicalKind::kLimit, {sort});
            limit->limit = 1;
            inner = limit;
        } else if (form <= 3) {
            auto* distinct = kit.op<bind::DistinctOp>(LogicalKind::kDistinct, {inner});
            distinct->columns = List<ColumnId>(kit.arena, {output->as<ColumnExpr>()->id});
            inner = distinct;
        } else if (form == 4) {
            auto* other = kit.scan(*tables.s, "s2");
            auto* second = kit.filter(other, kit.compare("=", kit.of(other, "z"), kit.of(t, "b")));
            auto* all = kit.op<bind::UnionOp>(LogicalKind::kUnion, {inner, second});
            all->columns =
                List<bind::OutputColumn>(kit.arena, {kit.newColumn("u", SqlType::integer(), true)});
            all->inputs = List<List<ColumnId>>(kit.arena);
            all->inputs.push(List<ColumnId>(kit.arena, {output->as<ColumnExpr>()->id}));
            all->inputs.push(List<ColumnId>(kit.arena, {kit.of(other, "y")->as<ColumnExpr>()->id}));
            output = kit.column(all->columns[0]);
            inner = all;
        } else if (form == 5) {
            auto* other = kit.scan(*tables.t, "t2");
            inner = kit.join(JoinType::kLeft, other, inner,
                             kit.compare("=", kit.of(other, "a"), kit.of(s, "y")));
        } else {
            auto* deepest = kit.scan(*tables.s, "s3");
            auto* both = kit.filter(
                deepest, kit.all({kit.compare("=", kit.of(deepest, "x"), kit.of(s, "y")),
                                  kit.compare("<", kit.of(deepest, "z"), kit.of(t, "c"))}));
            auto* count = kit.aggregate(both, {}, "count", kit.of(deepest, "y"));
            const Expr* value =
                kit.subquery(SubqueryKind::kScalar, count, kit.column(count->aggregates[0].column));
            auto* map = kit.op<bind::MapOp>(LogicalKind::kMap, {inner});
            const bind::OutputColumn deep = kit.newColumn("deep", SqlType::bigInt(), true);
            map->items = List<bind::MapItem>(kit.arena, {bind::MapItem{deep, value}});
            output = kit.column(deep);
            inner = map;
        }
        const Expr* scalar = kit.subquery(SubqueryKind::kScalar, inner, output);
        auto* map = kit.op<bind::MapOp>(LogicalKind::kMap, {t});
        const bind::OutputColumn result = kit.newColumn("v", scalar->type, true);
        map->items = List<bind::MapItem>(kit.arena, {bind::MapItem{result, scalar}});
        const std::string made = check(kit, map, {kit.of(t, "a"), kit.column(result)});
        // Only LIMIT 1 proves a single row.
        CHECK(made.starts_with(form <= 1 ? "left" : "single"));
    }
}
