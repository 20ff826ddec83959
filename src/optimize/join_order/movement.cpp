#include "optimize/join_order/movement.h"

#include <algorithm>

#include "optimize/physical/exchange_placer.h"

namespace blueshift::optimize {

namespace {

bool contains(const std::vector<ColumnId>& columns, ColumnId id) {
    return std::ranges::find(columns, id) != columns.end();
}

/// In an inner join both columns of a key are equal.
RowPlace withEqualities(RowPlace place, const MovedJoin& join) {
    if (!join.inner || place.whole) return place;
    for (const Equality& key : join.keys) {
        const ColumnExpr* left = hashedColumn(key.left);
        const ColumnExpr* right = hashedColumn(key.right);
        if (left == nullptr || right == nullptr) continue;
        if (contains(place.key, left->id) && !contains(place.key, right->id))
            place.key.push_back(right->id);
        else if (contains(place.key, right->id) && !contains(place.key, left->id))
            place.key.push_back(left->id);
    }
    std::ranges::sort(place.key);
    return place;
}

} // namespace

std::vector<Movement> movementsOf(const MovedJoin& join, u32 nodes) {
    if (nodes <= 1) return {{}};
    if (join.right.whole && !join.keeps_right) return {{0, withEqualities(join.left, join)}};
    if (join.left.whole && join.inner) return {{0, withEqualities(join.right, join)}};
    std::vector<Movement> ways;
    const f64 part = f64(nodes - 1) / f64(nodes);
    for (const Equality& key : join.keys) {
        const ColumnExpr* left = hashedColumn(key.left);
        const ColumnExpr* right = hashedColumn(key.right);
        const bool left_fits = left != nullptr && contains(join.left.key, left->id);
        const bool right_fits = right != nullptr && contains(join.right.key, right->id);
        RowPlace by_key;
        if (left != nullptr) by_key.key.push_back(left->id);
        if (left_fits) by_key = join.left;
        if (right_fits && join.inner)
            by_key.key.insert(by_key.key.end(), join.right.key.begin(), join.right.key.end());
        if (join.keeps_right) by_key.key.clear();
        by_key = withEqualities(std::move(by_key), join);
        by_key.key.erase(std::ranges::unique(by_key.key).begin(), by_key.key.end());
        const f64 bytes =
            (left_fits ? 0 : join.left_bytes * part) + (right_fits ? 0 : join.right_bytes * part);
        ways.push_back({bytes, std::move(by_key)});
    }
    const f64 others = f64(nodes - 1);
    if (!join.keeps_right)
        ways.push_back({join.right_bytes * others, withEqualities(join.left, join)});
    if (join.inner) ways.push_back({join.left_bytes * others, withEqualities(join.right, join)});
    if (ways.empty()) ways.push_back({(join.left_bytes + join.right_bytes) * part, {}});
    return ways;
}

RowPlace placeOf(const bind::LogicalOp* op, u64 whole_table_rows) {
    while (op->kind == bind::LogicalKind::kFilter) op = op->children[0];
    RowPlace place;
    if (op->kind != bind::LogicalKind::kScan) return place;
    const auto& scan = *op->as<bind::ScanOp>();
    const catalog::Table& table = *scan.table;
    place.whole =
        table.dist_style == catalog::DistStyle::kAll ||
        (table.dist_style == catalog::DistStyle::kAuto && table.rowCount() <= whole_table_rows);
    if (table.dist_style == catalog::DistStyle::kKey)
        for (u32 i = 0; i < scan.columns.size(); ++i)
            if (scan.column_ids[i] == table.dist_key) place.key.push_back(scan.columns[i].id);
    return place;
}

} // namespace blueshift::optimize
