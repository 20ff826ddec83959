// wire_client.h: a client that speaks the protocol message by message, for tests of the server.
//
// Also sends what no driver would. Blocks; every read fails the test when the server closes early.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "session/message_reader.h"
#include "session/message_writer.h"
#include "session/transport.h"

namespace blueshift::session {

struct ServerMessage {
    char type;
    std::string body;
};

inline int connectTo(u16 port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    return descriptor;
}

class WireClient {
public:
    explicit WireClient(u16 port) : socket_(connectTo(port)), reader_(socket_), writer_(socket_) {}

    MessageWriter& out() { return writer_; }
    void send(std::string_view bytes) { REQUIRE(socket_.write(bytes).has_value()); }
    void flush() { REQUIRE(writer_.flush().has_value()); }

    void startup(std::vector<std::pair<std::string, std::string>> parameters, i32 code = 196608) {
        std::string packet(4, '\0');
        appendInt32(packet, code);
        for (const auto& [name, value] : parameters) packet += name + '\0' + value + '\0';
        packet += '\0';
        patchInt32(packet, 0, i32(packet.size()));
        send(packet);
    }
    /// Under --trust: reads up to the first ReadyForQuery.
    std::vector<ServerMessage> login(std::vector<std::pair<std::string, std::string>> more = {}) {
        std::vector<std::pair<std::string, std::string>> parameters = {{"user", "admin"},
                                                                       {"database", "dev"}};
        parameters.insert(parameters.end(), more.begin(), more.end());
        startup(parameters);
        return readToReady();
    }

    ServerMessage read() {
        Result<Message> message = reader_.read(true);
        REQUIRE(message.has_value());
        return {message->type, std::string(message->body)};
    }
    std::vector<ServerMessage> readToReady() {
        std::vector<ServerMessage> messages;
        do messages.push_back(read());
        while (messages.back().type != 'Z');
        return messages;
    }
    /// Everything until the server closes.
    std::vector<ServerMessage> readToEnd() {
        std::vector<ServerMessage> messages;
        while (true) {
            Result<Message> message = reader_.read(true);
            if (!message) return messages;
            messages.push_back({message->type, std::string(message->body)});
        }
    }
    std::vector<ServerMessage> query(std::string_view sql) {
        writer_.begin('Q');
        writer_.text(sql).end();
        flush();
        return readToReady();
    }

    void parse(std::string_view name, std::string_view sql, std::vector<i32> oids = {}) {
        writer_.begin('P');
        writer_.text(name).text(sql).int16(i16(oids.size()));
        for (const i32 oid : oids) writer_.int32(oid);
        writer_.end();
    }
    /// `binary`: both parameters and results.
    void bind(std::string_view portal, std::string_view name, std::vector<std::string> values,
              bool binary = false) {
        writer_.begin('B');
        writer_.text(portal).text(name).int16(1).int16(binary).int16(i16(values.size()));
        for (const std::string& value : values) writer_.int32(i32(value.size())).bytes(value);
        writer_.int16(1).int16(binary).end();
    }
    void describe(char what, std::string_view name) {
        writer_.begin('D');
        writer_.byte(what).text(name).end();
    }
    void execute(std::string_view portal, i32 limit = 0) {
        writer_.begin('E');
        writer_.text(portal).int32(limit).end();
    }
    std::vector<ServerMessage> sync() {
        writer_.empty('S');
        flush();
        return readToReady();
    }

    Socket& socket() { return socket_; }

private:
    Socket socket_;
    MessageReader reader_;
    MessageWriter writer_;
};

inline std::string typesOf(const std::vector<ServerMessage>& messages) {
    std::string types;
    for (const ServerMessage& message : messages) types += message.type;
    return types;
}
/// A field of an ErrorResponse or NoticeResponse; empty when missing.
inline std::string errorField(const ServerMessage& message, char field) {
    FieldReader fields(message.body);
    while (true) {
        const char name = char(fields.readByte());
        if (name == '\0') return "";
        const std::string_view value = fields.readText();
        if (name == field) return std::string(value);
    }
}
/// The fields of a DataRow; NULL as "<null>".
inline std::vector<std::string> rowOf(const ServerMessage& message) {
    FieldReader fields(message.body);
    std::vector<std::string> row(size_t(fields.readInt16()));
    for (std::string& value : row) {
        const i32 length = fields.readInt32();
        value = length < 0 ? "<null>" : std::string(fields.readBytes(size_t(length)));
    }
    REQUIRE(fields.complete());
    return row;
}

} // namespace blueshift::session
