// transport.h: the bytes of one client: a socket, TLS over a socket, or memory in tests.
//
// Blocking. read() and write() belong to the session's thread; endReading() and close() may be
// called from any thread and wake a blocked call.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift::session {

class Transport {
public:
    virtual ~Transport() = default;
    /// At least one byte, or 0 when the peer sends no more. 08000 when the connection broke.
    virtual Result<size_t> read(std::span<char> into) = 0;
    /// Waits until read() would return at once; false when the time is up.
    virtual bool readable(u32 milliseconds) const {
        (void)milliseconds;
        return true;
    }
    /// Everything, or 08000.
    virtual Status write(std::string_view bytes) = 0;
};

/// A connected TCP socket. Owns the descriptor.
class Socket final : public Transport {
public:
    explicit Socket(int descriptor);
    ~Socket() override;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    Result<size_t> read(std::span<char> into) override;
    bool readable(u32 milliseconds) const override;
    Status write(std::string_view bytes) override;

    /// From any thread: read() gives what has arrived, then 0. Writing still works.
    void endReading();
    /// From any thread: both directions.
    void close();
    /// From any thread: the peer has closed its side or the connection is broken.
    bool peerGone() const;
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

} // namespace blueshift::session
