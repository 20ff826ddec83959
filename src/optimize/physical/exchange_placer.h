// exchange_placer.h: the inside of placeExchanges.
//
// Place: place_exchanges.cpp (leaves, sorts, sets, the walk), place_joins.cpp, place_groups.cpp.
// A Spot says where an operator's rows lie. Its keys are classes of columns that are equal in every
// row: a row lies on the node that owns the bucket of the first, second ... class together.
#pragma once

#include "optimize/logical_shape.h"
#include "optimize/physical_plan.h"
#include "optimize/plan_context.h"

namespace blueshift::optimize {

using ColumnClass = std::vector<ColumnId>;

struct Spot {
    DistributionKind kind = DistributionKind::kSpread;
    std::vector<ColumnClass> keys; // kHash

    bool single() const { return kind == DistributionKind::kSingle; }
    bool hashed() const { return kind == DistributionKind::kHash; }
    static Spot onLeader() { return {DistributionKind::kSingle, {}}; }
    static Spot spread() { return {DistributionKind::kSpread, {}}; }
};

class ExchangePlacer {
public:
    ExchangePlacer(PlanContext& context, PhysicalPlan& plan)
        : context_(context),
          arena_(context.arena),
          nodes_(context.options.cluster.nodes),
          plan_(plan) {}

    void run();

private:
    /// Places the tree; `op` may become another operator on top of it.
    Spot place(PhysicalOp*& op);
    Spot placeKind(PhysicalOp*& op);
    Spot placeScan(TableScanOp* scan);
    Spot placeMap(MapOp* map);
    Spot placeUnion(UnionAllOp* all);
    Spot placeCteScan(CteScanOp* scan);
    Spot placeSort(PhysicalOp*& op);
    Spot placeTopN(PhysicalOp*& op);
    Spot placeLimit(PhysicalOp*& op);
    Spot placeWindow(WindowOp* window);
    void placeWritten(const Spot& root);

    // ---- place_joins.cpp
    Spot placeHashJoin(HashJoinOp* join);
    Spot placeLoop(NestedLoopJoinOp* loop);
    struct Move {
        enum class Way : u8 { kNone, kBuild, kProbe, kBoth, kBroadcast, kGatherBuild, kSettled };
        Way way = Way::kNone;
        f64 bytes = 0;
        std::vector<u32> order; // join keys by component of the hash
    };
    Move cheapestMove(HashJoinOp* join, const Spot& probe, const Spot& build) const;
    Spot movedJoin(HashJoinOp* join, const Move& move, Spot probe, Spot build);
    /// For every component of `spot` the join key that fits it; false when there is none.
    bool keysFor(const HashJoinOp* join, const Spot& spot, bool probe_side,
                 std::vector<u32>& order) const;
    ExchangeOp* hashSide(HashJoinOp* join, bool probe_side, std::span<const u32> order,
                         ExchangeKind kind = ExchangeKind::kHash);
    void addEqualities(const HashJoinOp* join, Spot& spot) const;
    /// The tree can run on every node alike and give all rows there.
    bool canBeWhole(const PhysicalOp* op) const;
    void makeWhole(PhysicalOp* op, DistributionKind kind);

    // ---- place_groups.cpp
    Spot placeAggregate(PhysicalOp*& op);
    bool hasPhases(const AggregateOp* group) const;
    AggregateOp* partialOf(AggregateOp* group);
    void makeFinal(AggregateOp* group, const AggregateOp* partial);

    ExchangeOp* exchange(PhysicalOp* child, ExchangeKind kind, std::span<const ColumnId> keys = {});
    PhysicalOp* gather(PhysicalOp* child, const Spot& from);
    ExchangeOp* gatherMerge(PhysicalOp* child, const List<bind::SortKey>& keys);
    /// The column that holds `key` above `side`, computed by a Map when it is an expression.
    ColumnId columnFor(PhysicalOp*& side, const Expr*& key);
    void settle(PhysicalOp* op, Spot& spot) const;

    PlanContext& context_;
    Arena& arena_;
    u32 nodes_;
    PhysicalPlan& plan_;
    std::vector<Spot> ctes_;
};

/// The column behind casts that do not change a value's bucket hash; nullptr for anything else.
const ColumnExpr* hashedColumn(const Expr* expr);

} // namespace blueshift::optimize
