// window_column.h: the results of one window call for consecutive rows, by number.
//
// Owns: values, NULL bits and text. Threads: written by one task, read by any afterwards.
#pragma once

#include <vector>

#include "base/arena.h"
#include "types/vector.h"

namespace blueshift::execute {

class WindowColumn {
public:
    WindowColumn(PhysicalKind kind, size_t rows)
        : kind_(kind), values_(rows * widthOf(kind) / 8 + 2), validity_(rows / 64 + 2) {}

    PhysicalKind kind() const { return kind_; }
    u64 memoryBytes() const {
        return (values_.size() + validity_.size()) * 8 + text_.bytesAllocated();
    }
    u64 textBytes() const { return text_.bytesAllocated(); }
    bool isNull(size_t row) const { return (validity_[row / 64] >> (row % 64) & 1) == 0; }

    void setInteger(size_t row, i128 value);
    void setFloat(size_t row, f64 value);
    /// Copies row `index` of a vector of the same family, NULL included.
    void set(size_t row, const Vector& vector, u32 index);
    /// Rows [begin, begin + count) as a flat vector over `out`.
    Vector read(size_t begin, u32 count, VectorBuffer& out) const;

private:
    template <class T> T* values() { return reinterpret_cast<T*>(values_.data()); }
    void setValid(size_t row) { validity_[row / 64] |= u64{1} << (row % 64); }

    PhysicalKind kind_;
    std::vector<u64> values_;
    std::vector<u64> validity_;
    Arena text_;
};

} // namespace blueshift::execute
