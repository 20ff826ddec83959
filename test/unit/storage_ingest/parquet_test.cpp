// Parquet: every type that is taken, NULLs, range checks by row, files that do not fit or are cut.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <doctest/doctest.h>
#include <parquet/arrow/writer.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "rows_of.h"
#include "storage/ingest/parquet_file.h"

namespace blueshift::storage {
namespace {

using Rows = std::vector<std::string>;

/// A directory of the test's own.
struct Folder {
    Folder() {
        char pattern[] = "/tmp/parquet-test-XXXXXX";
        path = mkdtemp(pattern);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

template <class Builder, class Value>
std::shared_ptr<arrow::Array> arrayOf(std::shared_ptr<arrow::DataType> type,
                                      const std::vector<std::optional<Value>>& values) {
    Builder builder(type, arrow::default_memory_pool());
    for (const auto& value : values)
        REQUIRE((value ? builder.Append(*value) : builder.AppendNull()).ok());
    return builder.Finish().ValueOrDie();
}

std::string write(const Folder& folder, const std::vector<std::shared_ptr<arrow::Array>>& columns,
                  i64 group_rows = 1000) {
    arrow::FieldVector fields;
    for (size_t i = 0; i < columns.size(); ++i)
        fields.push_back(arrow::field("f" + std::to_string(i), columns[i]->type()));
    const auto table = arrow::Table::Make(arrow::schema(fields), columns);
    const std::string path = folder.path + "/data.parquet";
    auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, group_rows,
                                       parquet::default_writer_properties(), properties)
                .ok());
    REQUIRE(file->Close().ok());
    return path;
}

Loaded load(const std::string& path, const std::vector<TargetField>& fields,
            const TextFormat& format = {}) {
    Loaded loaded;
    auto file = ParquetFile::open(path, fields, format.fill_record);
    if (!file) {
        loaded.broken = file.error();
        return loaded;
    }
    functions::SessionFacts facts;
    for (u32 group = 0; group < (*file)->rowGroups(); ++group) {
        const Status status = (*file)->readGroup(
            group, format, {}, [&](const Batch& batch, std::vector<RowError>& errors) {
                loaded.errors.insert(loaded.errors.end(), errors.begin(), errors.end());
                for (u32 i = 0; i < batch.selected; ++i) {
                    std::string row;
                    for (size_t c = 0; c < fields.size(); ++c) {
                        if (c > 0) row += '|';
                        if (batch.columns[c].isNull(batch.rowAt(i))) row += "<null>";
                        else
                            functions::appendText(row, batch.columns[c], batch.rowAt(i),
                                                  fields[c].type, facts);
                    }
                    loaded.rows.push_back(std::move(row));
                }
                return true;
            });
        if (!status) loaded.broken = status.error();
    }
    return loaded;
}

TEST_CASE("integers, dates, times and texts, with NULLs") {
    const Folder folder;
    const std::string path =
        write(folder, {
                          arrayOf<arrow::Int32Builder, i32>(arrow::int32(), {1, {}, -2147483648}),
                          arrayOf<arrow::Int64Builder, i64>(arrow::int64(), {5, 6, {}}),
                          arrayOf<arrow::Date32Builder, i32>(arrow::date32(), {0, 10957, -1}),
                          arrayOf<arrow::TimestampBuilder, i64>(
                              arrow::timestamp(arrow::TimeUnit::MILLI), {946684800500, -1, {}}),
                          arrayOf<arrow::StringBuilder, std::string>(
                              arrow::utf8(), {"short", "a text longer than twelve", {}}),
                          arrayOf<arrow::BooleanBuilder, bool>(arrow::boolean(), {true, false, {}}),
                          arrayOf<arrow::DoubleBuilder, f64>(arrow::float64(), {1.5, {}, -0.25}),
                      });
    const Loaded loaded = load(path, {{"a", SqlType::bigInt()},
                                      {"b", SqlType::decimal(10, 2)},
                                      {"c", SqlType::date()},
                                      {"d", SqlType::timestamp()},
                                      {"e", SqlType::varchar(40)},
                                      {"f", SqlType::boolean()},
                                      {"g", SqlType::doublePrecision()}});
    CHECK_FALSE(loaded.broken.has_value());
    CHECK(loaded.rows ==
          Rows{"1|5.00|1970-01-01|2000-01-01 00:00:00.5|short|t|1.5",
               "<null>|6.00|2000-01-01|1969-12-31 23:59:59.999|a text longer than twelve|f|<null>",
               "-2147483648|<null>|1969-12-31|<null>|<null>|<null>|-0.25"});
}

TEST_CASE("decimals are rescaled and checked, dictionaries and views read") {
    const Folder folder;
    arrow::StringDictionaryBuilder coded;
    for (const char* text : {"x", "y", "x"}) REQUIRE(coded.Append(text).ok());
    const std::string path = write(
        folder,
        {
            arrayOf<arrow::Decimal128Builder, arrow::Decimal128>(
                arrow::decimal128(20, 3),
                {arrow::Decimal128(1999), arrow::Decimal128(-1999), arrow::Decimal128(99999999)}),
            coded.Finish().ValueOrDie(),
            arrayOf<arrow::StringViewBuilder, std::string>(arrow::utf8_view(),
                                                           {"one", "a view of many bytes", {}}),
        });
    const std::vector<TargetField> fields{
        {"d", SqlType::decimal(6, 2)}, {"c", SqlType::character(2)}, {"v", SqlType::varchar(30)}};
    const Loaded loaded = load(path, fields);
    CHECK(loaded.rows == Rows{"1.99|x |one", "-1.99|y |a view of many bytes"});
    REQUIRE(loaded.errors.size() == 1);
    CHECK(loaded.errors[0].line == 3);
    CHECK(loaded.errors[0].column == "d");
    CHECK(loaded.errors[0].sqlstate == "22003");
    TextFormat round;
    round.round_decimals = true;
    CHECK(load(path, fields, round).rows == Rows{"2.00|x |one", "-2.00|y |a view of many bytes"});
}

TEST_CASE("row groups keep their row numbers; ranges, lengths and NOT NULL are checked by row") {
    const Folder folder;
    std::vector<std::optional<i64>> numbers;
    std::vector<std::optional<std::string>> texts;
    for (i64 i = 0; i < 5000; ++i) {
        numbers.push_back(i == 4321 ? 40'000 : i % 100);
        texts.push_back(i == 77 ? std::nullopt
                                : std::optional<std::string>(i == 2500 ? "too long" : "ok"));
    }
    const std::string path =
        write(folder, {arrayOf<arrow::Int64Builder, i64>(arrow::int64(), numbers),
                       arrayOf<arrow::StringBuilder, std::string>(arrow::utf8(), texts)});
    const Loaded loaded =
        load(path, {{"n", SqlType::smallInt()}, {"t", SqlType::varchar(3), true}});
    CHECK(loaded.rows.size() == 4997);
    REQUIRE(loaded.errors.size() == 3);
    CHECK(loaded.errors[0].line == 78);
    CHECK(loaded.errors[0].sqlstate == "23502");
    CHECK(loaded.errors[1].line == 2501);
    CHECK(loaded.errors[1].sqlstate == "22001");
    CHECK(loaded.errors[2].line == 4322);
}

TEST_CASE("files that do not fit or are damaged") {
    const Folder folder;
    const std::string path =
        write(folder, {arrayOf<arrow::Int32Builder, i32>(arrow::int32(), {1, 2, 3})});
    CHECK(load(path, {{"a", SqlType::varchar(5)}}).broken.value().sqlstate == "42804");
    CHECK(load(path, {{"a", SqlType::integer()}, {"b", SqlType::integer()}})
              .broken.value()
              .sqlstate == "22P04");
    TextFormat fill;
    fill.fill_record = true;
    CHECK(load(path, {{"a", SqlType::integer()}, {"b", SqlType::integer()}}, fill).rows ==
          Rows{"1|<null>", "2|<null>", "3|<null>"});
    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, size / 2);
    CHECK(load(path, {{"a", SqlType::integer()}}).broken.value().sqlstate == "22P04");
    std::ofstream(path) << "a,b,c\n";
    CHECK(load(path, {{"a", SqlType::integer()}}).broken.value().sqlstate == "22P04");
}

} // namespace
} // namespace blueshift::storage
