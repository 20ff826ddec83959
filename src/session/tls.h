// tls.h: TLS 1.2 and later over a socket, by OpenSSL.
//
// A context is loaded once from PEM files and shared by all sessions; wrap() performs the server's
// handshake. Threads: the context any, a wrapped transport its session's.
#pragma once

#include <memory>
#include <string>

#include "session/transport.h"

struct ssl_ctx_st;

namespace blueshift::session {

class TlsContext {
public:
    /// F0000 naming the file that cannot be used.
    static Result<std::unique_ptr<TlsContext>> load(const std::string& certificate_file,
                                                    const std::string& key_file);
    ~TlsContext();

    /// The socket must outlive the result. 08000 when the handshake fails.
    Result<std::unique_ptr<Transport>> wrap(const Socket& socket) const;

private:
    explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
    ssl_ctx_st* context_;
};

} // namespace blueshift::session
