#include "session/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace blueshift::session {

namespace {
Error brokenConnection(const char* what) {
    return {sqlstate::kConnectionException,
            std::string("could not ") + what + " client: " + std::strerror(errno)};
}
} // namespace

Socket::Socket(int descriptor) : descriptor_(descriptor) {
    const int on = 1;
    // Answers leave in one write, so Nagle's delay can only hurt. Unix sockets refuse; no matter.
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(descriptor_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

Socket::~Socket() {
    ::close(descriptor_);
}

Result<size_t> Socket::read(std::span<char> into) {
    while (true) {
        const ssize_t count = ::recv(descriptor_, into.data(), into.size(), 0);
        if (count >= 0) return size_t(count);
        if (errno != EINTR) return failure(brokenConnection("read from"));
    }
}

bool Socket::readable(u32 milliseconds) const {
    pollfd entry{descriptor_, POLLIN, 0};
    return ::poll(&entry, 1, int(milliseconds)) != 0;
}

Status Socket::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(size_t(count));
        } else if (errno != EINTR) {
            return failure(brokenConnection("write to"));
        }
    }
    return {};
}

void Socket::endReading() {
    ::shutdown(descriptor_, SHUT_RD);
}
void Socket::close() {
    ::shutdown(descriptor_, SHUT_RDWR);
}

bool Socket::peerGone() const {
    pollfd entry{descriptor_, POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

} // namespace blueshift::session
