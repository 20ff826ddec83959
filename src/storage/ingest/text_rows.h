// text_rows.h: reads a chunk of records into batches of typed columns.
//
// Place: RecordChunk -> TextRows -> the table's writer. Two passes over up to 1,024 records: split
// (SIMD finds delimiters, newlines and quotes; fields become offsets, column by column), then
// convert, one tight loop a column.
// Owns: the vectors of the batch. Text values point into the chunk or into the reader; both hold
// until the next call of next().
// Bad rows are left out of the batch's selection and told as RowErrors, at most one a row.
// Threads: one worker each.
#pragma once

#include <span>
#include <vector>

#include "functions/text_input.h"
#include "storage/ingest/split_records.h"
#include "types/vector.h"

namespace blueshift::storage {

class TextRows {
public:
    TextRows(const TextFormat& format, std::span<const TargetField> fields,
             const functions::InputOptions& options, u32 batch_rows = kVectorRows);

    /// Begins a chunk; it stays borrowed until next() returned false.
    void start(RecordChunk& chunk);
    /// The next batch with a column per field; bad rows are appended to `errors`. False at the end
    /// of the chunk. A batch may have no selected row.
    bool next(Batch& batch, std::vector<RowError>& errors);

private:
    static void describe(RecordFault fault, RowError& error);
    RowError locate(u32 row, i32 column) const;
    /// Where the shape of a record goes wrong: the first column without a field, the column whose
    /// quote stays open, or -1 for what lies behind the last column.
    i32 faultyColumn(u32 row) const;

    const TextFormat& format_;
    std::vector<TargetField> targets_;
    functions::InputOptions options_;
    RecordChunk* chunk_ = nullptr;
    u32 at_ = 0;                // of the next record
    bool checked_text_ = false; // the chunk is valid UTF-8 without zero bytes
    SplitRecords records_;
    functions::TextHeap heap_; // text that conversion changed
    std::vector<VectorBuffer> buffers_;
    std::vector<Vector> columns_;
    std::vector<u16> selection_;
};

} // namespace blueshift::storage
