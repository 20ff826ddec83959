#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>

#include "shell/backend.h"
#include "types/sql_type.h"

namespace blueshift::shell {

namespace {

struct ResultDeleter {
    void operator()(PGresult* result) const { PQclear(result); }
};
using PqResult = std::unique_ptr<PGresult, ResultDeleter>;

std::string fieldOf(const PGresult* result, int field) {
    const char* text = PQresultErrorField(result, field);
    return text == nullptr ? "" : text;
}

std::string withoutLineEnd(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

Error errorOf(const PGresult* result) {
    Error error(fieldOf(result, PG_DIAG_SQLSTATE), fieldOf(result, PG_DIAG_MESSAGE_PRIMARY));
    error.detail = fieldOf(result, PG_DIAG_MESSAGE_DETAIL);
    error.hint = fieldOf(result, PG_DIAG_MESSAGE_HINT);
    const std::string position = fieldOf(result, PG_DIAG_STATEMENT_POSITION);
    std::from_chars(position.data(), position.data() + position.size(), error.position);
    if (error.message.empty()) error.message = withoutLineEnd(PQresultErrorMessage(result));
    return error;
}

class ServerBackend final : public Backend {
public:
    explicit ServerBackend(PGconn* connection)
        : connection_(connection), cancel_(PQgetCancel(connection)) {
        PQsetNoticeReceiver(
            connection_,
            [](void* self, const PGresult* result) {
                auto& backend = *static_cast<ServerBackend*>(self);
                if (backend.sink_ != nullptr)
                    backend.sink_->notice(fieldOf(result, PG_DIAG_SEVERITY), errorOf(result));
            },
            this);
    }
    ~ServerBackend() override {
        PQfreeCancel(cancel_);
        PQfinish(connection_);
    }

    Outcome run(const std::string& statement, ResultSink& sink) override {
        sink_ = &sink;
        Outcome outcome;
        std::optional<Error> error;
        if (PQsendQuery(connection_, statement.c_str()) != 1) error = connectionError();
        else PQsetSingleRowMode(connection_);
        bool columns_sent = false;
        while (!error || PQstatus(connection_) == CONNECTION_OK) {
            const PqResult result(PQgetResult(connection_));
            if (!result) break;
            // After an error libpq is read to its end, so that the next statement can start.
            if (error) continue;
            error = take(*result, sink, outcome, columns_sent);
        }
        sink_ = nullptr;
        if (error) throw SqlError(std::move(*error));
        return outcome;
    }

    char transactionMark() const override {
        switch (PQtransactionStatus(connection_)) {
        case PQTRANS_INTRANS:
        case PQTRANS_ACTIVE: return '*';
        case PQTRANS_INERROR: return '!';
        default: return ' ';
        }
    }
    std::string database() const override { return PQdb(connection_); }
    std::string description() const override {
        return std::string(PQhost(connection_)) + ":" + PQport(connection_) + " as " +
               PQuser(connection_);
    }
    void cancel() override {
        char message[256];
        PQcancel(cancel_, message, sizeof(message));
    }
    std::optional<f64> progress() const override { return {}; }

private:
    Error connectionError() const {
        return {sqlstate::kConnectionException, withoutLineEnd(PQerrorMessage(connection_))};
    }

    std::optional<Error> take(PGresult& result, ResultSink& sink, Outcome& outcome,
                              bool& columns_sent) {
        switch (PQresultStatus(&result)) {
        case PGRES_SINGLE_TUPLE:
        case PGRES_TUPLES_OK:
            if (!columns_sent) sendColumns(result, sink);
            columns_sent = true;
            for (int row = 0; row < PQntuples(&result); ++row) sendRow(result, row, sink);
            outcome.rows += u64(PQntuples(&result));
            if (PQresultStatus(&result) == PGRES_TUPLES_OK) {
                sink.end();
                outcome.had_rows = true;
                outcome.tag = PQcmdStatus(&result);
                columns_sent = false;
            }
            return {};
        case PGRES_COMMAND_OK: outcome.tag = PQcmdStatus(&result); return {};
        case PGRES_EMPTY_QUERY: return {};
        case PGRES_COPY_IN: return copyIn(sink);
        case PGRES_COPY_OUT: return copyOut(sink);
        default: return errorOf(&result);
        }
    }

    static void sendColumns(PGresult& result, ResultSink& sink) {
        std::vector<ResultColumn> columns;
        for (int c = 0; c < PQnfields(&result); ++c) {
            const auto type = typeFromOid(i32(PQftype(&result, c)), -1);
            columns.push_back({PQfname(&result, c),
                               type && (isNumeric(type->kind) || type->kind == TypeKind::kOid),
                               type && type->kind == TypeKind::kBoolean});
        }
        sink.begin(columns);
    }

    void sendRow(PGresult& result, int row, ResultSink& sink) {
        cells_.clear();
        for (int c = 0; c < PQnfields(&result); ++c) {
            if (PQgetisnull(&result, row, c)) cells_.push_back({});
            else
                cells_.push_back(std::string_view(PQgetvalue(&result, row, c),
                                                  size_t(PQgetlength(&result, row, c))));
        }
        sink.row(cells_);
    }

    std::optional<Error> copyIn(ResultSink& sink) {
        while (const std::optional<std::string> piece = sink.copyInput())
            if (PQputCopyData(connection_, piece->data(), int(piece->size())) != 1)
                return connectionError();
        if (PQputCopyEnd(connection_, nullptr) != 1) return connectionError();
        return {};
    }

    std::optional<Error> copyOut(ResultSink& sink) {
        char* bytes = nullptr;
        int length = 0;
        while ((length = PQgetCopyData(connection_, &bytes, 0)) > 0) {
            sink.copyData({bytes, size_t(length)});
            PQfreemem(bytes);
        }
        if (length == -2) return connectionError();
        return {};
    }

    PGconn* connection_;
    PGcancel* cancel_;
    ResultSink* sink_ = nullptr;
    std::vector<Cell> cells_;
};

} // namespace

Result<std::unique_ptr<Backend>> openServerBackend(const std::string& dsn) {
    // What the text leaves out comes from PG* variables first, then from blueshift's own defaults.
    std::vector<const char*> names;
    std::vector<const char*> values;
    const auto add = [&](const char* name, const char* value) {
        names.push_back(name);
        values.push_back(value);
    };
    const auto addDefault = [&](const char* variable, const char* name, const char* value) {
        if (std::getenv(variable) == nullptr) add(name, value);
    };
    addDefault("PGHOST", "host", "127.0.0.1");
    addDefault("PGPORT", "port", "5439");
    addDefault("PGUSER", "user", "admin");
    addDefault("PGDATABASE", "dbname", "dev");
    add("application_name", "blueshift sql");
    add("client_encoding", "UTF8");
    if (const char* password = std::getenv("BLUESHIFT_PASSWORD"); password != nullptr)
        add("password", password);
    // Later entries win; a whole DSN is expanded in place.
    char* message = nullptr;
    PQconninfoOption* parsed = PQconninfoParse(dsn.c_str(), &message);
    if (parsed == nullptr) {
        Error error(
            sqlstate::kInvalidParameterValue,
            "invalid connection string: " + withoutLineEnd(message == nullptr ? "" : message));
        PQfreemem(message);
        return failure(
            std::move(error).withHint("Write host=127.0.0.1 port=5439 dbname=dev, or "
                                      "postgres://user@host:port/database."));
    }
    for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option)
        if (option->val != nullptr && *option->val != '\0') add(option->keyword, option->val);
    names.push_back(nullptr);
    values.push_back(nullptr);
    PGconn* connection = PQconnectdbParams(names.data(), values.data(), 0);
    PQconninfoFree(parsed);
    if (PQstatus(connection) != CONNECTION_OK) {
        Error error(sqlstate::kConnectionException, withoutLineEnd(PQerrorMessage(connection)));
        PQfinish(connection);
        return failure(std::move(error));
    }
    return std::make_unique<ServerBackend>(connection);
}

} // namespace blueshift::shell
