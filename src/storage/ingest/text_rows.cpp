#include "storage/ingest/text_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "storage/ingest/field_convert.h"

namespace blueshift::storage {

TextRows::TextRows(const TextFormat& format, std::span<const TargetField> fields,
                   const functions::InputOptions& options, u32 batch_rows)
    : format_(format),
      targets_(fields.begin(), fields.end()),
      options_(options),
      records_(format, u32(fields.size()), batch_rows) {
    for (const TargetField& target : targets_)
        buffers_.emplace_back(naturalKind(target.type), batch_rows);
    columns_.resize(targets_.size());
    selection_.resize(batch_rows);
}

void TextRows::start(RecordChunk& chunk) {
    chunk_ = &chunk;
    at_ = 0;
    // Escapes may name any byte.
    checked_text_ = format_.layout != TextLayout::kText &&
                    std::memchr(chunk.bytes.get(), 0, chunk.size) == nullptr &&
                    simdjson::validate_utf8(chunk.bytes.get(), chunk.size);
}

RowError TextRows::locate(u32 row, i32 column) const {
    const char* bytes = chunk_->bytes.get();
    const u32 start = records_.start(row);
    RowError error;
    error.file = chunk_->file;
    error.line = chunk_->first_line + u64(std::count(bytes, bytes + start, '\n'));
    error.offset = chunk_->offset + start;
    u32 end = row + 1 < records_.rows() ? records_.start(row + 1) : at_;
    end = std::min(end, chunk_->size);
    while (end > start && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r')) --end;
    error.raw_line.assign(bytes + start, std::min<size_t>(end - start, kRawBytes));
    if (column < 0) return error;
    const FieldRef& field = records_.column(u32(column))[row];
    error.column = targets_[u32(column)].name;
    error.type = targets_[u32(column)].type;
    error.raw_field = records_.textOf(field).substr(0, kRawBytes);
    if (!field.copied() && field.kind != FieldRef::kAbsent) error.position = field.offset - start;
    return error;
}

i32 TextRows::faultyColumn(u32 row) const {
    const RecordFault fault = records_.fault(row);
    if (fault == RecordFault::kTooManyFields) return -1;
    i32 present = 0;
    while (present < i32(targets_.size()) &&
           records_.column(u32(present))[row].kind != FieldRef::kAbsent)
        ++present;
    return fault == RecordFault::kTooFewFields && present < i32(targets_.size()) ? present
                                                                                 : present - 1;
}

bool TextRows::next(Batch& batch, std::vector<RowError>& errors) {
    if (chunk_ == nullptr || at_ >= chunk_->size) return false;
    at_ = records_.split(*chunk_, at_);
    const u32 rows = records_.rows();
    if (rows == 0) return false;
    std::vector<u64> bad((rows + 63) / 64);
    heap_.clear();
    if (records_.anyFault())
        for (u32 row = 0; row < rows; ++row) {
            if (records_.fault(row) == RecordFault::kNone) continue;
            setBit(bad.data(), row);
            errors.push_back(locate(row, faultyColumn(row)));
            describe(records_.fault(row), errors.back());
        }
    FieldConverter converter(format_, options_, heap_, checked_text_);
    for (u32 c = 0; c < targets_.size(); ++c) {
        const bool nulls = converter.convert(records_, c, targets_[c], buffers_[c], bad.data(),
                                             [&](u32 row, const FieldFault& fault) {
                                                 RowError error = locate(row, i32(c));
                                                 error.code = fault.code;
                                                 error.reason = fault.reason;
                                                 error.sqlstate = fault.sqlstate;
                                                 error.hint = fault.hint;
                                                 errors.push_back(std::move(error));
                                             });
        columns_[c] = buffers_[c].view(nulls);
    }
    batch = {.rows = rows, .selected = rows, .columns = columns_};
    if (std::ranges::any_of(bad, [](u64 word) { return word != 0; })) {
        batch.selected = 0;
        for (u32 row = 0; row < rows; ++row)
            if (!bitAt(bad.data(), row)) selection_[batch.selected++] = u16(row);
        batch.selection = selection_.data();
    }
    return true;
}

void TextRows::describe(RecordFault fault, RowError& error) {
    error.sqlstate = sqlstate::kBadCopyFileFormat;
    switch (fault) {
    case RecordFault::kTooFewFields:
        error.code = 1214;
        error.reason = "Delimiter not found";
        error.hint =
            "The record has fewer fields than the table has columns: check the delimiter, name "
            "the columns, or use FILLRECORD.";
        return;
    case RecordFault::kTooManyFields:
        error.code = 1202;
        error.reason = "Extra column(s) found";
        error.hint =
            "The record has more fields than the table has columns: check the delimiter and the "
            "column list.";
        return;
    default:
        error.code = 1216;
        error.reason = "Invalid quote formatting for CSV";
        error.hint = "A quote is left open; inside quotes write a quote twice.";
    }
}

} // namespace blueshift::storage
