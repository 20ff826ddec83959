// split_records.h: finds the fields of up to 1,024 records of a chunk.
//
// Place: first pass of text_rows.h. AVX2 marks delimiters, newlines, quotes and backslashes, 64
// bytes at a time; records of plain fields need nothing else. Fields with doubled quotes or
// backslashes are copied without them.
// Owns: the places of the fields, column by column, and the copied bytes, until the next split.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "storage/ingest/record_chunks.h"
#include "types/vector.h"

namespace blueshift::storage {

/// Where a field lies and what the split learned of it.
struct FieldRef {
    enum Kind : u32 {
        kPlain,
        kQuoted,  // was in quotes
        kEscaped, // `offset` counts in the copied bytes; had escapes
        kQuotedEscaped,
        kAbsent, // the record ended before
    };
    u32 offset = 0;
    u32 length : 29 = 0;
    u32 kind : 3 = kPlain;

    bool quoted() const { return kind == kQuoted || kind == kQuotedEscaped; }
    bool copied() const { return kind == kEscaped || kind == kQuotedEscaped; }
};

/// What is wrong with the shape of a record.
enum class RecordFault : u8 { kNone, kTooFewFields, kTooManyFields, kOpenQuote };

class SplitRecords {
public:
    SplitRecords(const TextFormat& format, u32 columns, u32 batch_rows);

    /// Splits records from `at` on; returns the offset behind the last one. The chunk's last
    /// record may lack its newline.
    u32 split(RecordChunk& chunk, u32 at);

    u32 rows() const { return rows_; }
    std::span<const FieldRef> column(u32 column) const {
        return {fields_.data() + size_t{column} * batch_rows_, rows_};
    }
    RecordFault fault(u32 row) const { return faults_[row]; }
    bool anyFault() const { return any_fault_; }
    u32 start(u32 row) const { return starts_[row]; }
    std::string_view textOf(const FieldRef& field) const {
        return {(field.copied() ? copied_.data() : bytes_) + field.offset, field.length};
    }

private:
    /// Walks over the characters that matter.
    struct Marks;
    template <TextLayout layout> u32 splitAll(u32 at);
    template <TextLayout layout> u32 takeField(Marks& marks, u32 begin, u32 column, bool& last);
    u32 copyQuotedField(u32 begin, u32 column);
    u32 copyEscapedField(u32 begin, u32 column);
    char unescape(u32& at) const;
    void put(u32 column, u32 begin, u32 length, u32 kind) {
        if (column < columns_)
            fields_[size_t{column} * batch_rows_ + rows_] = {begin, length, kind};
    }
    void endRecord(u32 count);

    const TextFormat& format_;
    u32 columns_;
    u32 batch_rows_;
    const char* bytes_ = nullptr;
    u32 size_ = 0; // with the newline that a last record may have been given
    u32 rows_ = 0;
    bool open_quote_ = false;
    bool any_fault_ = false;
    u32 last_length_ = 0; // of the field put last
    std::vector<FieldRef> fields_;
    std::vector<u32> starts_;
    std::vector<RecordFault> faults_;
    std::vector<char> copied_;
};

} // namespace blueshift::storage
