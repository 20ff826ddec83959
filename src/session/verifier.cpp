#include "session/verifier.h"

#include <charconv>
#include <chrono>
#include <memory>

#include "base/clock.h"
#include "session/crypto.h"
#include "session/scram.h"
#include "statement.h"

namespace blueshift {

PasswordVerifiers makeVerifiers(std::string_view user, std::string_view password) {
    const std::unique_ptr<Random> random = makeSystemRandom();
    std::string salt(16, '\0');
    random->fill(salt.data(), salt.size());
    std::string digest_salt(16, '\0');
    random->fill(digest_salt.data(), digest_salt.size());
    const std::string text(password);
    return {
        .scram = session::formatScramVerifier(
            session::makeScramVerifier(password, salt, session::kScramIterations)),
        .md5 = "md5" + session::md5Hex(text + std::string(user)),
        .digest = "sha256|" + session::toHex(session::asView(session::sha256(text + digest_salt))) +
                  "|" + session::toHex(digest_salt),
    };
}

} // namespace blueshift

namespace blueshift::session {

bool md5ResponseFits(std::string_view response, std::string_view verifier, std::string_view salt) {
    if (!verifier.starts_with("md5")) return false;
    const std::string expected =
        "md5" + md5Hex(std::string(verifier.substr(3)) + std::string(salt));
    return sameSecret(response, expected);
}

std::optional<DigestVerifier> parseDigestVerifier(std::string_view text) {
    constexpr std::string_view kScheme = "sha256|";
    if (!text.starts_with(kScheme)) return {};
    text.remove_prefix(kScheme.size());
    const size_t bar = text.find('|');
    if (bar == text.npos) return {};
    auto digest = fromHex(text.substr(0, bar));
    auto salt = fromHex(text.substr(bar + 1));
    if (!digest || !salt || digest->size() != sizeof(Sha256)) return {};
    return DigestVerifier{std::move(*digest), std::move(*salt)};
}

bool digestResponseFits(std::string_view response, const DigestVerifier& verifier,
                        std::string_view server_nonce, std::string_view client_nonce) {
    const Sha256 expected =
        sha256(verifier.digest + std::string(server_nonce) + std::string(client_nonce));
    return sameSecret(response, asView(expected));
}

namespace {

/// Reads digits, then skips one separator; false when there are none.
bool takeNumber(std::string_view& text, i64& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return false;
    text.remove_prefix(size_t(end - text.data()));
    return true;
}
bool takeCharacter(std::string_view& text, char expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

bool hasExpired(std::string_view valid_until, i64 now_micros) {
    std::string_view rest = valid_until;
    i64 year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone = 0, zone_minute = 0;
    if (!takeNumber(rest, year) || !takeCharacter(rest, '-') || !takeNumber(rest, month) ||
        !takeCharacter(rest, '-') || !takeNumber(rest, day))
        return false;
    if (takeCharacter(rest, ' ') || takeCharacter(rest, 'T')) {
        if (!takeNumber(rest, hour) || !takeCharacter(rest, ':') || !takeNumber(rest, minute))
            return false;
        if (takeCharacter(rest, ':') && !takeNumber(rest, second)) return false;
        while (!rest.empty() && (rest[0] == '.' || (rest[0] >= '0' && rest[0] <= '9')))
            rest.remove_prefix(1);
        const i64 sign = rest.starts_with('-') ? -1 : 1;
        if (takeCharacter(rest, '+') || takeCharacter(rest, '-')) {
            if (!takeNumber(rest, zone)) return false;
            if (takeCharacter(rest, ':') && !takeNumber(rest, zone_minute)) return false;
            zone = sign * (zone * 60 + zone_minute);
        }
    }
    const auto days =
        std::chrono::sys_days(std::chrono::year(int(year)) / std::chrono::month(unsigned(month)) /
                              std::chrono::day(unsigned(day)));
    constexpr auto kEpoch = std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);
    const i64 seconds =
        i64((days - kEpoch).count()) * 86'400 + hour * 3600 + (minute - zone) * 60 + second;
    return now_micros >= seconds * 1'000'000;
}

} // namespace blueshift::session
