// STL and SVL: the log of statements and sessions that the server keeps; what it does not measure
// has no rows.
#include <algorithm>

#include "catalog/system/statement_facts.h"
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

constexpr size_t kTextBytes = 200;

bool aborted(const StatementFacts& row) {
    return row.state == StatementState::kFailed || row.state == StatementState::kCanceled;
}
bool finished(const StatementFacts& row) {
    return row.state != StatementState::kRunning;
}

void stlQuery(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (finished(row) && isQuery(row))
            out.row(row.user_id, row.query_id, row.label, row.transaction_id, row.process_id,
                    row.database, row.text, row.start_time, moment(row.end_time), aborted(row), 0,
                    0);
}

void queryText(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (isQuery(row))
            inPieces(row.text, kTextBytes, [&](i32 sequence, std::string_view piece) {
                out.row(row.user_id, row.transaction_id, row.process_id, row.query_id, sequence,
                        piece);
            });
}

void writeText(const CatalogReader& reader, RowWriter& out, std::string_view type) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (row.type == type)
            inPieces(row.text, kTextBytes, [&](i32 sequence, std::string_view piece) {
                out.row(row.user_id, row.transaction_id, row.process_id, row.label, row.start_time,
                        moment(row.end_time), sequence, piece);
            });
}
void ddlText(const CatalogReader& reader, RowWriter& out) {
    writeText(reader, out, "DDL");
}
void utilityText(const CatalogReader& reader, RowWriter& out) {
    writeText(reader, out, "UTILITY");
}

void statementText(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        inPieces(row.text, kTextBytes, [&](i32 sequence, std::string_view piece) {
            out.row(row.user_id, row.transaction_id, row.process_id, row.label, row.start_time,
                    moment(row.end_time), sequence, isQuery(row) ? "QUERY" : row.type, piece);
        });
}

void qlog(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (isQuery(row))
            out.row(row.user_id, row.query_id, row.transaction_id, row.process_id, row.start_time,
                    moment(row.end_time), elapsed(reader, row), aborted(row), row.label, row.text,
                    std::nullopt, std::nullopt);
}

void wlmQuery(const CatalogReader& reader, RowWriter& out) {
    for (const StatementFacts& row : visibleStatements(reader))
        if (finished(row) && isQuery(row))
            out.row(row.user_id, row.transaction_id, 0, row.query_id, 100, 1, row.start_time,
                    row.start_time, row.start_time, 0, row.start_time, moment(row.end_time),
                    elapsed(reader, row), moment(row.end_time), "Completed", 0, "Normal",
                    "Default queue");
}

void loadErrors(const CatalogReader& reader, RowWriter& out) {
    for (const LoadError& row : visibleLoadErrors(reader))
        out.row(row.user_id, 0, row.table, row.time, row.process_id, row.query_id, row.file,
                row.line, row.column, row.column_type, row.column_length, row.position,
                row.raw_line, row.raw_value, row.code, row.message, 0, 0, std::nullopt);
}

/// `segment` is the pipeline; `compile` is 1 where a text was compiled, 0 where code was found.
void compilations(const CatalogReader& reader, RowWriter& out) {
    if (reader.server() == nullptr) return;
    const auto statements = visibleStatements(reader);
    for (const CompilationFacts& row : reader.server()->compilations()) {
        const auto statement = std::find_if(
            statements.begin(), statements.end(),
            [&](const StatementFacts& facts) { return facts.query_id == row.query_id; });
        if (statement == statements.end()) continue;
        out.row(statement->user_id, i64(statement->transaction_id), statement->process_id,
                row.query_id, i32(row.pipeline), 1, row.start_time, row.end_time, i32(row.compiled),
                row.function, i32(row.level), i32(row.text_bytes), row.error);
    }
}

/// Rows that nodes sent: redistributed or gathered, or to every node.
void exchanged(const CatalogReader& reader, RowWriter& out, bool broadcast) {
    for (const ExchangeFacts& row : visibleExchanges(reader))
        if (row.broadcast == broadcast)
            out.row(row.user_id, row.query_id, row.node, 0, row.step, row.start_time, row.end_time,
                    row.node, row.rows, row.bytes, row.batches);
}
void stlDist(const CatalogReader& reader, RowWriter& out) {
    exchanged(reader, out, false);
}
void stlBcast(const CatalogReader& reader, RowWriter& out) {
    exchanged(reader, out, true);
}

void stlSessions(const CatalogReader& reader, RowWriter& out) {
    const auto write = [&](const SessionRow& row) {
        out.row(row.user_id, row.start_time, moment(row.end_time), row.process_id, row.user,
                row.database, 0, 0);
    };
    for (const SessionRow& row : visibleClosedSessions(reader)) write(row);
    for (const SessionRow& row : visibleSessions(reader)) write(row);
}

void connectionLog(const CatalogReader& reader, RowWriter& out) {
    const auto write = [&](const SessionRow& row, std::string_view event, i64 time, i64 duration) {
        out.row(event, time, row.remote_host, "", row.process_id, row.database, row.user, "",
                duration, "", "", 0, "", "", "", row.application_name, "", "", "", 0, "", "");
    };
    for (const SessionRow& row : visibleClosedSessions(reader)) {
        write(row, "initiating session", row.start_time, 0);
        write(row, "disconnecting session", row.end_time, row.end_time - row.start_time);
    }
    for (const SessionRow& row : visibleSessions(reader))
        write(row, "initiating session", row.start_time, 0);
}

constexpr std::string_view kTextColumns =
    "userid i4, xid i8, pid i4, label c320, starttime ts, endtime ts, sequence i4, text c200";
constexpr std::string_view kExplainColumns =
    "userid i4, query i4, nodeid i4, parentid i4, plannode c400, info c400";

constexpr std::string_view kExchangeColumns =
    "userid i4, query i4, slice i4, segment i4, step i4, starttime ts, endtime ts, tasknum i4, "
    "rows i8, bytes i8, packets i4";

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "stl_query",
     "userid i4, query i4, label c320, xid i8, pid i4, database c32, querytxt c4000, starttime ts, "
     "endtime ts, aborted i4, insert_pristine i4, concurrency_scaling_status i4",
     stlQuery},
    {"pg_catalog", "stl_querytext", "userid i4, xid i8, pid i4, query i4, sequence i4, text c200",
     queryText},
    {"pg_catalog", "stl_ddltext", kTextColumns, ddlText},
    {"pg_catalog", "stl_utilitytext", kTextColumns, utilityText},
    {"pg_catalog", "svl_statementtext",
     "userid i4, xid i8, pid i4, label c320, starttime ts, endtime ts, sequence i4, type v10, "
     "text c200",
     statementText},
    {"pg_catalog", "svl_compile",
     "userid i4, xid i8, pid i4, query i4, segment i4, locus i4, starttime ts, endtime ts, compile "
     "i4, function c64, level i4, text_bytes i4, error c1024",
     compilations},
    {"pg_catalog", "svl_qlog",
     "userid i4, query i4, xid i8, pid i4, starttime ts, endtime ts, elapsed i8, aborted i4, "
     "label c320, substring c60, source_query i4, concurrency_scaling_status_txt t",
     qlog},
    {"pg_catalog", "stl_wlm_query",
     "userid i4, xid i8, task i4, query i4, service_class i4, slot_count i4, "
     "service_class_start_time ts, queue_start_time ts, queue_end_time ts, total_queue_time i8, "
     "exec_start_time ts, exec_end_time ts, total_exec_time i8, service_class_end_time ts, "
     "final_state c16, est_peak_mem i8, query_priority c20, service_class_name c64",
     wlmQuery},
    {"pg_catalog", "stl_load_errors",
     "userid i4, slice i4, tbl i4, starttime ts, session i4, query i4, filename c256, "
     "line_number i8, colname c127, type c10, col_length c10, position i4, raw_line c1024, "
     "raw_field_value c1024, err_code i4, err_reason c100, is_partial i4, start_offset i8, "
     "copy_job_id i8",
     loadErrors},
    {"pg_catalog", "stl_loaderror_detail",
     "userid i4, slice i4, session i4, query i4, filename c256, line_number i8, field i4, "
     "colname c1024, value c1024, is_null i4, type c10, col_length c10"},
    {"pg_catalog", "stl_load_commits",
     "userid i4, query i4, slice i4, name c256, filename c256, byte_offset i4, lines_scanned i4, "
     "errors i4, curtime ts, status i4, file_format c16, is_partial i4, start_offset i8, "
     "copy_job_id i8"},
    {"pg_catalog", "stl_sessions",
     "userid i4, starttime ts, endtime ts, process i4, user_name c50, db_name c50, timeout_sec i4, "
     "timed_out i4",
     stlSessions},
    {"pg_catalog", "stl_connection_log",
     "event c50, recordtime ts, remotehost c45, remoteport c32, pid i4, dbname c50, username c50, "
     "authmethod c32, duration i8, sslversion c50, sslcipher c128, mtu i4, sslcompression c64, "
     "sslexpansion c64, iamauthguid c36, application_name c250, os_version c64, driver_version "
     "c64, "
     "plugin_name c32, protocol_version i4, sessionid c36, compression c64",
     connectionLog, Audience::kSuperusers},
    {"pg_catalog", "stl_dist", kExchangeColumns, stlDist},
    {"pg_catalog", "stl_bcast", kExchangeColumns, stlBcast},
    {"pg_catalog", "stl_explain", kExplainColumns},
    {"pg_catalog", "stl_alert_event_log",
     "userid i4, query i4, slice i4, segment i4, step i4, pid i4, xid i8, event c1024, "
     "solution c1024, event_time ts"},
    {"pg_catalog", "stl_error",
     "userid i4, process c12, recordtime ts, pid i4, errcode i4, file c90, linenum i4, context "
     "c100, "
     "error c512",
     noRows, Audience::kSuperusers},
    {"pg_catalog", "stl_vacuum",
     "userid i4, xid i8, table_id i4, status c30, rows i8, sortedrows i4, blocks i4, "
     "max_merge_partitions i4, eventtime ts, reclaimable_rows i8, reclaimable_space_mb i8, "
     "cutoff_xid i8, is_recluster i4"},
    {"pg_catalog", "stl_tr_conflict",
     "xact_id i8, process_id i8, xact_start_ts ts, abort_time ts, table_id i8"},
    {"pg_catalog", "stl_unload_log",
     "userid i4, query i4, slice i4, pid i4, path c1280, start_time ts, end_time ts, line_count "
     "i8, "
     "transfer_size i8, file_format c10"},
    {"pg_catalog", "stl_userlog",
     "userid i4, username c50, oldusername c50, action c10, usecreatedb i4, usesuper i4, "
     "usecatupd i4, valuntil ts, pid i4, xid i8, recordtime ts",
     noRows, Audience::kSuperusers},
    {"pg_catalog", "svl_query_report",
     "userid i4, query i4, slice i4, segment i4, step i4, start_time ts, end_time ts, "
     "elapsed_time i8, rows i8, bytes i8, label c256, is_diskbased c1, workmem i8, is_rrscan c1, "
     "is_delayed_scan c1, rows_pre_filter i8"},
    {"pg_catalog", "svl_query_summary",
     "userid i4, query i4, stm i4, seg i4, step i4, maxtime i8, avgtime i8, rows i8, bytes i8, "
     "rate_row f8, rate_byte f8, label t, is_diskbased c1, workmem i8, is_rrscan c1, "
     "is_delayed_scan c1, rows_pre_filter i8"},
};

} // namespace

void addStlViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
