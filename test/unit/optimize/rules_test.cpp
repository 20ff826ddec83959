// Rules: conditions arrive where they are tested, outer joins become inner ones only when that
// keeps the result, join filters reach only sides whose rows may go.
#include <doctest/doctest.h>

#include "unit/optimize/plan_kit.h"

using namespace blueshift;
using namespace blueshift::optimize;
using namespace blueshift::optimize::test;
using bind::JoinType;

namespace {

const PhysicalOp* findOp(const PhysicalOp* op, OpKind kind) {
    if (op->kind == kind) return op;
    for (const PhysicalOp* child : op->children)
        if (const PhysicalOp* found = findOp(child, kind)) return found;
    return nullptr;
}

} // namespace

TEST_CASE("a constant travels along an equality to both scans") {
    const auto t = makeTable("t", {"a", "b"}, 1000, {1000, 10});
    const auto s = makeTable("s", {"x", "y"}, 100000, {1000, 1000});
    Kit kit;
    auto* left = kit.scan(*t, "t");
    auto* right = kit.scan(*s, "s");
    auto* join = kit.join(JoinType::kInner, left, right,
                          kit.compare("=", kit.of(left, "a"), kit.of(right, "x")));
    auto* root = kit.filter(join, kit.compare("=", kit.of(left, "a"), kit.integer(7)));
    const PhysicalPlan plan =
        optimize::optimize(kit.finish(root, {kit.of(right, "y")}), kit.arena, nullptr, {});
    CHECK(faultsOf(plan.root) == "");
    const auto* hash = findOp(plan.root, OpKind::kHashJoin);
    REQUIRE(hash != nullptr);
    for (const PhysicalOp* side : hash->children) {
        REQUIRE(side->kind == OpKind::kTableScan);
        CHECK(side->as<TableScanOp>()->tests.size() == 1);
    }
    CHECK(hash->children[1]->as<TableScanOp>()->table == t.get()); // the smaller side builds
}

TEST_CASE("a left join becomes inner under a condition that rejects NULL rows, not otherwise") {
    const auto t = makeTable("t", {"a", "b"}, 1000, {1000, 10});
    const auto s = makeTable("s", {"x", "y"}, 100000, {1000, 1000});
    for (const bool rejects : {true, false}) {
        Kit kit;
        auto* left = kit.scan(*t, "t");
        auto* right = kit.scan(*s, "s");
        auto* join = kit.join(JoinType::kLeft, left, right,
                              kit.compare("=", kit.of(left, "a"), kit.of(right, "x")));
        const Expr* args[] = {kit.of(right, "y")};
        const Expr* predicate = rejects ? kit.compare(">", kit.of(right, "y"), kit.integer(3))
                                        : makeLogic(kit.arena, ExprKind::kIsNull, args);
        auto* root = kit.filter(join, predicate);
        const PhysicalPlan plan =
            optimize::optimize(kit.finish(root, {kit.of(left, "b")}), kit.arena, nullptr, {});
        const auto* hash = findOp(plan.root, OpKind::kHashJoin)->as<HashJoinOp>();
        CHECK((hash->output == JoinOutput::kInner) == rejects);
        CHECK((findOp(plan.root, OpKind::kFilter) == nullptr) == rejects);
        // The preserved side must not be filtered by the join.
        const auto* outer = hash->children[0]->as<TableScanOp>();
        if (!rejects && outer->table == t.get()) CHECK(outer->join_filters.empty());
    }
}

TEST_CASE("an OR gives up its common term and implies a condition on one input") {
    const auto t = makeTable("t", {"a", "b"}, 1000, {1000, 10});
    const auto s = makeTable("s", {"x", "y"}, 100000, {1000, 1000});
    Kit kit;
    auto* left = kit.scan(*t, "t");
    auto* right = kit.scan(*s, "s");
    const Expr* key = kit.compare("=", kit.of(left, "a"), kit.of(right, "x"));
    const auto arm = [&](i64 b, i64 y) {
        return kit.all({key, kit.compare("=", kit.of(left, "b"), kit.integer(b)),
                        kit.compare("=", kit.of(right, "y"), kit.integer(y))});
    };
    auto* join = kit.join(JoinType::kInner, left, right, nullptr);
    auto* root = kit.filter(join, kit.any({arm(1, 10), arm(2, 20)}));
    const PhysicalPlan plan =
        optimize::optimize(kit.finish(root, {kit.of(right, "y")}), kit.arena, nullptr, {});
    const PhysicalOp* found = findOp(plan.root, OpKind::kHashJoin);
    REQUIRE(found != nullptr); // the common equality is a hash key
    const auto* hash = found->as<HashJoinOp>();
    CHECK(hash->residual != nullptr);
    for (const PhysicalOp* side : hash->children) {
        REQUIRE(side->as<TableScanOp>()->tests.size() == 1);
        CHECK(side->as<TableScanOp>()->tests[0].op == ScanPredicate::Op::kIn);
    }
}

TEST_CASE("the selective relation is joined first and filters the large one") {
    const auto fact = makeTable("fact", {"k1", "k2", "v"}, 1000000, {1000, 100000, 1000});
    const auto small = makeTable("small", {"id", "g"}, 1000, {1000, 10}, true);
    const auto big = makeTable("big", {"id", "g"}, 100000, {100000, 10}, true);
    Kit kit;
    auto* f = kit.scan(*fact, "f");
    auto* b = kit.scan(*big, "b");
    auto* s = kit.scan(*small, "s");
    auto* one =
        kit.join(JoinType::kInner, f, b, kit.compare("=", kit.of(f, "k2"), kit.of(b, "id")));
    auto* two =
        kit.join(JoinType::kInner, one, s, kit.compare("=", kit.of(f, "k1"), kit.of(s, "id")));
    auto* root = kit.filter(two, kit.compare("=", kit.of(s, "g"), kit.integer(3)));
    const PhysicalPlan plan = optimize::optimize(kit.finish(root, {kit.of(f, "v"), kit.of(b, "g")}),
                                                 kit.arena, nullptr, {});
    CHECK(faultsOf(plan.root) == "");
    CHECK(plan.join_filters >= 1);
    CHECK(shape(plan) == R"(XN Network
  Send to leader
  ->  XN Hash Join DS_DIST_NONE
        Hash Cond: ("outer".k2 = "inner".id)
        ->  XN Hash Join DS_DIST_NONE
              Hash Cond: ("outer".k1 = "inner".id)
              ->  XN Seq Scan on fact f
              ->  XN Hash
                    ->  XN Seq Scan on small s
                          Filter: (s.g = 3)
        ->  XN Hash
              ->  XN Seq Scan on big b
)");
}

TEST_CASE("EXCEPT and INTERSECT are groupings with flags of both sides") {
    const auto t = makeTable("t", {"a"}, 1000, {1000});
    const auto s = makeTable("s", {"x"}, 1000, {1000});
    for (const bool all : {false, true}) {
        Kit kit;
        auto* left = kit.scan(*t, "t");
        auto* right = kit.scan(*s, "s");
        auto* set = kit.op<bind::SetOpOp>(bind::LogicalKind::kSetOp, {left, right});
        set->operation = bind::SetOpKind::kExcept;
        set->all = all;
        set->columns =
            List<bind::OutputColumn>(kit.arena, {kit.newColumn("a", SqlType::integer(), true)});
        set->inputs = List<List<ColumnId>>(kit.arena);
        set->inputs.push(List<ColumnId>(kit.arena, {left->columns[0].id}));
        set->inputs.push(List<ColumnId>(kit.arena, {right->columns[0].id}));
        const PhysicalPlan plan = optimize::optimize(kit.finish(set, {kit.column(set->columns[0])}),
                                                     kit.arena, nullptr, {});
        CHECK(faultsOf(plan.root) == "");
        CHECK(findOp(plan.root, OpKind::kAggregate) != nullptr);
        CHECK((findOp(plan.root, OpKind::kWindow) != nullptr) == all);
    }
}
