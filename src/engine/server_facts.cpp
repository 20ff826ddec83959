#include "engine/server_facts.h"

#include <algorithm>

#include "execute/memory/memory_broker.h"
#include "parse/ast.h"
#include "parse/parse.h"

namespace blueshift::engine {

std::string_view statementType(const parse::Statement& statement) {
    using parse::StatementKind;
    switch (statement.kind) {
    case StatementKind::kSelect:
    case StatementKind::kDeclare:
    case StatementKind::kFetch: return "SELECT";
    case StatementKind::kInsert: return "INSERT";
    case StatementKind::kUpdate: return "UPDATE";
    case StatementKind::kDelete: return "DELETE";
    case StatementKind::kMerge: return "OTHER";
    case StatementKind::kCopy: return "COPY";
    case StatementKind::kUnload: return "UNLOAD";
    case StatementKind::kCreateTable:
        return statement.as<parse::CreateTable>()->query != nullptr ? "CTAS" : "DDL";
    case StatementKind::kTruncate:
    case StatementKind::kAlterTable:
    case StatementKind::kCreateView:
    case StatementKind::kCreateSchema:
    case StatementKind::kAlterSchema:
    case StatementKind::kCreateDatabase:
    case StatementKind::kAlterDatabase:
    case StatementKind::kDrop:
    case StatementKind::kComment:
    case StatementKind::kCreateUser:
    case StatementKind::kAlterUser:
    case StatementKind::kCreateGroup:
    case StatementKind::kAlterGroup:
    case StatementKind::kCreateRole:
    case StatementKind::kAlterRole:
    case StatementKind::kGrant:
    case StatementKind::kGrantRole: return "DDL";
    default: return "UTILITY";
    }
}

void EngineFacts::sessionStarted(catalog::SessionRow session, const Settings& settings) {
    std::lock_guard lock(mutex_);
    session.start_time = clock_.nowMicros();
    session.application_name = settings.find("application_name").value_or("");
    const i32 process = session.process_id;
    live_[process] = {std::move(session), &settings};
}

void EngineFacts::sessionEnded(i32 process_id) {
    std::lock_guard lock(mutex_);
    const auto found = live_.find(process_id);
    if (found == live_.end()) return;
    catalog::SessionRow row = std::move(found->second.row);
    live_.erase(found);
    row.end_time = clock_.nowMicros();
    row.current_query.clear();
    row.transaction_id = 0;
    if (closed_.size() == kKeptSessions) closed_.pop_front();
    closed_.push_back(std::move(row));
}

i64 EngineFacts::statementStarted(i32 process_id, const parse::Statement& statement,
                                  u64 transaction_id) {
    std::string text = parse::redact(statement.text);
    if (text.size() > kKeptTextBytes) {
        size_t length = kKeptTextBytes;
        while (length > 0 && (u8(text[length]) & 0xC0) == 0x80) --length;
        text.resize(length);
    }
    std::lock_guard lock(mutex_);
    const auto session = live_.find(process_id);
    if (session == live_.end()) return 0;
    catalog::SessionRow& row = session->second.row;
    const Settings& settings = *session->second.settings;
    const i64 now = clock_.nowMicros();
    row.application_name = settings.find("application_name").value_or("");
    row.current_query = text;
    row.query_start = now;
    if (row.transaction_id != transaction_id) row.transaction_start = transaction_id == 0 ? 0 : now;
    row.transaction_id = transaction_id;
    const i64 query_id = next_query_++;
    running_[query_id] = {.query_id = query_id,
                          .transaction_id = transaction_id,
                          .process_id = process_id,
                          .user_id = row.user_id,
                          .user = row.user,
                          .database = row.database,
                          .label = settings.find("query_group").value_or(""),
                          .text = std::move(text),
                          .type = std::string(statementType(statement)),
                          .start_time = now};
    return query_id;
}

void EngineFacts::statementEnded(i64 query_id, catalog::StatementState state, i64 rows,
                                 std::string error, u64 open_transaction) {
    std::lock_guard lock(mutex_);
    const auto found = running_.find(query_id);
    if (found == running_.end()) return;
    catalog::StatementFacts statement = std::move(found->second);
    running_.erase(found);
    statement.state = state;
    statement.end_time = clock_.nowMicros();
    statement.returned_rows = rows;
    statement.error = std::move(error);
    if (const auto session = live_.find(statement.process_id); session != live_.end()) {
        catalog::SessionRow& row = session->second.row;
        row.current_query.clear();
        row.transaction_id = open_transaction;
        if (open_transaction == 0) row.transaction_start = 0;
        else if (row.transaction_start == 0) row.transaction_start = statement.start_time;
    }
    if (ended_.size() == kKeptStatements) ended_.pop_front();
    ended_.push_back(std::move(statement));
}

std::vector<catalog::SessionRow> EngineFacts::sessions() const {
    std::lock_guard lock(mutex_);
    std::vector<catalog::SessionRow> list;
    for (const auto& [process, live] : live_) list.push_back(live.row);
    return list;
}

std::vector<catalog::SessionRow> EngineFacts::closedSessions() const {
    std::lock_guard lock(mutex_);
    return {closed_.begin(), closed_.end()};
}

std::vector<catalog::StatementFacts> EngineFacts::statements() const {
    std::lock_guard lock(mutex_);
    std::vector<catalog::StatementFacts> list(ended_.begin(), ended_.end());
    for (const auto& [id, statement] : running_) list.push_back(statement);
    std::ranges::sort(list, {}, &catalog::StatementFacts::query_id);
    return list;
}

std::vector<catalog::SettingFacts> EngineFacts::settings(i32 process_id) const {
    std::lock_guard lock(mutex_);
    std::vector<catalog::SettingFacts> list;
    const auto found = live_.find(process_id);
    if (found == live_.end()) return list;
    for (SettingRow& row : found->second.settings->all())
        list.push_back({std::move(row.name), std::move(row.value), std::move(row.description)});
    return list;
}

std::vector<catalog::LoadError> EngineFacts::loadErrors() const {
    std::vector<catalog::LoadError> list;
    errors_.forEach([&](const LoadError& error) {
        list.push_back({.query_id = error.query,
                        .process_id = error.session,
                        .user_id = u32(error.userid),
                        .table = u32(error.tbl),
                        .time = error.starttime,
                        .file = error.filename,
                        .line = error.line_number,
                        .column = error.colname,
                        .column_type = error.type,
                        .column_length = error.col_length,
                        .position = error.position,
                        .raw_line = error.raw_line,
                        .raw_value = error.raw_field_value,
                        .code = error.err_code,
                        .message = error.err_reason});
    });
    return list;
}

void EngineFacts::exchanged(i64 query_id, std::vector<catalog::ExchangeFacts> sent) {
    std::lock_guard lock(mutex_);
    const auto found = running_.find(query_id);
    if (found == running_.end()) return;
    for (catalog::ExchangeFacts& row : sent) {
        row.query_id = query_id;
        row.user_id = found->second.user_id;
        row.user = found->second.user;
        row.start_time = found->second.start_time;
        row.end_time = clock_.nowMicros();
        exchanges_.push_back(std::move(row));
    }
    while (exchanges_.size() > kKeptExchanges) exchanges_.pop_front();
}

std::vector<catalog::MemoryFacts> EngineFacts::queryMemory() const {
    std::vector<catalog::MemoryFacts> list;
    for (const execute::GrantReport& report : memory_.report())
        list.push_back({.query_id = report.query_id,
                        .waiting = report.waiting,
                        .least = report.least,
                        .reserved = report.reserved,
                        .used = report.used});
    return list;
}

std::vector<catalog::ExchangeFacts> EngineFacts::exchanges() const {
    std::lock_guard lock(mutex_);
    return {exchanges_.begin(), exchanges_.end()};
}

i64 EngineFacts::storageCapacity() const {
    std::error_code problem;
    const auto space = std::filesystem::space(place_, problem);
    return problem ? 0 : i64(space.capacity >> 20);
}

} // namespace blueshift::engine
