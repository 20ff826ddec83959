// Joins: ON, USING and NATURAL, and what an outer join makes nullable.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

void Binder::markNullable(FromScope& scope) {
    const auto mark = [&](VisibleColumn& column) {
        if (column.expr->kind == ExprKind::kColumn && !column.expr->nullable)
            column.expr =
                makeColumn(arena_, column.expr->as<ColumnExpr>()->id, column.expr->type, true);
    };
    for (VisibleColumn& column : scope.visible) mark(column);
    for (NamedTable& table : scope.tables)
        for (VisibleColumn& column : table.columns) mark(column);
}

/// Walks down the left sides in a loop: chains of joins may be long.
FromResult Binder::fromJoin(const parse::FromJoin& item, Block& left) {
    std::vector<const parse::FromJoin*> spine{&item};
    while (spine.back()->left->is<parse::FromJoin>() && spine.back()->left->alias.empty())
        spine.push_back(spine.back()->left->as<parse::FromJoin>());
    FromResult result = fromItem(*spine.back()->left, left);
    for (auto join = spine.rbegin(); join != spine.rend(); ++join)
        result = joinPair(**join, std::move(result), left);
    return result;
}

FromResult Binder::joinPair(const parse::FromJoin& item, FromResult left, Block& around) {
    const bool lateral =
        item.right->is<parse::FromQuery>() && item.right->as<parse::FromQuery>()->lateral;
    FromResult right;
    if (lateral) {
        if (item.type == parse::JoinType::kRight || item.type == parse::JoinType::kFull)
            fail(sqlstate::kInvalidColumnReference,
                 "a LATERAL subquery cannot be the right side of a RIGHT or FULL JOIN",
                 item.right->position, "Use INNER, LEFT or CROSS JOIN.");
        Block both;
        both.outer = around.outer;
        both.clause = Clause::kFrom;
        both.from = around.from;
        addScope(both.from, left.scope, item.position);
        right = fromItem(*item.right, both);
    } else {
        right = fromItem(*item.right, around);
    }

    auto* join = makeOp<JoinOp>(LogicalKind::kJoin, {left.op, right.op});
    join->dependent = lateral;
    switch (item.type) {
    case parse::JoinType::kInner:
    case parse::JoinType::kCross: join->type = JoinType::kInner; break;
    case parse::JoinType::kLeft: join->type = JoinType::kLeft; break;
    case parse::JoinType::kRight: join->type = JoinType::kRight; break;
    case parse::JoinType::kFull: join->type = JoinType::kFull; break;
    }
    const std::vector<std::string_view> shared = sharedColumns(item, left.scope, right.scope);
    if (!shared.empty()) {
        std::vector<const Expr*> terms;
        for (std::string_view name : shared)
            terms.push_back(compare("=", usingColumn(name, left.scope, "left", item.position).expr,
                                    usingColumn(name, right.scope, "right", item.position).expr,
                                    item.position));
        join->condition = makeAnd(arena_, terms);
    } else if (item.on != nullptr) {
        Block block;
        block.outer = around.outer;
        block.from = left.scope;
        addScope(block.from, right.scope, item.position);
        join->condition = condition(item.on, block, Clause::kOn);
    }
    if (join->condition != nullptr && isConstantTrue(join->condition)) join->condition = nullptr;
    if (join->type == JoinType::kLeft || join->type == JoinType::kFull) markNullable(right.scope);
    if (join->type == JoinType::kRight || join->type == JoinType::kFull) markNullable(left.scope);
    FromResult result;
    result.op = join;
    result.scope = mergeUsing(shared, join->type, result.op, std::move(left.scope),
                              std::move(right.scope), item.position);
    return result;
}

/// The names of USING, or those that both sides of a NATURAL join have.
std::vector<std::string_view> Binder::sharedColumns(const parse::FromJoin& item,
                                                    const FromScope& left,
                                                    const FromScope& right) const {
    std::vector<std::string_view> names;
    for (const parse::ColumnName& column : item.using_columns) names.push_back(column.name);
    if (!item.natural) return names;
    for (const VisibleColumn& column : left.visible) {
        if (column.hidden) continue;
        const bool both = std::ranges::any_of(
            right.visible, [&](const VisibleColumn& other) { return other.name == column.name; });
        if (both && std::find(names.begin(), names.end(), column.name) == names.end())
            names.push_back(column.name);
    }
    return names;
}

const VisibleColumn& Binder::usingColumn(std::string_view name, const FromScope& scope,
                                         std::string_view side, i32 position) const {
    const VisibleColumn* found = nullptr;
    for (const VisibleColumn& column : scope.visible) {
        if (column.name != name) continue;
        if (found != nullptr)
            fail(sqlstate::kAmbiguousColumn,
                 "common column name \"" + std::string(name) + "\" appears more than once in " +
                     std::string(side) + " table",
                 position, "Use ON with qualified names.");
        found = &column;
    }
    if (found == nullptr)
        fail(sqlstate::kUndefinedColumn,
             "column \"" + std::string(name) + "\" specified in USING clause does not exist in " +
                 std::string(side) + " table",
             position, "Use ON with qualified names.");
    return *found;
}

/// The merged columns stand first, once; the others of the left and of the right side follow.
FromScope Binder::mergeUsing(const std::vector<std::string_view>& names, JoinType type,
                             LogicalOp*& op, FromScope left, FromScope right, i32 position) {
    std::vector<VisibleColumn> visible;
    std::vector<MapItem> items;
    for (std::string_view name : names) {
        const VisibleColumn& a = usingColumn(name, left, "left", position);
        const VisibleColumn& b = usingColumn(name, right, "right", position);
        VisibleColumn merged = type == JoinType::kRight ? b : a;
        const SqlType types[] = {a.expr->type, b.expr->type};
        const SqlType common =
            at(position, [&] { return functions::commonType(types, "JOIN/USING"); });
        const Expr* value = merged.expr;
        if (type == JoinType::kFull) {
            const Expr* both[] = {a.expr, b.expr};
            value = makeLogic(arena_, ExprKind::kCoalesce, both);
        } else if (value->type.kind != common.kind &&
                   !(isString(value->type.kind) && isString(common.kind))) {
            value = castTo(value, common, functions::CastContext::kExplicit, position);
        }
        if (value != merged.expr) {
            items.push_back({newColumn(name, value->type, value->nullable), value});
            merged = {name, columnExpr(items.back().column)};
        }
        visible.push_back(merged);
    }
    op = makeMap(op, items);
    const auto rest = [&](const FromScope& scope) {
        for (const VisibleColumn& column : scope.visible)
            if (std::find(names.begin(), names.end(), column.name) == names.end())
                visible.push_back(column);
    };
    rest(left);
    rest(right);
    FromScope joined;
    addScope(joined, std::move(left), position);
    addScope(joined, std::move(right), position);
    joined.visible = std::move(visible);
    return joined;
}

} // namespace blueshift::bind
