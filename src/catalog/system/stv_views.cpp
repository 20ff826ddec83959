// STV: what happens now: sessions, running statements, locks, the queue of the workload manager.
#include "catalog/system/statement_facts.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

constexpr i32 kServiceClass = 100; // the first automatic queue
constexpr std::string_view kQueueName = "Default queue";

void sessions(const CatalogReader& reader, RowWriter& out) {
    for (const SessionRow& row : visibleSessions(reader))
        out.row(row.start_time, row.process_id, row.user, row.database, 0);
}

void recents(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader)) {
        const bool running = row.state == StatementState::kRunning;
        out.row(row.user_id, running ? "Running" : "Done", row.start_time, elapsed(reader, row),
                row.user, row.database, row.text, running ? row.process_id : -1);
    }
}

void inflight(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (row.state == StatementState::kRunning)
            out.row(row.user_id, 0, row.query_id, row.label, row.transaction_id, row.process_id,
                    row.start_time, row.text, 0, 0, 0);
}

void transactions(const CatalogReader& reader, RowWriter& out) {
    for (const SessionRow& row : visibleSessions(reader))
        if (row.transaction_id != 0)
            out.row(row.user, row.database, row.transaction_id, row.process_id,
                    moment(row.transaction_start), "ExclusiveLock", "transactionid", std::nullopt,
                    true);
}

void isolationLevel(const CatalogReader& reader, RowWriter& out) {
    out.row(reader.database(), "Snapshot Isolation");
}

void wlmQueryState(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (row.state == StatementState::kRunning && isQuery(row))
            out.row(row.transaction_id, 0, row.query_id, kServiceClass, 1, row.start_time,
                    "Running", 0, elapsed(reader, row), "Normal");
}

void wlmConfig(const CatalogReader&, RowWriter& out) {
    out.row(kServiceClass, "Automatic", -1, -1, "false", 0, -1, -1, 0, kQueueName, 0, true, true,
            "off", "Normal", true);
}

void wlmState(const CatalogReader& reader, RowWriter& out) {
    i64 running = 0;
    i64 done = 0;
    for (const StatementFacts& row : visibleStatements(reader)) {
        if (!isQuery(row)) continue;
        ++(row.state == StatementState::kRunning ? running : done);
    }
    out.row(kServiceClass, 0, running, done, done, -1, -1, 0);
}

void wlmClassification(const CatalogReader&, RowWriter& out) {
    out.row(1, "(query_group and user_group: any)", 0, "assign", kServiceClass);
}

void queryMemory(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() == nullptr) return;
    const auto statements = visibleStatements(reader);
    for (const MemoryFacts& memory : reader.server()->queryMemory())
        for (const StatementFacts& row : statements)
            if (row.query_id == memory.query_id)
                out.row(row.user_id, row.query_id, row.process_id,
                        memory.waiting ? "Waiting" : "Running", row.start_time, i64(memory.least),
                        i64(memory.reserved), i64(memory.used), row.text);
}

void engineCounters(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() == nullptr) return;
    for (const auto& [name, value] : reader.server()->counters()) out.row(name, i64(value));
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "stv_sessions",
     "starttime ts, process i4, user_name c50, db_name c50, timeout_sec i4", sessions},
    {"pg_catalog", "stv_recents",
     "userid i4, status c20, starttime ts, duration i4, user_name c50, db_name c50, query c600, "
     "pid i4",
     recents},
    {"pg_catalog", "stv_inflight",
     "userid i4, slice i4, query i4, label c320, xid i8, pid i4, starttime ts, text c100, "
     "suspended i4, insert_pristine i4, concurrency_scaling_status i4",
     inflight},
    {"pg_catalog", "svv_transactions",
     "txn_owner t, txn_db t, xid i8, pid i4, txn_start ts, lock_mode t, lockable_object_type t, "
     "relation i4, granted b",
     transactions},
    {"pg_catalog", "stv_locks",
     "table_id i4, last_commit ts, last_update ts, lock_owner i8, lock_owner_pid i8, "
     "lock_owner_start_ts ts, lock_owner_end_ts ts, lock_status c22"},
    {"pg_catalog", "stv_db_isolation_level", "db_name c128, isolation_level c20", isolationLevel},
    {"pg_catalog", "stv_wlm_query_state",
     "xid i8, task i4, query i4, service_class i4, slot_count i4, wlm_start_time ts, state c16, "
     "queue_time i8, exec_time i8, query_priority c20",
     wlmQueryState},
    {"pg_catalog", "stv_wlm_query_queue_state",
     "service_class i4, position i4, task i4, query i4, slot_count i4, start_time ts, queue_time "
     "i8"},
    {"pg_catalog", "stv_wlm_query_task_state",
     "service_class i4, task i4, query i4, level i4, start_time ts, exec_time i8"},
    {"pg_catalog", "stv_wlm_service_class_config",
     "service_class i4, queueing_strategy c32, num_query_tasks i4, target_num_query_tasks i4, "
     "evictable c8, eviction_threshold i8, query_working_mem i4, target_query_working_mem i4, "
     "min_step_mem i4, name c64, max_execution_time i8, user_group_wild_card b, "
     "query_group_wild_card b, concurrency_scaling c20, query_priority c20, user_role_wild_card b",
     wlmConfig, Audience::kSuperusers},
    {"pg_catalog", "stv_wlm_service_class_state",
     "service_class i4, num_queued_queries i4, num_executing_queries i4, num_serviced_queries i4, "
     "num_executed_queries i4, query_working_mem i4, target_query_working_mem i4, "
     "num_concurrency_scaling_queries i4",
     wlmState, Audience::kSuperusers},
    {"pg_catalog", "stv_wlm_classification_config",
     "id i4, condition c128, action_seq i4, action c64, action_service_class i4", wlmClassification,
     Audience::kSuperusers},
    {"pg_catalog", "stv_exec_state",
     "userid i4, query i4, slice i4, segment i4, step i4, starttime ts, currenttime ts, tasknum "
     "i4, "
     "rows i8, bytes i8, label c256, is_diskbased c1, workmem i8, num_parts i4, is_rrscan c1, "
     "is_delayed_scan c1"},
    {"pg_catalog", "stv_load_state",
     "userid i4, session i4, query i4, slice i4, pid i4, recordtime ts, bytes_to_load i8, "
     "bytes_loaded i8, bytes_to_load_compressed i8, bytes_loaded_compressed i8, lines i4, "
     "num_files i4, num_files_complete i4, current_file c256, pct_complete i4"},
    {"pg_catalog", "stv_query_memory",
     "userid i4, query i4, pid i4, state c16, starttime ts, least_bytes i8, reserved_bytes i8, "
     "used_bytes i8, text c100",
     queryMemory},
    {"pg_catalog", "stv_engine_counters", "name t, value i8", engineCounters},
    {"pg_catalog", "stv_active_cursors",
     "userid i4, name c256, xid i8, pid i4, starttime ts, row_count i8, byte_count i8, "
     "fetched_rows i8"},
};

} // namespace

void addStvViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
