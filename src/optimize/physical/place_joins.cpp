// Joins over several nodes: which sides move, and where the result lies.
#include <algorithm>

#include "optimize/physical/exchange_placer.h"
#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

namespace {

/// Estimates of sizes are off by such a factor often enough.
constexpr f64 kClearlyBetter = 8;

bool keepsBuildRows(JoinOutput output) {
    return output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter ||
           output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
}

/// Each node may see all probe rows and a part of the build rows.
bool probeMayRepeat(JoinOutput output) {
    return output == JoinOutput::kInner || output == JoinOutput::kBuildOuter ||
           output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
}

f64 bytesOf(const PhysicalOp* op) {
    return std::max(1.0, op->rows) * std::max(8.0, op->width_bytes);
}

bool repeatable(const Expr* expr) {
    return expr == nullptr || volatilityOf(expr) != functions::Volatility::kVolatile;
}

void setLabel(PhysicalOp* op, std::string_view label) {
    if (op->kind == OpKind::kHashJoin) op->as<HashJoinOp>()->label = label;
    else op->as<NestedLoopJoinOp>()->label = label;
}

} // namespace

bool ExchangePlacer::canBeWhole(const PhysicalOp* op) const {
    switch (op->kind) {
    case OpKind::kTableScan: {
        const auto* scan = op->as<TableScanOp>();
        const bool small = scan->table->dist_style == catalog::DistStyle::kAuto &&
                           scan->table->rowCount() <= context_.options.cluster.whole_table_rows;
        return (small || scan->table->dist_style == catalog::DistStyle::kAll) &&
               std::ranges::all_of(scan->filters, repeatable);
    }
    case OpKind::kMetadata: return true;
    case OpKind::kValues:
        for (const auto& row : op->as<ValuesOp>()->value_rows)
            if (!std::ranges::all_of(row, repeatable)) return false;
        return true;
    case OpKind::kFilter:
        return repeatable(op->as<FilterOp>()->predicate) && canBeWhole(op->children[0]);
    case OpKind::kMap:
        for (const MapItem& item : op->as<MapOp>()->items)
            if (!repeatable(item.expr)) return false;
        return canBeWhole(op->children[0]);
    case OpKind::kHashJoin:
        return repeatable(op->as<HashJoinOp>()->residual) && canBeWhole(op->children[0]) &&
               canBeWhole(op->children[1]);
    case OpKind::kNestedLoopJoin:
        return repeatable(op->as<NestedLoopJoinOp>()->condition) && canBeWhole(op->children[0]) &&
               canBeWhole(op->children[1]);
    default: return false;
    }
}

void ExchangePlacer::makeWhole(PhysicalOp* op, DistributionKind kind) {
    if (op->kind == OpKind::kTableScan) op->as<TableScanOp>()->whole = true;
    if (op->kind == OpKind::kHashJoin || op->kind == OpKind::kNestedLoopJoin)
        setLabel(op, "DS_DIST_ALL_NONE");
    op->distribution.kind = kind;
    op->distribution.keys = List<ColumnId>(arena_);
    for (PhysicalOp* child : op->children) makeWhole(child, kind);
}

bool ExchangePlacer::keysFor(const HashJoinOp* join, const Spot& spot, bool probe_side,
                             std::vector<u32>& order) const {
    order.clear();
    if (!spot.hashed()) return false;
    for (const ColumnClass& columns : spot.keys) {
        bool found = false;
        for (u32 k = 0; k < join->keys.size() && !found; ++k) {
            const ColumnExpr* column =
                hashedColumn(probe_side ? join->keys[k].probe : join->keys[k].build);
            if (column == nullptr || std::ranges::find(columns, column->id) == columns.end())
                continue;
            order.push_back(k);
            found = true;
        }
        if (!found) return false;
    }
    return true;
}

/// In every row of an inner join both keys are equal: what is known of one holds for the other.
void ExchangePlacer::addEqualities(const HashJoinOp* join, Spot& spot) const {
    if (join->output != JoinOutput::kInner) return;
    for (const JoinKey& key : join->keys) {
        const ColumnExpr* probe = hashedColumn(key.probe);
        const ColumnExpr* build = hashedColumn(key.build);
        if (probe == nullptr || build == nullptr) continue;
        for (ColumnClass& columns : spot.keys) {
            const bool has_probe = std::ranges::find(columns, probe->id) != columns.end();
            const bool has_build = std::ranges::find(columns, build->id) != columns.end();
            if (has_probe && !has_build) columns.push_back(build->id);
            if (has_build && !has_probe) columns.push_back(probe->id);
        }
    }
}

ExchangeOp* ExchangePlacer::hashSide(HashJoinOp* join, bool probe_side, std::span<const u32> order,
                                     ExchangeKind kind) {
    PhysicalOp*& side = join->children[probe_side ? 0 : 1];
    std::vector<ColumnId> columns;
    for (const u32 k : order) {
        const Expr*& key = probe_side ? join->keys[k].probe : join->keys[k].build;
        columns.push_back(columnFor(side, key));
    }
    ExchangeOp* made = exchange(side, kind, columns);
    side = made;
    return made;
}

ExchangePlacer::Move ExchangePlacer::cheapestMove(HashJoinOp* join, const Spot& probe,
                                                  const Spot& build) const {
    using Way = Move::Way;
    const f64 others = f64(nodes_ - 1);
    const f64 probe_bytes = bytesOf(join->children[0]);
    const f64 build_bytes = bytesOf(join->children[1]);
    std::vector<Move> moves;
    const bool sees_whole_build = join->null_aware || join->null_aware_anti;
    if (!keepsBuildRows(join->output)) {
        if (probe.single())
            moves.push_back({Way::kGatherBuild, build.single() ? 0 : build_bytes, {}});
        else moves.push_back({Way::kBroadcast, build_bytes * others, {}});
    }
    if (!sees_whole_build) {
        std::vector<u32> probe_order;
        std::vector<u32> build_order;
        const bool probe_fits = keysFor(join, probe, true, probe_order);
        const bool build_fits = keysFor(join, build, false, build_order);
        const auto meets = [&](const Spot& spot, bool probe_side, const std::vector<u32>& order) {
            // The other side's order may name another key of the same class.
            if (spot.keys.size() != order.size()) return false;
            for (size_t i = 0; i < order.size(); ++i) {
                const JoinKey& key = join->keys[order[i]];
                const ColumnExpr* column = hashedColumn(probe_side ? key.probe : key.build);
                if (column == nullptr ||
                    std::ranges::find(spot.keys[i], column->id) == spot.keys[i].end())
                    return false;
            }
            return true;
        };
        if (probe_fits && build_fits &&
            (meets(build, false, probe_order) || meets(probe, true, build_order)))
            return {Way::kNone, 0, probe_order};
        const f64 part = others / f64(nodes_);
        if (probe_fits) moves.push_back({Way::kBuild, build_bytes * part, probe_order});
        if (build_fits) moves.push_back({Way::kProbe, probe_bytes * part, build_order});
        Move both{Way::kBoth, (probe_bytes + build_bytes) * part, {}};
        for (u32 k = 0; k < join->keys.size(); ++k) both.order.push_back(k);
        moves.push_back(both);
    }
    Move best = *std::ranges::min_element(moves, {}, &Move::bytes);
    // Neither side lies by the keys, and the estimates do not tell clearly: the rows will.
    const auto of = [&](Way way) { return std::ranges::find(moves, way, &Move::way); };
    const auto broadcast = of(Way::kBroadcast);
    const auto both = of(Way::kBoth);
    const bool either = best.way == Way::kBroadcast || best.way == Way::kBoth;
    if (!either || build.single() || broadcast == moves.end() || both == moves.end()) return best;
    if (std::max(broadcast->bytes, both->bytes) > kClearlyBetter * best.bytes) return best;
    return {Way::kSettled, best.bytes, both->order};
}

Spot ExchangePlacer::movedJoin(HashJoinOp* join, const Move& move, Spot probe, Spot build) {
    using Way = Move::Way;
    switch (move.way) {
    case Way::kGatherBuild:
        join->label = "DS_DIST_NONE";
        if (!build.single()) join->label = "DS_DIST_INNER";
        join->children[1] = gather(join->children[1], build);
        return probe;
    case Way::kBroadcast:
        join->label = "DS_BCAST_INNER";
        join->children[1] = exchange(join->children[1], ExchangeKind::kBroadcast);
        addEqualities(join, probe);
        return probe;
    case Way::kSettled: {
        join->label = "DS_DIST_BOTH";
        const f64 probe_bytes = bytesOf(join->children[0]);
        ExchangeOp* of_build = hashSide(join, false, move.order, ExchangeKind::kSettledBuild);
        of_build->probe_bytes = probe_bytes;
        hashSide(join, true, move.order, ExchangeKind::kSettledProbe)->build = of_build;
        return Spot::spread();
    }
    case Way::kNone: join->label = "DS_DIST_NONE"; break;
    case Way::kBuild:
        join->label = "DS_DIST_INNER";
        hashSide(join, false, move.order);
        break;
    case Way::kProbe:
        join->label = "DS_DIST_OUTER";
        hashSide(join, true, move.order);
        break;
    case Way::kBoth:
        join->label = "DS_DIST_BOTH";
        hashSide(join, true, move.order);
        hashSide(join, false, move.order);
        break;
    }
    // Both sides lie by the same keys now.
    if (move.way != Way::kNone) {
        probe = build = {DistributionKind::kHash, {}};
        for (const u32 k : move.order) {
            const ColumnExpr* of_probe = hashedColumn(join->keys[k].probe);
            const ColumnExpr* of_build = hashedColumn(join->keys[k].build);
            probe.keys.emplace_back();
            build.keys.emplace_back();
            if (of_probe != nullptr) probe.keys.back().push_back(of_probe->id);
            if (of_build != nullptr) build.keys.back().push_back(of_build->id);
        }
    }
    switch (join->output) {
    case JoinOutput::kInner:
        for (size_t i = 0; i < probe.keys.size() && i < build.keys.size(); ++i)
            probe.keys[i].insert(probe.keys[i].end(), build.keys[i].begin(), build.keys[i].end());
        addEqualities(join, probe);
        return probe;
    case JoinOutput::kBuildOuter:
    case JoinOutput::kBuildSemi:
    case JoinOutput::kBuildAnti: return build;
    case JoinOutput::kFullOuter: return Spot::spread();
    default: return probe;
    }
}

Spot ExchangePlacer::placeHashJoin(HashJoinOp* join) {
    PhysicalOp*& probe_side = join->children[0];
    PhysicalOp*& build_side = join->children[1];
    if (!keepsBuildRows(join->output) && canBeWhole(build_side)) {
        Spot spot = place(probe_side);
        makeWhole(build_side,
                  spot.single() ? DistributionKind::kSingle : DistributionKind::kReplicated);
        join->label = "DS_DIST_ALL_NONE";
        addEqualities(join, spot);
        return spot;
    }
    if (probeMayRepeat(join->output) && canBeWhole(probe_side)) {
        Spot spot = place(build_side);
        makeWhole(probe_side,
                  spot.single() ? DistributionKind::kSingle : DistributionKind::kReplicated);
        join->label = "DS_DIST_ALL_NONE";
        addEqualities(join, spot);
        return spot;
    }
    Spot probe = place(probe_side);
    Spot build = place(build_side);
    if (probe.single() && build.single()) {
        join->label = "DS_DIST_NONE";
        return probe;
    }
    const Move move = cheapestMove(join, probe, build);
    return movedJoin(join, move, std::move(probe), std::move(build));
}

Spot ExchangePlacer::placeLoop(NestedLoopJoinOp* loop) {
    PhysicalOp*& outer = loop->children[0];
    PhysicalOp*& inner = loop->children[1];
    if (keepsBuildRows(loop->output)) {
        const Spot left = place(outer);
        const Spot right = place(inner);
        loop->label = left.single() && right.single() ? "DS_DIST_NONE" : "DS_DIST_BOTH";
        outer = gather(outer, left);
        inner = gather(inner, right);
        return Spot::onLeader();
    }
    if (canBeWhole(inner)) {
        const Spot spot = place(outer);
        makeWhole(inner, spot.single() ? DistributionKind::kSingle : DistributionKind::kReplicated);
        loop->label = "DS_DIST_ALL_NONE";
        return spot;
    }
    if (loop->output == JoinOutput::kInner && canBeWhole(outer)) {
        const Spot spot = place(inner);
        makeWhole(outer, spot.single() ? DistributionKind::kSingle : DistributionKind::kReplicated);
        loop->label = "DS_DIST_ALL_NONE";
        return spot;
    }
    const Spot left = place(outer);
    const Spot right = place(inner);
    if (left.single()) {
        loop->label = right.single() ? "DS_DIST_NONE" : "DS_DIST_INNER";
        inner = gather(inner, right);
        return left;
    }
    loop->label = "DS_BCAST_INNER";
    inner = exchange(inner, ExchangeKind::kBroadcast);
    return left;
}

} // namespace blueshift::optimize
