#include "session/startup.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "session/message_reader.h"

namespace blueshift::session {

namespace {

constexpr i32 kCancelCode = 80877102;
constexpr i32 kTlsCode = 80877103;
constexpr i32 kGssCode = 80877104;

std::unexpected<Error> malformedStartup(std::string detail) {
    return failure(Error(sqlstate::kProtocolViolation, "invalid startup packet layout")
                       .withDetail(std::move(detail)));
}

/// Splits at blanks; a backslash keeps the next character.
std::vector<std::string> splitOptions(std::string_view options) {
    std::vector<std::string> words;
    bool open = false;
    for (size_t i = 0; i < options.size(); ++i) {
        const char c = options[i];
        if (std::isspace(u8(c))) {
            open = false;
            continue;
        }
        if (!open) words.emplace_back();
        open = true;
        words.back() += c == '\\' && i + 1 < options.size() ? options[++i] : c;
    }
    return words;
}

/// `-c name=value`, `-cname=value` and `--name=value` of libpq's options; others are ignored.
void addOptions(std::string_view options, StartupPacket& packet) {
    const std::vector<std::string> words = splitOptions(options);
    for (size_t i = 0; i < words.size(); ++i) {
        std::string assignment;
        if (words[i] == "-c" && i + 1 < words.size()) {
            assignment = words[++i];
        } else if (words[i].starts_with("-c") || words[i].starts_with("--")) {
            assignment = words[i].substr(2);
        }
        const size_t equals = assignment.find('=');
        if (equals == std::string::npos || equals == 0) continue;
        std::string name = assignment.substr(0, equals);
        std::ranges::replace(name, '-', '_');
        packet.settings.emplace_back(std::move(name), assignment.substr(equals + 1));
    }
}

Status checkEncoding(std::string_view value) {
    std::string name;
    for (const char c : value)
        if (std::isalnum(u8(c))) name += char(std::tolower(u8(c)));
    if (name.empty() || name == "utf8" || name == "unicode" || name == "auto" || name == "sqlascii")
        return {};
    return failure(Error(sqlstate::kInvalidParameterValue,
                         "client encoding \"" + std::string(value) + "\" is not supported")
                       .withHint("Set client_encoding to UTF8."));
}

Status addParameter(std::string_view name, std::string_view value, StartupPacket& packet) {
    if (name == "user") {
        packet.user = value;
    } else if (name == "database") {
        packet.database = value;
    } else if (name == "client_protocol_version") {
        i32 version = 0;
        std::from_chars(value.data(), value.data() + value.size(), version);
        packet.client_protocol_version = std::max(version, 0);
    } else if (name == "options") {
        addOptions(value, packet);
    } else if (name == "client_encoding") {
        return checkEncoding(value);
    } else if (name == "replication") {
        if (value != "false" && value != "off" && value != "0" && value != "no")
            return failure(sqlstate::kFeatureNotSupported,
                           "replication connections are not supported");
    } else if (name.starts_with("_pq_.")) {
        packet.unknown_options.emplace_back(name);
    } else {
        if (name == "application_name") packet.application_name = value;
        packet.settings.emplace_back(name, value);
    }
    return {};
}

} // namespace

Result<StartupPacket> parseStartup(std::string_view body) {
    FieldReader reader(body);
    const i32 code = reader.readInt32();
    StartupPacket packet;
    if (code == kTlsCode || code == kGssCode) {
        if (!reader.complete()) return malformedStartup("An encryption request has no parameters.");
        packet.kind = code == kTlsCode ? StartupKind::kTls : StartupKind::kGss;
        return packet;
    }
    if (code == kCancelCode) {
        packet.kind = StartupKind::kCancel;
        packet.process_id = reader.readInt32();
        packet.cancel_key = u32(reader.readInt32());
        if (!reader.complete()) return malformedStartup("A cancel request has 16 bytes.");
        return packet;
    }
    if (code >> 16 != 3)
        return failure(Error(sqlstate::kFeatureNotSupported,
                             "unsupported frontend protocol " + std::to_string(u32(code) >> 16) +
                                 "." + std::to_string(code & 0xFFFF))
                           .withDetail("The server supports protocol 3.0."));
    packet.minor_version = u32(code) & 0xFFFF;
    while (true) {
        const std::string_view name = reader.readText();
        if (reader.failed()) return malformedStartup("The final zero byte is missing.");
        if (name.empty()) break;
        const std::string_view value = reader.readText();
        if (reader.failed())
            return malformedStartup("Parameter \"" + std::string(name) + "\" has no value.");
        BS_TRY(addParameter(name, value, packet));
    }
    if (!reader.complete()) return malformedStartup("Bytes follow the final zero byte.");
    if (packet.user.empty())
        return failure(sqlstate::kInvalidAuthorization,
                       "no user name was given in the startup packet");
    if (packet.database.empty()) packet.database = packet.user;
    return packet;
}

} // namespace blueshift::session
