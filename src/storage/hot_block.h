// hot_block.h: one decoded block of a column, ready to be scanned in place.
//
// Place: made by encoding/ from stored bytes, kept by BlockCache, pinned by ScanState.
// Owns: its buffers; immutable once shared. Every buffer may be read 64 bytes past its end.
// Form: integers flat at the narrowest signed width that holds the block, or constant; floats flat;
// text as codes of 1 or 2 bytes with sorted entries, or flat views over a heap.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "types/vector.h"

namespace blueshift::storage {

/// Bytes aligned to a cache line, readable 64 bytes past the end; the padding is zero.
class AlignedBytes {
public:
    AlignedBytes() = default;
    explicit AlignedBytes(size_t bytes) : bytes_(bytes) {
        const size_t room = (bytes + 64 + 63) & ~size_t{63};
        data_ = static_cast<u8*>(std::aligned_alloc(64, room));
        if (data_ == nullptr) throw std::bad_alloc();
        std::memset(data_ + bytes, 0, room - bytes);
    }
    AlignedBytes(AlignedBytes&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    AlignedBytes& operator=(AlignedBytes&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~AlignedBytes() { std::free(data_); }

    template <class T> T* as() { return reinterpret_cast<T*>(data_); }
    template <class T> const T* as() const { return reinterpret_cast<const T*>(data_); }
    size_t size() const { return bytes_; }
    bool empty() const { return bytes_ == 0; }

private:
    u8* data_ = nullptr;
    size_t bytes_ = 0;
};

struct HotBlock {
    u32 rows = 0;
    u32 null_count = 0;
    PhysicalKind kind = PhysicalKind::kI64;
    VectorForm form = VectorForm::kFlat;
    u8 code_width = 0;
    u32 dictionary_size = 0;
    u64 dictionary_id = 0;
    AlignedBytes values; // flat: a value a row; constant: one; dictionary: TextView entries
    AlignedBytes codes;
    AlignedBytes validity; // a bit per row; empty: no NULLs
    AlignedBytes heap;     // bytes that the text views point to

    /// All rows of the block as one vector (longer than kVectorRows). A constant block with NULLs
    /// keeps a bit per row.
    Vector view() const {
        return {.kind = kind,
                .form = form,
                .code_width = code_width,
                .dictionary_size = dictionary_size,
                .data = values.as<u8>(),
                .codes = codes.empty() ? nullptr : codes.as<u8>(),
                .validity = validity.empty() ? nullptr : validity.as<u64>(),
                .dictionary_id = dictionary_id};
    }
    u64 byteSize() const {
        return sizeof(*this) + 4 * 64 + values.size() + codes.size() + validity.size() +
               heap.size();
    }
};

} // namespace blueshift::storage
