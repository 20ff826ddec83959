// scram.h: the server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677).
//
//   client-first  ->  ScramExchange::first   ->  server-first
//   client-final  ->  ScramExchange::final   ->  server-final, or a failed proof
//
// Unknown users run through the same exchange with a mock verifier, which no password fits, so that
// neither answers nor time tell whether a name exists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "session/crypto.h"

namespace blueshift::session {

struct ScramVerifier {
    u32 iterations = 0;
    std::string salt;
    Sha256 stored_key{};
    Sha256 server_key{};
};

inline constexpr u32 kScramIterations = 10'000;

ScramVerifier makeScramVerifier(std::string_view password, std::string_view salt, u32 iterations);
/// SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>, as PostgreSQL writes it.
std::string formatScramVerifier(const ScramVerifier& verifier);
std::optional<ScramVerifier> parseScramVerifier(std::string_view text);
/// The same salt for the same name, keyed by a secret of the server.
ScramVerifier mockScramVerifier(std::string_view secret, std::string_view user);

class ScramExchange {
public:
    /// `server_nonce`: printable, without commas. `mock`: no proof is accepted.
    ScramExchange(ScramVerifier verifier, std::string server_nonce, bool mock)
        : verifier_(std::move(verifier)), server_nonce_(std::move(server_nonce)), mock_(mock) {}

    /// 08P01 for malformed messages.
    Result<std::string> first(std::string_view client_first);
    /// Nothing when the password was wrong; 08P01 for malformed messages.
    Result<std::optional<std::string>> final(std::string_view client_final);

private:
    ScramVerifier verifier_;
    std::string server_nonce_;
    bool mock_;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
};

} // namespace blueshift::session
