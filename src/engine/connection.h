// connection.h: one session: settings, transaction, cursors, prepared statements of SQL.
//
// Place: implements Connection of statement.h; statement.cpp runs its statements.
// Transaction states:
//   idle --statement--> implicit (one statement, or the statements of one message) --end--> idle
//   idle --BEGIN--> in block --error--> failed --ROLLBACK/COMMIT--> idle
// Threads: one, cancel() and progress() excepted.
#pragma once

#include <map>
#include <memory>

#include "bind/bind.h"
#include "engine/engine.h"
#include "engine/settings.h"
#include "execute/operator.h"
#include "parse/ast.h"
#include "transaction/session_catalog.h"

namespace blueshift::engine {

/// A parsed statement, bound for description when it is a query.
class PreparedStatement final : public Prepared {
public:
    bool empty() const override { return statement == nullptr; }
    ResultKind kind() const override { return result_kind; }
    std::span<const SqlType> parameterTypes() const override { return parameter_types; }
    std::span<const ResultField> fields() const override { return result_fields; }
    std::string_view text() const override { return source; }
    bool endsTransaction() const override;

    std::string source;
    Arena arena;
    parse::Statement* statement = nullptr;
    ResultKind result_kind = ResultKind::kNone;
    std::vector<SqlType> parameter_types;
    std::vector<ResultField> result_fields;
    /// The plan made for description, and the catalog it was made against; used again when nothing
    /// has changed and there are no parameters.
    std::shared_ptr<const catalog::CatalogSnapshot> bound_against;
    bind::QueryPlan plan;
    std::string bound_search_path;
    i64 parse_nanos = 0;
    i64 bind_nanos = 0;
};

/// An open cursor: its execution and where the last batch was left.
struct Cursor;

class EngineConnection final : public Connection {
public:
    EngineConnection(SharedEngine& engine, const ConnectionOptions& options, i32 process, u32 key);
    ~EngineConnection() override;

    i32 processId() const override { return process_id_; }
    u32 cancelKey() const override { return cancel_key_; }
    TransactionStatus transactionStatus() const override;
    std::vector<Piece> split(std::string_view text) override;
    std::unique_ptr<Prepared> prepare(std::string_view text, std::vector<SqlType> types) override;
    std::unique_ptr<Execution> execute(Prepared& prepared, std::span<const Value> parameters,
                                       const ExecuteOptions& options) override;
    void endImplicitBlock() override;
    void failed() override;
    std::vector<Notice> takeNotices() override { return std::exchange(notices_, {}); }
    std::vector<std::pair<std::string, std::string>> takeSettingChanges() override {
        return settings_.takeChanges();
    }
    std::string setting(std::string_view name) const override { return settings_.get(name); }
    ColumnOrigin originOf(const ResultField& field) const override;
    void appendText(std::string& out, const Vector& vector, u32 row, const SqlType& type) override;
    std::vector<std::optional<std::string>> arrayElements(std::string_view text,
                                                          const SqlType& type) const override;
    u32 functionOid(std::string_view regproc) const override;
    Value parseParameter(std::string_view text, const SqlType& type) override;
    Progress progress() const override;
    void cancel() override;
    bool cancelRequested() const override { return stop_.requested(); }
    void pause() override { disarmStatement(); }

    // ---- For statement.cpp and the executions.
    SharedEngine& engine() { return engine_; }
    Settings& settings() { return settings_; }
    const std::string& user() const { return user_; }
    bool superuser() const { return superuser_; }
    /// The open transaction, begun when there is none.
    transaction::Transaction& transaction();
    bool hasTransaction() const { return transaction_ != nullptr; }
    bool inBlock() const { return in_block_; }
    void beginBlock(parse::AccessMode access);
    /// SET TRANSACTION READ ONLY or READ WRITE; a warning outside a block.
    void setAccessMode(parse::AccessMode access);
    bool readOnly() const { return settings_.isOn("transaction_read_only"); }
    /// Ends the block; "COMMIT" or "ROLLBACK" (a failed block rolls back).
    std::string endBlock(bool commit);
    /// Ends the transaction that only a description needed.
    void leaveDescription(bool had_transaction);
    /// The end of a statement that stands alone: commits what it did.
    void endStatement(bool implicit_block);
    execute::StopToken& stop() { return stop_; }
    /// 57014 once the statement was asked to stop; between the stages of planning.
    void throwIfStopped() const;
    /// From here on cancel() and the time-out ask for a stop; nothing new when it is so already.
    void armStatement();
    /// Nothing runs: a request to stop would be for nobody.
    void disarmStatement();
    functions::SessionFacts facts(const catalog::CatalogSnapshot& snapshot);
    bind::BindContext bindContext(Arena& arena, std::string_view text);
    execute::RunEnvironment environment();
    void notice(std::string severity, Error error) {
        notices_.push_back({std::move(severity), std::move(error)});
    }
    void setRun(execute::QueryRun* run);
    /// The statement under way in the history of the engine.
    i64 queryId() const { return query_id_; }
    void recordStart(const parse::Statement& statement);
    void recordFailure(i64 query_id, const Error& error);
    /// What the statement's run sent between nodes.
    /// Tests: tables are shared by the nodes and treated as if they were large.
    bool sharesSmallTables() const {
        return engine_.options().small_shares || settings_.isOn("share_small_tables");
    }
    void recordExchanges(const execute::QueryRun& run);
    void recordEnd(i64 query_id, catalog::StatementState state, i64 rows, std::string error = {});
    std::string temporarySchema();

    std::map<std::string, std::shared_ptr<PreparedStatement>, std::less<>> named_statements;
    std::map<std::string, std::unique_ptr<Cursor>, std::less<>> cursors;

private:
    SharedEngine& engine_;
    std::string user_;
    std::string database_;
    bool superuser_ = false;
    i32 user_oid_ = 0;
    i32 process_id_;
    u32 cancel_key_;
    Settings settings_;
    transaction::SessionCatalog session_catalog_; // outlives the transaction
    std::unique_ptr<transaction::Transaction> transaction_;
    bool in_block_ = false;
    bool block_failed_ = false;
    bool block_has_run_ = false; // a statement that reads or writes
    execute::StopToken stop_;
    std::atomic<bool> armed_{false};
    u64 deadline_ = 0;
    i64 query_id_ = 0;
    std::vector<Notice> notices_;
    functions::SessionFacts facts_;
    // Text that facts_ borrows.
    std::string facts_schema_;
    std::vector<std::string> facts_schemas_; // of search_path
    std::string facts_path_;
    std::string facts_zone_;
    std::unique_ptr<functions::CatalogLookup> lookup_;
    i64 transaction_time_ = 0;
    Arena parameter_arena_;
    ConnectionCode code_;
    mutable std::mutex run_mutex_;
    execute::QueryRun* run_ = nullptr;
};

} // namespace blueshift::engine
