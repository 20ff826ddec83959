// UNION, INTERSECT, EXCEPT and VALUES: columns by position, of the type that all inputs share.
#include <algorithm>

#include "bind/binder.h"

namespace blueshift::bind {

using functions::CastContext;

/// Casts every input to the common types and gives the columns of the result.
std::vector<OutputColumn> Binder::unifyColumns(std::vector<BoundQuery>& inputs,
                                               std::string_view word, i32 position) {
    const size_t width = inputs[0].columns.size();
    for (const BoundQuery& input : inputs)
        if (input.columns.size() != width)
            fail(sqlstate::kSyntaxError,
                 "each " + std::string(word) + " query must have the same number of columns",
                 position,
                 "One has " + std::to_string(width) + ", another " +
                     std::to_string(input.columns.size()) + " columns.");
    std::vector<OutputColumn> columns;
    std::vector<std::vector<MapItem>> casts(inputs.size());
    for (size_t i = 0; i < width; ++i) {
        std::vector<SqlType> types;
        for (const BoundQuery& input : inputs) types.push_back(input.columns[i].expr->type);
        const SqlType common = at(position, [&] { return functions::commonType(types, word); });
        bool nullable = false;
        for (size_t k = 0; k < inputs.size(); ++k) {
            QueryColumn& column = inputs[k].columns[i];
            const Expr* value =
                castTo(column.expr, common, CastContext::kExplicit,
                       column.expr->position >= 0 ? column.expr->position : position);
            nullable |= value->nullable;
            if (value == column.expr && value->kind == ExprKind::kColumn) continue;
            casts[k].push_back({newColumn(column.name, common, value->nullable), value});
            column.expr = columnExpr(casts[k].back().column);
        }
        columns.push_back(newColumn(inputs[0].columns[i].name, common, nullable));
    }
    for (size_t k = 0; k < inputs.size(); ++k) inputs[k].root = makeMap(inputs[k].root, casts[k]);
    return columns;
}

namespace {

List<ColumnId> idsOf(Arena& arena, const BoundQuery& query) {
    List<ColumnId> ids(arena);
    for (const QueryColumn& column : query.columns) ids.push(column.expr->as<ColumnExpr>()->id);
    return ids;
}

} // namespace

BoundQuery Binder::unite(std::vector<BoundQuery> inputs, bool distinct, i32 position) {
    if (inputs.size() == 1) return std::move(inputs[0]);
    const std::vector<OutputColumn> columns = unifyColumns(inputs, "UNION", position);
    auto* op = makeOp<UnionOp>(LogicalKind::kUnion, {});
    op->columns = list(columns);
    op->inputs = List<List<ColumnId>>(arena_);
    for (const BoundQuery& input : inputs) {
        op->children.push(input.root);
        op->inputs.push(idsOf(arena_, input));
    }
    BoundQuery result;
    result.root = op;
    for (const OutputColumn& column : columns)
        result.columns.push_back({column.name, columnExpr(column)});
    if (distinct) {
        auto* once = makeOp<DistinctOp>(LogicalKind::kDistinct, {result.root});
        once->columns = idsOf(arena_, result);
        result.root = once;
    }
    return result;
}

BoundQuery Binder::intersectOrExcept(BoundQuery left, BoundQuery right,
                                     const parse::SetOperationArm& arm) {
    const bool intersect = arm.op == parse::SetOperator::kIntersect;
    std::vector<BoundQuery> inputs;
    inputs.push_back(std::move(left));
    inputs.push_back(std::move(right));
    const auto columns = unifyColumns(inputs, intersect ? "INTERSECT" : "EXCEPT", arm.position);
    auto* op = makeOp<SetOpOp>(LogicalKind::kSetOp, {inputs[0].root, inputs[1].root});
    op->operation = intersect ? SetOpKind::kIntersect : SetOpKind::kExcept;
    op->all = arm.all;
    op->columns = list(columns);
    op->inputs = List<List<ColumnId>>(arena_, {idsOf(arena_, inputs[0]), idsOf(arena_, inputs[1])});
    BoundQuery result;
    result.root = op;
    for (const OutputColumn& column : columns)
        result.columns.push_back({column.name, columnExpr(column)});
    return result;
}

/// From left to right. Neighbouring UNIONs become one: a UNION takes duplicates away from all that
/// stands before it, so that only a UNION ALL after it begins anew.
BoundQuery Binder::setOperation(const parse::SetOperation& query, Block* outer) {
    std::vector<BoundQuery> pending;
    pending.push_back(boundQuery(*query.first, outer));
    bool distinct = false;
    i32 position = query.position;
    const auto flush = [&] {
        BoundQuery united = unite(std::move(pending), distinct, position);
        pending.clear();
        pending.push_back(std::move(united));
        distinct = false;
    };
    for (const parse::SetOperationArm& arm : query.arms) {
        BoundQuery next = boundQuery(*arm.query, outer);
        position = arm.position;
        if (arm.op == parse::SetOperator::kUnion) {
            if (arm.all && distinct) flush();
            distinct |= !arm.all;
            pending.push_back(std::move(next));
            continue;
        }
        flush();
        BoundQuery left = std::move(pending.back());
        pending.clear();
        pending.push_back(intersectOrExcept(std::move(left), std::move(next), arm));
    }
    flush();
    return std::move(pending.back());
}

BoundQuery Binder::values(const parse::ValuesQuery& query, Block* outer) {
    Block block;
    block.outer = outer;
    std::vector<std::vector<const Expr*>> rows;
    for (const auto& row : query.rows) {
        std::vector<const Expr*> bound;
        for (const parse::Expression* item : row) bound.push_back(expr(item, block));
        if (!rows.empty() && bound.size() != rows[0].size())
            fail(sqlstate::kSyntaxError, "VALUES lists must all be the same length", query.position,
                 "Give every row as many values.");
        rows.push_back(std::move(bound));
    }
    auto* op = makeOp<ValuesOp>(LogicalKind::kValues, {});
    op->columns = List<OutputColumn>(arena_);
    op->rows = List<List<const Expr*>>(arena_);
    BoundQuery result;
    result.root = op;
    const size_t width = rows.empty() ? 0 : rows[0].size();
    for (size_t i = 0; i < width; ++i) {
        std::vector<SqlType> types;
        for (const auto& row : rows) types.push_back(row[i]->type);
        const SqlType common =
            at(query.position, [&] { return functions::commonType(types, "VALUES"); });
        bool nullable = false;
        for (auto& row : rows) {
            row[i] = castTo(row[i], common, CastContext::kExplicit, row[i]->position);
            nullable |= row[i]->nullable;
        }
        const std::string name = "column" + std::to_string(i + 1);
        op->columns.push(newColumn(arena_.copyText(name), common, nullable));
        result.columns.push_back({op->columns.back().name, columnExpr(op->columns.back())});
    }
    for (const auto& row : rows) op->rows.push(list(row));
    return result;
}

} // namespace blueshift::bind
