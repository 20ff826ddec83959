// SYS: the monitoring views of today over the server's history of statements and sessions.
#include "catalog/system/statement_facts.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

std::string_view statusOf(StatementState state) {
    switch (state) {
    case StatementState::kRunning: return "running";
    case StatementState::kSuccess: return "success";
    case StatementState::kFailed: return "failed";
    case StatementState::kCanceled: break;
    }
    return "canceled";
}

void queryHistory(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader)) {
        const i64 micros = elapsed(reader, row);
        const i64 planning = row.planning_micros + row.compile_micros;
        out.row(row.user_id, row.query_id, row.label.empty() ? "default" : row.label,
                row.transaction_id, row.process_id, row.database, row.type, statusOf(row.state),
                false, row.start_time, moment(row.end_time), micros, 0,
                micros > planning ? micros - planning : 0, row.error, row.returned_rows,
                row.returned_bytes, row.text, "1.0.100000", "", "primary", row.compile_micros,
                row.planning_micros, 0, 100, "Default queue", "Normal", "false", "", "", 0,
                std::nullopt, row.user);
    }
}

void queryText(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        inPieces(row.text, 4000, [&](i32 sequence, std::string_view piece) {
            out.row(row.user_id, row.query_id, row.transaction_id, row.process_id, row.start_time,
                    sequence, piece);
        });
}

void sessionHistory(const CatalogReader& reader, RowWriter& out) {
    const auto write = [&](const SessionRow& row, std::string_view status) {
        out.row(std::to_string(row.user_id), row.process_id, row.database, status, 0,
                row.start_time, moment(row.end_time));
    };
    for (const SessionRow& row : visibleClosedSessions(reader)) write(row, "closed");
    for (const SessionRow& row : visibleSessions(reader)) write(row, "active");
}

void connectionLog(const CatalogReader& reader, RowWriter& out) {
    const auto write = [&](const SessionRow& row, std::string_view event, i64 time, i64 duration) {
        out.row(event, time, row.remote_host, "", row.process_id, row.database, row.user, "",
                duration, "", "", 0, "", "", "", row.application_name, "", "", "", 0, "");
    };
    for (const SessionRow& row : visibleClosedSessions(reader)) {
        write(row, "initiating session", row.start_time, 0);
        write(row, "disconnecting session", row.end_time, row.end_time - row.start_time);
    }
    for (const SessionRow& row : visibleSessions(reader))
        write(row, "initiating session", row.start_time, 0);
}

/// Loads are the COPY statements of the history.
void loadHistory(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader)) {
        if (row.type != "COPY") continue;
        const std::string_view status = row.state == StatementState::kRunning   ? "running"
                                        : row.state == StatementState::kSuccess ? "completed"
                                                                                : "aborted";
        out.row(row.user_id, row.query_id, row.transaction_id, row.process_id, row.database, status,
                std::nullopt, row.start_time, moment(row.end_time), elapsed(reader, row),
                std::nullopt, std::nullopt, row.returned_rows, std::nullopt, std::nullopt,
                std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt);
    }
}

void loadErrorDetail(const CatalogReader& reader, RowWriter& out) {
    for (const LoadError& row : visibleLoadErrors(reader))
        out.row(row.user_id, row.query_id, row.transaction_id, row.process_id, row.database,
                row.table, row.time, row.file, row.line, row.column, row.column_type,
                row.column_length, row.position, row.code, row.message);
}

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "sys_query_history",
     "user_id i4, query_id i8, query_label c320, transaction_id i8, session_id i4, "
     "database_name c128, query_type c32, status c10, result_cache_hit b, start_time ts, "
     "end_time ts, elapsed_time i8, queue_time i8, execution_time i8, error_message c512, "
     "returned_rows i8, returned_bytes i8, query_text c4000, redshift_version c256, "
     "usage_limit c150, compute_type v32, compile_time i8, planning_time i8, lock_wait_time i8, "
     "service_class_id i4, service_class_name c64, query_priority c20, short_query_accelerated "
     "c10, "
     "user_query_hash c40, generic_query_hash c40, query_hash_version i4, "
     "result_cache_query_id i4, username c128",
     queryHistory},
    {"pg_catalog", "sys_query_text",
     "user_id i4, query_id i8, transaction_id i8, session_id i4, start_time ts, sequence i4, "
     "text c4000",
     queryText},
    {"pg_catalog", "sys_query_detail",
     "user_id i4, query_id i8, child_query_sequence i4, stream_id i4, segment_id i4, step_id i4, "
     "step_name t, table_id i4, table_name c136, is_rrscan c1, start_time ts, end_time ts, "
     "duration i8, alert t, input_bytes i8, input_rows i8, output_bytes i8, output_rows i8, "
     "blocks_read i8, blocks_write i8, local_read_io i8, remote_read_io i8, source t, "
     "data_skewness i4, time_skewness i4, is_active c1, spilled_block_local_disk i8, "
     "spilled_block_remote_disk i8, step_attribute c64, metrics_level c64, plan_parent_id i4, "
     "plan_node_id i4"},
    {"pg_catalog", "sys_query_explain",
     "userid i4, query_id i8, child_query_sequence i4, plan_node_id i4, plan_parent_id i4, "
     "plan_node c400, plan_info c400, query_uuid c36"},
    {"pg_catalog", "sys_child_query_text",
     "user_id i4, query_id i8, child_query_sequence i4, sequence i4, text c200"},
    {"pg_catalog", "sys_session_history",
     "user_id c50, session_id i4, database_name c50, status c10, session_timeout i4, "
     "start_time ts, end_time ts",
     sessionHistory},
    {"pg_catalog", "sys_connection_log",
     "event c50, record_time ts, remote_host c45, remote_port c32, session_id i4, "
     "database_name c50, user_name c50, auth_method c32, duration i4, ssl_version c50, "
     "ssl_cipher c128, mtu i4, ssl_compression c64, ssl_expansion c64, iam_auth_guid c36, "
     "application_name c250, driver_version c64, os_version c64, plugin_name c32, "
     "protocol_version i4, global_session_id c36",
     connectionLog, Audience::kSuperusers},
    {"pg_catalog", "sys_load_history",
     "user_id i4, query_id i8, transaction_id i8, session_id i4, database_name t, status t, "
     "table_name t, start_time ts, end_time ts, duration i8, data_source t, file_format t, "
     "loaded_rows i8, loaded_bytes i8, source_file_count i4, source_file_bytes i8, "
     "file_count_scanned i4, file_bytes_scanned i8, error_count i8, copy_job_id i8",
     loadHistory},
    {"pg_catalog", "sys_load_error_detail",
     "user_id i4, query_id i8, transaction_id i8, session_id i4, database_name c64, table_id i4, "
     "start_time ts, file_name c256, line_number i8, column_name c127, column_type c10, "
     "column_length c10, position i4, error_code i4, error_message c512",
     loadErrorDetail},
    {"pg_catalog", "sys_unload_history",
     "user_id i4, query_id i8, transaction_id i8, session_id i4, database_name t, status t, "
     "start_time ts, end_time ts, duration i8, file_format t, compression_type t, "
     "unloaded_location t, unloaded_rows i8, unloaded_files_count i8, unloaded_files_size i8, "
     "error_message t"},
    {"pg_catalog", "sys_transaction_history",
     "user_id i4, transaction_id i8, isolation_level t, status t, transaction_start_time ts, "
     "commit_start_time ts, commit_end_time ts, blocks_committed i8, undo_transaction_id i8",
     noRows, Audience::kSuperusers},
    {"pg_catalog", "sys_procedure_call",
     "session_user_id i4, security_user_id i4, query_id i8, query_text c4000, start_time ts, "
     "end_time ts, status c10, caller_procedure_query_id i8, query_uuid c36"},
};

} // namespace

void addSysViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
