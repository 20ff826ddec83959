// copy_stream.h: the bytes that a client sends during COPY ... FROM STDIN.
//
// Flush and Sync between the pieces are skipped, as the protocol asks. CopyFail is error 57014 with
// the client's text, and so is a cancel request while the client is silent; any other message
// breaks the protocol and ends the session. Threads: the session's, or the one that runs the
// statement for it; never two at once.
#pragma once

#include "session/message_reader.h"
#include "statement.h"

namespace blueshift::session {

class CopyStream final : public CopySource {
public:
    explicit CopyStream(MessageReader& reader) : reader_(&reader) {}

    /// `cancelled`: whether the statement that reads was asked to stop.
    void begin(std::function<bool()> cancelled) {
        cancelled_ = std::move(cancelled);
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
    std::function<bool()> cancelled_;
    bool done_ = true;
    std::optional<Error> broken_;
};

} // namespace blueshift::session
