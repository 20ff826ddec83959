#include "session/message_reader.h"

#include <algorithm>
#include <cstring>

#include "base/canceled.h"

namespace blueshift::session {

namespace {

constexpr size_t kFirstBufferBytes = 16 * 1024;
constexpr size_t kKeptBufferBytes = 1024 * 1024;
constexpr u32 kLookForCancelMs = 5;

u32 bigEndian32(const char* bytes) {
    u32 value;
    std::memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap32(value);
}

u32 limitOf(char type, bool authenticated) {
    if (!authenticated) return kSmallMessageBytes;
    switch (type) {
    case 'Q':
    case 'P':
    case 'B':
    case 'd':
    case 'F': return kLargeMessageBytes;
    default: return kSmallMessageBytes;
    }
}

std::unexpected<Error> badLength(i64 length, u32 limit) {
    return failure(
        Error(sqlstate::kProtocolViolation, "invalid message length " + std::to_string(length))
            .withDetail("The length must be between 4 and " + std::to_string(limit) + "."));
}

} // namespace

Status MessageReader::need(size_t bytes, const std::function<bool()>& cancelled) {
    while (end_ - begin_ < bytes) {
        while (cancelled && !transport_->readable(kLookForCancelMs))
            if (cancelled())
                return failure(canceledError(false, " while it waited for its client"));
        if (begin_ > 0 && (begin_ == end_ || end_ == buffer_.size())) {
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        // Doubling as bytes arrive: a client pays for memory by sending.
        if (end_ == buffer_.size()) buffer_.resize(std::max(kFirstBufferBytes, buffer_.size() * 2));
        BS_ASSIGN(const size_t count,
                  transport_->read({buffer_.data() + end_, buffer_.size() - end_}));
        if (count == 0)
            return failure(sqlstate::kConnectionException, "the client closed the connection");
        end_ += count;
    }
    return {};
}

void MessageReader::release() {
    if (begin_ != end_) return;
    begin_ = end_ = 0;
    if (buffer_.size() > kKeptBufferBytes) {
        buffer_.clear();
        buffer_.shrink_to_fit();
    }
}

Result<std::string_view> MessageReader::readStartup() {
    release();
    BS_TRY(need(4));
    const i64 length = i32(bigEndian32(buffer_.data() + begin_));
    if (length < 8 || length > i64(kSmallMessageBytes))
        return badLength(length, kSmallMessageBytes);
    BS_TRY(need(size_t(length)));
    const std::string_view body(buffer_.data() + begin_ + 4, size_t(length) - 4);
    begin_ += size_t(length);
    return body;
}

Result<Message> MessageReader::read(bool authenticated, const std::function<bool()>& cancelled) {
    release();
    BS_TRY(need(5, cancelled));
    const char type = buffer_[begin_];
    const i64 length = i32(bigEndian32(buffer_.data() + begin_ + 1));
    const u32 limit = limitOf(type, authenticated);
    if (length < 4 || length > i64(limit)) return badLength(length, limit);
    BS_TRY(need(size_t(length) + 1, cancelled));
    const std::string_view body(buffer_.data() + begin_ + 5, size_t(length) - 4);
    begin_ += size_t(length) + 1;
    return Message{type, body};
}

u8 FieldReader::readByte() {
    const std::string_view bytes = readBytes(1);
    return bytes.empty() ? u8(0) : u8(bytes[0]);
}

i16 FieldReader::readInt16() {
    const std::string_view bytes = readBytes(2);
    return bytes.empty() ? i16(0) : i16(u16(u8(bytes[0])) << 8 | u8(bytes[1]));
}

i32 FieldReader::readInt32() {
    const std::string_view bytes = readBytes(4);
    return bytes.empty() ? 0 : i32(bigEndian32(bytes.data()));
}

std::string_view FieldReader::readText() {
    const size_t length = failed_ ? std::string_view::npos : rest_.find('\0');
    if (length == std::string_view::npos) {
        failed_ = true;
        rest_ = {};
        return {};
    }
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return text;
}

std::string_view FieldReader::readBytes(size_t count) {
    if (failed_ || count > rest_.size()) {
        failed_ = true;
        rest_ = {};
        return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
}

} // namespace blueshift::session
