#include "session/scram.h"

#include <charconv>
#include <cstring>

namespace blueshift::session {

namespace {

std::unexpected<Error> malformed(const char* what) {
    return failure(Error(sqlstate::kProtocolViolation, "malformed SCRAM message")
                       .withDetail(std::string(what)));
}

/// Takes `name=value` off the front of a comma-separated list.
std::optional<std::string_view> takeAttribute(std::string_view& rest, char name) {
    if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return {};
    const size_t comma = rest.find(',');
    const std::string_view value = rest.substr(2, comma == rest.npos ? rest.npos : comma - 2);
    rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    return value;
}

Sha256 asSha256(std::string_view bytes) {
    Sha256 digest;
    std::memcpy(digest.data(), bytes.data(), digest.size());
    return digest;
}

} // namespace

ScramVerifier makeScramVerifier(std::string_view password, std::string_view salt, u32 iterations) {
    const Sha256 salted = saltedPassword(saslPrep(password), salt, iterations);
    const Sha256 client_key = hmacSha256(asView(salted), "Client Key");
    return {.iterations = iterations,
            .salt = std::string(salt),
            .stored_key = sha256(asView(client_key)),
            .server_key = hmacSha256(asView(salted), "Server Key")};
}

std::string formatScramVerifier(const ScramVerifier& verifier) {
    return "SCRAM-SHA-256$" + std::to_string(verifier.iterations) + ":" + toBase64(verifier.salt) +
           "$" + toBase64(asView(verifier.stored_key)) + ":" +
           toBase64(asView(verifier.server_key));
}

std::optional<ScramVerifier> parseScramVerifier(std::string_view text) {
    constexpr std::string_view kScheme = "SCRAM-SHA-256$";
    if (!text.starts_with(kScheme)) return {};
    text.remove_prefix(kScheme.size());
    const size_t colon = text.find(':');
    const size_t dollar = text.find('$');
    const size_t second_colon = text.find(':', dollar == text.npos ? 0 : dollar);
    if (colon == text.npos || dollar == text.npos || second_colon == text.npos || colon > dollar)
        return {};
    u32 iterations = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + colon, iterations);
    if (error != std::errc() || end != text.data() + colon || iterations < 1 ||
        iterations > 10'000'000)
        return {};
    const auto salt = fromBase64(text.substr(colon + 1, dollar - colon - 1));
    const auto stored = fromBase64(text.substr(dollar + 1, second_colon - dollar - 1));
    const auto server = fromBase64(text.substr(second_colon + 1));
    if (!salt || !stored || !server || salt->empty() || stored->size() != sizeof(Sha256) ||
        server->size() != sizeof(Sha256))
        return {};
    return ScramVerifier{iterations, *salt, asSha256(*stored), asSha256(*server)};
}

ScramVerifier mockScramVerifier(std::string_view secret, std::string_view user) {
    const Sha256 salt = hmacSha256(secret, user);
    return {.iterations = kScramIterations, .salt = std::string(salt.data(), 16)};
}

Result<std::string> ScramExchange::first(std::string_view client_first) {
    // gs2 header: "n" or "y" (no channel binding), a comma, an optional authorisation name, a
    // comma.
    if (client_first.starts_with("p="))
        return malformed("Channel binding was requested, but it was not offered.");
    if (client_first.size() < 3 || (client_first[0] != 'n' && client_first[0] != 'y') ||
        client_first[1] != ',')
        return malformed("The header must begin with n or y.");
    const size_t header_end = client_first.find(',', 2);
    if (header_end == client_first.npos) return malformed("The header has no end.");
    if (header_end != 2) return malformed("An authorisation identity is not supported.");
    gs2_header_ = client_first.substr(0, header_end + 1);
    client_first_bare_ = client_first.substr(header_end + 1);

    std::string_view rest = client_first_bare_;
    if (!takeAttribute(rest, 'n')) return malformed("The user name is missing.");
    const auto client_nonce = takeAttribute(rest, 'r');
    if (!client_nonce || client_nonce->empty()) return malformed("The client's nonce is missing.");
    for (const char c : *client_nonce)
        if (c < 0x21 || c > 0x7E) return malformed("The client's nonce is not printable.");
    nonce_ = std::string(*client_nonce) + server_nonce_;
    server_first_ = "r=" + nonce_ + ",s=" + toBase64(verifier_.salt) +
                    ",i=" + std::to_string(verifier_.iterations);
    return server_first_;
}

Result<std::optional<std::string>> ScramExchange::final(std::string_view client_final) {
    const size_t proof_at = client_final.rfind(",p=");
    if (proof_at == client_final.npos) return malformed("The proof is missing.");
    const std::string_view without_proof = client_final.substr(0, proof_at);
    std::string_view rest = without_proof;
    const auto binding = takeAttribute(rest, 'c');
    if (!binding || *binding != toBase64(gs2_header_))
        return malformed("The channel binding does not match the first message.");
    const auto nonce = takeAttribute(rest, 'r');
    if (!nonce || !sameSecret(*nonce, nonce_))
        return malformed("The nonce does not match the first message.");
    const auto proof = fromBase64(client_final.substr(proof_at + 3));
    if (!proof || proof->size() != sizeof(Sha256))
        return malformed("The proof has a wrong length.");

    const std::string message =
        client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
    const Sha256 client_signature = hmacSha256(asView(verifier_.stored_key), message);
    Sha256 client_key;
    for (size_t i = 0; i < client_key.size(); ++i)
        client_key[i] = char((*proof)[i] ^ client_signature[i]);
    const bool fits = sameSecret(asView(sha256(asView(client_key))), asView(verifier_.stored_key));
    if (!fits || mock_) return std::optional<std::string>();
    return "v=" + toBase64(asView(hmacSha256(asView(verifier_.server_key), message)));
}

} // namespace blueshift::session
