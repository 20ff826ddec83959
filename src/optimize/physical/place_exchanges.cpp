#include "optimize/physical/place_exchanges.h"

#include <algorithm>

#include "optimize/physical/exchange_placer.h"
#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

namespace {

bool contains(const ColumnClass& columns, ColumnId id) {
    return std::ranges::find(columns, id) != columns.end();
}

} // namespace

const ColumnExpr* hashedColumn(const Expr* expr) {
    while (expr->kind == ExprKind::kCall) {
        const auto* call = expr->as<CallExpr>();
        if (call->function->op != functions::Operator::kCast || call->args.size() != 1)
            return nullptr;
        const SqlType& from = call->args[0]->type;
        const SqlType& to = expr->type;
        const bool same = (isInteger(from.kind) && isInteger(to.kind) &&
                           widthOf(naturalKind(from)) <= widthOf(naturalKind(to))) ||
                          (from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal &&
                           from.scale == to.scale && from.precision <= to.precision) ||
                          (isString(from.kind) && isString(to.kind) &&
                           (to.kind == TypeKind::kText || to.length >= from.length));
        if (!same) return nullptr;
        expr = call->args[0];
    }
    return isColumn(expr) ? expr->as<ColumnExpr>() : nullptr;
}

// ---- Exchanges.

ExchangeOp* ExchangePlacer::exchange(PhysicalOp* child, ExchangeKind kind,
                                     std::span<const ColumnId> keys) {
    auto* made = arena_.make<ExchangeOp>();
    made->kind = OpKind::kExchange;
    made->children = List<PhysicalOp*>(arena_, {child});
    made->columns = List<PhysicalColumn>(arena_, child->columns.span());
    made->exchange = kind;
    made->keys = List<ColumnId>(arena_, keys);
    made->merge_keys = List<bind::SortKey>(arena_);
    made->distribution.keys = List<ColumnId>(arena_, keys);
    switch (kind) {
    case ExchangeKind::kGather:
    case ExchangeKind::kGatherMerge: made->distribution.kind = DistributionKind::kSingle; break;
    case ExchangeKind::kHash: made->distribution.kind = DistributionKind::kHash; break;
    case ExchangeKind::kBroadcast: made->distribution.kind = DistributionKind::kReplicated; break;
    default: made->distribution.kind = DistributionKind::kSpread; break;
    }
    made->rows = child->rows;
    made->upper_rows = child->upper_rows;
    made->width_bytes = child->width_bytes;
    costOperator(made);
    return made;
}

PhysicalOp* ExchangePlacer::gather(PhysicalOp* child, const Spot& from) {
    return from.single() ? child : exchange(child, ExchangeKind::kGather);
}

ExchangeOp* ExchangePlacer::gatherMerge(PhysicalOp* child, const List<bind::SortKey>& keys) {
    // The keys travel with the rows, though nobody above may need them.
    ExchangeOp* made = exchange(child, ExchangeKind::kGatherMerge);
    made->merge_keys = keys;
    return made;
}

ColumnId ExchangePlacer::columnFor(PhysicalOp*& side, const Expr*& key) {
    if (isColumn(key)) return key->as<ColumnExpr>()->id;
    const bind::OutputColumn column = context_.newColumn("?column?", key->type, key->nullable);
    auto* map = arena_.make<MapOp>();
    map->kind = OpKind::kMap;
    map->children = List<PhysicalOp*>(arena_, {side});
    map->columns = List<PhysicalColumn>(arena_, side->columns.span());
    map->columns.push(
        {.id = column.id, .name = column.name, .type = key->type, .nullable = key->nullable});
    map->items = List<MapItem>(arena_);
    map->items.push({column.id, key});
    map->distribution = side->distribution;
    map->rows = side->rows;
    map->upper_rows = side->upper_rows;
    map->width_bytes = side->width_bytes + 8;
    costOperator(map);
    side = map;
    key = makeColumn(arena_, column.id, key->type, key->nullable);
    return column.id;
}

/// Forgets key columns that the operator does not pass on, and writes its distribution.
void ExchangePlacer::settle(PhysicalOp* op, Spot& spot) const {
    for (ColumnClass& columns : spot.keys)
        std::erase_if(columns, [&](ColumnId id) { return op->find(id) == nullptr; });
    if (std::ranges::any_of(spot.keys, &ColumnClass::empty)) spot = Spot::spread();
    op->distribution.kind = spot.kind;
    op->distribution.keys = List<ColumnId>(arena_);
    for (const ColumnClass& columns : spot.keys) op->distribution.keys.push(columns.front());
}

// ---- The walk.

Spot ExchangePlacer::place(PhysicalOp*& op) {
    Spot spot = placeKind(op);
    settle(op, spot);
    return spot;
}

Spot ExchangePlacer::placeKind(PhysicalOp*& op) {
    switch (op->kind) {
    case OpKind::kTableScan: return placeScan(op->as<TableScanOp>());
    case OpKind::kSourceScan:
    case OpKind::kValues:
    case OpKind::kMetadata: return Spot::onLeader();
    case OpKind::kFilter: return place(op->children[0]);
    case OpKind::kMap: return placeMap(op->as<MapOp>());
    case OpKind::kHashJoin: return placeHashJoin(op->as<HashJoinOp>());
    case OpKind::kNestedLoopJoin: return placeLoop(op->as<NestedLoopJoinOp>());
    case OpKind::kAggregate: return placeAggregate(op);
    case OpKind::kWindow: return placeWindow(op->as<WindowOp>());
    case OpKind::kSort: return placeSort(op);
    case OpKind::kTopN: return placeTopN(op);
    case OpKind::kLimit: return placeLimit(op);
    case OpKind::kUnionAll: return placeUnion(op->as<UnionAllOp>());
    case OpKind::kCteScan: return placeCteScan(op->as<CteScanOp>());
    case OpKind::kExchange: break;
    }
    BS_UNREACHABLE("an exchange before exchanges are placed");
}

Spot ExchangePlacer::placeScan(TableScanOp* scan) {
    if (scan->table->dist_style != catalog::DistStyle::kKey) return Spot::spread();
    for (u32 i = 0; i < scan->columns.size(); ++i)
        if (scan->column_ids[i] == scan->table->dist_key)
            return {DistributionKind::kHash, {{scan->columns[i].id}}};
    return Spot::spread();
}

Spot ExchangePlacer::placeMap(MapOp* map) {
    Spot spot = place(map->children[0]);
    for (ColumnClass& columns : spot.keys) {
        const ColumnClass below = columns;
        for (const MapItem& item : map->items) {
            const ColumnExpr* from = hashedColumn(item.expr);
            if (from != nullptr && contains(below, from->id)) columns.push_back(item.id);
        }
    }
    return spot;
}

Spot ExchangePlacer::placeUnion(UnionAllOp* all) {
    bool single = true;
    for (PhysicalOp*& child : all->children) single &= place(child).single();
    return single ? Spot::onLeader() : Spot::spread();
}

Spot ExchangePlacer::placeCteScan(CteScanOp* scan) {
    const Spot& stored = ctes_.at(scan->cte);
    Spot spot{stored.kind, {}};
    for (const ColumnClass& columns : stored.keys) {
        spot.keys.emplace_back();
        for (u32 i = 0; i < scan->columns.size(); ++i)
            if (contains(columns, scan->inputs[i])) spot.keys.back().push_back(scan->columns[i].id);
    }
    return spot;
}

/// Sorted on each node, merged at the leader.
Spot ExchangePlacer::placeSort(PhysicalOp*& op) {
    Spot below = place(op->children[0]);
    if (below.single()) return below;
    settle(op, below);
    auto* sort = op->as<SortOp>();
    for (const bind::SortKey& key : sort->keys) {
        const ColumnId id = key.expr->as<ColumnExpr>()->id;
        if (sort->find(id) == nullptr) sort->columns.push(*sort->children[0]->find(id));
    }
    op = gatherMerge(sort, sort->keys);
    return Spot::onLeader();
}

Spot ExchangePlacer::placeTopN(PhysicalOp*& op) {
    Spot below = place(op->children[0]);
    if (below.single()) return below;
    settle(op, below);
    auto* top = op->as<TopNOp>();
    auto* limit = arena_.make<LimitOp>();
    limit->kind = OpKind::kLimit;
    limit->columns = List<PhysicalColumn>(arena_, top->columns.span());
    limit->limit = top->limit;
    limit->offset = top->offset;
    limit->rows = top->rows;
    limit->upper_rows = top->upper_rows;
    limit->width_bytes = top->width_bytes;
    for (const bind::SortKey& key : top->keys) {
        const ColumnId id = key.expr->as<ColumnExpr>()->id;
        if (top->find(id) == nullptr) top->columns.push(*top->children[0]->find(id));
    }
    if (__builtin_add_overflow(top->limit, top->offset, &top->limit)) top->limit = INT64_MAX;
    top->offset = 0;
    limit->children = List<PhysicalOp*>(arena_, {gatherMerge(top, top->keys)});
    costOperator(limit);
    op = limit;
    return Spot::onLeader();
}

Spot ExchangePlacer::placeLimit(PhysicalOp*& op) {
    auto* limit = op->as<LimitOp>();
    Spot below = place(limit->children[0]);
    if (below.single()) return below;
    PhysicalOp* child = limit->children[0];
    i64 first = 0;
    if (limit->limit >= 0 && !__builtin_add_overflow(limit->limit, limit->offset, &first)) {
        auto* each = arena_.make<LimitOp>(*limit);
        each->limit = first;
        each->offset = 0;
        each->columns = List<PhysicalColumn>(arena_, child->columns.span());
        each->children = List<PhysicalOp*>(arena_, {child});
        each->distribution = child->distribution;
        child = each;
    }
    limit->children[0] = exchange(child, ExchangeKind::kGather);
    return Spot::onLeader();
}

Spot ExchangePlacer::placeWindow(WindowOp* window) {
    Spot spot = place(window->children[0]);
    if (spot.single()) return spot;
    std::vector<ColumnId> keys;
    for (const Expr* key : window->partition_by) keys.push_back(key->as<ColumnExpr>()->id);
    if (keys.empty()) {
        window->children[0] = exchange(window->children[0], ExchangeKind::kGather);
        return Spot::onLeader();
    }
    const bool together =
        spot.hashed() && std::ranges::all_of(spot.keys, [&](const ColumnClass& columns) {
            return std::ranges::any_of(keys, [&](ColumnId id) { return contains(columns, id); });
        });
    if (together) return spot;
    window->children[0] = exchange(window->children[0], ExchangeKind::kHash, keys);
    spot = {DistributionKind::kHash, {}};
    for (const ColumnId id : keys) spot.keys.push_back({id});
    return spot;
}

void ExchangePlacer::run() {
    plan_.nodes = nodes_;
    for (PhysicalOp*& cte : plan_.ctes) {
        Spot spot = place(cte);
        ctes_.push_back(std::move(spot));
    }
    const Spot root = place(plan_.root);
    if (context_.options.result_on_nodes) placeWritten(root);
    else plan_.root = gather(plan_.root, root);
}

/// Many rows are written by the nodes that will own them.
void ExchangePlacer::placeWritten(const Spot& root) {
    const i32 key = context_.options.result_key;
    if (plan_.root->rows < context_.options.least_moved_rows) return;
    if (key < 0) {
        if (root.single()) plan_.root = exchange(plan_.root, ExchangeKind::kRoundRobin);
        return;
    }
    const ColumnId id = plan_.result[size_t(key)].id;
    if (root.hashed() && root.keys.size() == 1 && contains(root.keys[0], id)) return;
    plan_.root = exchange(plan_.root, ExchangeKind::kHash, std::span(&id, 1));
}

void placeExchanges(PlanContext& context, PhysicalPlan& plan) {
    ExchangePlacer(context, plan).run();
}

} // namespace blueshift::optimize
