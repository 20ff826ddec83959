// byte_stream.h: writes and reads stored records field by field, little-endian, length-checked.
//
// Place: footers, inline rows and block payloads of storage/. A reader never reads past its span:
// after the first short read ok() is false and every later field reads as zero, so that a decoder
// may check once at the end of a group of fields.
#pragma once

#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/ints.h"

namespace blueshift::storage {

class ByteWriter {
public:
    explicit ByteWriter(std::vector<u8>& out) : out_(out) {}

    template <class T> void put(T value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes(&value, sizeof(T));
    }
    void bytes(const void* data, size_t size) {
        if (size == 0) return;
        const size_t at = out_.size();
        out_.resize(at + size);
        std::memcpy(out_.data() + at, data, size);
    }
    void text(std::string_view value) {
        put<u32>(u32(value.size()));
        bytes(value.data(), value.size());
    }
    /// Overwrites a field written earlier.
    template <class T> void patch(size_t at, T value) {
        std::memcpy(out_.data() + at, &value, sizeof(T));
    }
    size_t size() const { return out_.size(); }

private:
    std::vector<u8>& out_;
};

class ByteReader {
public:
    explicit ByteReader(std::span<const u8> in) : in_(in) {}

    template <class T> T get() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        const std::span<const u8> raw = bytes(sizeof(T));
        if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
        return value;
    }
    /// The next `size` bytes, or an empty span when fewer are left.
    std::span<const u8> bytes(u64 size) {
        if (!ok_ || size > in_.size() - at_) {
            ok_ = false;
            return {};
        }
        const std::span<const u8> result = in_.subspan(at_, size);
        at_ += size;
        return result;
    }
    std::string_view text() {
        const u32 size = get<u32>();
        const std::span<const u8> raw = bytes(size);
        return {reinterpret_cast<const char*>(raw.data()), raw.size()};
    }
    bool ok() const { return ok_; }
    u64 left() const { return in_.size() - at_; }

private:
    std::span<const u8> in_;
    size_t at_ = 0;
    bool ok_ = true;
};

} // namespace blueshift::storage
