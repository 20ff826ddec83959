// row_layout.h: how a materialised row lies in memory: fields at fixed, aligned offsets.
//
// Place: shared by join builds, grouping, sort, windows and materialised results.
// Shape: [hash, 8 bytes, optional] [fields, widest first] [null bits, 1 = NULL] [extra bytes:
// states, links]: hash and keys, which are compared, lie in one cache line. Rows are aligned to 8
// bytes; text is a 16-byte TextView whose long bytes lie in the text chunks of the same RowPages.
// Integers keep the (narrow) kind of their slot. Threads: immutable after construction.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "types/vector.h"

namespace blueshift::execute {

struct RowColumn {
    PhysicalKind kind = PhysicalKind::kI64;
    bool nullable = true;
};

class RowLayout {
public:
    static constexpr u32 kHashOffset = 0;

    RowLayout() = default;
    /// `extra_bytes` are left to the operator (aggregate states, chain links); a multiple of 8.
    RowLayout(std::span<const RowColumn> columns, bool has_hash, u32 extra_bytes = 0);

    u32 columnCount() const { return u32(columns_.size()); }
    PhysicalKind kindOf(u32 column) const { return columns_[column].kind; }
    bool isNullable(u32 column) const { return columns_[column].nullable; }
    u32 offsetOf(u32 column) const { return columns_[column].offset; }
    u32 rowBytes() const { return row_bytes_; }
    bool hasHash() const { return has_hash_; }
    bool hasText() const { return has_text_; }
    u32 extraOffset() const { return extra_offset_; }
    u32 extraBytes() const { return extra_bytes_; }
    u32 nullOffset() const { return null_offset_; }
    u32 nullBytes() const { return null_bytes_; }
    /// Where the null bit of a nullable column lies: byte offset in the row and mask.
    u32 nullByteOf(u32 column) const { return columns_[column].null_byte; }
    u8 nullMaskOf(u32 column) const { return columns_[column].null_mask; }

    bool isNull(const u8* row, u32 column) const {
        const Field& field = columns_[column];
        return field.nullable && (row[field.null_byte] & field.null_mask) != 0;
    }
    static u64 hashOf(const u8* row) {
        u64 hash;
        std::memcpy(&hash, row + kHashOffset, 8);
        return hash;
    }

private:
    struct Field {
        PhysicalKind kind;
        bool nullable;
        u8 null_mask;
        u32 offset;
        u32 null_byte;
    };
    std::vector<Field> columns_;
    u32 row_bytes_ = 0;
    u32 extra_offset_ = 0;
    u32 extra_bytes_ = 0;
    u32 null_offset_ = 0;
    u32 null_bytes_ = 0;
    bool has_hash_ = false;
    bool has_text_ = false;
};

/// A field of a row; rows are aligned to 8 bytes only, so 16-byte values go through memcpy.
template <class T> inline T loadField(const u8* row, u32 offset) {
    T value;
    std::memcpy(&value, row + offset, sizeof(T));
    return value;
}
template <class T> inline void storeField(u8* row, u32 offset, const T& value) {
    std::memcpy(row + offset, &value, sizeof(T));
}

} // namespace blueshift::execute
