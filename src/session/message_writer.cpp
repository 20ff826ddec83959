#include "session/message_writer.h"

namespace blueshift::session {

Status MessageWriter::flush() {
    complete_ = 0;
    if (broken_) {
        buffer_.clear();
        return failure(sqlstate::kConnectionException, "the connection is broken");
    }
    if (buffer_.empty()) return {};
    Status status = transport_->write(buffer_);
    broken_ = !status.has_value();
    buffer_.clear();
    // One wide row must not keep its memory for the life of the session.
    if (buffer_.capacity() > 8 * kFlushBytes) buffer_.shrink_to_fit();
    return status;
}

} // namespace blueshift::session
