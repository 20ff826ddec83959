#include "session/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <vector>

#include "base/check.h"

namespace blueshift::session {

namespace {
const unsigned char* asBytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* asBytes(char* text) {
    return reinterpret_cast<unsigned char*>(text);
}
} // namespace

Sha256 sha256(std::string_view bytes) {
    Sha256 digest;
    unsigned int length = 0;
    const int ok = EVP_Digest(bytes.data(), bytes.size(), asBytes(digest.data()), &length,
                              EVP_sha256(), nullptr);
    BS_CHECK(ok == 1 && length == digest.size(), "SHA-256 is not available");
    return digest;
}

Sha256 hmacSha256(std::string_view key, std::string_view bytes) {
    Sha256 digest;
    unsigned int length = 0;
    const auto* done = HMAC(EVP_sha256(), key.data(), int(key.size()), asBytes(bytes), bytes.size(),
                            asBytes(digest.data()), &length);
    BS_CHECK(done != nullptr && length == digest.size(), "HMAC is not available");
    return digest;
}

Sha256 saltedPassword(std::string_view password, std::string_view salt, u32 iterations) {
    Sha256 key;
    const int ok =
        PKCS5_PBKDF2_HMAC(password.data(), int(password.size()), asBytes(salt), int(salt.size()),
                          int(iterations), EVP_sha256(), int(key.size()), asBytes(key.data()));
    BS_CHECK(ok == 1, "PBKDF2 is not available");
    return key;
}

std::string md5Hex(std::string_view bytes) {
    char digest[16];
    unsigned int length = 0;
    const int ok =
        EVP_Digest(bytes.data(), bytes.size(), asBytes(digest), &length, EVP_md5(), nullptr);
    BS_CHECK(ok == 1 && length == sizeof(digest), "MD5 is not available");
    return toHex({digest, sizeof(digest)});
}

std::string toHex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        hex += kDigits[u8(byte) >> 4];
        hex += kDigits[u8(byte) & 15];
    }
    return hex;
}

std::optional<std::string> fromHex(std::string_view hex) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    if (hex.size() % 2 != 0) return {};
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2) {
        const int high = digit(hex[i]);
        const int low = digit(hex[i + 1]);
        if (high < 0 || low < 0) return {};
        bytes += char(high << 4 | low);
    }
    return bytes;
}

std::string toBase64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = EVP_EncodeBlock(asBytes(text.data()), asBytes(bytes), int(bytes.size()));
    text.resize(size_t(length));
    return text;
}

std::optional<std::string> fromBase64(std::string_view text) {
    if (text.empty()) return std::string();
    if (text.size() % 4 != 0) return {};
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                            (c >= '0' && c <= '9') || c == '+' || c == '/';
        const bool padding = c == '=' && i + 2 >= text.size() && text.back() == '=';
        if (!letter && !padding) return {};
    }
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length = EVP_DecodeBlock(asBytes(bytes.data()), asBytes(text), int(text.size()));
    if (length < 0) return {};
    const size_t padding = (text.ends_with("==")) ? 2 : text.ends_with('=') ? 1 : 0;
    bytes.resize(size_t(length) - padding);
    return bytes;
}

bool sameSecret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string saslPrep(std::string_view password) {
    bool ascii = true;
    for (const char c : password) ascii = ascii && c >= ' ' && c < 127;
    if (ascii) return std::string(password);
    UErrorCode status = U_ZERO_ERROR;
    std::vector<UChar> source(password.size() + 1);
    i32 length = 0;
    u_strFromUTF8(source.data(), i32(source.size()), &length, password.data(), i32(password.size()),
                  &status);
    UStringPrepProfile* profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &status);
    if (U_FAILURE(status)) return std::string(password);
    // Compatibility normalisation makes at most 18 units of one.
    std::vector<UChar> prepared(size_t(length) * 18 + 1);
    const i32 prepared_length =
        usprep_prepare(profile, source.data(), length, prepared.data(), i32(prepared.size()),
                       USPREP_DEFAULT, nullptr, &status);
    usprep_close(profile);
    std::string result(size_t(prepared_length > 0 ? prepared_length : 0) * 3 + 1, '\0');
    i32 bytes = 0;
    if (U_SUCCESS(status))
        u_strToUTF8(result.data(), i32(result.size()), &bytes, prepared.data(), prepared_length,
                    &status);
    if (U_FAILURE(status)) return std::string(password);
    result.resize(size_t(bytes));
    return result;
}

} // namespace blueshift::session
