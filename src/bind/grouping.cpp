// GROUP BY: keys by expression, ordinal and alias; ALL; grouping sets; and the check that what
// stands above the grouping reads nothing else.
#include <algorithm>

#include "bind/binder.h"
#include "bind/plan_walk.h"

namespace blueshift::bind {

bool Binder::readsAggregates(const Expr* value, const Block& block) const {
    std::vector<ColumnId> ids;
    collectColumns(value, ids);
    return std::ranges::any_of(ids, [&](ColumnId id) {
        const auto is = [&](const auto& item) { return item.column.id == id; };
        return std::ranges::any_of(block.aggregates, is) ||
               std::ranges::any_of(block.windows, [&](const WindowGroup& group) {
                   return std::ranges::any_of(group.items, is);
               });
    });
}

u32 Binder::addKey(const Expr* value, std::string_view name, Block& block) {
    for (u32 i = 0; i < block.keys.size(); ++i)
        if (sameExpr(block.keys[i].expr, value)) return i;
    if (value->type.kind == TypeKind::kUnknown)
        value = castTo(value, SqlType::text(), functions::CastContext::kExplicit, value->position);
    block.keys.push_back({newColumn(name, value->type, value->nullable), value});
    return u32(block.keys.size() - 1);
}

u32 Binder::groupKey(const parse::Expression* e, Block& block) {
    const auto byOutput = [&](size_t index) {
        const Expr* value = output(index, block, Clause::kSelect);
        if (readsAggregates(value, block))
            fail(sqlstate::kGroupingError, "aggregate functions are not allowed in GROUP BY",
                 e->position, "Group by other items of the select list.");
        return addKey(value, block.outputs[index].name, block);
    };
    if (e->is<parse::Literal>() &&
        e->as<parse::Literal>()->literal == parse::LiteralKind::kInteger) {
        const std::string_view digits = e->as<parse::Literal>()->text;
        size_t ordinal = 0;
        for (char c : digits) ordinal = std::min<size_t>(ordinal * 10 + size_t(c - '0'), 1u << 20);
        if (ordinal < 1 || ordinal > block.outputs.size())
            fail(sqlstate::kInvalidColumnReference,
                 "GROUP BY position " + std::string(digits) + " is not in select list", e->position,
                 "The select list has " + std::to_string(block.outputs.size()) + " items.");
        return byOutput(ordinal - 1);
    }
    if (e->is<parse::ColumnReference>() && e->as<parse::ColumnReference>()->parts.size() == 1) {
        const std::string_view name = e->as<parse::ColumnReference>()->parts[0];
        if (findColumn(name, e->position, block) == nullptr)
            for (size_t i = 0; i < block.outputs.size(); ++i)
                if (block.outputs[i].has_alias && block.outputs[i].name == name) return byOutput(i);
    }
    ClauseGuard guard(block, Clause::kGroupBy);
    return addKey(expr(e, block), outputName(e), block);
}

u64 Binder::groupMask(const parse::Expression* e, Block& block) {
    u64 mask = 0;
    const auto add = [&](const parse::Expression* key) {
        const u32 index = groupKey(key, block);
        if (index >= 64)
            fail(sqlstate::kProgramLimitExceeded, "grouping sets may have at most 64 expressions",
                 key->position, "Group in several queries.");
        mask |= u64{1} << index;
    };
    if (e->is<parse::Row>())
        for (const parse::Expression* item : e->as<parse::Row>()->items) add(item);
    else add(e);
    return mask;
}

/// The masks of the elements of ROLLUP and CUBE.
std::vector<u64> Binder::groupElements(const parse::GroupItem& item, Block& block) {
    std::vector<u64> elements;
    for (const parse::GroupItem* element : item.items) {
        if (element->kind == parse::GroupItemKind::kExpression)
            elements.push_back(groupMask(element->expression, block));
        else if (element->kind == parse::GroupItemKind::kEmpty) elements.push_back(0);
        else
            fail(sqlstate::kSyntaxError, "grouping sets cannot stand inside ROLLUP or CUBE",
                 element->position, "Write GROUPING SETS around them.");
    }
    return elements;
}

std::vector<u64> Binder::groupItem(const parse::GroupItem& item, Block& block) {
    constexpr size_t kMostCube = 14;
    std::vector<u64> sets;
    switch (item.kind) {
    case parse::GroupItemKind::kExpression: return {groupMask(item.expression, block)};
    case parse::GroupItemKind::kEmpty: return {0};
    case parse::GroupItemKind::kRollup: {
        const std::vector<u64> elements = groupElements(item, block);
        for (size_t count = elements.size() + 1; count-- > 0;) {
            u64 mask = 0;
            for (size_t i = 0; i < count; ++i) mask |= elements[i];
            sets.push_back(mask);
        }
        return sets;
    }
    case parse::GroupItemKind::kCube: {
        const std::vector<u64> elements = groupElements(item, block);
        if (elements.size() > kMostCube)
            fail(sqlstate::kProgramLimitExceeded, "CUBE is limited to 14 elements", item.position,
                 "Write the GROUPING SETS that are needed.");
        for (u32 subset = (1u << elements.size()); subset-- > 0;) {
            u64 mask = 0;
            for (size_t i = 0; i < elements.size(); ++i)
                if (subset >> i & 1) mask |= elements[i];
            sets.push_back(mask);
        }
        return sets;
    }
    case parse::GroupItemKind::kGroupingSets:
        for (const parse::GroupItem* element : item.items)
            for (u64 mask : groupItem(*element, block)) sets.push_back(mask);
        return sets;
    }
    BS_UNREACHABLE("group item kind");
}

std::vector<u64> Binder::groupBy(const parse::SelectQuery& query, Block& block) {
    if (query.group_by_all) {
        for (size_t i = 0; i < block.outputs.size(); ++i) {
            const Expr* value = output(i, block, Clause::kSelect);
            if (value->kind != ExprKind::kConstant && !readsAggregates(value, block))
                addKey(value, block.outputs[i].name, block);
        }
        return {};
    }
    const bool plain = std::ranges::all_of(query.group_by, [](const parse::GroupItem* item) {
        return item->kind == parse::GroupItemKind::kExpression;
    });
    if (plain) {
        for (const parse::GroupItem* item : query.group_by) {
            if (item->expression->is<parse::Row>())
                for (const parse::Expression* key : item->expression->as<parse::Row>()->items)
                    groupKey(key, block);
            else groupKey(item->expression, block);
        }
        return {};
    }
    constexpr size_t kMostSets = 16384;
    std::vector<u64> sets{0};
    for (const parse::GroupItem* item : query.group_by) {
        const std::vector<u64> more = groupItem(*item, block);
        if (more.size() * sets.size() > kMostSets)
            fail(sqlstate::kProgramLimitExceeded, "too many grouping sets", item->position,
                 "Write the GROUPING SETS that are needed.");
        std::vector<u64> product;
        for (u64 a : sets)
            for (u64 b : more) product.push_back(a | b);
        sets = std::move(product);
    }
    // Keys are NULL in the sets that do not group by them.
    for (GroupKey& key : block.keys) key.column.nullable = true;
    const u64 all = block.keys.size() >= 64 ? ~u64{0} : (u64{1} << block.keys.size()) - 1;
    if (sets.size() == 1 && sets[0] == all) return {};
    return sets;
}

LogicalOp* Binder::aggregate(LogicalOp* root, Block& block, const std::vector<u64>& sets) {
    auto* op = makeOp<AggregateOp>(LogicalKind::kAggregate, {root});
    op->keys = list(block.keys);
    op->aggregates = list(block.aggregates);
    op->grouping_sets = list(sets);
    op->grouping_id = block.grouping_id;
    return op;
}

/// Windows run over the grouped rows.
void Binder::groupWindows(Block& block) {
    for (WindowGroup& window : block.windows) {
        for (const Expr*& key : window.partition_by) key = grouped(key, block);
        for (SortKey& key : window.order_by) key.expr = grouped(key.expr, block);
        for (WindowItem& item : window.items)
            for (const Expr*& arg : item.args) arg = grouped(arg, block);
    }
}

const Expr* Binder::grouped(const Expr* value, Block& block) {
    return rewriteExpr(arena_, value, [&](const Expr* part) -> const Expr* {
        if (part->kind == ExprKind::kConstant) return part;
        for (const GroupKey& key : block.keys)
            if (sameExpr(key.expr, part)) return columnExpr(key.column, part->position);
        if (part->kind != ExprKind::kColumn) return nullptr;
        const ColumnId id = part->as<ColumnExpr>()->id;
        if (!block.owns(id)) return part;
        std::string name;
        for (const NamedTable& table : block.from.tables)
            for (const VisibleColumn& column : table.columns)
                if (column.expr->kind == ExprKind::kColumn &&
                    column.expr->as<ColumnExpr>()->id == id)
                    name = (table.name.empty() ? "" : std::string(table.name) + ".") +
                           std::string(column.name);
        fail(sqlstate::kGroupingError,
             "column \"" + name +
                 "\" must appear in the GROUP BY clause or be used in an aggregate function",
             part->position, "Group by the column, or write an aggregate such as MAX around it.");
    });
}

} // namespace blueshift::bind
