// field_codec.h: tagged binary fields: how catalog entries and log operations are stored.
//
// A message is a run of fields in ascending order of their tags; a field is a varint key
// (tag << 2 | wire form) and its value. A reader skips tags it does not know and leaves fields that
// are absent at their defaults, so both old and new releases read each other's messages.
// One function `describe(archive, value)` per struct serves FieldWriter and FieldReader alike:
//     template <class A> void describe(A& a, Ref<A, Schema> schema) {
//         a(1, schema.oid);
//         a(2, schema.name);
//     }
// Safety: the reader never trusts a length; damaged bytes make it fail(), never read outside.
// Threads: an archive belongs to one thread. Format: docs/formats/log.md.
// Why so: docs/decisions/0003-log-encoding.md.
#pragma once

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/hash.h"
#include "base/ints.h"

namespace blueshift::storage {
class MemorySegment;
}

namespace blueshift::catalog {

enum class WireForm : u8 { kVarint = 0, kFixed8 = 1, kBytes = 2 };

/// Turns inline rows into bytes and back. catalog/ does not know their format, storage/ does.
class RowsCodec {
public:
    virtual ~RowsCodec() = default;
    virtual std::vector<u8> encode(const storage::MemorySegment& rows) const = 0;
    /// nullptr when the bytes are damaged.
    virtual std::shared_ptr<const storage::MemorySegment> decode(
        std::span<const u8> bytes) const = 0;
};

template <class T>
concept FieldNumber = (std::is_integral_v<T> || std::is_enum_v<T>) && sizeof(T) <= 8;

/// The number on the wire: signed ones are folded so that small magnitudes stay short.
template <FieldNumber T> constexpr u64 zigzag(T value) {
    if constexpr (std::is_enum_v<T>) {
        return u64(std::underlying_type_t<T>(value));
    } else if constexpr (std::is_signed_v<T>) {
        const i64 wide = value;
        return (u64(wide) << 1) ^ u64(wide >> 63);
    } else {
        return u64(value);
    }
}

class FieldWriter {
public:
    static constexpr bool kReads = false;
    template <class T> using Reference = const T&;

    explicit FieldWriter(const RowsCodec& rows) : rows_(rows) {}

    template <FieldNumber T> void operator()(u32 tag, const T& value) {
        key(tag, WireForm::kVarint);
        varint(zigzag(value));
    }
    void operator()(u32 tag, f64 value) {
        key(tag, WireForm::kFixed8);
        append(&value, sizeof value);
    }
    void operator()(u32 tag, const std::string& text) { bytes(tag, text.data(), text.size()); }
    void operator()(u32 tag, const Hash128& hash) { bytes(tag, &hash, sizeof hash); }
    void operator()(u32 tag, i128 value) {
        const u128 folded = (u128(value) << 1) ^ u128(value >> 127);
        u32 length = 0;
        while (length < 16 && (folded >> (8 * length)) != 0) ++length;
        bytes(tag, &folded, length);
    }
    void operator()(u32 tag, const std::optional<std::string>& text) {
        if (text) (*this)(tag, *text);
    }
    void operator()(u32 tag, const std::vector<u8>& value) {
        if (!value.empty()) bytes(tag, value.data(), value.size());
    }
    template <FieldNumber T>
        requires(sizeof(T) > 1)
    void operator()(u32 tag, const std::vector<T>& numbers) {
        if (numbers.empty()) return;
        const size_t at = begin(tag);
        for (const T number : numbers) varint(zigzag(number));
        end(at);
    }
    void operator()(u32 tag, const std::shared_ptr<const storage::MemorySegment>& rows) {
        if (rows) (*this)(tag, rows_.encode(*rows));
    }
    template <class T>
        requires std::is_class_v<T>
    void operator()(u32 tag, const T& value) {
        const size_t at = begin(tag);
        describe(*this, value);
        end(at);
    }
    template <class T>
        requires std::is_class_v<T>
    void operator()(u32 tag, const std::shared_ptr<const T>& value) {
        if (value) (*this)(tag, *value);
    }
    template <class T>
        requires std::is_class_v<T>
    void operator()(u32 tag, const std::vector<T>& values) {
        for (const T& value : values) (*this)(tag, value);
    }
    template <class T> void enumeration(u32 tag, const T& value, T /*last*/) {
        (*this)(tag, value);
    }
    /// A field that readers default to zero or empty; left out when it is.
    template <class T> void sparse(u32 tag, const T& value) {
        if (!(value == T())) (*this)(tag, value);
    }

    size_t begin(u32 tag);
    void end(size_t at);

    const std::vector<u8>& bytes() const { return out_; }
    std::vector<u8> take() { return std::move(out_); }

private:
    void key(u32 tag, WireForm form) { varint(u64(tag) << 2 | u64(form)); }
    void varint(u64 value) {
        while (value >= 0x80) {
            out_.push_back(u8(value) | 0x80);
            value >>= 7;
        }
        out_.push_back(u8(value));
    }
    void append(const void* data, size_t length) {
        const auto* at = static_cast<const u8*>(data);
        out_.insert(out_.end(), at, at + length);
    }
    void bytes(u32 tag, const void* data, size_t length);

    const RowsCodec& rows_;
    std::vector<u8> out_;
};

class FieldReader {
public:
    static constexpr bool kReads = true;
    template <class T> using Reference = T&;

    FieldReader(std::span<const u8> message, const RowsCodec& rows)
        : rows_(rows), at_(message.data()), end_(message.data() + message.size()) {
        next();
    }

    template <FieldNumber T> void operator()(u32 tag, T& value) {
        if (seek(tag, WireForm::kVarint)) {
            value = number<T>(number_);
            next();
        }
    }
    /// An enumeration whose largest known value is `last`; a larger one is damage.
    template <class T> void enumeration(u32 tag, T& value, T last) {
        (*this)(tag, value);
        if (u64(value) > u64(last)) {
            value = T();
            fail();
        }
    }
    void operator()(u32 tag, f64& value) {
        if (seek(tag, WireForm::kFixed8)) {
            value = std::bit_cast<f64>(number_);
            next();
        }
    }
    void operator()(u32 tag, std::string& text);
    void operator()(u32 tag, Hash128& hash);
    void operator()(u32 tag, i128& value);
    void operator()(u32 tag, std::optional<std::string>& text);
    void operator()(u32 tag, std::vector<u8>& value);
    void operator()(u32 tag, std::shared_ptr<const storage::MemorySegment>& rows);
    template <FieldNumber T>
        requires(sizeof(T) > 1)
    void operator()(u32 tag, std::vector<T>& numbers) {
        if (!seek(tag, WireForm::kBytes)) return;
        numbers.clear();
        const u8* at = bytes_.data();
        const u8* const end = at + bytes_.size();
        while (at < end) {
            u64 raw;
            if (!readVarint(at, end, raw)) return fail();
            numbers.push_back(number<T>(raw));
        }
        next();
    }
    template <class T>
        requires std::is_class_v<T>
    void operator()(u32 tag, T& value) {
        if (!seek(tag, WireForm::kBytes)) return;
        nested(value);
        next();
    }
    template <class T>
        requires std::is_class_v<T>
    void operator()(u32 tag, std::shared_ptr<const T>& value) {
        if (!seek(tag, WireForm::kBytes)) return;
        auto fresh = std::make_shared<T>();
        nested(*fresh);
        value = std::move(fresh);
        next();
    }
    template <class T>
        requires std::is_class_v<T>
    void operator()(u32 tag, std::vector<T>& values) {
        values.clear();
        while (seek(tag, WireForm::kBytes)) {
            nested(values.emplace_back());
            next();
        }
    }
    template <class T> void sparse(u32 tag, T& value) { (*this)(tag, value); }

    void fail() {
        failed_ = true;
        at_ = end_;
        tag_ = 0;
    }
    /// Reads what is left; true when the whole message was well formed.
    bool finish() {
        while (tag_ != 0) next();
        return !failed_;
    }

private:
    static bool readVarint(const u8*& at, const u8* end, u64& value);
    template <class T> T number(u64 raw) {
        if constexpr (std::is_same_v<T, bool>) {
            return raw != 0;
        } else if constexpr (std::is_enum_v<T>) {
            if (raw > u64(std::numeric_limits<std::underlying_type_t<T>>::max())) fail();
            return T(raw);
        } else if constexpr (std::is_signed_v<T>) {
            const i64 wide = i64(raw >> 1) ^ -i64(raw & 1);
            if (i64(T(wide)) != wide) fail();
            return T(wide);
        } else {
            if (u64(T(raw)) != raw) fail();
            return T(raw);
        }
    }
    template <class T> void nested(T& value) {
        FieldReader inner(bytes_, rows_);
        describe(inner, value);
        if (!inner.finish()) fail();
    }
    /// Loads the next field: tag_ and its number_ or bytes_; tag_ is 0 at the end.
    void next();
    /// Skips smaller tags; true when the current field is `tag` in this form.
    bool seek(u32 tag, WireForm form) {
        while (tag_ != 0 && tag_ < tag) next();
        if (tag_ != tag) return false;
        if (form_ == form) return true;
        fail();
        return false;
    }

    const RowsCodec& rows_;
    const u8* at_;
    const u8* end_;
    u32 tag_ = 0;
    WireForm form_ = WireForm::kVarint;
    u64 number_ = 0;
    std::span<const u8> bytes_;
    bool failed_ = false;
};

template <class A, class T> using Ref = typename A::template Reference<T>;

} // namespace blueshift::catalog
