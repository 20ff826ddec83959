// The readable views of pg_catalog: pg_tables, pg_views, pg_table_def, pg_stats ...
#include <algorithm>

#include "catalog/system/catalog_reader.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

void pgTables(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        out.row(reader.schemaName(table->schema), table->name, table->owner, std::nullopt,
                !table->keys.empty(), false, false);
}

void pgViews(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, view] : reader.snapshot().views) {
        const std::string text = view->late_binding
                                     ? view->definition
                                     : view->query + (view->query.ends_with(';') ? "" : ";");
        out.row(reader.schemaName(view->schema), view->name, view->owner, text);
    }
    reader.relations([&](const RelationRow& relation) {
        if (relation.source != nullptr)
            out.row(relation.source->schema(), relation.name, relation.owner, std::nullopt);
    });
}

/// Only tables of the schemas on the search path, as in Redshift.
void pgTableDef(const CatalogReader& reader, RowWriter& out) {
    const auto path = reader.searchPath();
    reader.accessible(
        [&](const RelationRow& relation) {
            if (relation.table == nullptr) return;
            const std::string_view schema = reader.schemaName(relation.schema);
            if (std::ranges::find(path, schema) == path.end()) return;
            const Table& table = *relation.table;
            for (const Column* column : table.liveColumns())
                out.row(schema, relation.name, column->name, formatType(column->type),
                        encodingName(table, *column), isDistKey(table, column->id),
                        sortKeyOrdinal(table, column->id), column->not_null);
        },
        false);
}

void pgStats(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        if (!table->statistics || !reader.rights().holds(table->privileges, table->owner, "select"))
            continue;
        for (const Column* column : table->liveColumns())
            if (const ColumnStatistics* facts = table->statistics->find(column->id))
                out.row(reader.schemaName(table->schema), table->name, column->name,
                        facts->null_fraction, i64(facts->average_bytes), facts->distinct);
    }
}

void pgStatisticIndicator(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables) {
        const f64 then = table->statistics ? table->statistics->rows : 0.0;
        const f64 rows = f64(table->rowCount());
        out.row(oid, then, std::max(0.0, rows - then), std::max(0.0, then - rows));
    }
}

/// The tables that are not backed up, under the key that DDL generators look for.
void pgConf(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        if (!table->backup)
            out.row("pg_class_backup_" + std::to_string(kDatabaseOid) + "_" + std::to_string(oid),
                    "NO");
}

void pgStatTables(const CatalogReader& reader, RowWriter& out) {
    for (const auto& [oid, table] : reader.snapshot().tables)
        out.row(oid, reader.schemaName(table->schema), table->name, 0, 0, 0, 0, table->rowCount(),
                0, 0);
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "pg_tables",
     "schemaname name, tablename name, tableowner name, tablespace name, hasindexes b, hasrules b, "
     "hastriggers b",
     pgTables},
    {"pg_catalog", "pg_views", "schemaname name, viewname name, viewowner name, definition t",
     pgViews},
    {"pg_catalog", "pg_table_def",
     "schemaname name, tablename name, column name, type t, encoding c32, distkey b, sortkey i4, "
     "notnull b",
     pgTableDef},
    {"pg_catalog", "pg_stats",
     "schemaname name, tablename name, attname name, null_frac f4, avg_width i4, n_distinct f4",
     pgStats},
    {"pg_catalog", "pg_statistic_indicator", "stairelid oid, stairows f8, staiins f8, staidels f8",
     pgStatisticIndicator},
    {"pg_catalog", "pg_conf", "key t, value t", pgConf},
    {"pg_catalog", "pg_stat_all_tables",
     "relid oid, schemaname name, relname name, seq_scan i8, seq_tup_read i8, idx_scan i8, "
     "idx_tup_fetch i8, n_tup_ins i8, n_tup_upd i8, n_tup_del i8",
     pgStatTables},
    {"pg_catalog", "pg_stat_user_tables",
     "relid oid, schemaname name, relname name, seq_scan i8, seq_tup_read i8, idx_scan i8, "
     "idx_tup_fetch i8, n_tup_ins i8, n_tup_upd i8, n_tup_del i8",
     pgStatTables},
};

} // namespace

void addReadableViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
