// Grouping over several nodes: where the rows lie, raw rows to their group, or two phases.
#include <algorithm>

#include "optimize/physical/exchange_placer.h"
#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

namespace {

/// With more groups than this part of the rows, grouping twice costs more than it saves.
constexpr f64 kTooManyGroups = 0.5;

bool isExtreme(const AggregateCall& call) {
    return call.aggregate->two_phase == functions::TwoPhase::kResult;
}

bool repeatsSet(const AggregateOp* group) {
    for (u32 i = 0; i < group->grouping_sets.size(); ++i)
        for (u32 j = 0; j < i; ++j)
            if (group->grouping_sets[i] == group->grouping_sets[j]) return true;
    return false;
}

} // namespace

bool ExchangePlacer::hasPhases(const AggregateOp* group) const {
    if (!context_.enabled("two_phase_grouping") || repeatsSet(group)) return false;
    return std::ranges::all_of(group->aggregates, [](const AggregateCall& call) {
        return phasesOf(*call.aggregate) && (!call.distinct || isExtreme(call)) &&
               call.order_by.empty();
    });
}

/// The first phase: keys under their final ids, then a column per state.
AggregateOp* ExchangePlacer::partialOf(AggregateOp* group) {
    auto* made = arena_.make<AggregateOp>(*group);
    made->phase = AggregatePhase::kPartial;
    made->columns = List<PhysicalColumn>(arena_);
    made->aggregates = List<AggregateCall>(arena_);
    made->keys = List<AggregateOp::Key>(arena_, group->keys.span());
    made->children = List<PhysicalOp*>(arena_, group->children.span());
    const PhysicalOp* child = group->children[0];
    for (const AggregateOp::Key& key : group->keys) {
        PhysicalColumn column = *child->find(key.expr->as<ColumnExpr>()->id);
        column.id = key.id;
        column.nullable |= !group->grouping_sets.empty();
        made->columns.push(column);
    }
    for (const AggregateCall& call : group->aggregates) {
        const functions::Phases phases = phasesOf(*call.aggregate);
        AggregateCall first = call;
        first.aggregate = phases.partial;
        first.distinct = false;
        if (phases.state) first.type = SqlType::varchar(kMaxVarcharBytes);
        const bind::OutputColumn column = context_.newColumn("state", first.type, true);
        first.id = column.id;
        made->aggregates.push(first);
        made->columns.push({.id = column.id, .name = "state", .type = first.type});
    }
    if (!group->grouping_sets.empty()) {
        if (made->grouping_id == kNoColumn)
            made->grouping_id = context_.newColumn("grouping", SqlType::bigInt(), false).id;
        made->columns.push({.id = made->grouping_id,
                            .name = "grouping",
                            .type = SqlType::bigInt(),
                            .nullable = false});
    }
    made->rows = std::min(group->rows * f64(nodes_), child->rows);
    made->distribution = child->distribution;
    costOperator(made);
    return made;
}

/// `group` becomes the second phase over what `partial` gives.
void ExchangePlacer::makeFinal(AggregateOp* group, const AggregateOp* partial) {
    group->phase = AggregatePhase::kFinal;
    const auto column = [&](ColumnId id) {
        const PhysicalColumn* from = partial->find(id);
        return makeColumn(arena_, id, from->type, from->nullable);
    };
    for (AggregateOp::Key& key : group->keys) key.expr = column(key.id);
    for (u32 i = 0; i < group->aggregates.size(); ++i) {
        AggregateCall& call = group->aggregates[i];
        call.aggregate = phasesOf(*call.aggregate).merge;
        call.args = List<const Expr*>(arena_);
        call.args.push(column(partial->aggregates[i].id));
        call.filter = nullptr;
        call.distinct = false;
    }
    if (!group->grouping_sets.empty()) {
        group->keys.push({partial->grouping_id, column(partial->grouping_id), false});
        group->grouping_sets = List<u64>(arena_);
        group->grouping_id = kNoColumn;
    }
}

Spot ExchangePlacer::placeAggregate(PhysicalOp*& op) {
    auto* group = op->as<AggregateOp>();
    Spot spot = place(group->children[0]);
    if (spot.single()) return spot;
    const auto keyOf = [&](ColumnId id) -> const AggregateOp::Key* {
        for (const AggregateOp::Key& key : group->keys)
            if (key.expr->as<ColumnExpr>()->id == id) return &key;
        return nullptr;
    };
    const bool sets = !group->grouping_sets.empty();
    const bool together =
        !sets && spot.hashed() && std::ranges::all_of(spot.keys, [&](const ColumnClass& columns) {
            return std::ranges::any_of(columns, [&](ColumnId id) { return keyOf(id) != nullptr; });
        });
    if (together) {
        for (ColumnClass& columns : spot.keys) {
            const ColumnClass below = columns;
            columns.clear();
            for (const AggregateOp::Key& key : group->keys)
                if (std::ranges::find(below, key.expr->as<ColumnExpr>()->id) != below.end())
                    columns.push_back(key.id);
        }
        return spot;
    }
    const bool scalar = group->keys.empty();
    const f64 rows = group->children[0]->rows;
    const bool phases =
        hasPhases(group) && (scalar || sets || group->estimated_groups <= rows * kTooManyGroups);
    PhysicalOp*& below = group->children[0];
    if (!phases) {
        if (scalar || sets) {
            below = exchange(below, ExchangeKind::kGather);
            return Spot::onLeader();
        }
    } else {
        AggregateOp* partial = partialOf(group);
        below = partial;
        makeFinal(group, partial);
        if (scalar) {
            below = exchange(below, ExchangeKind::kGather);
            return Spot::onLeader();
        }
    }
    std::vector<ColumnId> keys;
    spot = {DistributionKind::kHash, {}};
    for (const AggregateOp::Key& key : group->keys) {
        if (key.dependent) continue;
        keys.push_back(key.expr->as<ColumnExpr>()->id);
        spot.keys.push_back({key.id});
    }
    below = exchange(below, ExchangeKind::kHash, keys);
    return spot;
}

} // namespace blueshift::optimize
