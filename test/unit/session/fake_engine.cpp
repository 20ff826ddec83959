#include "fake_engine.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>

namespace blueshift::fake {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](char c) { return char(std::tolower(u8(c))); });
    const auto blank = [](char c) { return std::isspace(u8(c)) != 0; };
    while (!result.empty() && blank(result.back())) result.pop_back();
    size_t begin = 0;
    while (begin < result.size() && blank(result[begin])) ++begin;
    return result.substr(begin);
}

i64 numberIn(std::string_view text) {
    const size_t at = text.find_first_of("0123456789");
    i64 value = 0;
    if (at != text.npos) std::from_chars(text.data() + at, text.data() + text.size(), value);
    return value;
}

std::vector<ResultField> numberFields() {
    return {
        {.name = "i", .type = SqlType::bigInt(), .nullable = false, .table_oid = 7, .attribute = 1},
        {.name = "label", .type = SqlType::varchar(20)},
        {.name = "price", .type = SqlType::decimal(18, 4)},
        {.name = "even", .type = SqlType::boolean()}};
}

std::vector<ResultField> typeFields() {
    std::vector<ResultField> fields;
    const std::pair<const char*, SqlType> kinds[] = {{"bool", SqlType::boolean()},
                                                     {"int2", SqlType::smallInt()},
                                                     {"int4", SqlType::integer()},
                                                     {"int8", SqlType::bigInt()},
                                                     {"float4", SqlType::real()},
                                                     {"float8", SqlType::doublePrecision()},
                                                     {"varchar", SqlType::varchar(10)},
                                                     {"date", SqlType::date()},
                                                     {"time", SqlType::of(TypeKind::kTime)},
                                                     {"timestamp", SqlType::timestamp()},
                                                     {"timestamptz", SqlType::timestampTz()},
                                                     {"numeric", SqlType::decimal(38, 6)},
                                                     {"oid", SqlType::of(TypeKind::kOid)},
                                                     {"name", SqlType::of(TypeKind::kName)}};
    for (const auto& [name, type] : kinds) fields.push_back({.name = name, .type = type});
    return fields;
}

class FakePrepared final : public Prepared {
public:
    std::string sql;  // as given
    std::string verb; // lower case, trimmed
    ResultKind result = ResultKind::kNone;
    std::vector<SqlType> parameters;
    std::vector<ResultField> columns;

    bool empty() const override { return verb.empty(); }
    ResultKind kind() const override { return result; }
    std::span<const SqlType> parameterTypes() const override { return parameters; }
    std::span<const ResultField> fields() const override { return columns; }
    std::string_view text() const override { return sql; }
    bool endsTransaction() const override { return verb == "commit" || verb == "rollback"; }
};

} // namespace

void Journal::add(std::string event) {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
}
std::vector<std::string> Journal::take() {
    const std::lock_guard lock(mutex);
    return std::exchange(events, {});
}

class FakeConnection final : public Connection {
public:
    FakeConnection(FakeEngine& engine, i32 process_id, const ConnectionOptions& options)
        : engine_(engine), process_id_(process_id) {
        for (const auto& [name, value] : options.settings) settings_[name] = value;
    }
    ~FakeConnection() override {
        const std::lock_guard lock(engine_.mutex_);
        engine_.connections_.erase(process_id_);
        engine_.changed_.notify_all();
    }

    i32 processId() const override { return process_id_; }
    u32 cancelKey() const override { return 0x1234ABCDu + u32(process_id_); }
    TransactionStatus transactionStatus() const override { return status_; }
    std::vector<Piece> split(std::string_view text) override;
    std::unique_ptr<Prepared> prepare(std::string_view text, std::vector<SqlType> types) override;
    std::unique_ptr<Execution> execute(Prepared& prepared, std::span<const Value> parameters,
                                       const ExecuteOptions& options) override;
    void endImplicitBlock() override {
        if (status_ == TransactionStatus::kIdle) engine_.journal.add("commit block");
    }
    void failed() override {
        engine_.journal.add("rollback");
        if (status_ == TransactionStatus::kInBlock) status_ = TransactionStatus::kFailed;
    }
    std::vector<Notice> takeNotices() override { return std::exchange(notices_, {}); }
    std::vector<std::pair<std::string, std::string>> takeSettingChanges() override {
        return std::exchange(changes_, {});
    }
    std::string setting(std::string_view name) const override {
        const auto found = settings_.find(std::string(name));
        return found == settings_.end() ? "" : found->second;
    }
    void appendText(std::string& out, const Vector& vector, u32 row, const SqlType& type) override;
    std::vector<std::optional<std::string>> arrayElements(std::string_view,
                                                          const SqlType&) const override {
        return {};
    }
    u32 functionOid(std::string_view) const override { return 0; }
    ColumnOrigin originOf(const ResultField&) const override { return {}; }
    Value parseParameter(std::string_view text, const SqlType& type) override;
    Progress progress() const override { return {}; }
    void cancel() override {
        const std::lock_guard lock(engine_.mutex_);
        if (running_) cancelled_ = true;
        engine_.changed_.notify_all();
    }

    bool cancelRequested() const override {
        const std::lock_guard lock(engine_.mutex_);
        return cancelled_;
    }
    void pause() override {}

    void sleep();

    FakeEngine& engine_;
    i32 process_id_;
    TransactionStatus status_ = TransactionStatus::kIdle;
    std::vector<Notice> notices_;
    std::vector<std::pair<std::string, std::string>> changes_;
    std::map<std::string, std::string> settings_;
    std::deque<std::string> texts_;
    bool cancelled_ = false;
    bool running_ = false;
};

namespace {

class FakeExecution final : public Execution {
public:
    FakeExecution(FakeConnection& connection, const FakePrepared& prepared,
                  std::span<const Value> parameters, const Connection::ExecuteOptions& options)
        : connection_(connection),
          prepared_(prepared),
          parameters_(parameters.begin(), parameters.end()),
          options_(options) {
        for (size_t i = 0; i < prepared_.columns.size(); ++i)
            buffers_.emplace_back(naturalKind(prepared_.columns[i].type));
        vectors_.resize(buffers_.size());
        left_ = prepared_.verb.find("numbers") != std::string::npos ? numberIn(prepared_.verb) : 1;
        if (prepared_.result == ResultKind::kCopyOut) left_ = numberIn(prepared_.verb);
    }

    ResultKind kind() const override { return prepared_.result; }
    std::span<const ResultField> fields() const override { return prepared_.columns; }
    int copyFormat() const override { return 0; }

    bool next(Batch& batch) override {
        if (prepared_.result == ResultKind::kCopyIn) {
            copyIn();
            return false;
        }
        if (prepared_.verb.find("fail") != std::string::npos && done_ > 0)
            throw SqlError(sqlstate::kDivisionByZero, "division by zero");
        if (left_ == 0) return false;
        const u32 rows = u32(std::min<i64>(left_, kVectorRows));
        for (u32 row = 0; row < rows; ++row) fillRow(row);
        left_ -= rows;
        done_ += rows;
        batch = {.rows = rows, .selected = rows, .selection = nullptr, .columns = vectors_};
        return true;
    }

    std::string_view nextBytes() override {
        if (left_ == 0) return {};
        bytes_.clear();
        row_ends_.clear();
        for (int i = 0; i < 3 && left_ > 0; ++i, --left_, ++done_) {
            bytes_ += std::to_string(done_) + "\tline\n";
            row_ends_.push_back(bytes_.size());
        }
        return bytes_;
    }
    std::span<const size_t> rowEnds() const override { return row_ends_; }

    std::string finish() override;

private:
    void copyIn() {
        size_t bytes = 0;
        while (true) {
            const std::span<const char> piece = orThrow(options_.source->read());
            if (piece.empty()) break;
            for (const char c : piece) {
                if (c == '\n') ++done_;
                if (c == '!')
                    throw SqlError(Error(sqlstate::kBadCopyFileFormat, "bad character in COPY data")
                                       .withDetail("line " + std::to_string(done_ + 1)));
            }
            bytes += piece.size();
        }
        connection_.engine_.journal.add("copied " + std::to_string(bytes));
    }

    void put(u32 column, u32 row, const Value& value) {
        VectorBuffer& buffer = buffers_[column];
        if (row == 0) buffer.setAllValid();
        if (value.is_null) {
            clearBit(buffer.validity(), row);
        } else {
            dispatchKind(buffer.kind(), [&](auto* tag) {
                using T = std::remove_pointer_t<decltype(tag)>;
                if constexpr (std::is_same_v<T, TextView>)
                    buffer.values<T>()[row] = makeTextView(value.text);
                else if constexpr (std::is_floating_point_v<T>)
                    buffer.values<T>()[row] = T(value.floating);
                else buffer.values<T>()[row] = T(value.integer);
            });
        }
        vectors_[column] = buffer.view(true);
    }

    void fillRow(u32 row) {
        const i64 i = done_ + row;
        const auto& columns = prepared_.columns;
        if (!parameters_.empty()) {
            for (u32 c = 0; c < columns.size(); ++c) put(c, row, parameters_[c]);
        } else if (prepared_.verb.find("numbers") != std::string::npos) {
            put(0, row, Value::ofBigInt(i));
            put(1, row,
                i % 7 == 3 ? Value::null(columns[1].type)
                           : Value::ofText(texts_.emplace_back("row number " + std::to_string(i)),
                                           columns[1].type));
            put(2, row, Value::ofInteger(i * 12345 - 20000, columns[2].type));
            put(3, row, Value::ofBool(i % 2 == 0));
        } else if (prepared_.verb.find("types") != std::string::npos) {
            fillTypes(row);
        } else if (columns.size() == 2) {
            put(0, row, Value::ofBigInt(1));
            put(1, row, Value::ofFloat(666));
        } else {
            put(0, row, Value::ofInteger(numberIn(prepared_.verb), columns[0].type));
        }
    }

    void fillTypes(u32 row) {
        const auto& columns = prepared_.columns;
        const Value values[] = {
            Value::ofBool(true),
            Value::ofInteger(-7, columns[1].type),
            Value::ofInteger(70000, columns[2].type),
            Value::ofBigInt(-5'000'000'000),
            Value::ofFloat(1.5),
            Value::ofFloat(-2.25),
            Value::ofText("gr\xC3\xBC\xC3\x9F"),
            Value::ofInteger(9000, columns[7].type),
            Value::ofInteger(3'723'000'004, columns[8].type),
            Value::ofInteger(777'600'000'000'000, columns[9].type),
            Value::ofInteger(777'600'000'000'000, columns[10].type),
            Value::ofInteger(i128(-1234567890123456789) * 1000 - 1, columns[11].type),
            Value::ofInteger(4242, columns[12].type),
            Value::ofText("admin")};
        for (u32 c = 0; c < columns.size(); ++c) put(c, row, values[c]);
    }

    FakeConnection& connection_;
    const FakePrepared& prepared_;
    std::vector<Value> parameters_;
    Connection::ExecuteOptions options_;
    std::deque<VectorBuffer> buffers_;
    std::vector<Vector> vectors_;
    std::deque<std::string> texts_;
    std::string bytes_;
    std::vector<size_t> row_ends_;
    i64 left_ = 0;
    i64 done_ = 0;
};

std::string FakeExecution::finish() {
    const std::string& verb = prepared_.verb;
    auto& status = connection_.status_;
    if (prepared_.result == ResultKind::kRows) return "SELECT " + std::to_string(done_);
    if (verb.starts_with("copy")) return "COPY " + std::to_string(done_);
    if (verb == "sleep") connection_.sleep();
    if (verb == "crash") throw std::runtime_error("boom");
    if (verb == "fail") throw SqlError(sqlstate::kDivisionByZero, "division by zero");
    if (verb == "notice")
        connection_.notices_.push_back(
            {"NOTICE", Error("00000", "take notice").withHint("read it")});
    if (verb.starts_with("set ")) {
        const size_t to = verb.find(" to ");
        connection_.changes_.emplace_back(verb.substr(4, to - 4), verb.substr(to + 4));
        return "SET";
    }
    if (verb == "begin") status = TransactionStatus::kInBlock;
    if (verb == "rollback" || verb == "commit") {
        const bool failed = status == TransactionStatus::kFailed;
        status = TransactionStatus::kIdle;
        return verb == "commit" && !failed ? "COMMIT" : "ROLLBACK";
    }
    if (verb == "insert") {
        connection_.engine_.journal.add(options_.implicit_block ? "insert in block" : "insert");
        return "INSERT 0 1";
    }
    std::string tag = verb;
    std::ranges::transform(tag, tag.begin(), [](char c) { return char(std::toupper(u8(c))); });
    return tag;
}

} // namespace

void FakeConnection::sleep() {
    std::unique_lock lock(engine_.mutex_);
    running_ = true;
    ++engine_.sleepers_;
    engine_.changed_.notify_all();
    engine_.changed_.wait(lock, [&] { return cancelled_; });
    --engine_.sleepers_;
    running_ = cancelled_ = false;
    throw SqlError(sqlstate::kQueryCanceled, "canceling statement due to user request");
}

std::vector<Connection::Piece> FakeConnection::split(std::string_view text) {
    std::vector<Piece> pieces;
    size_t begin = 0;
    while (begin <= text.size()) {
        const size_t end = std::min(text.find(';', begin), text.size());
        const std::string_view piece = text.substr(begin, end - begin);
        if (!lower(piece).empty()) {
            const auto before = text.substr(0, begin);
            const auto characters =
                std::ranges::count_if(before, [](char c) { return (c & 0xC0) != 0x80; });
            pieces.push_back({std::string(piece), u32(begin), u32(characters)});
        }
        begin = end + 1;
    }
    return pieces;
}

std::unique_ptr<Prepared> FakeConnection::prepare(std::string_view text,
                                                  std::vector<SqlType> types) {
    auto prepared = std::make_unique<FakePrepared>();
    prepared->sql = text;
    prepared->verb = lower(text);
    if (prepared->verb == "begin transaction") prepared->verb = "begin";
    const std::string& verb = prepared->verb;
    if (verb.starts_with("select ") && verb.find('$') != std::string::npos) {
        for (size_t i = 0; i < size_t(std::ranges::count(verb, '$')); ++i) {
            const bool known = i < types.size() && types[i].kind != TypeKind::kUnknown;
            prepared->parameters.push_back(known ? types[i] : SqlType::text());
            prepared->columns.push_back(
                {.name = "p" + std::to_string(i + 1), .type = prepared->parameters.back()});
        }
        prepared->result = ResultKind::kRows;
    } else if (verb.starts_with("select ")) {
        prepared->result = ResultKind::kRows;
        if (verb.find("numbers") != std::string::npos) prepared->columns = numberFields();
        else if (verb.find("types") != std::string::npos) prepared->columns = typeFields();
        else if (verb.find("broken") != std::string::npos)
            throw SqlError(Error(sqlstate::kUndefinedColumn, "column \"broken\" does not exist")
                               .withHint("Name a column.")
                               .at(int(std::string_view(text).find("broken") + 1)));
        else if (verb.find("unprintable") != std::string::npos)
            prepared->columns = {{.name = "x", .type = SqlType::bigInt()},
                                 {.name = "y", .type = SqlType::real()}};
        else
            prepared->columns = {
                {.name = "?column?", .type = SqlType::integer(), .nullable = false}};
    } else if (verb.starts_with("copy") && verb.ends_with("from stdin")) {
        prepared->result = ResultKind::kCopyIn;
        prepared->columns = {{.name = "a"}, {.name = "b"}};
    } else if (verb.starts_with("copy") && verb.ends_with("to stdout")) {
        prepared->result = ResultKind::kCopyOut;
        prepared->columns = {{.name = "a"}, {.name = "b"}};
    } else {
        constexpr std::string_view kCommands[] = {"begin",  "commit", "rollback", "sleep", "notice",
                                                  "insert", "fail",   "crash",    ""};
        if (!verb.starts_with("set ") &&
            std::ranges::find(kCommands, verb) == std::end(kCommands)) {
            const size_t at = std::string_view(text).find_first_not_of(" \n\t");
            throw SqlError(Error(sqlstate::kSyntaxError, "syntax error at or near \"" +
                                                             verb.substr(0, verb.find(' ')) + "\"")
                               .at(int(at + 1)));
        }
    }
    return prepared;
}

std::unique_ptr<Execution> FakeConnection::execute(Prepared& prepared,
                                                   std::span<const Value> parameters,
                                                   const ExecuteOptions& options) {
    return std::make_unique<FakeExecution>(*this, static_cast<FakePrepared&>(prepared), parameters,
                                           options);
}

void FakeConnection::appendText(std::string& out, const Vector& vector, u32 row,
                                const SqlType& type) {
    if (type.kind == TypeKind::kReal && vector.valueAt<f32>(row) == 666)
        throw SqlError(sqlstate::kDataException, "unprintable");
    if (type.kind == TypeKind::kReal) out += std::to_string(vector.valueAt<f32>(row));
    else if (type.kind == TypeKind::kDouble) out += std::to_string(vector.valueAt<f64>(row));
    else if (isTextual(type.kind))
        out += asStringView(vector.values<TextView>()[vector.indexOf(row)]);
    else out += std::to_string(i64(vector.integerAt(row)));
}

Value FakeConnection::parseParameter(std::string_view text, const SqlType& type) {
    if (isTextual(type.kind)) return Value::ofText(texts_.emplace_back(text), type);
    if (isFloat(type.kind))
        return Value::ofFloat(std::strtod(std::string(text).c_str(), nullptr), type);
    i64 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        throw SqlError(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type " +
                                                                 formatType(type) + ": \"" +
                                                                 std::string(text) + "\"");
    return Value::ofInteger(value, type);
}

std::optional<UserCredentials> FakeEngine::findUser(std::string_view name) const {
    const auto found = users.find(name);
    if (found == users.end()) return {};
    return found->second;
}

std::unique_ptr<Connection> FakeEngine::connect(const ConnectionOptions& options) {
    if (!databaseExists(options.database))
        throw SqlError(sqlstate::kInvalidCatalogName,
                       "database \"" + options.database + "\" does not exist");
    const std::lock_guard lock(mutex_);
    const i32 process_id = next_process_id_++;
    auto connection = std::make_unique<FakeConnection>(*this, process_id, options);
    connections_[process_id] = connection.get();
    return connection;
}

bool FakeEngine::cancel(i32 process_id, u32 key) {
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(process_id);
    if (found == connections_.end() || found->second->cancelKey() != key) return false;
    if (found->second->running_) found->second->cancelled_ = true;
    changed_.notify_all();
    return true;
}

bool FakeEngine::terminated(i32 process_id) const {
    const std::lock_guard lock(mutex_);
    return terminated_.contains(process_id);
}
void FakeEngine::terminate(i32 process_id) {
    const std::lock_guard lock(mutex_);
    terminated_.insert(process_id);
}
size_t FakeEngine::connectionCount() const {
    const std::lock_guard lock(mutex_);
    return connections_.size();
}
void FakeEngine::waitForSleeper() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sleepers_ > 0; });
}

} // namespace blueshift::fake
