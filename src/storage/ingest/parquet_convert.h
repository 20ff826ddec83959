// parquet_convert.h: columns of Arrow become vectors of a table's types, with checks.
//
// Place: inside parquet_file.cpp only; includes Arrow.
// Owns: the vectors; text values point into the Arrow batch.
#pragma once

#include <arrow/api.h>

#include <span>
#include <vector>

#include "storage/ingest/copy_format.h"
#include "types/vector.h"

namespace blueshift::storage {

/// Whether values of an Arrow type may be loaded into a column of `to`; their range is checked row
/// by row.
bool canLoad(const arrow::DataType& from, const SqlType& to);

class ParquetConverter {
public:
    ParquetConverter(std::span<const TargetField> targets, const TextFormat& format);

    /// Rows from..from+count-1; `line` numbers the first of them in the file.
    Batch convert(const arrow::RecordBatch& rows, i64 from, u32 count, u64 line,
                  std::vector<RowError>& errors);

private:
    struct Place {
        u32 column;
        i64 from;
        u32 count;
        u64 line;
        std::vector<RowError>* errors;
    };
    void column(const arrow::Array& array, const Place& place);
    template <class Store> void loop(const arrow::Array& array, const Place& place, Store&& store);
    template <class Array>
    void integers(const Array& array, const Place& place, int scale, i128 unit_up = 1,
                  i128 unit_down = 1, i128 shift = 0);
    template <class Array> void decimals(const Array& array, const Place& place, int scale);
    template <class Array> void floats(const Array& array, const Place& place);
    template <class Array> void texts(const Array& array, const Place& place);
    void codes(const arrow::DictionaryArray& array, const Place& place);
    const char* storeInteger(u32 column, u32 row, i128 value, int scale);
    const char* storeText(u32 column, u32 row, std::string_view text);
    void fail(const Place& place, u32 row, const char* reason, std::string shown);

    std::span<const TargetField> targets_;
    const TextFormat& format_;
    std::vector<VectorBuffer> buffers_;
    std::vector<Vector> columns_;
    std::vector<u16> selection_;
    u64 bad_[kValidityWords];
};

} // namespace blueshift::storage
