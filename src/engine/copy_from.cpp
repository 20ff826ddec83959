#include "engine/copy_from.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "storage/ingest/parquet_file.h"

namespace blueshift::engine {
namespace {

/// Chunks that a lane takes before it lets other queries have the worker.
constexpr u32 kChunksPerSlice = 32;
/// Bad rows kept for STL_LOAD_ERRORS by one load.
constexpr size_t kKeptErrors = 1000;

/// Bytes as they can be shown: printable ASCII stays, the rest becomes \xHH.
std::string shown(std::string_view bytes) {
    std::string out;
    for (char c : bytes) {
        if (c == '\t') out += "\\t";
        else if (c == '\n') out += "\\n";
        else if (c == '\r') out += "\\r";
        else if (u8(c) < 0x20 || u8(c) >= 0x7F) out += fmt::format("\\x{:02X}", u8(c));
        else out += c;
    }
    return out;
}

Error cancelled(const execute::StopToken& stop) {
    return stop.error().withHint("Nothing was loaded.");
}

} // namespace

struct CopyFrom::Lane {
    u32 number = 0;
    storage::RecordChunk chunk;
    std::unique_ptr<storage::TextRows> rows;
    std::vector<Vector> live;
    std::vector<storage::RowError> errors;
};

CopyFrom::~CopyFrom() = default;

CopyFrom::CopyFrom(EngineConnection& connection, const parse::Copy& copy, std::string_view text,
                   CopySource* client)
    : connection_(connection), options_(readCopyOptions(copy, text)), client_(client) {
    const bool from_client = copy.place == parse::CopyPlace::kStdin;
    if (!from_client) client_ = nullptr;
    if (options_.layout == CopyLayout::kBinary)
        throw SqlError(
            Error(sqlstate::kFeatureNotSupported, "COPY FROM in binary format is not supported yet")
                .withHint("Send text or CSV."));
    if (from_client && options_.layout == CopyLayout::kParquet)
        throw SqlError(Error(sqlstate::kFeatureNotSupported, "COPY FROM STDIN cannot read Parquet")
                           .withHint("Put the file where the server reads it, and name its path."));
    if (from_client && client_ == nullptr)
        throw SqlError(
            Error(sqlstate::kFeatureNotSupported, "COPY FROM STDIN needs a client that sends data")
                .withHint("Run it by itself, not inside EXECUTE."));
    if (!from_client) {
        const std::string_view place = copy.location;
        const size_t scheme = place.find("://");
        if (scheme != place.npos && !place.starts_with("file://"))
            throw SqlError(
                Error(sqlstate::kFeatureNotSupported,
                      fmt::format("COPY from {} is not supported yet", place.substr(0, scheme + 3)))
                    .withHint("Name a path on the server, or use COPY FROM STDIN."));
        if (!connection_.superuser() || !connection_.engine().options().read_files)
            throw SqlError(
                Error(sqlstate::kInsufficientPrivilege, "permission denied to COPY from a file")
                    .withDetail("Only superusers may read the server's files.")
                    .withHint("Use COPY FROM STDIN, or \\copy of psql."));
    }
    resolveTarget(copy, text);
    if (!from_client) files_ = orThrow(storage::listFiles(copy.location));
}

void CopyFrom::resolveTarget(const parse::Copy& copy, std::string_view text) {
    // INSERT .. DEFAULT VALUES checks the same names and rights, and its plan makes the values of
    // the columns that the input leaves out.
    connection_.transaction();
    parse::Insert insert(copy.position);
    insert.table = copy.table;
    insert.columns = copy.columns;
    insert.default_values = true;
    PlannedQuery planned;
    planned.text = text;
    bind::BindContext context = connection_.bindContext(planned.arena, planned.text);
    facts_ = *context.session;
    planned.snapshot = context.catalog;
    bind::BoundInsert bound = bind::bindInsert(insert, context);
    table_ = context.catalog->tables.at(bound.table->oid);
    planned.bound = std::move(bound.query);

    std::vector<const catalog::Column*> columns;
    for (const parse::ColumnName& name : copy.columns)
        columns.push_back(table_->findColumn(name.name));
    const auto live = table_->liveColumns();
    if (columns.empty())
        std::ranges::copy_if(live, std::back_inserter(columns),
                             [](const auto* c) { return !c->is_identity; });
    for (const catalog::Column* column : columns) {
        targets_.push_back({column->name, column->type, column->not_null});
        fields_.push_back({.name = column->name, .type = column->type});
    }
    bool defaults = false;
    for (const catalog::Column* column : live) {
        const auto found = std::ranges::find(columns, column);
        sources_.push_back(found == columns.end() ? -1 : i32(found - columns.begin()));
        defaults |= sources_.back() < 0 && (column->default_sql || column->is_identity);
    }
    constants_.resize(live.size());
    constant_values_.resize(live.size());
    for (size_t i = 0; i < live.size(); ++i) {
        if (sources_[i] >= 0) continue;
        constant_values_[i].reset(naturalKind(live[i]->type), 1);
        constant_values_[i].setAllNull();
        constants_[i] = constant_values_[i].view(true);
        constants_[i].form = VectorForm::kConstant;
    }
    if (defaults) fillDefaults(planned);
    forceColumns(options_.force_not_null, options_.text.force_not_null);
    forceColumns(options_.force_null, options_.text.force_null);
}

void CopyFrom::forceColumns(const std::vector<std::string>& names, std::vector<bool>& flags) {
    for (const std::string& name : names) {
        const auto found = std::ranges::find(targets_, name, &storage::TargetField::name);
        if (found == targets_.end())
            throw SqlError(
                Error(sqlstate::kUndefinedColumn,
                      fmt::format("FORCE NULL or NOT NULL column \"{}\" is not copied", name))
                    .withHint("Name a column of the list."));
        flags.resize(targets_.size());
        flags[size_t(found - targets_.begin())] = true;
    }
}

/// Runs the plan of one row of defaults; volatile defaults give one value to the whole load.
void CopyFrom::fillDefaults(PlannedQuery& planned) {
    planQuery(connection_, planned);
    execute::QueryRun run(planned.program, connection_.environment());
    for (Batch batch; run.next(batch);) keepDefaults(batch);
}

void CopyFrom::keepDefaults(const Batch& batch) {
    const u32 row = batch.rowAt(0);
    for (size_t i = 0; i < sources_.size(); ++i) {
        const Vector& value = batch.columns[i];
        if (sources_[i] >= 0 || value.isNull(row)) continue;
        VectorBuffer& kept = constant_values_[i];
        kept.reset(value.kind, 1);
        const u32 width = widthOf(value.kind);
        if (value.kind == PhysicalKind::kText)
            kept.values<TextView>()[0] =
                makeTextView(constant_text_.copyText(asStringView(value.valueAt<TextView>(row))));
        else
            std::memcpy(kept.data(),
                        static_cast<const char*>(value.data) + size_t{width} * value.indexOf(row),
                        width);
        constants_[i] = kept.view(false);
        constants_[i].form = VectorForm::kConstant;
    }
}

functions::InputOptions CopyFrom::inputOptions() const {
    functions::InputOptions input = functions::InputOptions::of(facts_);
    input.truncate_text = options_.text.truncate_columns;
    return input;
}

storage::RecordChunks CopyFrom::makeChunks() {
    if (client_ != nullptr) {
        auto open = [this](u32) -> Result<std::unique_ptr<storage::ByteSource>> {
            return storage::decompress(options_.compression,
                                       storage::makePieceSource([this] { return client_->read(); }),
                                       "STDIN");
        };
        return {options_.text, 1, open, {"STDIN"}};
    }
    auto open = [this](u32 index) -> Result<std::unique_ptr<storage::ByteSource>> {
        BS_ASSIGN(auto file, storage::openFile(files_[index]));
        return storage::decompress(options_.compression, std::move(file), files_[index]);
    };
    return {options_.text, u32(files_.size()), open, files_};
}

u32 CopyFrom::admit() {
    // A lane holds a chunk of text, and rows until they make a segment.
    constexpr u64 kLeastOfWriter = 1 << 20;
    const u64 of_reader = options_.layout == CopyLayout::kParquet ? 0 : storage::kChunkBytes;
    execute::MemoryBroker& memory = connection_.engine().memory();
    const u64 lanes = std::clamp<u64>(memory.limit() / 2 / (of_reader + kLeastOfWriter), 1,
                                      std::max(1u, connection_.engine().pool().threads()));
    const u64 of_writer = std::max(kLeastOfWriter, memory.limit() / 8 / lanes);
    grant_ = memory.admit({.workers = u32(lanes),
                           .more_bytes = lanes * (of_reader + of_writer),
                           .query_id = connection_.queryId()},
                          connection_.stop());
    grant_->grow(lanes * of_reader);
    append_->setLeast(of_writer);
    return u32(lanes);
}

u64 CopyFrom::run() {
    append_ = std::make_unique<TableAppend>(connection_, table_);
    const u32 lanes = admit();
    append_->prepare(lanes, *grant_);
    for (u32 i = 0; i < lanes; ++i) {
        lanes_.push_back(std::make_unique<Lane>());
        lanes_[i]->number = i;
        lanes_[i]->live = constants_;
    }
    if (options_.layout == CopyLayout::kParquet) runParquet();
    else runText();
    rethrow();
    const u64 limit = std::max<u64>(1, options_.max_errors);
    if (error_count_ > 0) recordErrors();
    if (error_count_ >= limit && !options_.ignore_all_errors) fail();
    if (!options_.no_load) append_->finish();
    const std::string& name = table_->name;
    if (error_count_ > 0)
        connection_.notice(
            "INFO",
            Error("00000", fmt::format("Load into table '{}' completed, {} record(s) could not "
                                       "be loaded.  Check 'stl_load_errors' system table for "
                                       "details.",
                                       name, error_count_)));
    connection_.notice(
        "INFO", Error("00000", fmt::format("Load into table '{}' completed, {} record(s) loaded "
                                           "successfully.",
                                           name, rows_.load())));
    return rows_.load();
}

void CopyFrom::runText() {
    storage::RecordChunks chunks = makeChunks();
    const u32 lanes = u32(lanes_.size());
    const functions::InputOptions input = inputOptions();
    const u32 batch_rows = connection_.engine().options().vector_rows;
    for (auto& lane : lanes_)
        lane->rows =
            std::make_unique<storage::TextRows>(options_.text, targets_, input, batch_rows);
    execute::WorkerPool& pool = connection_.engine().pool();
    while (!exhausted_ && !broken_) {
        if (client_ == nullptr) {
            pool.parallelFor(lanes, [&](u32 lane, u32) { slice(chunks, *lanes_[lane]); });
            continue;
        }
        u32 filled = 0;
        while (filled < lanes && take(chunks, *lanes_[filled])) ++filled;
        pool.parallelFor(filled, [&](u32 lane, u32) { load(*lanes_[lane]); });
    }
}

/// Row groups are the units of work; they are numbered over all files.
void CopyFrom::runParquet() {
    std::vector<std::unique_ptr<storage::ParquetFile>> files;
    std::vector<std::pair<u32, u32>> groups;
    for (u32 i = 0; i < files_.size(); ++i) {
        files.push_back(
            orThrow(storage::ParquetFile::open(files_[i], targets_, options_.text.fill_record)));
        for (u32 g = 0; g < files.back()->rowGroups(); ++g) groups.emplace_back(i, g);
    }
    std::atomic<u32> next{0};
    execute::WorkerPool& pool = connection_.engine().pool();
    pool.parallelFor(u32(lanes_.size()), [&](u32 number, u32) {
        Lane& lane = *lanes_[number];
        for (u32 at; (at = next.fetch_add(1)) < groups.size();) {
            if (!wanted(at)) return;
            const auto [file, group] = groups[at];
            const Status status = files[file]->readGroup(
                group, options_.text, inputOptions(),
                [&](const Batch& batch, std::vector<storage::RowError>& errors) -> bool {
                    for (storage::RowError& error : errors) error.file = file;
                    addErrors(at, errors);
                    append(lane, batch);
                    return wanted(at);
                });
            if (!status) return stopWith(status.error());
        }
    });
}

/// What a lane does before it gives its worker back.
void CopyFrom::slice(storage::RecordChunks& chunks, Lane& lane) {
    for (u32 i = 0; i < kChunksPerSlice && take(chunks, lane); ++i) load(lane);
}

bool CopyFrom::take(storage::RecordChunks& chunks, Lane& lane) {
    std::lock_guard lock(mutex_);
    if (exhausted_ || broken_) return false;
    if (connection_.stop().requested()) {
        broken_ = cancelled(connection_.stop());
        return false;
    }
    Result<bool> found = last_wanted_ != ~u64{0} ? Result<bool>(false) : chunks.next(lane.chunk);
    // Reading from the client ends when the statement is stopped, and does not know why.
    if (!found)
        broken_ = connection_.stop().requested() ? cancelled(connection_.stop())
                                                 : std::move(found.error());
    exhausted_ = !found || !*found;
    return !exhausted_;
}

void CopyFrom::load(Lane& lane) {
    const u64 number = lane.chunk.number;
    lane.rows->start(lane.chunk);
    Batch batch;
    while (wanted(number) && lane.rows->next(batch, lane.errors)) {
        addErrors(number, lane.errors);
        append(lane, batch);
    }
}

void CopyFrom::append(Lane& lane, const Batch& batch) {
    if (batch.selected == 0) return;
    rows_.fetch_add(batch.selected, std::memory_order_relaxed);
    if (options_.no_load) return;
    for (size_t i = 0; i < sources_.size(); ++i)
        if (sources_[i] >= 0) lane.live[i] = batch.columns[size_t(sources_[i])];
    Batch rows = batch;
    rows.columns = lane.live;
    if (Status status = append_->consume(lane.number, rows); !status)
        stopWith(std::move(status.error()));
}

bool CopyFrom::wanted(u64 number) {
    std::lock_guard lock(mutex_);
    if (connection_.stop().requested() && !broken_) broken_ = cancelled(connection_.stop());
    return !broken_ && number <= last_wanted_;
}

/// Counts bad rows; with too many of them, later chunks no longer matter, earlier ones still do:
/// the error that is told is the first of the input, however the lanes ran.
void CopyFrom::addErrors(u64 number, std::vector<storage::RowError>& errors) {
    if (errors.empty()) return;
    std::lock_guard lock(mutex_);
    error_count_ += errors.size();
    std::ranges::sort(errors, {}, &storage::RowError::line);
    for (storage::RowError& error : errors) {
        if (errors_.size() == kKeptErrors) {
            auto last = std::ranges::max_element(
                errors_, {}, [](const auto& e) { return std::pair(e.file, e.line); });
            if (std::pair(last->file, last->line) < std::pair(error.file, error.line)) break;
            *last = std::move(error);
            continue;
        }
        errors_.push_back(std::move(error));
    }
    errors.clear();
    if (!options_.ignore_all_errors && error_count_ >= std::max<u64>(1, options_.max_errors))
        last_wanted_ = std::min(last_wanted_, number);
}

void CopyFrom::stopWith(Error error) {
    std::lock_guard lock(mutex_);
    if (!broken_) broken_ = std::move(error);
}

void CopyFrom::rethrow() {
    if (broken_) throw SqlError(std::move(*broken_));
}

void CopyFrom::recordErrors() {
    std::ranges::sort(errors_, {}, [](const auto& e) { return std::pair(e.file, e.line); });
    LoadErrors& store = connection_.engine().loadErrors();
    const i32 query = store.nextQuery();
    for (const storage::RowError& error : errors_) {
        LoadError row;
        row.userid = facts_.user_id;
        row.tbl = i32(table_->oid);
        row.starttime = facts_.statement_time;
        row.session = connection_.processId();
        row.query = query;
        row.filename = client_ != nullptr ? "STDIN" : files_[error.file];
        row.line_number = i64(error.line);
        row.colname = error.column;
        if (!error.column.empty()) row.type = typeName(error.type.kind);
        if (error.type.length > 0) row.col_length = std::to_string(error.type.length);
        row.position = i32(error.position);
        row.raw_line = shown(error.raw_line).substr(0, storage::kRawBytes);
        row.raw_field_value = shown(error.raw_field).substr(0, storage::kRawBytes);
        row.err_code = error.code;
        row.err_reason = error.reason.substr(0, 100);
        row.start_offset = i64(error.offset);
        store.add(std::move(row));
    }
}

void CopyFrom::fail() {
    const storage::RowError& first = errors_.front();
    std::string detail =
        fmt::format("File {}, line {}",
                    client_ != nullptr ? "STDIN" : "'" + files_[first.file] + "'", first.line);
    if (!first.column.empty())
        detail +=
            fmt::format(", column \"{}\" ({}): value '{}'", first.column, formatType(first.type),
                        shown(first.raw_field).substr(0, storage::kRawBytes));
    detail += fmt::format(": {} (error {}).", first.reason, first.code);
    detail += fmt::format("\nLine: {}", shown(first.raw_line).substr(0, storage::kRawBytes));
    if (error_count_ > 1) detail += fmt::format("\nAt least {} rows are bad.", error_count_);
    throw SqlError(
        Error(first.sqlstate,
              fmt::format("Load into table '{}' failed.  Check 'stl_load_errors' system "
                          "table for details.",
                          table_->name))
            .withDetail(std::move(detail))
            .withHint(first.hint +
                      (options_.max_errors == 0 ? " Or skip bad rows with MAXERROR." : "")));
}

} // namespace blueshift::engine
