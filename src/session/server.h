// server.h: listens on a port and serves every connection with the PostgreSQL v3 protocol.
//
// Life cycle: listen() binds the port (so that its number is known before the engine opens),
// serve() starts to accept, stop() drains: idle sessions end at once, busy ones finish their
// statement or are cancelled after `drain_ms`. start() is listen() and serve() in one.
// Threads: one thread accepts and watches (authentication time-outs, terminated sessions, clients
// that vanished); each connection has a thread of its own, which plans its statements and waits for
// the engine's workers. Why so: docs/decisions/0005-connection-threads.md.
// All methods belong to one thread, the owner's.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift {
class Engine;
}

namespace blueshift::session {

struct ServerOptions {
    std::string host = "127.0.0.1";
    u16 port = 5439; // 0: any free one
    /// No password for clients on the loopback interface; others still prove who they are.
    bool trust = false;
    /// PEM files; TLS is offered when both are set.
    std::string certificate_file;
    std::string key_file;
    /// Refuses clients that do not speak TLS.
    bool require_tls = false;
    u32 authentication_timeout_ms = 15'000;
    u32 drain_ms = 10'000;
    u32 max_unauthenticated = 200;
    u32 max_unauthenticated_per_address = 20; // loopback is exempt
};

class Server {
public:
    Server();
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// 55006 when the port is taken, 22023 for a host that is no address of this machine, F0000 for
    /// unreadable certificates.
    Status listen(const ServerOptions& options);
    void serve(Engine& engine);
    Status start(Engine& engine, const ServerOptions& options);
    /// The bound port; 0 before listen().
    u16 port() const;
    /// Returns when no connection is left. May be called twice.
    void stop();

private:
    class State;
    std::unique_ptr<State> state_;
};

} // namespace blueshift::session
