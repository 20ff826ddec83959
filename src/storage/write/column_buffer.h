// column_buffer.h: a growing column of rows that are not stored yet.
//
// Place: inside TableWriter (rows of the next segment) and of statistics (sampled rows).
// Owns: copies of everything appended; long texts lie in chunks that never move, so views stay
// valid until clear().
// Form: values at the type's natural width; validity appears with the first NULL.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "storage/memory_segment.h"
#include "types/vector.h"

namespace blueshift::storage {

class ColumnBuffer {
public:
    ColumnBuffer(u32 column_id, const SqlType& type);

    /// Appends the selected rows. 22003 when a value does not fit the column's type, XX000 when the
    /// vector is of another family.
    Status append(const Vector& vector, const Batch& batch);
    void appendRow(const ColumnBuffer& other, u32 row);
    void clear();

    u32 columnId() const { return column_id_; }
    const SqlType& type() const { return type_; }
    PhysicalKind kind() const { return kind_; }
    u32 rows() const { return rows_; }
    u32 nullCount() const { return null_count_; }
    bool isNull(u32 row) const { return !validity_.empty() && !bitAt(validity_.data(), row); }
    template <class T> const T* values() const {
        return reinterpret_cast<const T*>(values_.data());
    }
    u64 textBytes() const { return text_bytes_; }
    u64 byteSize() const { return values_.size() + validity_.size() * 8 + text_bytes_; }
    /// With what is kept for rows to come; clear() keeps it, except for text.
    u64 heldBytes() const { return values_.capacity() + validity_.capacity() * 8 + chunk_bytes_; }
    /// clear(), and gives the room for rows to come back.
    void release();
    /// A flat vector over all rows.
    Vector view() const {
        return {.kind = kind_,
                .data = values_.data(),
                .validity = validity_.empty() ? nullptr : validity_.data()};
    }

    /// The rows in the given order (empty: as appended), integers at their narrowest width.
    MemorySegment::Column toColumn(std::span<const u32> order) const;

private:
    template <class T> Status appendIntegers(const Vector& vector, const Batch& batch);
    template <class T> void appendFloats(const Vector& vector, const Batch& batch);
    void appendTexts(const Vector& vector, const Batch& batch);
    void appendValidity(const Vector& vector, const Batch& batch);
    void pushValidity(bool valid, u32 row);
    u8* addRoom(u32 rows, u32 width);
    TextView keep(const TextView& text);

    u32 column_id_;
    SqlType type_;
    PhysicalKind kind_;
    u32 rows_ = 0;
    u32 null_count_ = 0;
    std::vector<u8> values_;
    std::vector<u64> validity_;
    std::vector<std::unique_ptr<char[]>> chunks_;
    u64 chunk_bytes_ = 0;
    u64 text_bytes_ = 0;
    char* chunk_at_ = nullptr;
    u32 chunk_left_ = 0;
};

} // namespace blueshift::storage
