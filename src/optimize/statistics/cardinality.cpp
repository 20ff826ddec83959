#include "optimize/statistics/cardinality.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blueshift::optimize {

using bind::JoinType;
using bind::LogicalKind;
using bind::LogicalOp;

namespace {

constexpr f64 kUnbounded = std::numeric_limits<f64>::infinity();

/// Rows of the table that all key columns of one side come from; 0 when they differ.
f64 originRows(const PlanContext& context, std::span<const Equality> keys, bool left) {
    const catalog::Table* table = nullptr;
    for (const Equality& key : keys) {
        const Expr* side = left ? key.left : key.right;
        if (!isColumn(side)) return 0;
        const catalog::Table* origin = context.facts(side->as<ColumnExpr>()->id).table;
        if (origin == nullptr || (table != nullptr && origin != table)) return 0;
        table = origin;
    }
    return table == nullptr ? 0 : f64(table->rowCount());
}

} // namespace

RowEstimate Cardinality::of(const LogicalOp* op) {
    if (const auto found = memo_.find(op); found != memo_.end()) return found->second;
    RowEstimate estimated = estimate(op);
    estimated.rows =
        std::max(std::min(estimated.rows, estimated.upper), estimated.upper > 0 ? 1.0 : 0.0);
    memo_[op] = estimated;
    return estimated;
}

f64 Cardinality::scanSelectivity(const bind::ScanOp& scan, std::span<const Expr* const> terms) {
    if (terms.empty()) return 1;
    const Expr* all = makeAnd(context_.arena, terms);
    if (isConstantFalseOrNull(all)) return 0;
    const bool sampled = context_.samples != nullptr && scan.table->statistics != nullptr &&
                         scan.table->statistics->sample != nullptr;
    if (sampled) {
        std::vector<std::pair<ColumnId, u32>> columns;
        const ColumnSet read = columnsOf(all);
        bool stored = true;
        for (u32 i = 0; i < scan.columns.size(); ++i)
            if (read.contains(scan.columns[i].id))
                columns.emplace_back(scan.columns[i].id, scan.column_ids[i]);
        stored = columns.size() == read.size();
        if (stored) {
            const auto answer = context_.samples->passingRows(*scan.table, all, columns);
            if (answer && answer->sampled > 0) {
                // Half a row is added: a sample without a hit does not prove an empty result.
                return (f64(answer->passed) + 0.5) / (f64(answer->sampled) + 1);
            }
        }
    }
    return selectivity(all);
}

f64 Cardinality::joinSelectivity(std::span<const Equality> keys, f64 left_rows,
                                 f64 right_rows) const {
    f64 product = 1;
    for (const Equality& key : keys) {
        const f64 left = distinct(key.left, left_rows);
        const f64 right = distinct(key.right, right_rows);
        // Containment over the unfiltered value sets: a filter on one side drops partners of the
        // other in proportion.
        const f64 left_all = distinct(key.left, kUnbounded);
        const f64 right_all = distinct(key.right, kUnbounded);
        f64 widest = std::max(left, right);
        if (std::isfinite(left_all) && isColumn(key.left)) widest = std::max(widest, left_all);
        if (std::isfinite(right_all) && isColumn(key.right)) widest = std::max(widest, right_all);
        product /= std::max(widest, 1.0);
    }
    if (keys.size() > 1) {
        // Several columns of one key have no more combinations than their table has rows.
        const f64 rows =
            std::max(originRows(context_, keys, true), originRows(context_, keys, false));
        if (rows > 0) product = std::max(product, 1 / rows);
    }
    return product;
}

f64 Cardinality::groups(std::span<const Expr* const> keys, f64 rows) const {
    f64 product = 1;
    std::unordered_map<const catalog::Table*, f64> by_table;
    for (const Expr* key : keys) {
        const f64 values = distinct(key, rows);
        const catalog::Table* origin =
            isColumn(key) ? context_.facts(key->as<ColumnExpr>()->id).table : nullptr;
        if (origin == nullptr) {
            product *= values;
        } else {
            f64& of_table = by_table.try_emplace(origin, 1).first->second;
            of_table = std::min(of_table * values, f64(std::max<u64>(origin->rowCount(), 1)));
        }
    }
    for (const auto& [table, values] : by_table) product *= values;
    if (product >= rows) return rows;
    // Values that few rows have may be missing: Cardenas.
    return std::max(1.0, product * (1 - std::exp(-rows / product)));
}

RowEstimate Cardinality::estimateFilter(const bind::FilterOp& filter) {
    const RowEstimate below = of(filter.children[0]);
    std::vector<const Expr*> terms;
    splitConjunction(filter.predicate, terms);
    if (filter.children[0]->kind == LogicalKind::kScan) {
        const auto& scan = *filter.children[0]->as<bind::ScanOp>();
        return {below.rows * scanSelectivity(scan, terms), below.upper};
    }
    return {below.rows * selectivity(filter.predicate), below.upper};
}

RowEstimate Cardinality::estimateJoin(const bind::JoinOp& join) {
    const RowEstimate left = of(join.children[0]);
    const RowEstimate right = of(join.children[1]);
    const ColumnSet left_columns = outputsOf(join.children[0]);
    const ColumnSet right_columns = outputsOf(join.children[1]);
    std::vector<const Expr*> terms;
    splitConjunction(join.condition, terms);
    std::vector<Equality> keys;
    ColumnSet left_keys;
    ColumnSet right_keys;
    f64 rest = 1;
    for (const Expr* term : terms) {
        Equality equality = equalityOf(term);
        if (equality) {
            const ColumnSet a = columnsOf(equality.left);
            const ColumnSet b = columnsOf(equality.right);
            if (left_columns.containsAll(b) && right_columns.containsAll(a))
                std::swap(equality.left, equality.right);
            else if (!left_columns.containsAll(a) || !right_columns.containsAll(b)) equality = {};
        }
        if (!equality) {
            rest *= selectivity(term);
            continue;
        }
        keys.push_back(equality);
        if (isColumn(equality.left)) left_keys.add(equality.left->as<ColumnExpr>()->id);
        if (isColumn(equality.right)) right_keys.add(equality.right->as<ColumnExpr>()->id);
    }
    const bool right_once = isUnique(context_, join.children[1], right_keys);
    const bool left_once = isUnique(context_, join.children[0], left_keys);
    f64 inner = left.rows * right.rows * joinSelectivity(keys, left.rows, right.rows) * rest;
    f64 inner_upper = left.upper * right.upper;
    if (right_once) inner_upper = std::min(inner_upper, left.upper);
    if (left_once) inner_upper = std::min(inner_upper, right.upper);
    inner = std::min(inner, inner_upper);
    const auto partner = [&](f64 rows) {
        return std::clamp(inner / std::max(rows, 1.0), 0.001, 1.0);
    };
    switch (join.type) {
    case JoinType::kInner: return {inner, inner_upper};
    case JoinType::kLeft:
        return {std::max(inner, left.rows),
                right_once ? left.upper : left.upper * std::max(1.0, right.upper)};
    case JoinType::kRight:
        return {std::max(inner, right.rows),
                left_once ? right.upper : right.upper * std::max(1.0, left.upper)};
    case JoinType::kFull:
        return {std::max({inner, left.rows, right.rows}), inner_upper + left.upper + right.upper};
    case JoinType::kSemi: {
        // Left values with a partner: those among the right side's distinct ones.
        f64 part = partner(left.rows);
        if (keys.size() == 1) {
            const f64 left_values = distinct(keys[0].left, kUnbounded);
            const f64 right_values = distinct(keys[0].right, right.rows);
            if (std::isfinite(left_values))
                part =
                    std::min(part, right_values / std::max(left_values, 1.0) * std::max(rest, 0.1));
        }
        return {left.rows * part, left.upper};
    }
    case JoinType::kAnti: return {left.rows * std::max(0.1, 1 - partner(left.rows)), left.upper};
    case JoinType::kMark:
    case JoinType::kSingle: return left;
    }
    return left;
}

RowEstimate Cardinality::estimateAggregate(const bind::AggregateOp& aggregate) {
    if (isScalarAggregate(&aggregate)) return {1, 1};
    const RowEstimate below = of(aggregate.children[0]);
    std::vector<const Expr*> keys;
    for (const bind::GroupKey& key : aggregate.keys) keys.push_back(key.expr);
    const f64 sets = std::max<f64>(1, aggregate.grouping_sets.size());
    return {groups(keys, below.rows) * sets, below.upper * sets + (sets > 1 ? sets : 0)};
}

RowEstimate Cardinality::estimate(const LogicalOp* op) {
    switch (op->kind) {
    case LogicalKind::kScan: {
        const f64 rows = f64(op->as<bind::ScanOp>()->table->rowCount());
        return {rows, rows};
    }
    case LogicalKind::kSource:
        return {op->as<bind::SourceOp>()->source->estimatedRows(), kUnbounded};
    case LogicalKind::kValues: {
        const f64 rows = op->as<bind::ValuesOp>()->rows.size();
        return {rows, rows};
    }
    case LogicalKind::kFilter: return estimateFilter(*op->as<bind::FilterOp>());
    case LogicalKind::kMap:
    case LogicalKind::kWindow:
    case LogicalKind::kSort: return of(op->children[0]);
    case LogicalKind::kJoin: return estimateJoin(*op->as<bind::JoinOp>());
    case LogicalKind::kAggregate: return estimateAggregate(*op->as<bind::AggregateOp>());
    case LogicalKind::kLimit: {
        RowEstimate below = of(op->children[0]);
        const auto* limit = op->as<bind::LimitOp>();
        below.rows = std::max(0.0, below.rows - f64(limit->offset));
        if (limit->limit >= 0) {
            below.rows = std::min(below.rows, f64(limit->limit));
            below.upper = std::min(below.upper, f64(limit->limit));
        }
        return below;
    }
    case LogicalKind::kDistinct: {
        const RowEstimate below = of(op->children[0]);
        std::vector<const Expr*> keys;
        for (const ColumnId id : op->as<bind::DistinctOp>()->columns)
            keys.push_back(context_.column(id));
        return {groups(keys, below.rows), below.upper};
    }
    case LogicalKind::kUnion: {
        RowEstimate sum{0, 0};
        for (const LogicalOp* child : op->children) {
            const RowEstimate part = of(child);
            sum.rows += part.rows;
            sum.upper += part.upper;
        }
        return sum;
    }
    case LogicalKind::kSetOp: {
        const RowEstimate left = of(op->children[0]);
        return {left.rows / 2, left.upper};
    }
    case LogicalKind::kCteScan: return of(context_.ctes[op->as<bind::CteScanOp>()->cte].plan);
    }
    return {};
}

} // namespace blueshift::optimize
