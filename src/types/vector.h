// vector.h: up to 1,024 values of one column, and vectors side by side.
//
// Place: what flows between the operators of execute/ and out of storage/.
// Owns / borrows: Vector and Batch are views. What they point to (a pinned block, an operator's
// scratch) lives until the source is asked for the next batch; nothing downstream keeps a pointer
// without copying.
// Forms: flat has a value per row; constant has one value for all rows; dictionary has a code per
// row and an array of distinct entries, none of them NULL.
#pragma once

#include <span>

#include "base/ints.h"
#include "types/sql_type.h"
#include "types/text_view.h"

namespace blueshift {

inline constexpr u32 kVectorRows = 1024;
inline constexpr u32 kValidityWords = kVectorRows / 64;

enum class VectorForm : u8 { kFlat, kConstant, kDictionary };

inline bool bitAt(const u64* bits, u32 row) {
    return bits[row >> 6] >> (row & 63) & 1;
}
inline void setBit(u64* bits, u32 row) {
    bits[row >> 6] |= u64{1} << (row & 63);
}
inline void clearBit(u64* bits, u32 row) {
    bits[row >> 6] &= ~(u64{1} << (row & 63));
}

struct Vector {
    PhysicalKind kind = PhysicalKind::kI64;
    VectorForm form = VectorForm::kFlat;
    u8 code_width = 0;           // dictionary: 1, 2 or 4 bytes, unsigned
    u32 dictionary_size = 0;     // dictionary: entries
    const void* data = nullptr;  // flat: a value per row; constant: one; dictionary: the entries
    const void* codes = nullptr; // dictionary only
    /// A bit per row, 1 is valid; nullptr: no NULLs. A constant NULL has bit 0 of one word clear.
    const u64* validity = nullptr;
    /// Names the dictionary for caches kept across batches; 0 when it must not be cached.
    u64 dictionary_id = 0;

    bool isNull(u32 row) const {
        if (validity == nullptr) return false;
        return !bitAt(validity, form == VectorForm::kConstant ? 0 : row);
    }
    u32 codeAt(u32 row) const {
        return code_width == 1   ? static_cast<const u8*>(codes)[row]
               : code_width == 2 ? static_cast<const u16*>(codes)[row]
                                 : static_cast<const u32*>(codes)[row];
    }
    /// The index into `data` of a row's value.
    u32 indexOf(u32 row) const {
        return form == VectorForm::kFlat ? row : form == VectorForm::kConstant ? 0 : codeAt(row);
    }
    template <class T> const T* values() const { return static_cast<const T*>(data); }
    template <class T> T valueAt(u32 row) const { return values<T>()[indexOf(row)]; }
    /// An integer of any width, sign-extended.
    i128 integerAt(u32 row) const;
};

/// Vectors side by side. Rows 0 .. rows-1 exist; only the selected ones count.
struct Batch {
    u32 rows = 0;
    /// Number of live rows: == rows when selection is nullptr, else the length of `selection`.
    u32 selected = 0;
    const u16* selection = nullptr; // ascending row numbers
    std::span<Vector> columns;

    u32 rowAt(u32 i) const { return selection == nullptr ? i : selection[i]; }
};

/// Room for one vector that an operator computes: aligned, 64 bytes readable past the end.
class VectorBuffer {
public:
    VectorBuffer() = default;
    explicit VectorBuffer(PhysicalKind kind, u32 rows = kVectorRows) { reset(kind, rows); }
    VectorBuffer(VectorBuffer&& other) noexcept;
    VectorBuffer& operator=(VectorBuffer&& other) noexcept;
    ~VectorBuffer();

    /// Makes room for `rows` values; contents are undefined.
    void reset(PhysicalKind kind, u32 rows = kVectorRows);

    PhysicalKind kind() const { return kind_; }
    u32 capacity() const { return capacity_; }
    void* data() { return data_; }
    const void* data() const { return data_; }
    template <class T> T* values() { return static_cast<T*>(data_); }
    u64* validity() { return validity_; }
    void setAllValid();
    void setAllNull();

    /// A flat vector over the buffer, with or without its validity bits.
    Vector view(bool with_validity) const {
        return {.kind = kind_, .data = data_, .validity = with_validity ? validity_ : nullptr};
    }

private:
    PhysicalKind kind_ = PhysicalKind::kI64;
    u32 capacity_ = 0;
    void* data_ = nullptr;
    u64* validity_ = nullptr;
};

/// Calls `function(type_tag)` with a null pointer of the C++ type that `kind` stands for.
template <class Function> decltype(auto) dispatchKind(PhysicalKind kind, Function&& function) {
    switch (kind) {
    case PhysicalKind::kI8: return function(static_cast<i8*>(nullptr));
    case PhysicalKind::kI16: return function(static_cast<i16*>(nullptr));
    case PhysicalKind::kI32: return function(static_cast<i32*>(nullptr));
    case PhysicalKind::kI64: return function(static_cast<i64*>(nullptr));
    case PhysicalKind::kI128: return function(static_cast<i128*>(nullptr));
    case PhysicalKind::kF32: return function(static_cast<f32*>(nullptr));
    case PhysicalKind::kF64: return function(static_cast<f64*>(nullptr));
    default: return function(static_cast<TextView*>(nullptr));
    }
}

} // namespace blueshift
