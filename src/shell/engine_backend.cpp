#include <cstdlib>

#include "shell/admin_password.h"
#include "shell/backend.h"
#include "statement.h"

namespace blueshift::shell {

namespace {

/// The lines after COPY ... FROM STDIN, as the sink reads them.
class SinkCopySource final : public CopySource {
public:
    explicit SinkCopySource(ResultSink& sink) : sink_(&sink) {}
    Result<std::span<const char>> read() override {
        std::optional<std::string> piece = sink_->copyInput();
        if (!piece) return std::span<const char>();
        piece_ = std::move(*piece);
        return std::span<const char>(piece_.data(), piece_.size());
    }

private:
    ResultSink* sink_;
    std::string piece_;
};

class EngineBackend final : public Backend {
public:
    EngineBackend(std::unique_ptr<Engine> engine, std::string place)
        : engine_(std::move(engine)), connection_(engine_->connect({})), place_(std::move(place)) {}
    ~EngineBackend() override {
        connection_.reset();
        // Without the checkpoint the next opening reads more of the log, no more.
        (void)engine_->shutdown();
    }

    Outcome run(const std::string& statement, ResultSink& sink) override {
        try {
            Outcome outcome = runStatement(statement, sink);
            sendNotices(sink);
            return outcome;
        } catch (const std::exception&) {
            connection_->failed();
            sendNotices(sink);
            throw;
        }
    }

    char transactionMark() const override {
        switch (connection_->transactionStatus()) {
        case TransactionStatus::kInBlock: return '*';
        case TransactionStatus::kFailed: return '!';
        default: return ' ';
        }
    }
    std::string database() const override { return "dev"; }
    std::string description() const override { return place_ + " (in this process)"; }
    void cancel() override { connection_->cancel(); }
    std::optional<f64> progress() const override {
        const Connection::Progress progress = connection_->progress();
        if (progress.total <= 0) return {};
        return progress.done / progress.total;
    }

private:
    Outcome runStatement(const std::string& statement, ResultSink& sink) {
        const std::unique_ptr<Prepared> prepared = connection_->prepare(statement);
        if (prepared->empty()) return {};
        if (!prepared->parameterTypes().empty())
            throw SqlError(Error(sqlstate::kUndefinedParameter, "there is no parameter $1")
                               .withHint("Write the value, or use PREPARE and EXECUTE."));
        SinkCopySource source(sink);
        const std::unique_ptr<Execution> execution =
            connection_->execute(*prepared, {}, {.source = &source});
        Outcome outcome;
        Batch batch;
        switch (execution->kind()) {
        case ResultKind::kRows:
            outcome.had_rows = true;
            outcome.rows = sendRows(*execution, sink);
            break;
        case ResultKind::kCopyIn:
            while (execution->next(batch)) {}
            // Lines that the statement did not want must not be read as SQL.
            while (sink.copyInput()) {}
            break;
        case ResultKind::kCopyOut:
            for (std::string_view bytes = execution->nextBytes(); !bytes.empty();
                 bytes = execution->nextBytes())
                sink.copyData(bytes);
            break;
        case ResultKind::kNone:
        case ResultKind::kEmpty: break;
        }
        outcome.tag = execution->finish();
        if (outcome.had_rows) sink.end();
        return outcome;
    }

    u64 sendRows(Execution& execution, ResultSink& sink) {
        const std::span<const ResultField> fields = execution.fields();
        std::vector<ResultColumn> columns;
        for (const ResultField& field : fields)
            columns.push_back({field.name,
                               isNumeric(field.type.kind) || field.type.kind == TypeKind::kOid,
                               field.type.kind == TypeKind::kBoolean});
        sink.begin(columns);
        std::vector<std::string> texts(fields.size());
        std::vector<Cell> cells(fields.size());
        u64 rows = 0;
        Batch batch;
        while (execution.next(batch)) {
            for (u32 i = 0; i < batch.selected; ++i) {
                const u32 row = batch.rowAt(i);
                for (size_t c = 0; c < fields.size(); ++c) {
                    cells[c].reset();
                    if (batch.columns[c].isNull(row)) continue;
                    texts[c].clear();
                    connection_->appendText(texts[c], batch.columns[c], row, fields[c].type);
                    cells[c] = texts[c];
                }
                sink.row(cells);
                ++rows;
            }
        }
        return rows;
    }

    void sendNotices(ResultSink& sink) {
        for (const Notice& notice : connection_->takeNotices())
            sink.notice(notice.severity, notice.error);
        connection_->takeSettingChanges();
    }

    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Connection> connection_;
    std::string place_;
};

} // namespace

Result<std::unique_ptr<Backend>> openEngineBackend(const std::string& place, u64 memory_bytes,
                                                   u32 threads) {
    EngineOptions options;
    options.place = place;
    options.memory_bytes = memory_bytes;
    options.threads = threads;
    if (const char* password = std::getenv("BLUESHIFT_PASSWORD"); password != nullptr)
        options.admin_password = password;
    BS_ASSIGN(std::unique_ptr<Engine> engine, Engine::open(options));
    // A new place: who serves it later needs the password.
    if (const std::string password = engine->newAdminPassword(); !password.empty())
        BS_TRY(writeAdminPassword(place, password));
    try {
        return std::make_unique<EngineBackend>(std::move(engine), place);
    } catch (SqlError& error) {
        return failure(std::move(error.error()));
    }
}

} // namespace blueshift::shell
