#include "session/authentication.h"

#include "session/crypto.h"
#include "session/scram.h"
#include "session/verifier.h"

namespace blueshift::session {

namespace {

constexpr i32 kRequestMd5 = 5;
constexpr i32 kRequestSasl = 10;
constexpr i32 kRequestSaslContinue = 11;
constexpr i32 kRequestSaslFinal = 12;
constexpr i32 kRequestDigest = 13;
constexpr std::string_view kScramName = "SCRAM-SHA-256";

std::unexpected<Error> malformedAnswer(std::string detail) {
    return failure(Error(sqlstate::kProtocolViolation, "malformed authentication message")
                       .withDetail(std::move(detail)));
}

} // namespace

Status Authentication::run(std::string_view user, const std::optional<UserCredentials>& credentials,
                           bool redshift_driver, i64 now_micros) {
    static const UserCredentials kNobody;
    const UserCredentials& known = credentials ? *credentials : kNobody;
    const bool only_md5 = known.digest_verifier.empty() && !known.md5_verifier.empty();
    Result<bool> fits = !redshift_driver ? runScram(user, known.scram_verifier)
                        : only_md5       ? runMd5(known.md5_verifier)
                                         : runDigest(user, known.digest_verifier);
    if (!fits) return failure(std::move(fits.error()));
    if (*fits && credentials && !hasExpired(known.valid_until, now_micros)) return {};
    return failure(Error(sqlstate::kInvalidPassword,
                         "password authentication failed for user \"" + std::string(user) + "\"")
                       .withHint("Check the user name and the password."));
}

void Authentication::beginRequest(i32 code) {
    writer_->begin('R');
    writer_->int32(code);
}

std::string Authentication::randomBytes(size_t count) {
    std::string bytes(count, '\0');
    random_->fill(bytes.data(), count);
    return bytes;
}

Result<std::string_view> Authentication::readAnswer(char type) {
    BS_TRY(writer_->flush());
    BS_ASSIGN(const Message message, reader_->read(false));
    if (message.type == 'X')
        return failure(sqlstate::kConnectionException, "the client closed the connection");
    if (message.type != type) return malformedAnswer("A password message was expected.");
    return message.body;
}

Result<bool> Authentication::runScram(std::string_view user, std::string_view verifier_text) {
    const std::optional<ScramVerifier> verifier = parseScramVerifier(verifier_text);
    ScramExchange exchange(verifier ? *verifier : mockScramVerifier(secret_, user),
                           toBase64(randomBytes(18)), !verifier);
    beginRequest(kRequestSasl);
    writer_->text(kScramName).byte('\0').end();

    BS_ASSIGN(const std::string_view initial, readAnswer('p'));
    FieldReader fields(initial);
    const std::string_view mechanism = fields.readText();
    const i32 length = fields.readInt32();
    if (fields.failed() || length < 0 || size_t(length) != fields.rest().size())
        return malformedAnswer("The first SASL message has no valid length.");
    if (mechanism != kScramName)
        return malformedAnswer("The client chose a mechanism that was not offered.");
    BS_ASSIGN(const std::string server_first, exchange.first(fields.rest()));
    beginRequest(kRequestSaslContinue);
    writer_->bytes(server_first).end();

    BS_ASSIGN(const std::string_view response, readAnswer('p'));
    BS_ASSIGN(const std::optional<std::string> server_final, exchange.final(response));
    if (!server_final) return false;
    beginRequest(kRequestSaslFinal);
    writer_->bytes(*server_final).end();
    return true;
}

Result<bool> Authentication::runMd5(std::string_view verifier) {
    const std::string salt = randomBytes(4);
    beginRequest(kRequestMd5);
    writer_->bytes(salt).end();
    BS_ASSIGN(const std::string_view answer, readAnswer('p'));
    if (!answer.ends_with('\0')) return malformedAnswer("The password has no end.");
    return md5ResponseFits(answer.substr(0, answer.size() - 1), verifier, salt);
}

Result<bool> Authentication::runDigest(std::string_view user, std::string_view verifier_text) {
    const std::optional<DigestVerifier> verifier = parseDigestVerifier(verifier_text);
    const DigestVerifier used =
        verifier ? *verifier
                 : DigestVerifier{std::string(sizeof(Sha256), '\0'),
                                  std::string(asView(hmacSha256(secret_, user)).substr(0, 16))};
    const std::string nonce = randomBytes(16);
    beginRequest(kRequestDigest);
    writer_->int32(0)
        .int32(i32(used.salt.size()))
        .bytes(used.salt)
        .int32(i32(nonce.size()))
        .bytes(nonce)
        .end();
    BS_ASSIGN(const std::string_view answer, readAnswer('d'));
    FieldReader fields(answer);
    const i32 digest_length = fields.readInt32();
    const std::string_view digest = fields.readBytes(size_t(u32(digest_length)));
    const i32 nonce_length = fields.readInt32();
    const std::string_view client_nonce = fields.readBytes(size_t(u32(nonce_length)));
    if (!fields.complete() || digest_length < 0 || nonce_length < 0)
        return malformedAnswer("The digest has no valid length.");
    return digestResponseFits(digest, used, nonce, client_nonce) && verifier.has_value();
}

} // namespace blueshift::session
