// crypto.h: the few cryptographic steps of password authentication, over OpenSSL.
//
// Used by: verifier.cpp (makes what is stored), scram.cpp, authentication.cpp. No state.
// Comparisons of secrets go through sameSecret, whose time does not depend on the contents.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace blueshift::session {

using Sha256 = std::array<char, 32>;

inline std::string_view asView(const Sha256& digest) {
    return {digest.data(), digest.size()};
}

Sha256 sha256(std::string_view bytes);
Sha256 hmacSha256(std::string_view key, std::string_view bytes);
/// PBKDF2 with HMAC-SHA-256: SCRAM's Hi().
Sha256 saltedPassword(std::string_view password, std::string_view salt, u32 iterations);
/// Lower-case hexadecimal MD5.
std::string md5Hex(std::string_view bytes);

std::string toHex(std::string_view bytes);
std::optional<std::string> fromHex(std::string_view hex);
std::string toBase64(std::string_view bytes);
std::optional<std::string> fromBase64(std::string_view text);

bool sameSecret(std::string_view a, std::string_view b);

/// RFC 4013; the bytes unchanged where the profile forbids them or they are no UTF-8, as clients
/// do.
std::string saslPrep(std::string_view password);

} // namespace blueshift::session
