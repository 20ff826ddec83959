#include "storage/write/column_buffer.h"

#include <algorithm>
#include <cstring>

#include "storage/encoding/block_encoding.h"
#include "storage/storage.h"
#include "types/text_view.h"

namespace blueshift::storage {

namespace {

constexpr u32 kFirstChunkBytes = 4 << 10;
constexpr u32 kLastChunkBytes = 1 << 20;

bool hasNullRows(const Vector& vector, const Batch& batch) {
    if (vector.validity == nullptr) return false;
    for (u32 i = 0; i < batch.selected; ++i)
        if (vector.isNull(batch.rowAt(i))) return true;
    return false;
}

} // namespace

ColumnBuffer::ColumnBuffer(u32 column_id, const SqlType& type)
    : column_id_(column_id), type_(type), kind_(naturalKind(type)) {}

void ColumnBuffer::clear() {
    rows_ = 0;
    null_count_ = 0;
    values_.clear();
    validity_.clear();
    chunks_.clear();
    chunk_bytes_ = 0;
    text_bytes_ = 0;
    chunk_at_ = nullptr;
    chunk_left_ = 0;
}

void ColumnBuffer::release() {
    clear();
    values_.shrink_to_fit();
    validity_.shrink_to_fit();
}

/// Doubles, but not beyond a segment's rows.
u8* ColumnBuffer::addRoom(u32 rows, u32 width) {
    const size_t start = values_.size();
    const size_t needed = start + size_t(rows) * width;
    if (needed > values_.capacity())
        values_.reserve(
            std::max(needed, std::min(values_.capacity() * 2, size_t(kSegmentRows) * width)));
    values_.resize(needed);
    return values_.data() + start;
}

TextView ColumnBuffer::keep(const TextView& text) {
    text_bytes_ += text.length;
    if (text.isInline()) return text;
    if (text.length > chunk_left_) {
        const u32 size = std::max<u32>(
            text.length,
            std::min<u64>(kLastChunkBytes, std::max<u64>(kFirstChunkBytes, chunk_bytes_)));
        chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        chunk_at_ = chunks_.back().get();
        chunk_left_ = size;
        chunk_bytes_ += size;
    }
    std::memcpy(chunk_at_, text.pointer, text.length);
    const TextView kept = kernels::makeText(chunk_at_, text.length);
    chunk_at_ += text.length;
    chunk_left_ -= text.length;
    return kept;
}

void ColumnBuffer::pushValidity(bool valid, u32 row) {
    if (validity_.size() * 64 <= row) validity_.resize(row / 64 + 1, 0);
    if (valid) setBit(validity_.data(), row);
    else ++null_count_;
}

void ColumnBuffer::appendValidity(const Vector& vector, const Batch& batch) {
    const bool has_nulls = hasNullRows(vector, batch);
    if (validity_.empty()) {
        if (!has_nulls) return;
        validity_.assign((rows_ + 63) / 64, ~u64{0});
        if (rows_ % 64 != 0) validity_.back() = (u64{1} << rows_ % 64) - 1;
    }
    for (u32 i = 0; i < batch.selected; ++i)
        pushValidity(!has_nulls || !vector.isNull(batch.rowAt(i)), rows_ + i);
}

template <class T> Status ColumnBuffer::appendIntegers(const Vector& vector, const Batch& batch) {
    auto* out = reinterpret_cast<T*>(addRoom(batch.selected, sizeof(T)));
    bool fits = true;
    const auto copy = [&]<class S>(S*) {
        const S* in = vector.values<S>();
        const bool plain = batch.selection == nullptr && vector.form == VectorForm::kFlat;
        for (u32 i = 0; i < batch.selected; ++i) {
            const S value = plain ? in[i] : in[vector.indexOf(batch.rowAt(i))];
            out[i] = T(value);
            if constexpr (sizeof(S) > sizeof(T))
                fits &= S(out[i]) == value || vector.isNull(batch.rowAt(i));
        }
    };
    switch (vector.kind) {
    case PhysicalKind::kI8: copy(static_cast<i8*>(nullptr)); break;
    case PhysicalKind::kI16: copy(static_cast<i16*>(nullptr)); break;
    case PhysicalKind::kI32: copy(static_cast<i32*>(nullptr)); break;
    case PhysicalKind::kI64: copy(static_cast<i64*>(nullptr)); break;
    default: copy(static_cast<i128*>(nullptr)); break;
    }
    if (!fits)
        return failure(sqlstate::kNumericValueOutOfRange,
                       "value out of range for type " + formatType(type_));
    return {};
}

template <class T> void ColumnBuffer::appendFloats(const Vector& vector, const Batch& batch) {
    auto* out = reinterpret_cast<T*>(addRoom(batch.selected, sizeof(T)));
    for (u32 i = 0; i < batch.selected; ++i) {
        const u32 at = vector.indexOf(batch.rowAt(i));
        out[i] = vector.kind == PhysicalKind::kF32 ? T(vector.values<f32>()[at])
                                                   : T(vector.values<f64>()[at]);
    }
}

void ColumnBuffer::appendTexts(const Vector& vector, const Batch& batch) {
    auto* out = reinterpret_cast<TextView*>(addRoom(batch.selected, sizeof(TextView)));
    for (u32 i = 0; i < batch.selected; ++i) {
        const u32 row = batch.rowAt(i);
        out[i] =
            vector.isNull(row) ? TextView{} : keep(vector.values<TextView>()[vector.indexOf(row)]);
    }
}

Status ColumnBuffer::append(const Vector& vector, const Batch& batch) {
    if (batch.selected == 0) return {};
    if (vector.form == VectorForm::kConstant && vector.isNull(0)) {
        // A NULL constant may have any kind.
        addRoom(batch.selected, widthOf(kind_));
    } else if (isIntegerKind(kind_) ? !isIntegerKind(vector.kind)
               : kind_ == PhysicalKind::kText
                   ? vector.kind != PhysicalKind::kText
                   : vector.kind != PhysicalKind::kF32 && vector.kind != PhysicalKind::kF64) {
        return failure(sqlstate::kInternalError,
                       "rows to store have the wrong physical kind for type " + formatType(type_));
    } else if (kind_ == PhysicalKind::kText) {
        appendTexts(vector, batch);
    } else if (kind_ == PhysicalKind::kF32) {
        appendFloats<f32>(vector, batch);
    } else if (kind_ == PhysicalKind::kF64) {
        appendFloats<f64>(vector, batch);
    } else {
        switch (kind_) {
        case PhysicalKind::kI8: BS_TRY(appendIntegers<i8>(vector, batch)); break;
        case PhysicalKind::kI16: BS_TRY(appendIntegers<i16>(vector, batch)); break;
        case PhysicalKind::kI32: BS_TRY(appendIntegers<i32>(vector, batch)); break;
        case PhysicalKind::kI64: BS_TRY(appendIntegers<i64>(vector, batch)); break;
        default: BS_TRY(appendIntegers<i128>(vector, batch)); break;
        }
    }
    appendValidity(vector, batch);
    rows_ += batch.selected;
    return {};
}

void ColumnBuffer::appendRow(const ColumnBuffer& other, u32 row) {
    const u32 width = widthOf(kind_);
    u8* const out = addRoom(1, width);
    const bool valid = !other.isNull(row);
    if (valid && kind_ == PhysicalKind::kText) {
        const TextView kept = keep(other.values<TextView>()[row]);
        std::memcpy(out, &kept, width);
    } else if (valid) {
        std::memcpy(out, other.values_.data() + size_t(row) * width, width);
    }
    if (!valid || !validity_.empty()) {
        if (validity_.empty()) {
            validity_.assign(rows_ / 64 + 1, ~u64{0});
            validity_[rows_ / 64] = (u64{1} << rows_ % 64) - 1;
        }
        pushValidity(valid, rows_);
    }
    ++rows_;
}

namespace {

/// Copies integers into `out` at the narrowest width of their range.
template <class T>
PhysicalKind narrowInto(const ColumnBuffer& buffer, std::span<const u32> order,
                        std::vector<u8>& out) {
    const T* values = buffer.values<T>();
    const u32 rows = buffer.rows();
    T min = 0, max = 0;
    bool first = true;
    for (u32 row = 0; row < rows; ++row) {
        if (buffer.isNull(row)) continue;
        min = first ? values[row] : std::min(min, values[row]);
        max = first ? values[row] : std::max(max, values[row]);
        first = false;
    }
    const PhysicalKind kind = narrowestKind(min, max);
    const u32 width = widthOf(kind);
    out.resize(size_t(rows) * width + 64);
    for (u32 i = 0; i < rows; ++i) {
        const u32 row = order.empty() ? i : order[i];
        if (!buffer.isNull(row)) std::memcpy(out.data() + size_t(i) * width, &values[row], width);
    }
    return kind;
}

} // namespace

MemorySegment::Column ColumnBuffer::toColumn(std::span<const u32> order) const {
    MemorySegment::Column column{.column_id = column_id_, .type = type_, .kind = kind_};
    if (null_count_ > 0) {
        column.validity.assign((rows_ + 63) / 64, 0);
        for (u32 i = 0; i < rows_; ++i)
            if (!isNull(order.empty() ? i : order[i])) setBit(column.validity.data(), i);
    }
    switch (kind_) {
    case PhysicalKind::kI8:
        column.kind = narrowInto<i8>(*this, order, column.values);
        return column;
    case PhysicalKind::kI16:
        column.kind = narrowInto<i16>(*this, order, column.values);
        return column;
    case PhysicalKind::kI32:
        column.kind = narrowInto<i32>(*this, order, column.values);
        return column;
    case PhysicalKind::kI64:
        column.kind = narrowInto<i64>(*this, order, column.values);
        return column;
    case PhysicalKind::kI128:
        column.kind = narrowInto<i128>(*this, order, column.values);
        return column;
    default: break;
    }
    const u32 width = widthOf(kind_);
    column.values.resize(size_t(rows_) * width + 64);
    if (kind_ != PhysicalKind::kText) {
        for (u32 i = 0; i < rows_; ++i) {
            const u32 row = order.empty() ? i : order[i];
            if (!isNull(row))
                std::memcpy(column.values.data() + size_t(i) * width,
                            values_.data() + size_t(row) * width, width);
        }
        return column;
    }
    column.text.reserve(text_bytes_);
    for (u32 i = 0; i < rows_; ++i) {
        const u32 row = order.empty() ? i : order[i];
        if (isNull(row)) continue;
        TextView text = values<TextView>()[row];
        if (!text.isInline()) {
            const size_t at = column.text.size();
            column.text.insert(column.text.end(), text.pointer, text.pointer + text.length);
            text.pointer = column.text.data() + at; // no reallocation: reserved above
        }
        std::memcpy(column.values.data() + size_t(i) * width, &text, width);
    }
    return column;
}

} // namespace blueshift::storage
