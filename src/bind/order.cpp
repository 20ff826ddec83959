// ORDER BY, LIMIT, OFFSET and TOP. ASC puts NULLs last, DESC first, unless the statement says so.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

using functions::CastContext;

SortKey Binder::sortKey(const parse::OrderItem& item, const Expr* key) {
    if (key->type.kind == TypeKind::kUnknown)
        key = castTo(key, SqlType::text(), CastContext::kExplicit, key->position);
    const bool first = item.nulls == parse::NullsOrder::kUnspecified
                           ? item.descending
                           : item.nulls == parse::NullsOrder::kFirst;
    return {key, item.descending, first};
}

Binder::OrderKey Binder::orderKey(const parse::OrderItem& item, Block& block) {
    const parse::Expression* e = item.expression;
    OrderKey key{-1, nullptr, &item};
    if (e->is<parse::Literal>() &&
        e->as<parse::Literal>()->literal == parse::LiteralKind::kInteger) {
        const std::string_view digits = e->as<parse::Literal>()->text;
        size_t ordinal = 0;
        for (char c : digits) ordinal = std::min<size_t>(ordinal * 10 + size_t(c - '0'), 1u << 20);
        if (ordinal < 1 || ordinal > block.outputs.size())
            fail(sqlstate::kInvalidColumnReference,
                 "ORDER BY position " + std::string(digits) + " is not in select list", e->position,
                 "The select list has " + std::to_string(block.outputs.size()) + " items.");
        key.output = i32(ordinal - 1);
        return key;
    }
    if (e->is<parse::ColumnReference>() && e->as<parse::ColumnReference>()->parts.size() == 1) {
        const std::string_view name = e->as<parse::ColumnReference>()->parts[0];
        for (size_t i = 0; i < block.outputs.size(); ++i) {
            if (block.outputs[i].name != name) continue;
            if (key.output >= 0 &&
                !sameExpr(block.outputs[size_t(key.output)].expr, block.outputs[i].expr))
                fail(sqlstate::kAmbiguousColumn,
                     "ORDER BY \"" + std::string(name) + "\" is ambiguous", e->position,
                     "Give the items of the select list different names.");
            if (key.output < 0) key.output = i32(i);
        }
        if (key.output >= 0) return key;
    }
    ClauseGuard guard(block, Clause::kOrderBy);
    key.expr = expr(e, block);
    for (size_t i = 0; i < block.outputs.size(); ++i)
        if (sameExpr(block.outputs[i].expr, key.expr)) key.output = i32(i);
    return key;
}

std::vector<Binder::OrderKey> Binder::orderKeys(const parse::SelectQuery& query, Block& block) {
    std::vector<OrderKey> keys;
    for (const parse::OrderItem& item : query.order_by) keys.push_back(orderKey(item, block));
    return keys;
}

LogicalOp* Binder::order(const std::vector<OrderKey>& keys, Block&, const BoundQuery& result) {
    std::vector<SortKey> sort_keys;
    for (const OrderKey& key : keys) {
        const Expr* value = key.output >= 0 ? result.columns[size_t(key.output)].expr : key.expr;
        if (value->kind != ExprKind::kConstant && value->kind != ExprKind::kParameter)
            sort_keys.push_back(sortKey(*key.item, value));
    }
    if (sort_keys.empty()) return result.root;
    auto* op = makeOp<SortOp>(LogicalKind::kSort, {result.root});
    op->keys = list(sort_keys);
    return op;
}

/// ORDER BY of a set operation or of VALUES: its names are those of the result.
LogicalOp* Binder::orderByOutput(const parse::Query& query, BoundQuery& result) {
    if (query.order_by.empty()) return result.root;
    settle(result);
    Block block;
    std::vector<VisibleColumn> columns;
    for (const QueryColumn& column : result.columns) {
        SelectOutput made;
        made.name = column.name;
        made.expr = column.expr;
        block.outputs.push_back(made);
        columns.push_back({column.name, column.expr});
    }
    block.from = scopeOf({}, {}, std::move(columns));
    std::vector<OrderKey> keys;
    for (const parse::OrderItem& item : query.order_by) keys.push_back(orderKey(item, block));
    if (!block.aggregates.empty() || !block.windows.empty())
        fail(sqlstate::kGroupingError, "aggregates are not allowed in ORDER BY of a set operation",
             query.position, "Put the set operation into a subquery.");
    return order(keys, block, result);
}

/// A constant number of rows; -1 for NULL, and for a parameter whose value is not there yet.
i64 Binder::rowCount(const parse::Expression* e, std::string_view clause) {
    Block block;
    const Expr* value =
        castTo(expr(e, block), SqlType::bigInt(), CastContext::kExplicit, e->position);
    value = foldConstants(arena_, value, session_);
    if (value->kind == ExprKind::kParameter) {
        auto* types = context_.parameter_types;
        const u32 index = value->as<ParameterExpr>()->index;
        if (types != nullptr && index <= types->size() &&
            (*types)[index - 1].kind == TypeKind::kUnknown)
            (*types)[index - 1] = SqlType::bigInt();
        return -1;
    }
    if (value->kind != ExprKind::kConstant)
        fail(sqlstate::kInvalidColumnReference,
             "argument of " + std::string(clause) + " must be a constant", e->position,
             "Write a number or a parameter.");
    const Value& number = value->as<ConstantExpr>()->value;
    if (number.is_null) return -1;
    if (number.integer < 0)
        fail(clause == "OFFSET" ? "2201X" : "2201W", std::string(clause) + " must not be negative",
             e->position, "Write a number of at least 0.");
    return i64(number.integer);
}

LogicalOp* Binder::limit(LogicalOp* root, const parse::Expression* limit,
                         const parse::Expression* offset) {
    const i64 rows = limit == nullptr ? -1 : rowCount(limit, "LIMIT");
    const i64 skipped = offset == nullptr ? 0 : std::max<i64>(rowCount(offset, "OFFSET"), 0);
    if (rows < 0 && skipped == 0) return root;
    auto* op = makeOp<LimitOp>(LogicalKind::kLimit, {root});
    op->limit = rows;
    op->offset = skipped;
    return op;
}

} // namespace blueshift::bind
