// copy_stream.h: the bytes that a client sends during COPY ... FROM STDIN.
//
// Flush and Sync between the pieces are skipped, as the protocol asks. CopyFail is error 57014 with
// the client's text; any other message breaks the protocol and ends the session.
// Threads: the session's, or the one that runs the statement for it; never two at once.
#pragma once

#include "session/message_reader.h"
#include "statement.h"

namespace blueshift::session {

class CopyStream final : public CopySource {
public:
    explicit CopyStream(MessageReader& reader) : reader_(&reader) {}

    void begin() {
        done_ = false;
        broken_.reset();
    }
    Result<std::span<const char>> read() override;
    /// Reads up to the end of the client's data, which a statement may not need.
    Status drain();
    /// The error that must end the session, if one came up.
    const std::optional<Error>& broken() const { return broken_; }

private:
    MessageReader* reader_;
    bool done_ = true;
    std::optional<Error> broken_;
};

} // namespace blueshift::session
