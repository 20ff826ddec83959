#include "session/copy_stream.h"

#include <cstdio>

namespace blueshift::session {

Result<std::span<const char>> CopyStream::read() {
    while (!done_) {
        Result<Message> message = reader_->read(true, cancelled_);
        if (!message) {
            done_ = true;
            if (message.error().sqlstate != sqlstate::kQueryCanceled) broken_ = message.error();
            return failure(std::move(message.error()));
        }
        switch (message->type) {
        case 'd':
            // An empty span means the end, so an empty piece is passed over.
            if (!message->body.empty())
                return std::span(message->body.data(), message->body.size());
            break;
        case 'c': done_ = true; break;
        case 'f': {
            done_ = true;
            FieldReader fields(message->body);
            return failure(sqlstate::kQueryCanceled,
                           "COPY from stdin failed: " + std::string(fields.readText()));
        }
        case 'H':
        case 'S': break;
        case 'X':
            done_ = true;
            broken_ = Error(sqlstate::kConnectionException, "the client closed the connection");
            return failure(*broken_);
        default: {
            done_ = true;
            char type[8];
            std::snprintf(type, sizeof(type), "0x%02X", unsigned(u8(message->type)));
            broken_ = Error(sqlstate::kProtocolViolation, std::string("unexpected message type ") +
                                                              type + " during COPY from stdin");
            return failure(*broken_);
        }
        }
    }
    return std::span<const char>();
}

Status CopyStream::drain() {
    while (!done_) {
        BS_ASSIGN(const std::span<const char> piece, read());
        if (piece.empty()) break;
    }
    return {};
}

} // namespace blueshift::session
