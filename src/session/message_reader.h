// message_reader.h: cuts a client's bytes into messages, within limits.
//
// Memory grows with the bytes that have arrived, never with the length a client announces.
// Errors: 08P01 for malformed lengths (the session answers and closes), 08000 when the client is
// gone (the session closes silently).
// Limits follow PostgreSQL: 10,000 bytes for start-up packets, for everything before
// authentication and for messages that are small by nature; 1 GiB - 1 for the others.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ints.h"
#include "session/transport.h"

namespace blueshift::session {

inline constexpr u32 kSmallMessageBytes = 10'000;
inline constexpr u32 kLargeMessageBytes = (1u << 30) - 1;

struct Message {
    char type = 0;
    std::string_view body; // until the next read
};

class MessageReader {
public:
    explicit MessageReader(Transport& transport) : transport_(&transport) {}

    /// The body of a start-up packet, without its length.
    Result<std::string_view> readStartup();
    /// `authenticated`: large messages are allowed. 57014 when `cancelled` says so before the
    /// message is there; the next read() then goes on where this one stopped.
    Result<Message> read(bool authenticated, const std::function<bool()>& cancelled = {});

    /// The next message is here already and has this type; never blocks.
    bool nextIs(char type) const { return begin_ < end_ && buffer_[begin_] == type; }
    bool hasBufferedBytes() const { return begin_ < end_; }
    /// After a TLS handshake; the buffer must be empty.
    void setTransport(Transport& transport) { transport_ = &transport; }

private:
    /// Makes `bytes` bytes available at begin_.
    Status need(size_t bytes, const std::function<bool()>& cancelled = {});
    void release();

    Transport* transport_;
    std::vector<char> buffer_;
    size_t begin_ = 0;
    size_t end_ = 0;
};

/// Reads the fields of a message body. The first read past its end sets failed(); later ones give
/// zeros and empty texts, so that callers check once.
class FieldReader {
public:
    explicit FieldReader(std::string_view body) : rest_(body) {}

    u8 readByte();
    i16 readInt16();
    i32 readInt32();
    /// Up to a zero byte, which must exist.
    std::string_view readText();
    std::string_view readBytes(size_t count);
    std::string_view rest() const { return rest_; }
    bool failed() const { return failed_; }
    /// No failure, and nothing left.
    bool complete() const { return !failed_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

} // namespace blueshift::session
