#include "optimize/plan_context.h"

#include <algorithm>
#include <cmath>

#include "optimize/logical_shape.h"
#include "optimize/statistics/sketch.h"

namespace blueshift::optimize {

using bind::LogicalKind;
using bind::LogicalOp;

PlanContext::PlanContext(Arena& arena_in, const bind::QueryPlan& plan,
                         const OptimizerOptions& options_in, SampleEvaluator* samples_in)
    : arena(arena_in), options(options_in), samples(samples_in) {
    facts_.resize(plan.next_column);
    for (const bind::Cte& cte : plan.ctes) ctes.push_back(cte);
}

ColumnFacts& PlanContext::facts(ColumnId id) {
    if (id >= facts_.size()) facts_.resize(id + 1);
    return facts_[id];
}

const ColumnFacts& PlanContext::facts(ColumnId id) const {
    BS_CHECK(id < facts_.size(), "column without facts");
    return facts_[id];
}

bind::OutputColumn PlanContext::newColumn(std::string_view name, SqlType type, bool nullable) {
    const ColumnId id = nextColumn();
    facts_.push_back({.name = name, .type = type, .nullable = nullable});
    return {.id = id, .name = name, .type = type, .nullable = nullable};
}

bind::OutputColumn PlanContext::copyOf(ColumnId id) {
    const ColumnFacts copied = facts(id);
    const ColumnId made = nextColumn();
    facts_.push_back(copied);
    return {.id = made, .name = copied.name, .type = copied.type, .nullable = copied.nullable};
}

const Expr* PlanContext::column(ColumnId id, bool nullable) {
    return makeColumn(arena, id, facts(id).type, nullable);
}

LogicalOp* PlanContext::filter(LogicalOp* child, std::span<const Expr* const> terms) {
    const Expr* predicate = makeAnd(arena, terms);
    if (predicate == nullptr || isConstantTrue(predicate)) return child;
    auto* made = op<bind::FilterOp>(LogicalKind::kFilter, {child});
    made->predicate = predicate;
    return made;
}

LogicalOp* PlanContext::map(LogicalOp* child, std::span<const bind::MapItem> items) {
    if (items.empty()) return child;
    auto* made = op<bind::MapOp>(LogicalKind::kMap, {child});
    made->items = List<bind::MapItem>(arena, items);
    return made;
}

bind::JoinOp* PlanContext::join(bind::JoinType type, LogicalOp* left, LogicalOp* right,
                                const Expr* condition) {
    auto* made = op<bind::JoinOp>(LogicalKind::kJoin, {left, right});
    made->type = type;
    made->condition = condition;
    return made;
}

bind::DistinctOp* PlanContext::distinct(LogicalOp* child, std::span<const ColumnId> columns) {
    auto* made = op<bind::DistinctOp>(LogicalKind::kDistinct, {child});
    made->columns = List<ColumnId>(arena, columns);
    return made;
}

bind::LimitOp* PlanContext::limit(LogicalOp* child, i64 limit, i64 offset) {
    auto* made = op<bind::LimitOp>(LogicalKind::kLimit, {child});
    made->limit = limit;
    made->offset = offset;
    return made;
}

bind::CteScanOp* PlanContext::cteScan(u32 cte, std::span<const bind::OutputColumn> columns,
                                      std::span<const ColumnId> inputs) {
    auto* made = op<bind::CteScanOp>(LogicalKind::kCteScan, {});
    made->cte = cte;
    made->columns = List<bind::OutputColumn>(arena, columns);
    made->inputs = List<ColumnId>(arena, inputs);
    return made;
}

LogicalOp* PlanContext::noRows(const ColumnSet& columns) {
    auto* made = op<bind::ValuesOp>(LogicalKind::kValues, {});
    made->columns = List<bind::OutputColumn>(arena);
    made->rows = List<List<const Expr*>>(arena);
    columns.forEach([&](ColumnId id) {
        const ColumnFacts& about = facts(id);
        made->columns.push({.id = id, .name = about.name, .type = about.type, .nullable = true});
    });
    return made;
}

void PlanContext::set(const bind::OutputColumn& column) {
    if (column.id == kNoColumn) return;
    ColumnFacts& about = facts(column.id);
    about.name = column.name;
    about.type = column.type;
    about.nullable = column.nullable;
    about.average_bytes = isTextual(column.type.kind) ? 24 : f64(widthOf(naturalKind(column.type)));
}

namespace {

/// The union of the segments' exact bounds; false when a segment lacks them. A segment older than
/// the column has one value, or NULL.
bool provedRange(const catalog::Table& table, const catalog::Column& column, i128& min, i128& max) {
    if (table.segments == nullptr) return false;
    bool any = false;
    for (const catalog::SegmentEntry& entry : *table.segments) {
        const catalog::Segment& segment = *entry.segment;
        const auto found = std::ranges::find(segment.column_ids, column.id);
        if (found == segment.column_ids.end()) {
            if (column.backfill == nullptr) continue;
            const i128 value = column.backfill->integer;
            min = any ? std::min(min, value) : value;
            max = any ? std::max(max, value) : value;
            any = true;
            continue;
        }
        const auto index = size_t(found - segment.column_ids.begin());
        if (index >= segment.ranges.size()) return false;
        const catalog::ColumnRange& range = segment.ranges[index];
        if (!range.has_range) {
            if (range.null_count == segment.rows) continue;
            return false;
        }
        min = any ? std::min(min, range.min) : range.min;
        max = any ? std::max(max, range.max) : range.max;
        any = true;
    }
    return any;
}

/// Bounds of what `width` bytes hold.
void widthRange(u8 width, i128& min, i128& max) {
    max = (i128{1} << (width * 8 - 1)) - 1;
    min = -max - 1;
}

} // namespace

void PlanContext::learnScan(const bind::ScanOp& scan) {
    const catalog::Table& table = *scan.table;
    const f64 rows = std::max<f64>(1, f64(table.rowCount()));
    for (u32 i = 0; i < scan.columns.size(); ++i) {
        ColumnFacts& about = facts(scan.columns[i].id);
        about.table = &table;
        about.origin = scan.columns[0].id;
        about.qualifier = scan.alias;
        about.column_id = scan.column_ids[i];
        const catalog::Column* column = table.findColumn(scan.column_ids[i]);
        if (column == nullptr) continue;
        const bool integer = isIntegerKind(naturalKind(column->type));
        if (integer) {
            about.width = column->width_class;
            widthRange(std::min<u8>(about.width, 8), about.min, about.max);
            about.has_range = about.width <= 8;
            i128 min = 0;
            i128 max = 0;
            if (provedRange(table, *column, min, max)) {
                about.has_range = true;
                about.min = min;
                about.max = max;
            }
            about.average_bytes = about.width;
        }
        const catalog::ColumnStatistics* statistics =
            table.statistics == nullptr ? nullptr : table.statistics->find(column->id);
        if (statistics != nullptr) {
            about.null_fraction = statistics->null_fraction;
            about.distinct = statistics->distinct;
            if (about.distinct == 0 && !statistics->hll.empty()) {
                about.distinct = estimateDistinct(statistics->hll);
            }
            if (!integer && statistics->average_bytes > 0)
                about.average_bytes = statistics->average_bytes;
        }
        if (about.distinct <= 0) {
            for (const catalog::KeyConstraint& key : table.keys)
                if (key.columns.size() == 1 && key.columns[0] == column->id) about.distinct = rows;
        }
        if (about.distinct <= 0) {
            about.distinct = column->type.kind == TypeKind::kBoolean ? 2 : std::pow(rows, 0.75);
            if (integer && about.has_range) {
                const f64 span = f64(about.max - about.min) + 1;
                about.distinct = std::min(about.distinct, span);
            }
        }
        about.distinct = std::clamp(about.distinct, 1.0, rows);
    }
    if (scan.row_id != kNoColumn) {
        ColumnFacts& about = facts(scan.row_id);
        about = {.name = "row_id",
                 .type = SqlType::bigInt(),
                 .nullable = false,
                 .distinct = rows,
                 .average_bytes = 8,
                 .width = 8};
    }
}

void PlanContext::learnSubqueries(const Expr* expr) {
    if (expr->kind != ExprKind::kSubquery) {
        for (const Expr* arg : argsOf(expr)) learnSubqueries(arg);
        return;
    }
    const auto* subquery = expr->as<bind::SubqueryExpr>();
    learn(subquery->plan);
    for (const Expr* test : subquery->tests) learnSubqueries(test);
}

f64 PlanContext::computedDistinct(const Expr* expr) const {
    if (expr->kind == ExprKind::kConstant) return 1;
    if (expr->type.kind == TypeKind::kBoolean) return 2;
    if (expr->kind == ExprKind::kCall) {
        const std::string_view name = expr->as<CallExpr>()->function->name;
        // Years in a warehouse, months, hours: few.
        if (name == "extract" || name == "date_part" || name == "pgdate_part") return 12;
    }
    f64 product = 1;
    columnsOf(expr).forEach([&](ColumnId id) {
        product *= known(id) && facts(id).distinct > 0 ? facts(id).distinct : 1e9;
    });
    return product;
}

void PlanContext::learn(LogicalOp* root) {
    for (LogicalOp* child : root->children) learn(child);
    visitExprs(root, [&](const Expr*& expr) { learnSubqueries(expr); });
    const auto all = [&](const List<bind::OutputColumn>& columns) {
        for (const bind::OutputColumn& column : columns) set(column);
    };
    switch (root->kind) {
    case LogicalKind::kScan:
        all(root->as<bind::ScanOp>()->columns);
        learnScan(*root->as<bind::ScanOp>());
        break;
    case LogicalKind::kSource: all(root->as<bind::SourceOp>()->columns); break;
    case LogicalKind::kValues: all(root->as<bind::ValuesOp>()->columns); break;
    case LogicalKind::kMap:
        for (const bind::MapItem& item : root->as<bind::MapOp>()->items) {
            set(item.column);
            if (item.expr->kind == ExprKind::kColumn) {
                const ColumnFacts from = facts(item.expr->as<ColumnExpr>()->id);
                ColumnFacts& about = facts(item.column.id);
                const std::string_view name = about.name;
                about = from;
                about.name = name;
                about.type = item.column.type;
                about.nullable = item.column.nullable;
            } else {
                facts(item.column.id).distinct = computedDistinct(item.expr);
            }
        }
        break;
    case LogicalKind::kJoin: set(root->as<bind::JoinOp>()->mark); break;
    case LogicalKind::kAggregate: {
        const auto* aggregate = root->as<bind::AggregateOp>();
        for (const bind::GroupKey& key : aggregate->keys) {
            set(key.column);
            if (key.expr->kind == ExprKind::kColumn) {
                const bool nullable = key.column.nullable;
                ColumnFacts from = facts(key.expr->as<ColumnExpr>()->id);
                from.nullable = nullable;
                facts(key.column.id) = from;
            }
        }
        for (const bind::AggregateItem& item : aggregate->aggregates) set(item.column);
        set(aggregate->grouping_id);
        break;
    }
    case LogicalKind::kWindow:
        for (const bind::WindowItem& item : root->as<bind::WindowOp>()->items) set(item.column);
        break;
    case LogicalKind::kUnion: all(root->as<bind::UnionOp>()->columns); break;
    case LogicalKind::kSetOp: all(root->as<bind::SetOpOp>()->columns); break;
    case LogicalKind::kCteScan: {
        const auto* scan = root->as<bind::CteScanOp>();
        all(scan->columns);
        for (u32 i = 0; i < scan->columns.size(); ++i) {
            if (!known(scan->inputs[i])) continue;
            ColumnFacts from = facts(scan->inputs[i]);
            if (from.type != scan->columns[i].type) continue;
            from.name = scan->columns[i].name;
            facts(scan->columns[i].id) = from;
        }
        break;
    }
    default: break;
    }
}

} // namespace blueshift::optimize
