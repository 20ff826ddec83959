// COUNT, MIN and MAX of a whole table from what the catalog knows exactly: no row is read.
#include <algorithm>

#include "optimize/physical/plan_builder.h"

namespace blueshift::optimize {

using bind::LogicalKind;

namespace {

/// NULLs and bounds of one column over all rows; `exact` only without deleted rows.
struct ColumnSummary {
    bool exact = false;
    u64 nulls = 0;
    bool any = false;
    i128 min = 0;
    i128 max = 0;
};

ColumnSummary summarise(const catalog::Table& table, u32 column_id) {
    ColumnSummary made;
    if (table.segments == nullptr) return made;
    for (const catalog::SegmentEntry& entry : *table.segments) {
        const catalog::Segment& segment = *entry.segment;
        const auto found = std::ranges::find(segment.column_ids, column_id);
        const auto index = size_t(found - segment.column_ids.begin());
        const bool deleted = entry.deletes != nullptr && entry.deletes->deleted_rows != 0;
        if (deleted) return {};
        catalog::ColumnRange range;
        if (found == segment.column_ids.end()) { // older than the column
            const catalog::Column* column = table.findColumn(column_id);
            if (column == nullptr) return {};
            range.has_range = column->backfill != nullptr;
            if (range.has_range) range.min = range.max = column->backfill->integer;
            else range.null_count = segment.rows;
        } else if (index < segment.ranges.size()) {
            range = segment.ranges[index];
        } else {
            return {};
        }
        made.nulls += range.null_count;
        if (range.null_count == segment.rows) continue;
        if (!range.has_range) return {};
        made.min = made.any ? std::min(made.min, range.min) : range.min;
        made.max = made.any ? std::max(made.max, range.max) : range.max;
        made.any = true;
    }
    made.exact = true;
    return made;
}

/// The call's value; false when the catalog does not know it.
bool answer(const bind::ScanOp& scan, const bind::AggregateItem& item, Value& value) {
    const catalog::Table& table = *scan.table;
    const std::string_view name = item.aggregate->name;
    if (item.filter != nullptr) return false;
    value = Value::null(item.column.type);
    if (item.args.empty()) {
        if (name != "count" && name != "count_star") return false;
        value = Value::ofInteger(i128(table.rowCount()), item.column.type);
        return isInteger(item.column.type.kind);
    }
    if (item.args.size() != 1 || !isColumn(item.args[0])) return false;
    const ColumnId id = item.args[0]->as<ColumnExpr>()->id;
    const bind::OutputColumn* column = nullptr;
    u32 column_id = 0;
    for (u32 i = 0; i < scan.columns.size(); ++i) {
        if (scan.columns[i].id != id || id == scan.row_id) continue;
        column = &scan.columns[i];
        column_id = scan.column_ids[i];
    }
    if (column == nullptr) return false;
    if (name == "count" && !item.distinct && !column->nullable) {
        value = Value::ofInteger(i128(table.rowCount()), item.column.type);
        return true;
    }
    if (!isIntegerKind(naturalKind(column->type))) return false;
    const ColumnSummary summary = summarise(table, column_id);
    if (!summary.exact) return false;
    if (name == "count" && !item.distinct) {
        value = Value::ofInteger(i128(table.rowCount()) - i128(summary.nulls), item.column.type);
        return true;
    }
    if ((name != "min" && name != "max") || item.column.type != column->type) return false;
    if (summary.any)
        value = Value::ofInteger(name == "min" ? summary.min : summary.max, column->type);
    return true;
}

} // namespace

PhysicalOp* PlanBuilder::buildMetadata(const bind::AggregateOp& aggregate,
                                       const ColumnSet& needed) {
    if (!isScalarAggregate(&aggregate) || aggregate.children[0]->kind != LogicalKind::kScan ||
        !context_.enabled("metadata"))
        return nullptr;
    const auto& scan = *aggregate.children[0]->as<bind::ScanOp>();
    auto* made = make<MetadataOp>(OpKind::kMetadata, {});
    made->table = scan.table;
    made->values = List<const Value*>(arena_);
    for (const bind::AggregateItem& item : aggregate.aggregates) {
        if (!needed.contains(item.column.id)) continue;
        Value value;
        if (!answer(scan, item, value)) return nullptr;
        made->values.push(arena_.make<Value>(value));
        made->columns.push(columnOf(item.column));
        made->columns.back().has_range = false;
    }
    if (made->values.empty()) return nullptr;
    estimate(made, &aggregate);
    context_.note("metadata", "answered from the catalog");
    return made;
}

} // namespace blueshift::optimize
