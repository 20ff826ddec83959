#include "engine/access_mode.h"

#include <string>

#include "base/error.h"

namespace blueshift::engine {
namespace {

using parse::ObjectKind;
using parse::StatementKind;

std::string_view dropWords(ObjectKind object) {
    switch (object) {
    case ObjectKind::kTable: return "DROP TABLE";
    case ObjectKind::kView: return "DROP VIEW";
    case ObjectKind::kMaterializedView: return "DROP MATERIALIZED VIEW";
    case ObjectKind::kSchema: return "DROP SCHEMA";
    case ObjectKind::kDatabase: return "DROP DATABASE";
    case ObjectKind::kFunction: return "DROP FUNCTION";
    case ObjectKind::kProcedure: return "DROP PROCEDURE";
    case ObjectKind::kUser: return "DROP USER";
    case ObjectKind::kGroup: return "DROP GROUP";
    case ObjectKind::kRole: return "DROP ROLE";
    default: return "DROP";
    }
}

bool selectsInto(const parse::Statement& statement) {
    const parse::Query* query = statement.as<parse::Select>()->query;
    return query->is<parse::SelectQuery>() && query->as<parse::SelectQuery>()->into != nullptr;
}

} // namespace

WriteCommand writeCommandOf(const parse::Statement& statement) {
    switch (statement.kind) {
    case StatementKind::kSelect:
        if (selectsInto(statement)) return {"SELECT INTO"};
        return {};
    case StatementKind::kInsert: return {"INSERT", &statement.as<parse::Insert>()->table};
    case StatementKind::kUpdate: return {"UPDATE", &statement.as<parse::Update>()->table};
    case StatementKind::kDelete: return {"DELETE", &statement.as<parse::Delete>()->table};
    case StatementKind::kMerge: return {"MERGE"};
    case StatementKind::kCopy: {
        const auto* copy = statement.as<parse::Copy>();
        if (copy->direction == parse::CopyDirection::kFrom) return {"COPY FROM", &copy->table};
        return {};
    }
    case StatementKind::kTruncate: return {"TRUNCATE TABLE"};
    case StatementKind::kCreateTable:
        return {statement.as<parse::CreateTable>()->query != nullptr ? "CREATE TABLE AS"
                                                                     : "CREATE TABLE"};
    case StatementKind::kAlterTable:
        return {statement.as<parse::AlterTable>()->object == ObjectKind::kView ? "ALTER VIEW"
                                                                               : "ALTER TABLE"};
    case StatementKind::kCreateView: return {"CREATE VIEW"};
    case StatementKind::kCreateSchema: return {"CREATE SCHEMA"};
    case StatementKind::kAlterSchema: return {"ALTER SCHEMA"};
    case StatementKind::kCreateDatabase: return {"CREATE DATABASE"};
    case StatementKind::kAlterDatabase: return {"ALTER DATABASE"};
    case StatementKind::kDrop: return {dropWords(statement.as<parse::Drop>()->object)};
    case StatementKind::kComment: return {"COMMENT"};
    case StatementKind::kCreateUser: return {"CREATE USER"};
    case StatementKind::kAlterUser: return {"ALTER USER"};
    case StatementKind::kCreateGroup: return {"CREATE GROUP"};
    case StatementKind::kAlterGroup: return {"ALTER GROUP"};
    case StatementKind::kCreateRole: return {"CREATE ROLE"};
    case StatementKind::kAlterRole: return {"ALTER ROLE"};
    case StatementKind::kGrant: return {statement.as<parse::Grant>()->revoke ? "REVOKE" : "GRANT"};
    case StatementKind::kGrantRole:
        return {statement.as<parse::GrantRole>()->revoke ? "REVOKE ROLE" : "GRANT ROLE"};
    // Statistics and the order of rows are no contents; the rest reads, or touches the session
    // only.
    case StatementKind::kAnalyze:
    case StatementKind::kAnalyzeCompression:
    case StatementKind::kVacuum:
    case StatementKind::kUnload:
    case StatementKind::kTransaction:
    case StatementKind::kLock:
    case StatementKind::kSet:
    case StatementKind::kReset:
    case StatementKind::kShow:
    case StatementKind::kExplain:
    case StatementKind::kPrepare:
    case StatementKind::kExecute:
    case StatementKind::kDeallocate:
    case StatementKind::kDeclare:
    case StatementKind::kFetch:
    case StatementKind::kClose:
    case StatementKind::kCancel:
    case StatementKind::kUse:
    case StatementKind::kCall:
    case StatementKind::kDiscard: break;
    }
    return {};
}

void refuseWrite(std::string_view words) {
    throw SqlError(Error(sqlstate::kReadOnlySqlTransaction,
                         "cannot execute " + std::string(words) + " in a read-only transaction")
                       .withHint("Start one with BEGIN READ WRITE, or SET "
                                 "default_transaction_read_only TO off. Temporary tables may be "
                                 "written."));
}

} // namespace blueshift::engine
