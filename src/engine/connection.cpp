#include "engine/connection.h"

#include "engine/cursor.h"
#include "engine/lookup.h"
#include "functions/casts.h"
#include "functions/scalar/arrays.h"
#include "parse/parse.h"

namespace blueshift::engine {

bool PreparedStatement::endsTransaction() const {
    return statement != nullptr && statement->is<parse::Transaction>() &&
           statement->as<parse::Transaction>()->action != parse::TransactionAction::kBegin;
}

EngineConnection::EngineConnection(SharedEngine& engine, const ConnectionOptions& options,
                                   i32 process, u32 key)
    : engine_(engine),
      user_(options.user),
      database_(options.database),
      process_id_(process),
      cancel_key_(key),
      session_catalog_(u32(process)),
      code_(engine.code()) {
    const auto snapshot = engine_.database().committed();
    if (const catalog::User* user = snapshot->findUser(user_)) {
        superuser_ = user->superuser;
        user_oid_ = i32(user->oid);
    }
    if (!engine.options().codegen.empty()) settings_.set("codegen", engine.options().codegen);
    for (const auto& [name, value] : options.settings) {
        if (!settings_.known(name)) continue;
        try {
            settings_.set(name, value);
        } catch (const SqlError& error) {
            if (error.error().sqlstate != sqlstate::kObjectNotInPrerequisiteState) throw;
        }
    }
    settings_.keep();
    settings_.takeChanges();
    engine_.facts().sessionStarted({.process_id = process_id_,
                                    .user_id = u32(user_oid_),
                                    .user = user_,
                                    .database = database_,
                                    .remote_host = options.remote_address},
                                   settings_);
}

EngineConnection::~EngineConnection() {
    disarmStatement();
    engine_.facts().sessionEnded(process_id_);
    engine_.removeConnection(this);
    cursors.clear();
    if (transaction_) transaction_->rollback();
    transaction_.reset();
}

TransactionStatus EngineConnection::transactionStatus() const {
    if (!in_block_) return TransactionStatus::kIdle;
    return block_failed_ ? TransactionStatus::kFailed : TransactionStatus::kInBlock;
}

std::vector<Connection::Piece> EngineConnection::split(std::string_view text) {
    armStatement();
    Arena arena;
    std::vector<Piece> pieces;
    const parse::ParseOptions options{.fold_quoted =
                                          settings_.isOn("downcase_delimited_identifier") &&
                                          !settings_.isOn("enable_case_sensitive_identifier")};
    const auto statements = parse::parse(text, arena, options);
    throwIfStopped();
    for (const parse::Statement* statement : statements)
        pieces.push_back({std::string(statement->text), statement->begin,
                          u32(parse::characterPosition(text, i32(statement->begin)) - 1)});
    return pieces;
}

transaction::Transaction& EngineConnection::transaction() {
    if (!transaction_) {
        transaction_ = engine_.database().begin(&session_catalog_);
        transaction_time_ = engine_.clock().nowMicros();
    }
    return *transaction_;
}

void EngineConnection::beginBlock(parse::AccessMode access) {
    if (in_block_) {
        notice("WARNING", Error(sqlstate::kActiveSqlTransaction,
                                "there is already a transaction in progress"));
        return;
    }
    transaction();
    in_block_ = true;
    block_failed_ = block_has_run_ = false;
    if (access != parse::AccessMode::kUnspecified) setAccessMode(access);
}

void EngineConnection::setAccessMode(parse::AccessMode access) {
    if (!in_block_) {
        notice("WARNING", Error(sqlstate::kNoActiveSqlTransaction,
                                "SET TRANSACTION can only be used in transaction blocks"));
        return;
    }
    const bool read_only = access == parse::AccessMode::kReadOnly;
    if (!read_only && readOnly() && block_has_run_)
        throw SqlError(Error(sqlstate::kActiveSqlTransaction,
                             "transaction read-write mode must be set before any query")
                           .withHint("End the transaction, and start one with BEGIN READ WRITE."));
    settings_.set("transaction_read_only", read_only ? "on" : "off", true);
}

std::string EngineConnection::endBlock(bool commit) {
    if (!in_block_)
        notice("WARNING",
               Error(sqlstate::kNoActiveSqlTransaction, "there is no transaction in progress"));
    const bool rolls_back = !commit || block_failed_;
    in_block_ = block_failed_ = false;
    cursors.clear();
    auto ending = std::move(transaction_);
    if (rolls_back) {
        if (ending) ending->rollback();
        settings_.undo();
        return "ROLLBACK";
    }
    if (ending)
        if (auto status = ending->commit(); !status) {
            settings_.undo();
            throw SqlError(std::move(status.error()));
        }
    settings_.keep();
    return "COMMIT";
}

void EngineConnection::leaveDescription(bool had_transaction) {
    if (had_transaction || !transaction_) return;
    transaction_->rollback();
    transaction_.reset();
}

void EngineConnection::endStatement(bool implicit_block) {
    if (in_block_ || implicit_block) return;
    endImplicitBlock();
}

void EngineConnection::endImplicitBlock() {
    if (in_block_) return;
    auto ending = std::move(transaction_);
    cursors.clear();
    if (ending)
        if (auto status = ending->commit(); !status) {
            settings_.undo();
            throw SqlError(std::move(status.error()));
        }
    settings_.keep();
}

void EngineConnection::failed() {
    recordEnd(
        query_id_,
        stop_.requested() ? catalog::StatementState::kCanceled : catalog::StatementState::kFailed,
        0);
    disarmStatement();
    setRun(nullptr);
    if (transaction_) transaction_->rollback();
    transaction_.reset();
    settings_.undo();
    if (in_block_) block_failed_ = true;
}

void EngineConnection::recordStart(const parse::Statement& statement) {
    query_id_ = engine_.facts().statementStarted(process_id_, statement,
                                                 transaction_ ? transaction_->id() : 0);
}

void EngineConnection::recordFailure(i64 query_id, const Error& error) {
    const bool canceled = error.sqlstate == sqlstate::kQueryCanceled;
    recordEnd(query_id,
              canceled ? catalog::StatementState::kCanceled : catalog::StatementState::kFailed, 0,
              error.message);
}

void EngineConnection::recordEnd(i64 query_id, catalog::StatementState state, i64 rows,
                                 std::string error) {
    engine_.facts().statementEnded(query_id, state, rows, std::move(error),
                                   in_block_ && transaction_ ? transaction_->id() : 0);
}

void EngineConnection::recordExchanges(const execute::QueryRun& run) {
    std::vector<catalog::ExchangeFacts> sent;
    for (const execute::SentReport& report : run.sent())
        sent.push_back({.node = i32(report.node),
                        .step = i32(report.op),
                        .broadcast = report.broadcast,
                        .rows = i64(report.rows),
                        .bytes = i64(report.moved_bytes),
                        .batches = i64(report.batches)});
    if (!sent.empty()) engine_.facts().exchanged(query_id_, std::move(sent));
}

void EngineConnection::cancel() {
    if (armed_) stop_.request();
}

void EngineConnection::throwIfStopped() const {
    if (!stop_.requested()) return;
    throw SqlError(stop_.error());
}

void EngineConnection::armStatement() {
    if (armed_) return;
    stop_.clear();
    armed_ = true;
    const i64 timeout = settings_.integer("statement_timeout");
    if (timeout > 0)
        deadline_ = engine_.deadlines().arm(timeout, [this] { stop_.requestForTimeout(); });
}

void EngineConnection::disarmStatement() {
    armed_ = false;
    if (deadline_ != 0) engine_.deadlines().disarm(deadline_);
    deadline_ = 0;
}

functions::SessionFacts EngineConnection::facts(const catalog::CatalogSnapshot& snapshot) {
    std::string path = settings_.get("search_path");
    if (path != facts_path_ || facts_schemas_.empty()) {
        facts_schemas_ = settings_.searchPath(user_);
        facts_path_ = std::move(path);
    }
    facts_schema_.clear();
    for (const std::string& schema : facts_schemas_)
        if (snapshot.findSchema(schema) != nullptr) {
            facts_schema_ = schema;
            break;
        }
    facts_zone_ = settings_.get("timezone");
    lookup_ = makeCatalogLookup(*this, snapshot);
    facts_ = {.user = user_,
              .database = engine_.databaseName(),
              .current_schema = facts_schema_,
              .search_path = facts_path_,
              .timezone = facts_zone_,
              .user_id = user_oid_,
              .process_id = process_id_,
              .statement_time = engine_.clock().nowMicros(),
              .transaction_time = transaction_ ? transaction_time_ : engine_.clock().nowMicros(),
              .date_order_mdy = settings_.get("datestyle").find("DMY") == std::string::npos,
              .catalog = lookup_.get()};
    return facts_;
}

bind::BindContext EngineConnection::bindContext(Arena& arena, std::string_view text) {
    bind::BindContext context;
    context.arena = &arena;
    context.catalog = transaction_ ? transaction_->view() : engine_.database().committed();
    facts(*context.catalog);
    context.sources = &engine_.sources();
    context.session = &facts_;
    context.search_path = facts_schemas_;
    context.temporary_schema = temporarySchema();
    context.superuser = superuser_;
    context.text = text;
    return context;
}

execute::RunEnvironment EngineConnection::environment() {
    execute::RunEnvironment environment;
    environment.pool = &engine_.pool();
    environment.store = &engine_.store();
    environment.cache = &engine_.cache();
    environment.memory = &engine_.memory();
    environment.spill = &engine_.spill();
    environment.sources.snapshot =
        transaction_ ? transaction_->view() : engine_.database().committed();
    environment.sources.session = &facts_;
    environment.sources.server = &engine_.facts();
    environment.stop = &stop_;
    environment.vector_rows = engine_.options().vector_rows;
    code_.setQuery(query_id_);
    environment.code = &code_;
    const std::string codegen = settings_.get("codegen");
    environment.codegen = codegen == "off"     ? execute::Codegen::kOff
                          : codegen == "force" ? execute::Codegen::kForce
                                               : execute::Codegen::kAuto;
    environment.alternate_tiers = engine_.options().alternate_tiers;
    environment.cluster = &engine_.cluster();
    if (sharesSmallTables()) environment.share_rows = 1;
    environment.query_id = query_id_;
    environment.failing_node = settings_.integer("inject_node_stop");
    return environment;
}

std::string EngineConnection::temporarySchema() {
    return "pg_temp_" + std::to_string(process_id_);
}

ColumnOrigin EngineConnection::originOf(const ResultField& field) const {
    const auto snapshot = transaction_ ? transaction_->view() : engine_.database().committed();
    return columnOrigin(*snapshot, engine_.sources(), field);
}

std::vector<std::optional<std::string>> EngineConnection::arrayElements(std::string_view text,
                                                                        const SqlType& type) const {
    return functions::arrayElements(text, type.kind);
}

u32 EngineConnection::functionOid(std::string_view regproc) const {
    return functions::oidOfRegproc(regproc);
}

void EngineConnection::appendText(std::string& out, const Vector& vector, u32 row,
                                  const SqlType& type) {
    functions::appendText(out, vector, row, type, facts_);
}

Value EngineConnection::parseParameter(std::string_view text, const SqlType& type) {
    return orThrow(functions::parseValue(text, type, facts_, parameter_arena_));
}

void EngineConnection::setRun(execute::QueryRun* run) {
    std::lock_guard lock(run_mutex_);
    run_ = run;
}

Connection::Progress EngineConnection::progress() const {
    std::lock_guard lock(run_mutex_);
    if (run_ == nullptr) return {};
    const auto [done, total] = run_->progress();
    return {done, total};
}

} // namespace blueshift::engine
