#include "types/vector.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace blueshift {

i128 Vector::integerAt(u32 row) const {
    switch (kind) {
    case PhysicalKind::kI8: return valueAt<i8>(row);
    case PhysicalKind::kI16: return valueAt<i16>(row);
    case PhysicalKind::kI32: return valueAt<i32>(row);
    case PhysicalKind::kI64: return valueAt<i64>(row);
    default: return valueAt<i128>(row);
    }
}

namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kPadding = 64;
size_t roundUp(size_t bytes) {
    return (bytes + kAlignment - 1) & ~(kAlignment - 1);
}
} // namespace

VectorBuffer::VectorBuffer(VectorBuffer&& other) noexcept
    : kind_(other.kind_),
      capacity_(other.capacity_),
      data_(other.data_),
      validity_(other.validity_) {
    other.data_ = nullptr;
    other.validity_ = nullptr;
    other.capacity_ = 0;
}

VectorBuffer& VectorBuffer::operator=(VectorBuffer&& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(capacity_, other.capacity_);
    std::swap(data_, other.data_);
    std::swap(validity_, other.validity_);
    return *this;
}

VectorBuffer::~VectorBuffer() {
    std::free(data_);
}

void VectorBuffer::reset(PhysicalKind kind, u32 rows) {
    if (data_ != nullptr && widthOf(kind) <= widthOf(kind_) && rows <= capacity_) {
        kind_ = kind;
        return;
    }
    std::free(data_);
    const size_t value_bytes = roundUp(size_t(widthOf(kind)) * rows + kPadding);
    const size_t validity_bytes = roundUp((rows + 63) / 64 * 8);
    data_ = std::aligned_alloc(kAlignment, value_bytes + validity_bytes);
    if (data_ == nullptr) throw std::bad_alloc();
    validity_ = reinterpret_cast<u64*>(static_cast<char*>(data_) + value_bytes);
    kind_ = kind;
    capacity_ = rows;
}

void VectorBuffer::setAllValid() {
    std::memset(validity_, 0xFF, (capacity_ + 63) / 64 * 8);
}
void VectorBuffer::setAllNull() {
    std::memset(validity_, 0, (capacity_ + 63) / 64 * 8);
}

} // namespace blueshift
