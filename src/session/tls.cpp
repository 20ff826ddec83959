#include "session/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace blueshift::session {

namespace {

std::string lastTlsError() {
    char text[256];
    const unsigned long code = ERR_get_error();
    ERR_error_string_n(code, text, sizeof(text));
    ERR_clear_error();
    return code == 0 ? "the connection was closed" : text;
}

class TlsTransport final : public Transport {
public:
    TlsTransport(SSL* tls, const Socket& socket) : tls_(tls), socket_(socket) {}
    ~TlsTransport() override {
        SSL_shutdown(tls_);
        SSL_free(tls_);
    }

    bool readable(u32 milliseconds) const override {
        return SSL_pending(tls_) > 0 || socket_.readable(milliseconds);
    }
    Result<size_t> read(std::span<char> into) override {
        size_t count = 0;
        if (SSL_read_ex(tls_, into.data(), into.size(), &count) == 1) return count;
        const int error = SSL_get_error(tls_, 0);
        if (error == SSL_ERROR_ZERO_RETURN) return size_t(0);
        // A peer that leaves without saying goodbye, or endReading().
        if (error == SSL_ERROR_SYSCALL || error == SSL_ERROR_SSL) {
            const std::string text = lastTlsError();
            if (text.find("unexpected eof") != text.npos || error == SSL_ERROR_SYSCALL)
                return size_t(0);
            return failure(sqlstate::kConnectionException, "could not read from client: " + text);
        }
        return failure(sqlstate::kConnectionException, "could not read from client");
    }

    Status write(std::string_view bytes) override {
        while (!bytes.empty()) {
            size_t count = 0;
            if (SSL_write_ex(tls_, bytes.data(), bytes.size(), &count) != 1)
                return failure(sqlstate::kConnectionException,
                               "could not write to client: " + lastTlsError());
            bytes.remove_prefix(count);
        }
        return {};
    }

private:
    SSL* tls_;
    const Socket& socket_;
};

std::unexpected<Error> badFile(const char* what, const std::string& file) {
    return failure(Error(sqlstate::kConfigFileError,
                         std::string("could not load ") + what + " file \"" + file + "\"")
                       .withDetail(lastTlsError())
                       .withHint("Give a readable PEM file."));
}

} // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                     const std::string& key_file) {
    SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
    if (raw == nullptr) return failure(sqlstate::kInternalError, "TLS: " + lastTlsError());
    std::unique_ptr<TlsContext> context(new TlsContext(raw));
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(
        raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
        return failure(sqlstate::kInternalError, "TLS: " + lastTlsError());
    if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1)
        return badFile("certificate", certificate_file);
    if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(raw) != 1)
        return badFile("private key", key_file);
    return context;
}

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

Result<std::unique_ptr<Transport>> TlsContext::wrap(const Socket& socket) const {
    SSL* tls = SSL_new(context_);
    if (tls == nullptr || SSL_set_fd(tls, socket.descriptor()) != 1 || SSL_accept(tls) != 1) {
        std::string text = lastTlsError();
        SSL_free(tls);
        return failure(sqlstate::kConnectionException, "TLS handshake failed: " + text);
    }
    return std::make_unique<TlsTransport>(tls, socket);
}

} // namespace blueshift::session
