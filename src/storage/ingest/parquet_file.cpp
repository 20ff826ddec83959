#include "storage/ingest/parquet_file.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include "storage/ingest/parquet_convert.h"

namespace blueshift::storage {
namespace {

constexpr i64 kRowsRead = 64 * 1024;

Error damaged(const std::string& path, std::string_view reason) {
    return Error(sqlstate::kBadCopyFileFormat, "could not read \"" + path + "\" as Parquet")
        .withDetail(std::string(reason))
        .withHint("Check that the file is whole and that it is a Parquet file.");
}

/// A reader over the known footer, for one worker.
Result<std::unique_ptr<parquet::arrow::FileReader>> openReader(
    const std::string& path, std::shared_ptr<parquet::FileMetaData> footer) {
    try {
        auto file = arrow::io::ReadableFile::Open(path);
        if (!file.ok()) return failure(damaged(path, file.status().message()));
        auto inner = parquet::ParquetFileReader::Open(*file, parquet::default_reader_properties(),
                                                      std::move(footer));
        parquet::ArrowReaderProperties properties;
        properties.set_use_threads(false);
        properties.set_pre_buffer(false);
        properties.set_batch_size(kRowsRead);
        auto reader = parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                       std::move(inner), properties);
        if (!reader.ok()) return failure(damaged(path, reader.status().message()));
        return std::move(*reader);
    } catch (const std::exception& error) {
        return failure(damaged(path, error.what()));
    }
}

} // namespace

struct ParquetFile::State {
    std::string path;
    std::vector<TargetField> targets;
    std::shared_ptr<parquet::FileMetaData> footer;
    int columns = 0;
    std::vector<u64> first_rows; // of the row groups
};

ParquetFile::ParquetFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParquetFile::~ParquetFile() = default;

Result<std::unique_ptr<ParquetFile>> ParquetFile::open(const std::string& path,
                                                       std::span<const TargetField> targets,
                                                       bool fill_record) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->targets.assign(targets.begin(), targets.end());
    BS_ASSIGN(auto reader, openReader(path, nullptr));
    state->footer = reader->parquet_reader()->metadata();
    std::shared_ptr<arrow::Schema> schema;
    if (const arrow::Status got = reader->GetSchema(&schema); !got.ok())
        return failure(damaged(path, got.message()));
    state->columns = schema->num_fields();
    if (state->columns != int(targets.size()) &&
        !(fill_record && state->columns < int(targets.size())))
        return failure(
            Error(sqlstate::kBadCopyFileFormat,
                  fmt::format("\"{}\" has {} columns, the load expects {}", path, state->columns,
                              targets.size()))
                .withHint("Columns go by position: name the table's columns that the file has, in "
                          "the order of the file."));
    for (int i = 0; i < state->columns; ++i) {
        const auto& field = *schema->field(i);
        if (!canLoad(*field.type(), targets[size_t(i)].type))
            return failure(
                Error(sqlstate::kDatatypeMismatch,
                      fmt::format(
                          "column \"{}\" of \"{}\" has type {}, column \"{}\" of the table {}",
                          field.name(), path, field.type()->ToString(), targets[size_t(i)].name,
                          formatType(targets[size_t(i)].type)))
                    .withHint(
                        "Columns go by position: check their order, or give the table's column "
                        "a type that takes the file's."));
    }
    u64 row = 0;
    for (int group = 0; group < state->footer->num_row_groups(); ++group) {
        state->first_rows.push_back(row);
        row += u64(state->footer->RowGroup(group)->num_rows());
    }
    return std::unique_ptr<ParquetFile>(new ParquetFile(std::move(state)));
}

u32 ParquetFile::rowGroups() const {
    return u32(state_->first_rows.size());
}

Status ParquetFile::readGroup(u32 group, const TextFormat& format,
                              const functions::InputOptions& options, const Sink& sink) const {
    BS_ASSIGN(auto reader, openReader(state_->path, state_->footer));
    try {
        auto batches = reader->GetRecordBatchReader({int(group)});
        if (!batches.ok()) return failure(damaged(state_->path, batches.status().message()));
        ParquetConverter converter(state_->targets, format);
        u64 row = state_->first_rows[group];
        for (;;) {
            std::shared_ptr<arrow::RecordBatch> rows;
            const arrow::Status read = (*batches)->ReadNext(&rows);
            if (!read.ok()) return failure(damaged(state_->path, read.message()));
            if (rows == nullptr) return {};
            std::vector<RowError> errors;
            for (i64 from = 0; from < rows->num_rows(); from += kVectorRows) {
                const u32 count = u32(std::min<i64>(kVectorRows, rows->num_rows() - from));
                const Batch batch =
                    converter.convert(*rows, from, count, row + u64(from) + 1, errors);
                if (!sink(batch, errors)) return {};
                errors.clear();
            }
            row += u64(rows->num_rows());
        }
    } catch (const std::exception& error) {
        return failure(damaged(state_->path, error.what()));
    }
}

} // namespace blueshift::storage
