// message_writer.h: builds messages in one buffer and sends it whole.
//
// A message is begin(type), fields, end(). Nothing is sent before flush(), so that a response costs
// one system call; large results flush at kFlushBytes. After a failed write everything is dropped.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ints.h"
#include "session/transport.h"

namespace blueshift::session {

inline void appendInt16(std::string& out, i16 value) {
    const u16 swapped = __builtin_bswap16(u16(value));
    out.append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}
inline void appendInt32(std::string& out, i32 value) {
    const u32 swapped = __builtin_bswap32(u32(value));
    out.append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}
inline void appendInt64(std::string& out, i64 value) {
    const u64 swapped = __builtin_bswap64(u64(value));
    out.append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}
/// Overwrites four bytes written earlier.
inline void patchInt32(std::string& out, size_t position, i32 value) {
    const u32 swapped = __builtin_bswap32(u32(value));
    std::memcpy(out.data() + position, &swapped, sizeof(swapped));
}

class MessageWriter {
public:
    static constexpr size_t kFlushBytes = 128 * 1024;

    explicit MessageWriter(Transport& transport) : transport_(&transport) {}

    void begin(char type) {
        buffer_ += type;
        start_ = buffer_.size();
        buffer_.append(4, '\0');
    }
    MessageWriter& byte(char value) {
        buffer_ += value;
        return *this;
    }
    MessageWriter& int16(i16 value) {
        appendInt16(buffer_, value);
        return *this;
    }
    MessageWriter& int32(i32 value) {
        appendInt32(buffer_, value);
        return *this;
    }
    /// Bytes and a zero; a zero inside ends the text early, as the protocol cannot carry it.
    MessageWriter& text(std::string_view value) {
        buffer_.append(value.substr(0, value.find('\0')));
        buffer_ += '\0';
        return *this;
    }
    MessageWriter& bytes(std::string_view value) {
        buffer_.append(value);
        return *this;
    }
    void end() {
        patchInt32(buffer_, start_, i32(buffer_.size() - start_));
        complete_ = buffer_.size();
    }
    /// A message without fields.
    void empty(char type) {
        begin(type);
        end();
    }

    /// Whole messages may be appended to it directly, followed by markComplete().
    std::string& buffer() { return buffer_; }
    void markComplete() { complete_ = buffer_.size(); }
    /// After an exception: what was begun and not ended must not reach the client.
    void dropIncomplete() { buffer_.resize(complete_); }
    size_t pendingBytes() const { return buffer_.size(); }
    Status flush();
    Status flushIfLarge() { return buffer_.size() >= kFlushBytes ? flush() : Status(); }
    void setTransport(Transport& transport) { transport_ = &transport; }

private:
    Transport* transport_;
    std::string buffer_;
    size_t start_ = 0;
    size_t complete_ = 0; // end of the last whole message
    bool broken_ = false;
};

} // namespace blueshift::session
