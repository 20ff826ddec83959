#include "optimize/physical/plan_builder.h"

#include <algorithm>

namespace blueshift::optimize {

using bind::LogicalKind;
using bind::LogicalOp;

const PhysicalColumn* PhysicalOp::find(ColumnId id) const {
    for (const PhysicalColumn& column : columns)
        if (column.id == id) return &column;
    return nullptr;
}

PhysicalColumn PlanBuilder::columnOf(const bind::OutputColumn& column) const {
    const ColumnFacts& about = context_.facts(column.id);
    PhysicalColumn made{
        .id = column.id, .name = column.name, .type = column.type, .nullable = column.nullable};
    if (about.has_range && isIntegerKind(naturalKind(column.type))) {
        made.has_range = true;
        made.min = about.min;
        made.max = about.max;
    }
    return made;
}

void PlanBuilder::pass(PhysicalOp* to, const PhysicalOp* from, const ColumnSet& needed) const {
    for (const PhysicalColumn& column : from->columns)
        if (needed.contains(column.id)) to->columns.push(column);
}

void PlanBuilder::estimate(PhysicalOp* made, const LogicalOp* op) {
    const RowEstimate rows = cardinality_.of(op);
    made->rows = rows.rows;
    made->upper_rows = rows.upper;
    made->width_bytes = 0;
    for (const PhysicalColumn& column : made->columns)
        made->width_bytes += context_.facts(column.id).average_bytes;
    costOperator(made);
}

PhysicalOp* PlanBuilder::mapOver(PhysicalOp* child, std::span<const MapItem> items,
                                 const ColumnSet& needed, const LogicalOp* estimated_as) {
    if (items.empty()) return child;
    auto* made = make<MapOp>(OpKind::kMap, {child});
    made->items = List<MapItem>(arena_, items);
    pass(made, child, needed);
    for (const MapItem& item : items) {
        const ColumnFacts& about = context_.facts(item.id);
        PhysicalColumn column{.id = item.id,
                              .name = about.name,
                              .type = item.expr->type,
                              .nullable = item.expr->nullable};
        if (isColumn(item.expr)) {
            if (const PhysicalColumn* from = child->find(item.expr->as<ColumnExpr>()->id)) {
                column = *from;
                column.id = item.id;
                column.name = about.name;
            }
        }
        made->columns.push(column);
    }
    made->distribution = child->distribution;
    estimate(made, estimated_as);
    return made;
}

PhysicalOp* PlanBuilder::build(const LogicalOp* op, const ColumnSet& needed) {
    switch (op->kind) {
    case LogicalKind::kScan: return buildScan(*op->as<bind::ScanOp>(), {}, needed, op);
    case LogicalKind::kSource: return buildSource(*op->as<bind::SourceOp>(), needed);
    case LogicalKind::kValues: return buildValues(*op->as<bind::ValuesOp>(), needed);
    case LogicalKind::kFilter: return buildFilter(*op->as<bind::FilterOp>(), needed);
    case LogicalKind::kMap: return buildMap(*op->as<bind::MapOp>(), needed);
    case LogicalKind::kJoin: return buildJoin(*op->as<bind::JoinOp>(), needed);
    case LogicalKind::kAggregate: return buildAggregate(*op->as<bind::AggregateOp>(), needed);
    case LogicalKind::kWindow: return buildWindow(*op->as<bind::WindowOp>(), needed);
    case LogicalKind::kSort: return buildSort(*op->as<bind::SortOp>(), needed, nullptr);
    case LogicalKind::kLimit: return buildLimit(*op->as<bind::LimitOp>(), needed);
    case LogicalKind::kDistinct: return buildDistinct(*op->as<bind::DistinctOp>(), needed);
    case LogicalKind::kUnion: return buildUnion(*op->as<bind::UnionOp>(), needed);
    case LogicalKind::kSetOp: break; // lowered to grouping before
    case LogicalKind::kCteScan: return buildCteScan(*op->as<bind::CteScanOp>(), needed);
    }
    BS_UNREACHABLE("logical operator without a physical form");
}

PhysicalOp* PlanBuilder::buildFilter(const bind::FilterOp& filter, const ColumnSet& needed) {
    const LogicalOp* child = filter.children[0];
    std::vector<const Expr*> terms;
    splitConjunction(filter.predicate, terms);
    if (child->kind == LogicalKind::kScan)
        return buildScan(*child->as<bind::ScanOp>(), terms, needed, &filter);
    // Terms that may raise errors come last: rows that others drop must not raise.
    std::ranges::stable_partition(terms, [](const Expr* term) { return !mayRaise(term); });
    const Expr* predicate = makeAnd(arena_, terms);
    PhysicalOp* below = build(child, needed | columnsOf(predicate));
    auto* made = make<FilterOp>(OpKind::kFilter, {below});
    made->predicate = predicate;
    pass(made, below, needed);
    made->distribution = below->distribution;
    estimate(made, &filter);
    return made;
}

PhysicalOp* PlanBuilder::buildMap(const bind::MapOp& map, const ColumnSet& needed) {
    ColumnSet below = needed;
    std::vector<MapItem> items;
    for (const bind::MapItem& item : map.items) {
        if (!needed.contains(item.column.id)) continue;
        items.push_back({item.column.id, item.expr});
        below.remove(item.column.id);
    }
    for (const MapItem& item : items) below.addAll(columnsOf(item.expr));
    PhysicalOp* child = build(map.children[0], below);
    return mapOver(child, items, needed, &map);
}

List<bind::SortKey> PlanBuilder::sortKeys(const List<bind::SortKey>& keys, Columns& columns) {
    List<bind::SortKey> made(arena_);
    for (const bind::SortKey& key : keys) {
        if (key.expr->kind == ExprKind::kConstant) continue;
        bind::SortKey copy = key;
        copy.expr = columns.of(key.expr, false);
        made.push(copy);
    }
    return made;
}

PhysicalOp* PlanBuilder::buildSort(const bind::SortOp& sort, const ColumnSet& needed,
                                   const bind::LimitOp* limit) {
    Columns columns(context_);
    columns.read = needed;
    const List<bind::SortKey> keys = sortKeys(sort.keys, columns);
    PhysicalOp* below = build(sort.children[0], columns.below());
    below = mapOver(below, columns.items, columns.read, sort.children[0]);
    const LogicalOp* estimated_as = &sort;
    if (limit != nullptr) estimated_as = limit;
    if (keys.empty()) {
        if (limit == nullptr) return below;
        auto* made = make<LimitOp>(OpKind::kLimit, {below});
        made->limit = limit->limit;
        made->offset = limit->offset;
        pass(made, below, needed);
        estimate(made, estimated_as);
        return made;
    }
    if (limit != nullptr) {
        auto* made = make<TopNOp>(OpKind::kTopN, {below});
        made->keys = keys;
        made->limit = limit->limit;
        made->offset = limit->offset;
        pass(made, below, needed);
        made->distribution = below->distribution;
        estimate(made, estimated_as);
        return made;
    }
    auto* made = make<SortOp>(OpKind::kSort, {below});
    made->keys = keys;
    pass(made, below, needed);
    made->distribution = below->distribution;
    estimate(made, estimated_as);
    return made;
}

PhysicalOp* PlanBuilder::buildLimit(const bind::LimitOp& limit, const ColumnSet& needed) {
    if (limit.limit >= 0 && limit.children[0]->kind == LogicalKind::kSort &&
        context_.enabled("top_n"))
        return buildSort(*limit.children[0]->as<bind::SortOp>(), needed, &limit);
    PhysicalOp* below = build(limit.children[0], needed);
    if (limit.limit < 0 && limit.offset == 0) return below;
    auto* made = make<LimitOp>(OpKind::kLimit, {below});
    made->limit = limit.limit;
    made->offset = limit.offset;
    pass(made, below, needed);
    made->distribution = below->distribution;
    estimate(made, &limit);
    return made;
}

PhysicalOp* PlanBuilder::buildUnion(const bind::UnionOp& all, const ColumnSet& needed) {
    auto* made = make<UnionAllOp>(OpKind::kUnionAll, {});
    made->inputs = List<List<ColumnId>>(arena_);
    std::vector<u32> kept;
    for (u32 i = 0; i < all.columns.size(); ++i)
        if (needed.contains(all.columns[i].id)) kept.push_back(i);
    for (u32 k = 0; k < all.children.size(); ++k) {
        ColumnSet below;
        List<ColumnId> inputs(arena_);
        for (const u32 i : kept) {
            below.add(all.inputs[k][i]);
            inputs.push(all.inputs[k][i]);
        }
        made->children.push(build(all.children[k], below));
        made->inputs.push(inputs);
    }
    for (u32 slot = 0; slot < kept.size(); ++slot) {
        PhysicalColumn column = columnOf(all.columns[kept[slot]]);
        column.nullable = false;
        column.has_range = true;
        bool first = true;
        for (u32 k = 0; k < made->children.size(); ++k) {
            const PhysicalColumn* from = made->children[k]->find(made->inputs[k][slot]);
            BS_CHECK(from != nullptr, "UNION ALL reads a column that its child does not have");
            column.nullable |= from->nullable;
            column.has_range &= from->has_range;
            column.min = first ? from->min : std::min(column.min, from->min);
            column.max = first ? from->max : std::max(column.max, from->max);
            first = false;
        }
        made->columns.push(column);
    }
    made->distribution.kind = DistributionKind::kSpread;
    estimate(made, &all);
    return made;
}

PhysicalPlan PlanBuilder::build(LogicalOp* root, const List<bind::ResultColumn>& result) {
    PhysicalPlan plan;
    plan.ctes = List<PhysicalOp*>(arena_);
    plan.cte_names = List<std::string_view>(arena_);
    plan.notes = List<PlanNote>(arena_);
    plan.result = List<bind::ResultColumn>(arena_);
    cte_needed_.assign(context_.ctes.size(), {});

    ColumnSet needed;
    for (const bind::ResultColumn& column : result) {
        needed.add(column.id);
        plan.result.push(column);
    }
    plan.root = build(root, needed);
    for (bind::ResultColumn& column : plan.result)
        if (const PhysicalColumn* from = plan.root->find(column.id))
            column.nullable = from->nullable;
    // Shared subplans stand in the order of their dependence: a later one may read earlier ones, so
    // that all readers are known when the last is built first.
    std::vector<PhysicalOp*> built(context_.ctes.size());
    for (size_t i = context_.ctes.size(); i-- > 0;)
        built[i] = build(context_.ctes[i].plan, cte_needed_[i]);
    for (size_t i = 0; i < built.size(); ++i) {
        plan.ctes.push(built[i]);
        plan.cte_names.push(context_.ctes[i].name);
    }
    for (const PlanNote& note : context_.notes) plan.notes.push(note);
    return plan;
}

void numberOperators(PhysicalPlan& plan) {
    u32 next = 0;
    const auto number = [&](auto& self, PhysicalOp* op) -> void {
        op->id = next++;
        for (PhysicalOp* child : op->children) self(self, child);
    };
    number(number, plan.root);
    for (PhysicalOp* cte : plan.ctes) number(number, cte);
    plan.operators = next;
}

} // namespace blueshift::optimize
