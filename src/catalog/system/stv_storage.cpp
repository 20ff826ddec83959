// Storage as the monitoring views show it: SVV_TABLE_INFO, STV_TBL_PERM, STV_BLOCKLIST and kin.
#include <algorithm>
#include <limits>

#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

constexpr u64 kMegabyte = 1 << 20;
constexpr u32 kBlockValues = 65536;

i64 blocksOf(const Table& table) {
    return i64((storedBytes(table) + kMegabyte - 1) / kMegabyte);
}

u64 storedRows(const Table& table) {
    u64 rows = 0;
    if (table.segments)
        for (const SegmentEntry& entry : *table.segments) rows += entry.segment->rows;
    return rows;
}

const Column* firstSortColumn(const Table& table) {
    return table.sort_key.empty() ? nullptr : table.findColumn(table.sort_key[0]);
}

i32 longestVarchar(const Table& table) {
    i32 longest = 0;
    for (const Column* column : table.liveColumns())
        if (column->type.kind == TypeKind::kVarchar)
            longest = std::max(longest, column->type.length);
    return longest;
}

/// How far the planner's rows lie from the real ones, in percent.
f64 staleness(const Table& table) {
    const f64 rows = f64(table.rowCount());
    if (!table.statistics) return rows > 0 ? 100.0 : 0.0;
    if (rows == 0) return 0.0;
    const f64 difference = rows > table.statistics->rows ? rows - table.statistics->rows
                                                         : table.statistics->rows - rows;
    return std::min(100.0, difference * 100.0 / rows);
}

void tableInfo(const CatalogReader& reader, RowWriter& out) {
    const i64 capacity = reader.server() != nullptr ? reader.server()->storageCapacity() : 0;
    for (const auto& [oid, table] : reader.snapshot().tables) {
        const u64 rows = storedRows(*table);
        if (rows == 0) continue; // empty tables are not listed
        const Column* sort = firstSortColumn(*table);
        const i64 size = blocksOf(*table);
        std::optional<std::string> sort_name;
        if (sort != nullptr) sort_name = sort->name;
        else if (table->sort_style == SortStyle::kAuto) sort_name = "AUTO(SORTKEY)";
        out.row(reader.database(), reader.schemaName(table->schema), oid, table->name,
                table->encode_auto ? "Y, AUTO(ENCODE)" : "Y", distStyleText(*table), sort_name,
                longestVarchar(*table),
                sort != nullptr ? std::optional(encodingName(*table, *sort)) : std::nullopt,
                table->sort_key.size(), size,
                capacity > 0 ? f64(size) * 100.0 / f64(capacity) : 0.0, 0, std::nullopt,
                staleness(*table), rows, std::nullopt, std::nullopt, table->rowCount(),
                std::nullopt, std::nullopt, table->created_at);
    }
}

void tblPerm(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        out.row(0, oid, table->name, storedRows(*table), storedRows(*table), table->temporary,
                kDatabaseOid, 0, 0, table->backup ? 1 : 0, 0, blocksOf(*table));
}

/// Bounds as the 64-bit numbers that block headers show; nothing when they do not fit.
std::optional<i64> bound(const ColumnRange& range, const SqlType& type, bool upper) {
    if (!range.has_range) return {};
    if (isFloat(type.kind)) return i64(upper ? range.max_float : range.min_float);
    if (naturalKind(type) == PhysicalKind::kText) {
        const std::string& text = upper ? range.max_text : range.min_text;
        u64 packed = 0;
        for (size_t i = 0; i < std::min<size_t>(8, text.size()); ++i)
            packed |= u64(u8(text[i])) << (8 * i);
        return i64(packed);
    }
    const i128 value = upper ? range.max : range.min;
    if (value > std::numeric_limits<i64>::max() || value < std::numeric_limits<i64>::min())
        return {};
    return i64(value);
}

/// A row per block of each column; blocks of a segment share its bounds, the finest the catalog
/// has.
void blocklist(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        if (!table->segments) continue;
        i64 block = 0;
        for (const SegmentEntry& entry : *table->segments) {
            if (out.done()) return;
            const Segment& segment = *entry.segment;
            for (size_t c = 0; c < segment.column_ids.size(); ++c) {
                const Column* column = table->findColumn(segment.column_ids[c]);
                if (column == nullptr || column->dropped) continue;
                const i32 number = CatalogReader::attributeNumber(*table, column->id) - 1;
                for (u32 row = 0; row < segment.rows; row += kBlockValues)
                    out.row(0, number, oid, block + row / kBlockValues,
                            std::min(kBlockValues, segment.rows - row), 0,
                            bound(segment.ranges[c], column->type, false),
                            bound(segment.ranges[c], column->type, true), 0, 0, 1, 0, 0, 0,
                            entry.deletes ? 1 : 0, 0, table->temporary, 0, 0, 0);
            }
            block += (segment.rows + kBlockValues - 1) / kBlockValues;
        }
    }
}

i64 usedMegabytes(const CatalogReader& reader) {
    i64 used = 0;
    for (const auto& [oid, table] : reader.snapshot().tables) used += blocksOf(*table);
    return used;
}

void nodeStorage(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() != nullptr)
        out.row(0, usedMegabytes(reader), reader.server()->storageCapacity());
}

void partitions(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() == nullptr) return;
    const i64 capacity = reader.server()->storageCapacity();
    out.row(0, 0, 0, 0, capacity, usedMegabytes(reader), 0, capacity, 0, 0, 0, 0, 0, 0, 0, "place");
}

void slices(const CatalogReader& reader, RowWriter& out) {
    const u32 count = reader.server() != nullptr ? reader.server()->slices() : 1;
    for (u32 slice = 0; slice < count; ++slice) out.row(0, slice, slice, 'D');
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "svv_table_info",
     "database t, schema t, table_id oid, table t, encoded t, diststyle t, sortkey1 t, "
     "max_varchar i4, sortkey1_enc c32, sortkey_num i4, size i8, pct_used n10.4, empty i8, "
     "unsorted n5.2, stats_off n5.2, tbl_rows n38.0, skew_sortkey1 n19.2, skew_rows n19.2, "
     "estimated_visible_rows n38.0, risk_event t, vacuum_sort_benefit n12.2, create_time ts",
     tableInfo, Audience::kSuperusers},
    {"pg_catalog", "stv_tbl_perm",
     "slice i4, id i4, name c72, rows i8, sorted_rows i8, temp i4, db_id i4, insert_pristine i4, "
     "delete_pristine i4, backup i4, dist_style i4, block_count i4",
     tblPerm, Audience::kSuperusers},
    {"pg_catalog", "stv_blocklist",
     "slice i4, col i4, tbl i4, blocknum i4, num_values i4, extended_limits i4, minvalue i8, "
     "maxvalue i8, sb_pos i4, pinned i4, on_disk i4, modified i4, hdr_modified i4, unsorted i4, "
     "tombstone i4, preferred_diskno i4, temporary i4, newblock i4, num_readers i4, flags i4",
     blocklist, Audience::kSuperusers},
    {"pg_catalog", "stv_node_storage_capacity", "node i4, used i4, capacity i4", nodeStorage,
     Audience::kSuperusers},
    {"pg_catalog", "stv_partitions",
     "owner i4, host i4, diskno i4, part_begin i8, part_end i8, used i4, tossed i4, capacity i4, "
     "reads i8, writes i8, seek_forward i4, seek_back i4, is_san i4, failed i4, mbps i4, mount "
     "c256",
     partitions, Audience::kSuperusers},
    {"pg_catalog", "stv_slices", "node i4, slice i4, localslice i4, type c1", slices},
    {"pg_catalog", "svv_alter_table_recommendations",
     "type c30, database c128, table_id i4, group_id i4, ddl c1024, auto_eligible c1"},
    {"pg_catalog", "svv_vacuum_progress", "table_name t, status t, time_remaining_estimate t"},
    {"pg_catalog", "svv_vacuum_summary",
     "table_name t, xid i8, sort_partitions i8, merge_increments i8, elapsed_time i8, row_delta "
     "i8, "
     "sortedrow_delta i8, block_delta i8, max_merge_partitions i8"},
    {"pg_catalog", "svl_auto_worker_action",
     "table_id i4, type c32, status c128, eventtime ts, sequence i4, previous_state c200"},
};

} // namespace

void addStvStorage(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
