// memory_segment.h: rows that live in memory: inline rows of small inserts, samples of statistics.
//
// Place: carried by log records and checkpoints as the bytes of encode(); scanned like a segment.
// Owns: its columns; immutable. Text views point into the segment.
// Format: docs/formats/segment.md, "inline rows".
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "types/sql_type.h"
#include "types/vector.h"

namespace blueshift::storage {

class MemorySegment {
public:
    struct Column {
        u32 column_id = 0;
        SqlType type;
        PhysicalKind kind = PhysicalKind::kI64; // narrowest that holds all values
        std::vector<u8> values;                 // flat, padded by 64 bytes; TextView for text
        std::vector<u64> validity;              // empty: no NULLs
        std::vector<char> text;                 // bytes the views point to
    };

    MemorySegment(u32 rows, std::vector<Column> columns);

    u32 rows() const { return rows_; }
    const std::vector<Column>& columns() const { return columns_; }
    const Column* find(u32 column_id) const;
    /// Flat vector of rows [first, first + count); `first` must be a multiple of 64 when the column
    /// has NULLs.
    Vector slice(const Column& column, u32 first) const;
    u64 byteSize() const;

    /// Stored form: versioned, checksummed.
    std::vector<u8> encode() const;
    static Result<std::shared_ptr<const MemorySegment>> decode(std::span<const u8> bytes);

private:
    u32 rows_;
    std::vector<Column> columns_;
};

} // namespace blueshift::storage
