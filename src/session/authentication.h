// authentication.h: asks a client for proof of its password.
//
// Redshift's drivers (they send client_protocol_version) get digest 13, or MD5 where the user has
// nothing better; everybody else gets SCRAM-SHA-256, whatever the user has. Which request is sent
// to an unknown user depends on the client only, and the answer is checked against a mock verifier,
// so that names cannot be probed. Errors: 28P01 with the same text whatever was wrong, 08P01 for
// malformed messages.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "session/message_reader.h"
#include "session/message_writer.h"
#include "statement.h"

namespace blueshift::session {

class Authentication {
public:
    /// `secret`: the server's, for mock salts.
    Authentication(MessageReader& reader, MessageWriter& writer, Random& random,
                   std::string_view secret)
        : reader_(&reader), writer_(&writer), random_(&random), secret_(secret) {}

    /// Success leaves AuthenticationOk unsent.
    Status run(std::string_view user, const std::optional<UserCredentials>& credentials,
               bool redshift_driver, i64 now_micros);

private:
    Result<bool> runScram(std::string_view user, std::string_view verifier);
    Result<bool> runMd5(std::string_view verifier);
    Result<bool> runDigest(std::string_view user, std::string_view verifier);
    Result<std::string_view> readAnswer(char type);
    void beginRequest(i32 code);
    std::string randomBytes(size_t count);

    MessageReader* reader_;
    MessageWriter* writer_;
    Random* random_;
    std::string_view secret_;
};

} // namespace blueshift::session
