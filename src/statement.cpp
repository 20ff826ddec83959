// The story of one statement: text -> tree -> typed plan -> physical plan -> program -> rows.
#include "statement.h"

#include <fmt/format.h>

#include <chrono>

#include "ddl/define.h"
#include "engine/access_mode.h"
#include "engine/copy.h"
#include "engine/cursor.h"
#include "engine/explain_code.h"
#include "engine/modify.h"
#include "engine/show.h"
#include "functions/expression.h"
#include "optimize/optimize.h"
#include "parse/parse.h"

namespace blueshift::engine {
namespace {

using std::chrono::steady_clock;

i64 nanosSince(steady_clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - start)
        .count();
}

/// The way of one statement of one connection. Shared with the executions whose work is still to be
/// done when run() returns; `prepared` outlives them.
class StatementRunner : public std::enable_shared_from_this<StatementRunner> {
public:
    StatementRunner(EngineConnection& connection, PreparedStatement& prepared,
                    std::span<const Value> parameters, const Connection::ExecuteOptions& options)
        : connection_(connection),
          prepared_(prepared),
          parameters_(parameters.begin(), parameters.end()),
          options_(options) {
        for (Value& value : parameters_) value.text = parameter_text_.copyText(value.text);
    }

    std::unique_ptr<Execution> run();

private:
    const parse::Statement& statement() const { return *prepared_.statement; }
    std::unique_ptr<Execution> command(std::function<std::string()> body) {
        return makeCommandExecution(
            connection_, [self = shared_from_this(), body = std::move(body)] { return body(); },
            options_.implicit_block);
    }
    bind::BindContext bindContext(Arena& arena);
    std::shared_ptr<PlannedQuery> plan(
        const std::function<bind::QueryPlan(bind::BindContext&)>& bind,
        RowsFor rows_for = RowsFor::kClient, const catalog::Table* const* target = nullptr);

    std::unique_ptr<Execution> select();
    std::unique_ptr<Execution> insert();
    std::unique_ptr<Execution> modify(bool update);
    std::unique_ptr<Execution> createTableAs(const parse::CreateTable& create);
    std::unique_ptr<Execution> explain();
    std::unique_ptr<Execution> explainCode(const PlannedQuery& planned);
    std::unique_ptr<Execution> transactionCommand();
    std::unique_ptr<Execution> set();
    std::unique_ptr<Execution> definition();
    std::unique_ptr<Execution> analyze();
    std::unique_ptr<Execution> executePrepared();
    std::unique_ptr<Execution> declare();
    std::unique_ptr<Execution> fetch();

    /// 25006 for a write in a READ ONLY transaction.
    void checkAccess();
    template <class Body> auto withDefineContext(Body&& body);
    std::shared_ptr<PlannedQuery> planExplained(const parse::Statement& explained);

    EngineConnection& connection_;
    PreparedStatement& prepared_;
    Arena parameter_text_;
    std::vector<Value> parameters_;
    const Connection::ExecuteOptions options_;
};

bind::BindContext StatementRunner::bindContext(Arena& arena) {
    bind::BindContext context = connection_.bindContext(arena, prepared_.source);
    context.parameters = parameters_;
    context.parameter_types = &prepared_.parameter_types;
    return context;
}

std::shared_ptr<PlannedQuery> StatementRunner::plan(
    const std::function<bind::QueryPlan(bind::BindContext&)>& bind, RowsFor rows_for,
    const catalog::Table* const* target) {
    auto planned = std::make_shared<PlannedQuery>();
    planned->text = prepared_.source;
    planned->parse_nanos = prepared_.parse_nanos;
    connection_.transaction();
    // The plan outlives the runner: it keeps the text of its parameters.
    planned->parameters = parameters_;
    for (Value& value : planned->parameters) value.text = planned->arena.copyText(value.text);
    bind::BindContext context = bindContext(planned->arena);
    context.parameters = planned->parameters;
    planned->snapshot = context.catalog;
    const auto start = steady_clock::now();
    planned->bound = bind(context);
    planned->bind_nanos = nanosSince(start);
    connection_.throwIfStopped();
    planQuery(connection_, *planned, rows_for, target == nullptr ? nullptr : *target);
    return planned;
}

std::unique_ptr<Execution> StatementRunner::select() {
    const auto& select = *statement().as<parse::Select>();
    auto planned =
        plan([&](bind::BindContext& context) { return bind::bindQuery(*select.query, context); });
    return makeQueryExecution(connection_, std::move(planned), options_.implicit_block);
}

std::unique_ptr<Execution> StatementRunner::insert() {
    return command([this] {
        const auto& insert = *statement().as<parse::Insert>();
        const catalog::Table* table = nullptr;
        auto planned = plan(
            [&](bind::BindContext& context) {
                bind::BoundInsert bound = bind::bindInsert(insert, context);
                table = bound.table;
                return bound.query;
            },
            RowsFor::kWrite, &table);
        return fmt::format("INSERT 0 {}", insertRows(connection_, *planned, table->oid));
    });
}

std::unique_ptr<Execution> StatementRunner::modify(bool update) {
    return command([this, update] {
        connection_.transaction();
        {
            Arena arena;
            bind::BindContext context = bindContext(arena);
            const parse::ObjectName& name = update ? statement().as<parse::Update>()->table
                                                   : statement().as<parse::Delete>()->table;
            lockForWrite(connection_, bind::resolveTable(name, context)->oid);
        }
        catalog::Oid table = 0;
        auto planned = plan(
            [&](bind::BindContext& context) {
                bind::BoundModify bound =
                    update ? bind::bindUpdate(*statement().as<parse::Update>(), context)
                           : bind::bindDelete(*statement().as<parse::Delete>(), context);
                table = bound.table->oid;
                return bound.query;
            },
            RowsFor::kWrite);
        return fmt::format("{} {}", update ? "UPDATE" : "DELETE",
                           modifyRows(connection_, *planned, table, update));
    });
}

template <class Body> auto StatementRunner::withDefineContext(Body&& body) {
    connection_.transaction();
    Arena arena;
    bind::BindContext bind = bindContext(arena);
    ddl::DefineContext context{.bind = bind,
                               .transaction = connection_.transaction(),
                               .user = connection_.user(),
                               .now = connection_.engine().clock().nowMicros()};
    context.verifiers = [](std::string_view user, std::string_view password) {
        const PasswordVerifiers made = makeVerifiers(user, password);
        return ddl::PasswordForms{made.scram, made.md5, made.digest};
    };
    context.lock_table = [&](catalog::Oid table) {
        lockForWrite(connection_, table);
        bind.catalog = connection_.transaction().view();
    };
    context.notice = [&](std::string severity, Error error) {
        connection_.notice(std::move(severity), std::move(error));
    };
    context.rewrite_rows = [&](catalog::Oid table, const std::string& query) {
        PreparedStatement inner;
        inner.source = query;
        auto statements = parse::parse(inner.source, inner.arena);
        inner.statement = statements[0];
        const Connection::ExecuteOptions options{.implicit_block = true};
        const auto runner = std::make_shared<StatementRunner>(connection_, inner,
                                                              std::span<const Value>(), options);
        auto planned = runner->plan(
            [&](bind::BindContext& ctx) {
                return bind::bindQuery(*inner.statement->as<parse::Select>()->query, ctx);
            },
            RowsFor::kWrite);
        insertRows(connection_, *planned, table);
    };
    return body(context);
}

std::unique_ptr<Execution> StatementRunner::createTableAs(const parse::CreateTable& create) {
    return command([this, &create]() -> std::string {
        catalog::Oid table = 0;
        auto planned = plan(
            [&](bind::BindContext& context) { return bind::bindQuery(*create.query, context); },
            RowsFor::kWrite);
        const bool made = withDefineContext([&](ddl::DefineContext& context) {
            const auto fresh = ddl::tableForQuery(create, planned->bound, context);
            if (fresh) table = fresh->oid;
            return fresh != nullptr;
        });
        if (!made || create.with_no_data) return made ? "SELECT 0" : "CREATE TABLE AS";
        return fmt::format("SELECT {}", insertRows(connection_, *planned, table));
    });
}

std::unique_ptr<Execution> StatementRunner::definition() {
    return command([this] {
        std::string tag = withDefineContext(
            [&](ddl::DefineContext& context) { return ddl::define(statement(), context); });
        // TRUNCATE commits what the block did so far, as in Redshift.
        if (statement().is<parse::Truncate>() && connection_.inBlock()) {
            connection_.endBlock(true);
            connection_.beginBlock(parse::AccessMode::kReadWrite);
        }
        return tag;
    });
}

std::shared_ptr<PlannedQuery> StatementRunner::planExplained(const parse::Statement& explained) {
    return plan([&](bind::BindContext& context) {
        switch (explained.kind) {
        case parse::StatementKind::kSelect:
            return bind::bindQuery(*explained.as<parse::Select>()->query, context);
        case parse::StatementKind::kInsert:
            return bind::bindInsert(*explained.as<parse::Insert>(), context).query;
        case parse::StatementKind::kUpdate:
            return bind::bindUpdate(*explained.as<parse::Update>(), context).query;
        case parse::StatementKind::kDelete:
            return bind::bindDelete(*explained.as<parse::Delete>(), context).query;
        case parse::StatementKind::kCreateTable:
            if (const auto* create = explained.as<parse::CreateTable>(); create->query != nullptr)
                return bind::bindQuery(*create->query, context);
            break;
        default: break;
        }
        throw SqlError(Error(sqlstate::kWrongObjectType, "EXPLAIN does not apply to this statement")
                           .withHint("Explain SELECT, INSERT, UPDATE, DELETE or CREATE TABLE AS."));
    });
}

/// The generated C++ of every pipeline, as the compiler would get it.
std::unique_ptr<Execution> StatementRunner::explainCode(const PlannedQuery& planned) {
    TextRows rows{.fields = {{.name = "QUERY PLAN", .type = SqlType::text()}}, .tag = "EXPLAIN"};
    for (auto& line : generatedText(planned.program)) rows.rows.push_back({std::move(line)});
    return makeRowsExecution(connection_, std::move(rows), options_.implicit_block);
}

std::unique_ptr<Execution> StatementRunner::explain() {
    const auto& explain = *statement().as<parse::Explain>();
    auto planned = planExplained(*explain.statement);
    if (explain.codegen) return explainCode(*planned);
    std::vector<optimize::OperatorActuals> actuals;
    i64 execute_nanos = 0;
    std::vector<std::string> tiers;
    if (explain.analyze) {
        if (!explain.statement->is<parse::Select>())
            throw SqlError(
                Error(sqlstate::kFeatureNotSupported, "EXPLAIN ANALYZE runs SELECT statements only")
                    .withHint("Use EXPLAIN without ANALYZE for statements that write."));
        auto environment = connection_.environment();
        environment.timed = true;
        const auto start = steady_clock::now();
        execute::QueryRun run(planned->program, environment);
        for (Batch batch; run.next(batch);) {}
        execute_nanos = nanosSince(start);
        tiers = describeTiers(planned->program, run.tiers());
        for (const auto& report : run.reports()) {
            optimize::OperatorActuals actual{.rows = report.rows,
                                             .nanos = report.nanos,
                                             .memory_bytes = report.memory_bytes,
                                             .spilled_bytes = report.spilled_bytes,
                                             .blocks_skipped = report.blocks_skipped,
                                             .blocks_read = report.blocks_read};
            if (report.join_filter_tested > 0)
                actual.note = fmt::format("join filters: {} of {} rows passed",
                                          report.join_filter_passed, report.join_filter_tested);
            if (report.sent_batches > 0)
                actual.note =
                    fmt::format("moved={} B sent={} rows in {} batches", report.moved_bytes,
                                report.sent_rows, report.sent_batches);
            if (report.settled)
                actual.note = describeSettled(*report.settled) +
                              (actual.note.empty() ? "" : "; " + actual.note);
            actuals.push_back(std::move(actual));
        }
    }
    TextRows rows{.fields = {{.name = "QUERY PLAN", .type = SqlType::text()}}, .tag = "EXPLAIN"};
    for (auto& line : optimize::explainPlan(planned->physical, actuals))
        rows.rows.push_back({std::move(line)});
    for (auto& line : tiers) rows.rows.push_back({std::move(line)});
    if (explain.analyze)
        rows.rows.push_back(
            {fmt::format("Stages: parse {:.3f} ms, bind {:.3f} ms, optimize {:.3f} ms, compile "
                         "{:.3f} ms, execute {:.3f} ms",
                         f64(planned->parse_nanos) / 1e6, f64(planned->bind_nanos) / 1e6,
                         f64(planned->optimize_nanos) / 1e6, f64(planned->compile_nanos) / 1e6,
                         f64(execute_nanos) / 1e6)});
    return makeRowsExecution(connection_, std::move(rows), options_.implicit_block);
}

std::unique_ptr<Execution> StatementRunner::transactionCommand() {
    const auto& command_tree = *statement().as<parse::Transaction>();
    const auto action = command_tree.action;
    const auto access = command_tree.access;
    return command([this, action, access]() -> std::string {
        switch (action) {
        case parse::TransactionAction::kBegin:
            connection_.beginBlock(access);
            return prepared_.source.starts_with('s') || prepared_.source.starts_with('S')
                       ? "START TRANSACTION"
                       : "BEGIN";
        case parse::TransactionAction::kCommit: return connection_.endBlock(true);
        case parse::TransactionAction::kRollback: return connection_.endBlock(false);
        }
        BS_UNREACHABLE("transaction command");
    });
}

std::unique_ptr<Execution> StatementRunner::set() {
    return command([this]() -> std::string {
        Settings& settings = connection_.settings();
        if (statement().is<parse::Reset>()) {
            const auto& reset = *statement().as<parse::Reset>();
            if (reset.all) settings.resetAll();
            else settings.reset(reset.name);
            return "RESET";
        }
        const auto& set = *statement().as<parse::Set>();
        if (set.target != parse::SetTarget::kParameter) {
            if (set.target == parse::SetTarget::kSessionAuthorization ||
                set.target == parse::SetTarget::kRole)
                BS_NOT_YET("SET SESSION AUTHORIZATION and SET ROLE");
            if (set.access == parse::AccessMode::kUnspecified) return "SET";
            if (set.target == parse::SetTarget::kTransaction) connection_.setAccessMode(set.access);
            else
                settings.set("default_transaction_read_only",
                             set.access == parse::AccessMode::kReadOnly ? "on" : "off");
            return "SET";
        }
        if (set.to_default) {
            settings.reset(set.name);
            return "SET";
        }
        std::string value;
        for (const auto& part : set.values) {
            if (!value.empty()) value += ", ";
            value += part.text;
        }
        if (set.name == "transaction_read_only") {
            const bool before = connection_.readOnly();
            settings.set(set.name, value, true);
            const bool read_only = connection_.readOnly();
            settings.set(set.name, before ? "on" : "off", true);
            connection_.setAccessMode(read_only ? parse::AccessMode::kReadOnly
                                                : parse::AccessMode::kReadWrite);
            return "SET";
        }
        settings.set(set.name, value, set.scope == parse::SetScope::kLocal);
        return "SET";
    });
}

std::unique_ptr<Execution> StatementRunner::analyze() {
    return command([this]() -> std::string {
        connection_.transaction();
        const auto& analyze = *statement().as<parse::Analyze>();
        SharedEngine& engine = connection_.engine();
        std::vector<std::shared_ptr<const catalog::Table>> tables;
        Arena arena;
        bind::BindContext context = bindContext(arena);
        if (!analyze.table.empty()) tables.push_back(bind::resolveTable(analyze.table, context));
        else
            for (const auto& [oid, table] : context.catalog->tables) tables.push_back(table);
        for (const auto& table : tables)
            connection_.transaction().putStatistics(
                table->oid, orThrow(storage::analyzeTable(engine.store(), engine.cache(), table,
                                                          connection_.stop().check())));
        return "ANALYZE";
    });
}

std::unique_ptr<Execution> StatementRunner::executePrepared() {
    const auto& execute = *statement().as<parse::Execute>();
    const auto found = connection_.named_statements.find(execute.name);
    if (found == connection_.named_statements.end())
        throw SqlError(sqlstate::kInvalidSqlStatementName,
                       fmt::format("prepared statement \"{}\" does not exist", execute.name));
    PreparedStatement& target = *found->second;
    if (execute.arguments.size() != target.parameter_types.size())
        throw SqlError(
            sqlstate::kSyntaxError,
            fmt::format("wrong number of parameters for prepared statement \"{}\": {} expected, "
                        "{} given",
                        execute.name, target.parameter_types.size(), execute.arguments.size()));
    Arena arena;
    bind::BindContext context = bindContext(arena);
    std::vector<Value> values;
    for (u32 i = 0; i < execute.arguments.size(); ++i) {
        const Expr* value = bind::bindDefault(parse::print(*execute.arguments[i]),
                                              target.parameter_types[i], context);
        if (value->kind != ExprKind::kConstant)
            throw SqlError(sqlstate::kFeatureNotSupported,
                           "arguments of EXECUTE must be constants");
        values.push_back(value->as<ConstantExpr>()->value);
        values.back().text = target.arena.copyText(values.back().text);
    }
    return std::make_shared<StatementRunner>(connection_, target, values, options_)->run();
}

std::unique_ptr<Execution> StatementRunner::declare() {
    return command([this]() -> std::string {
        const auto& declare = *statement().as<parse::Declare>();
        if (!connection_.inBlock())
            throw SqlError(Error(sqlstate::kNoActiveSqlTransaction,
                                 "DECLARE CURSOR can only be used in transaction blocks")
                               .withHint("Start one with BEGIN."));
        if (connection_.cursors.contains(declare.name))
            throw SqlError(sqlstate::kDuplicateCursor,
                           fmt::format("cursor \"{}\" already exists", declare.name));
        auto planned = plan(
            [&](bind::BindContext& context) { return bind::bindQuery(*declare.query, context); });
        auto cursor = std::make_unique<Cursor>();
        cursor->fields = planned->fields;
        cursor->execution = makeQueryExecution(connection_, std::move(planned), true);
        connection_.cursors[std::string(declare.name)] = std::move(cursor);
        return "DECLARE CURSOR";
    });
}

std::unique_ptr<Execution> StatementRunner::fetch() {
    const auto& fetch = *statement().as<parse::Fetch>();
    const auto found = connection_.cursors.find(fetch.cursor);
    if (found == connection_.cursors.end())
        throw SqlError(sqlstate::kInvalidCursorName,
                       fmt::format("cursor \"{}\" does not exist", fetch.cursor));
    return makeFetchExecution(connection_, *found->second, fetch.all ? -1 : fetch.count, fetch.move,
                              options_.implicit_block);
}

void StatementRunner::checkAccess() {
    if (!connection_.readOnly()) return;
    const WriteCommand write = writeCommandOf(statement());
    if (write.words.empty()) return;
    if (write.table != nullptr) {
        connection_.transaction();
        Arena arena;
        bind::BindContext context = bindContext(arena);
        if (bind::resolveTable(*write.table, context)->temporary) return;
    }
    refuseWrite(write.words);
}

std::unique_ptr<Execution> StatementRunner::run() {
    using parse::StatementKind;
    checkAccess();
    switch (statement().kind) {
    case StatementKind::kSelect: {
        const auto* query = statement().as<parse::Select>()->query;
        if (query->is<parse::SelectQuery>() && query->as<parse::SelectQuery>()->into != nullptr)
            return createTableAs(*intoAsCreate(*query->as<parse::SelectQuery>(), prepared_.arena));
        return select();
    }
    case StatementKind::kInsert: return insert();
    case StatementKind::kUpdate: return modify(true);
    case StatementKind::kDelete: return modify(false);
    case StatementKind::kExplain: return explain();
    case StatementKind::kTransaction: return transactionCommand();
    case StatementKind::kSet:
    case StatementKind::kReset: return set();
    case StatementKind::kShow:
        return makeRowsExecution(connection_, showRows(connection_, *statement().as<parse::Show>()),
                                 options_.implicit_block);
    case StatementKind::kAnalyze: return analyze();
    case StatementKind::kCopy: return makeCopyExecution(connection_, prepared_, options_);
    case StatementKind::kVacuum: return command([] { return std::string("VACUUM"); });
    case StatementKind::kPrepare: {
        const auto& prepare = *statement().as<parse::Prepare>();
        return command([this, &prepare]() -> std::string {
            if (connection_.named_statements.contains(prepare.name))
                throw SqlError(
                    sqlstate::kDuplicatePreparedStatement,
                    fmt::format("prepared statement \"{}\" already exists", prepare.name));
            std::vector<SqlType> types;
            for (const auto* type : prepare.types)
                types.push_back(bind::resolveType(*type, prepared_.source));
            auto made = connection_.prepare(parse::print(*prepare.statement), std::move(types));
            connection_.named_statements[std::string(prepare.name)] =
                std::shared_ptr<PreparedStatement>(static_cast<PreparedStatement*>(made.release()));
            return "PREPARE";
        });
    }
    case StatementKind::kExecute: return executePrepared();
    case StatementKind::kDeallocate: {
        const auto& deallocate = *statement().as<parse::Deallocate>();
        return command([this, &deallocate]() -> std::string {
            if (deallocate.all) connection_.named_statements.clear();
            else if (connection_.named_statements.erase(std::string(deallocate.name)) == 0)
                throw SqlError(
                    sqlstate::kInvalidSqlStatementName,
                    fmt::format("prepared statement \"{}\" does not exist", deallocate.name));
            return "DEALLOCATE";
        });
    }
    case StatementKind::kDeclare: return declare();
    case StatementKind::kFetch: return fetch();
    case StatementKind::kClose: {
        const auto& close = *statement().as<parse::Close>();
        return command([this, &close]() -> std::string {
            if (close.all) connection_.cursors.clear();
            else if (connection_.cursors.erase(std::string(close.cursor)) == 0)
                throw SqlError(sqlstate::kInvalidCursorName,
                               fmt::format("cursor \"{}\" does not exist", close.cursor));
            return "CLOSE CURSOR";
        });
    }
    case StatementKind::kCancel: {
        const i64 process = statement().as<parse::Cancel>()->process;
        return command([this, process]() -> std::string {
            if (!connection_.engine().cancelProcess(i32(process)))
                throw SqlError(sqlstate::kUndefinedObject,
                               fmt::format("no session has the process id {}", process));
            return "CANCEL";
        });
    }
    case StatementKind::kLock: {
        return command([this]() -> std::string {
            Arena arena;
            connection_.transaction();
            bind::BindContext context = bindContext(arena);
            for (const auto& name : statement().as<parse::Lock>()->tables)
                lockForWrite(connection_, bind::resolveTable(name, context)->oid);
            return "LOCK TABLE";
        });
    }
    case StatementKind::kDiscard:
        return command([this]() -> std::string {
            connection_.named_statements.clear();
            connection_.cursors.clear();
            connection_.settings().resetAll();
            return "DISCARD ALL";
        });
    case StatementKind::kCreateTable:
        if (const auto* create = statement().as<parse::CreateTable>(); create->query != nullptr)
            return createTableAs(*create);
        return definition();
    case StatementKind::kMerge: BS_NOT_YET("MERGE");
    case StatementKind::kUnload: BS_NOT_YET("UNLOAD");
    case StatementKind::kCall: BS_NOT_YET("CALL");
    case StatementKind::kUse: BS_NOT_YET("USE");
    case StatementKind::kAnalyzeCompression: BS_NOT_YET("ANALYZE COMPRESSION");
    default: return definition();
    }
}

/// All but statements about the transaction and the settings.
bool usesRows(const parse::Statement& statement) {
    return !statement.is<parse::Transaction>() && !statement.is<parse::Set>() &&
           !statement.is<parse::Reset>() && !statement.is<parse::Show>();
}

/// What a client sees of a statement before it runs.
void describe(EngineConnection& connection, PreparedStatement& prepared) {
    using parse::StatementKind;
    const parse::Statement& statement = *prepared.statement;
    const auto bindForDescription = [&](const auto& bind) {
        bind::BindContext context = connection.bindContext(prepared.arena, prepared.source);
        context.parameter_types = &prepared.parameter_types;
        prepared.bound_against = context.catalog;
        const auto start = steady_clock::now();
        bind(context);
        prepared.bind_nanos = nanosSince(start);
    };
    switch (statement.kind) {
    case StatementKind::kSelect: {
        const auto* query = statement.as<parse::Select>()->query;
        if (query->is<parse::SelectQuery>() && query->as<parse::SelectQuery>()->into != nullptr)
            return;
        bindForDescription(
            [&](bind::BindContext& context) { prepared.plan = bind::bindQuery(*query, context); });
        prepared.result_kind = ResultKind::kRows;
        prepared.result_fields = fieldsOf(prepared.plan);
        return;
    }
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
        if (statement.parameter_count == 0) return;
        bindForDescription([&](bind::BindContext& context) {
            if (statement.is<parse::Insert>())
                bind::bindInsert(*statement.as<parse::Insert>(), context);
            else if (statement.is<parse::Update>())
                bind::bindUpdate(*statement.as<parse::Update>(), context);
            else bind::bindDelete(*statement.as<parse::Delete>(), context);
        });
        return;
    case StatementKind::kExplain:
        prepared.result_kind = ResultKind::kRows;
        prepared.result_fields = {{.name = "QUERY PLAN", .type = SqlType::text()}};
        return;
    case StatementKind::kShow:
        prepared.result_kind = ResultKind::kRows;
        prepared.result_fields = showFields(connection, *statement.as<parse::Show>());
        return;
    case StatementKind::kFetch: {
        const auto& fetch = *statement.as<parse::Fetch>();
        const auto found = connection.cursors.find(fetch.cursor);
        if (found == connection.cursors.end() || fetch.move) return;
        prepared.result_kind = ResultKind::kRows;
        prepared.result_fields = found->second->fields;
        return;
    }
    case StatementKind::kExecute: {
        const auto found = connection.named_statements.find(statement.as<parse::Execute>()->name);
        if (found == connection.named_statements.end()) return;
        prepared.result_kind = found->second->result_kind;
        prepared.result_fields = found->second->result_fields;
        return;
    }
    case StatementKind::kCopy: {
        const auto& copy = *statement.as<parse::Copy>();
        if (copy.place == parse::CopyPlace::kStdin) prepared.result_kind = ResultKind::kCopyIn;
        if (copy.place == parse::CopyPlace::kStdout) prepared.result_kind = ResultKind::kCopyOut;
        return;
    }
    default: return;
    }
}

} // namespace

std::unique_ptr<Prepared> EngineConnection::prepare(std::string_view text,
                                                    std::vector<SqlType> types) {
    armStatement();
    auto prepared = std::make_unique<PreparedStatement>();
    prepared->source = text;
    prepared->parameter_types = std::move(types);
    const auto start = steady_clock::now();
    const parse::ParseOptions options{.fold_quoted =
                                          settings_.isOn("downcase_delimited_identifier") &&
                                          !settings_.isOn("enable_case_sensitive_identifier")};
    auto statements = parse::parse(prepared->source, prepared->arena, options);
    prepared->parse_nanos = nanosSince(start);
    throwIfStopped();
    prepared->result_kind = ResultKind::kEmpty;
    if (statements.empty()) return prepared;
    if (statements.size() > 1)
        throw SqlError(sqlstate::kSyntaxError,
                       "cannot insert multiple commands into a prepared statement");
    prepared->statement = statements[0];
    prepared->result_kind = ResultKind::kNone;
    // The parameters of PREPARE belong to the statement inside it.
    const size_t parameters = prepared->statement->is<parse::Prepare>()
                                  ? 0
                                  : size_t(prepared->statement->parameter_count);
    if (prepared->parameter_types.size() < parameters) prepared->parameter_types.resize(parameters);
    if (transactionStatus() == TransactionStatus::kFailed) return prepared;
    const bool had_transaction = hasTransaction();
    try {
        transaction();
        describe(*this, *prepared);
        throwIfStopped();
    } catch (...) {
        leaveDescription(had_transaction);
        throw;
    }
    leaveDescription(had_transaction);
    for (SqlType& type : prepared->parameter_types)
        if (type.kind == TypeKind::kUnknown) type = SqlType::text();
    return prepared;
}

std::unique_ptr<Execution> EngineConnection::execute(Prepared& base,
                                                     std::span<const Value> parameters,
                                                     const ExecuteOptions& options) {
    auto& prepared = static_cast<PreparedStatement&>(base);
    if (prepared.empty())
        return makeCommandExecution(*this, [] { return std::string(); }, options.implicit_block);
    if (block_failed_ && !prepared.endsTransaction())
        throw SqlError(
            Error(sqlstate::kInFailedSqlTransaction,
                  "current transaction is aborted, commands ignored until end of transaction block")
                .withHint("End it with ROLLBACK."));
    if (parameters.size() < prepared.parameter_types.size())
        throw SqlError(sqlstate::kProtocolViolation,
                       fmt::format("the statement needs {} parameters, {} were given",
                                   prepared.parameter_types.size(), parameters.size()));
    if (in_block_ && usesRows(*prepared.statement)) block_has_run_ = true;
    armStatement();
    facts(*(transaction_ ? transaction_->view() : engine_.database().committed()));
    recordStart(*prepared.statement);
    try {
        return std::make_shared<StatementRunner>(*this, prepared, parameters, options)->run();
    } catch (const SqlError& error) {
        recordFailure(queryId(), error.error());
        throw;
    }
}

} // namespace blueshift::engine
