#include "session/server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "session/session.h"
#include "session/tls.h"

namespace blueshift::session {

namespace {

/// How often sessions are looked at for time-outs, termination and vanished clients.
constexpr int kWatchMs = 200;
constexpr int kBacklog = 256;

struct Peer {
    std::string address;
    bool loopback = false;
};

Peer peerOf(const sockaddr_storage& storage) {
    char text[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
        return {text, ntohl(v4.sin_addr.s_addr) >> 24 == 127};
    }
    if (storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
        return {text, IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0};
    }
    return {};
}

Error listenError(const ServerOptions& options, int code) {
    const std::string where = options.host + ":" + std::to_string(options.port);
    if (code == EADDRINUSE)
        return Error(sqlstate::kObjectInUse, "port " + std::to_string(options.port) + " on " +
                                                 options.host + " is in use by another process")
            .withHint("Stop that process, or choose another port with --port (0: any free one).");
    return Error(sqlstate::kInvalidParameterValue,
                 "could not listen on " + where + ": " + std::strerror(code))
        .withHint("Check --host and --port.");
}

/// Signals are the main thread's business; a broken connection is an error code, not a signal.
void blockSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP})
        sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

} // namespace

class Server::State {
public:
    ~State() {
        stop();
        if (listener_ >= 0) ::close(listener_);
        if (wake_ >= 0) ::close(wake_);
    }

    Status listen(const ServerOptions& options);
    void serve(Engine& engine);
    void stop();
    u16 port() const { return port_; }

private:
    struct Entry {
        std::unique_ptr<Socket> socket;
        std::unique_ptr<Session> session;
        std::thread thread;
        std::string address;
        bool loopback = false;
        i64 started_nanos = 0;
        std::atomic<bool> finished{false};
    };

    void acceptLoop();
    void acceptOne();
    void watch();
    void wake() const;
    bool tooManyUnauthenticated(const Peer& peer) const;
    static void endSession(Entry& entry, EndReason reason);
    void pause(u32 milliseconds);

    ServerOptions options_;
    int listener_ = -1;
    int wake_ = -1;
    u16 port_ = 0;
    std::unique_ptr<Clock> clock_ = makeSystemClock();
    std::unique_ptr<Random> random_ = makeSystemRandom();
    std::unique_ptr<TlsContext> tls_;
    LoginThrottle throttle_;
    SessionEnvironment environment_;

    std::list<Entry> entries_; // the accepting thread's alone
    std::thread acceptor_;
    std::mutex stop_mutex_;
    std::condition_variable stop_changed_;
    std::atomic<bool> stopping_{false};
};

Status Server::State::listen(const ServerOptions& options) {
    options_ = options;
    if (!options.certificate_file.empty() || !options.key_file.empty()) {
        BS_ASSIGN(tls_, TlsContext::load(options.certificate_file, options.key_file));
    }
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int looked_up =
        ::getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
    if (looked_up != 0)
        return failure(
            Error(sqlstate::kInvalidParameterValue,
                  "host \"" + options.host + "\" is not known: " + gai_strerror(looked_up))
                .withHint("Give --host an address of this machine, such as 127.0.0.1."));
    int code = EADDRNOTAVAIL;
    for (const addrinfo* at = found; at != nullptr && listener_ < 0; at = at->ai_next) {
        const int descriptor = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        if (descriptor < 0 ||
            ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
            ::bind(descriptor, at->ai_addr, at->ai_addrlen) != 0 ||
            ::listen(descriptor, kBacklog) != 0) {
            code = errno;
            if (descriptor >= 0) ::close(descriptor);
            continue;
        }
        listener_ = descriptor;
    }
    ::freeaddrinfo(found);
    if (listener_ < 0) return failure(listenError(options, code));
    sockaddr_storage bound{};
    socklen_t length = sizeof(bound);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &length);
    port_ =
        ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                          : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return {};
}

void Server::State::serve(Engine& engine) {
    environment_.engine = &engine;
    environment_.clock = clock_.get();
    environment_.random = random_.get();
    environment_.throttle = &throttle_;
    environment_.tls = tls_.get();
    environment_.require_tls = options_.require_tls;
    environment_.trust = options_.trust;
    environment_.mock_secret.resize(32);
    random_->fill(environment_.mock_secret.data(), environment_.mock_secret.size());
    environment_.pause = [this](u32 milliseconds) { pause(milliseconds); };
    acceptor_ = std::thread([this] { acceptLoop(); });
}

void Server::State::wake() const {
    const u64 one = 1;
    // A full counter wakes the reader as well.
    static_cast<void>(!::write(wake_, &one, sizeof(one)));
}

void Server::State::pause(u32 milliseconds) {
    std::unique_lock lock(stop_mutex_);
    stop_changed_.wait_for(lock, std::chrono::milliseconds(milliseconds),
                           [&] { return stopping_.load(); });
}

void Server::State::stop() {
    {
        const std::lock_guard lock(stop_mutex_);
        stopping_ = true;
    }
    stop_changed_.notify_all();
    if (!acceptor_.joinable()) return;
    wake();
    acceptor_.join();
}

void Server::State::acceptLoop() {
    blockSignals();
    while (!stopping_) {
        pollfd waits[] = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
        ::poll(waits, 2, entries_.empty() ? -1 : kWatchMs);
        if ((waits[0].revents & POLLIN) != 0) {
            u64 count;
            static_cast<void>(!::read(wake_, &count, sizeof(count)));
        }
        if ((waits[1].revents & POLLIN) != 0 && !stopping_) acceptOne();
        watch();
    }
    ::close(listener_);
    listener_ = -1;
    // Draining: sessions that wait end now, busy ones after their statement or when time is up.
    const i64 deadline = clock_->monotonicNanos() + i64(options_.drain_ms) * 1'000'000;
    while (!entries_.empty()) {
        const bool late = clock_->monotonicNanos() >= deadline;
        for (Entry& entry : entries_) {
            entry.session->end(EndReason::kShutdown);
            if (late || entry.session->phase() != SessionPhase::kBusy) {
                entry.session->cancelStatement();
                entry.socket->endReading();
            }
            // A client that takes no bytes would hold its session for ever.
            if (clock_->monotonicNanos() >= deadline + 1'000'000'000) entry.socket->close();
        }
        pollfd wait{wake_, POLLIN, 0};
        ::poll(&wait, 1, 20);
        u64 count;
        static_cast<void>(!::read(wake_, &count, sizeof(count)));
        watch();
    }
}

bool Server::State::tooManyUnauthenticated(const Peer& peer) const {
    u32 all = 0;
    u32 same = 0;
    for (const Entry& entry : entries_) {
        if (entry.finished || entry.session->phase() != SessionPhase::kStarting) continue;
        ++all;
        if (!peer.loopback && entry.address == peer.address) ++same;
    }
    return all >= options_.max_unauthenticated || same >= options_.max_unauthenticated_per_address;
}

void Server::State::acceptOne() {
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const int descriptor =
        ::accept4(listener_, reinterpret_cast<sockaddr*>(&from), &length, SOCK_CLOEXEC);
    if (descriptor < 0) {
        // Out of descriptors: the client stays in the queue, and this loop must not spin over it.
        pollfd wait{wake_, POLLIN, 0};
        if (errno == EMFILE || errno == ENFILE) ::poll(&wait, 1, kWatchMs);
        return;
    }
    auto socket = std::make_unique<Socket>(descriptor);
    const Peer peer = peerOf(from);
    // No answer: whoever floods the server learns nothing, and nothing is spent on them.
    if (tooManyUnauthenticated(peer)) return;
    Entry& entry = entries_.emplace_back();
    entry.socket = std::move(socket);
    entry.address = peer.address;
    entry.loopback = peer.loopback;
    entry.started_nanos = clock_->monotonicNanos();
    entry.session =
        std::make_unique<Session>(environment_, *entry.socket, peer.address, peer.loopback);
    try {
        entry.thread = std::thread([this, &entry] {
            blockSignals();
            entry.session->run();
            // The client sees the end as soon as the session is over, not when it is collected.
            entry.socket->close();
            entry.finished = true;
            wake();
        });
    } catch (const std::system_error&) {
        entries_.pop_back(); // the machine has no thread left; the client sees a closed connection
    }
}

void Server::State::endSession(Entry& entry, EndReason reason) {
    entry.session->end(reason);
    if (entry.session->phase() == SessionPhase::kBusy) entry.session->cancelStatement();
    entry.socket->endReading();
}

void Server::State::watch() {
    const i64 now = clock_->monotonicNanos();
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = *at;
        if (entry.finished) {
            entry.thread.join();
            at = entries_.erase(at);
            continue;
        }
        ++at;
        switch (entry.session->phase()) {
        case SessionPhase::kStarting:
            if (now - entry.started_nanos > i64(options_.authentication_timeout_ms) * 1'000'000)
                endSession(entry, EndReason::kAuthenticationTimeout);
            break;
        case SessionPhase::kBusy:
            // Nobody waits for the answer any more; a session that still sends it must not wait
            // for a reader.
            if (entry.socket->peerGone()) {
                entry.session->cancelStatement();
                entry.socket->close();
            }
            [[fallthrough]];
        case SessionPhase::kWaiting:
            if (environment_.engine->terminated(entry.session->processId()))
                endSession(entry, EndReason::kTerminated);
            break;
        }
    }
}

Server::Server() : state_(std::make_unique<State>()) {}
Server::~Server() = default;

Status Server::listen(const ServerOptions& options) {
    return state_->listen(options);
}
void Server::serve(Engine& engine) {
    state_->serve(engine);
}
Status Server::start(Engine& engine, const ServerOptions& options) {
    BS_TRY(listen(options));
    serve(engine);
    return {};
}
u16 Server::port() const {
    return state_->port();
}
void Server::stop() {
    state_->stop();
}

} // namespace blueshift::session
