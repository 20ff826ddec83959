// verifier.h: checks of passwords by stored verifiers: MD5 and Redshift's digest.
//
// makeVerifiers() of statement.h is implemented in verifier.cpp too. SCRAM has scram.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace blueshift::session {

/// The answer of an MD5 client: md5 of the verifier's hex digits and the salt. `verifier`:
/// md5<hex>.
bool md5ResponseFits(std::string_view response, std::string_view verifier, std::string_view salt);

/// sha256|<hex digest>|<hex salt>, the digest being SHA-256 of password and salt.
struct DigestVerifier {
    std::string digest;
    std::string salt;
};
std::optional<DigestVerifier> parseDigestVerifier(std::string_view text);
bool digestResponseFits(std::string_view response, const DigestVerifier& verifier,
                        std::string_view server_nonce, std::string_view client_nonce);

/// True once a moment of VALID UNTIL (ISO timestamp, UTC when it names no zone) has passed. Empty,
/// `infinity` and unreadable texts: never; the catalog checks them when they are stored.
bool hasExpired(std::string_view valid_until, i64 now_micros);

} // namespace blueshift::session
