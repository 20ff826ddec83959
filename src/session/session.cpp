#include "session/session.h"

#include "session/tls.h"

namespace blueshift::session {

namespace {

bool isProtocolViolation(const Error& error) {
    return error.sqlstate == sqlstate::kProtocolViolation;
}
bool isVanishedClient(const Error& error) {
    return error.sqlstate == sqlstate::kConnectionException;
}

/// The highest client_protocol_version this server grants to Redshift's drivers.
constexpr i32 kDriverProtocol = 2;

} // namespace

Session::Session(const SessionEnvironment& environment, Transport& transport, std::string address,
                 bool loopback)
    : environment_(environment),
      transport_(&transport),
      reader_(transport),
      writer_(transport),
      copy_stream_(reader_),
      address_(std::move(address)),
      loopback_(loopback) {}

Session::~Session() {
    dropConnection();
}

void Session::run() {
    try {
        serve();
    } catch (const std::exception& error) {
        // Nothing that the engine or this session throws may end the process.
        sendFatal({sqlstate::kInternalError, std::string("internal error: ") + error.what()});
    }
    dropConnection();
    tls_transport_.reset(); // says goodbye while the socket is still open
}

void Session::serve() {
    const Result<bool> started = start();
    if (!started) {
        // A reader woken by end() sees a closed connection; the true reason is told instead.
        if (end_reason_ != EndReason::kNone) sendFatal(endError());
        else if (!isVanishedClient(started.error())) sendFatal(started.error());
    } else if (*started) {
        loop();
    }
}

void Session::dropConnection() {
    portals_.clear();
    statements_.clear();
    const std::lock_guard lock(connection_mutex_);
    connection_.reset();
}

void Session::end(EndReason reason) {
    EndReason none = EndReason::kNone;
    end_reason_.compare_exchange_strong(none, reason);
}

void Session::cancelStatement() {
    const std::lock_guard lock(connection_mutex_);
    if (connection_) connection_->cancel();
}

Error Session::endError() const {
    switch (end_reason_.load()) {
    case EndReason::kAuthenticationTimeout:
        return {sqlstate::kInvalidAuthorization, "canceling authentication due to timeout"};
    case EndReason::kTerminated:
        return {sqlstate::kAdminShutdown, "terminating connection due to administrator command"};
    default:
        return Error(sqlstate::kAdminShutdown, "terminating connection because the server stops")
            .withHint("Connect again once it runs.");
    }
}

// ---- Start-up

Result<bool> Session::start() {
    while (true) {
        BS_ASSIGN(const std::string_view body, reader_.readStartup());
        BS_ASSIGN(StartupPacket packet, parseStartup(body));
        switch (packet.kind) {
        case StartupKind::kTls:
            if (encrypted_)
                return failure(sqlstate::kProtocolViolation, "the connection is encrypted already");
            BS_TRY(startTls());
            break;
        case StartupKind::kGss:
            writer_.buffer() += 'N';
            BS_TRY(writer_.flush());
            break;
        case StartupKind::kCancel:
            environment_.engine->cancel(packet.process_id, packet.cancel_key);
            return false;
        case StartupKind::kSession:
            if (environment_.require_tls && !encrypted_)
                return failure(Error(sqlstate::kInvalidAuthorization,
                                     "the server accepts encrypted connections only")
                                   .withHint("Connect with sslmode=require."));
            BS_TRY(openConnection(std::move(packet)));
            return true;
        }
    }
}

Status Session::startTls() {
    const auto* socket = dynamic_cast<const Socket*>(transport_);
    if (environment_.tls == nullptr || socket == nullptr) {
        writer_.buffer() += 'N';
        return writer_.flush();
    }
    // Bytes sent before the handshake could have been slipped in by somebody between.
    if (reader_.hasBufferedBytes())
        return failure(sqlstate::kProtocolViolation, "received unencrypted data after SSL request");
    writer_.buffer() += 'S';
    BS_TRY(writer_.flush());
    BS_ASSIGN(tls_transport_, environment_.tls->wrap(*socket));
    reader_.setTransport(*tls_transport_);
    writer_.setTransport(*tls_transport_);
    encrypted_ = true;
    return {};
}

Status Session::openConnection(StartupPacket packet) {
    const bool redshift_driver = packet.client_protocol_version >= 0;
    // Redshift's drivers send _pq_ options and do not know this message.
    if ((packet.minor_version > 0 || !packet.unknown_options.empty()) && !redshift_driver) {
        writer_.begin('v');
        writer_.int32(0).int32(i32(packet.unknown_options.size()));
        for (const std::string& option : packet.unknown_options) writer_.text(option);
        writer_.end();
    }
    const std::optional<UserCredentials> credentials = environment_.engine->findUser(packet.user);
    if (!(environment_.trust && loopback_)) {
        LoginThrottle& throttle = *environment_.throttle;
        const u32 delay = throttle.delayMs(packet.user, address_, environment_.clock->nowMicros());
        if (delay > 0) environment_.pause(delay);
        Authentication authentication(reader_, writer_, *environment_.random,
                                      environment_.mock_secret);
        const i64 now = environment_.clock->nowMicros();
        Status status = authentication.run(packet.user, credentials, redshift_driver, now);
        if (!status) {
            if (status.error().sqlstate == sqlstate::kInvalidPassword)
                throttle.failed(packet.user, address_, now);
            return status;
        }
        throttle.succeeded(packet.user, address_);
    } else if (!credentials) {
        return failure(sqlstate::kInvalidAuthorization,
                       "user \"" + packet.user + "\" does not exist");
    }
    database_ = packet.database;
    try {
        std::unique_ptr<Connection> connection =
            environment_.engine->connect({.user = packet.user,
                                          .database = packet.database,
                                          .remote_address = address_,
                                          .settings = packet.settings});
        const std::lock_guard lock(connection_mutex_);
        connection_ = std::move(connection);
    } catch (SqlError& error) {
        return failure(std::move(error.error()));
    }
    process_id_ = connection_->processId();
    driver_protocol_ = std::min(packet.client_protocol_version, kDriverProtocol);
    writer_.begin('R');
    writer_.int32(0).end();
    sendStartupStatus(packet);
    writer_.begin('K');
    writer_.int32(connection_->processId()).int32(i32(connection_->cancelKey())).end();
    sendNotices();
    return sendReady();
}

void Session::sendStartupStatus(const StartupPacket& packet) {
    const auto report = [&](std::string_view name, std::string_view value) {
        writer_.begin('S');
        writer_.text(name).text(value).end();
    };
    const auto setting = [&](const char* name, const char* otherwise) {
        std::string value = connection_->setting(name);
        return value.empty() ? std::string(otherwise) : value;
    };
    const auto user = environment_.engine->findUser(packet.user);
    report("server_version", "8.0.2");
    report("server_version_num", "80002");
    report("server_encoding", "UTF8");
    report("client_encoding", "UTF8");
    report("integer_datetimes", "on");
    report("standard_conforming_strings", "on");
    report("is_superuser", user && user->superuser ? "on" : "off");
    report("session_authorization", packet.user);
    report("application_name", packet.application_name);
    report("DateStyle", setting("DateStyle", "ISO, MDY"));
    report("IntervalStyle", setting("IntervalStyle", "postgres"));
    report("TimeZone", setting("TimeZone", "UTC"));
    report("search_path", setting("search_path", "$user, public"));
    report("datashare_enabled", "off");
    report("external_database", "off");
    if (packet.client_protocol_version >= 0)
        report("server_protocol_version", std::to_string(driver_protocol_));
    // What connecting itself changed is covered by the values above.
    connection_->takeSettingChanges();
}

// ---- The loop

void Session::loop() {
    while (true) {
        if (end_reason_ != EndReason::kNone && phase_ == SessionPhase::kWaiting)
            return sendFatal(endError());
        const Result<Message> message = reader_.read(true);
        if (!message) {
            if (end_reason_ != EndReason::kNone) sendFatal(endError());
            else if (isProtocolViolation(message.error())) sendFatal(message.error());
            return;
        }
        phase_ = SessionPhase::kBusy;
        if (message->type == 'X') return;
        const Status status = dispatch(*message);
        if (status) continue;
        if (isProtocolViolation(status.error())) sendFatal(status.error());
        return;
    }
}

Status Session::dispatch(const Message& message) {
    const bool bare = message.type == 'S' || message.type == 'H';
    if (bare && !message.body.empty())
        return failure(
            sqlstate::kProtocolViolation,
            std::string("malformed ") + (message.type == 'S' ? "Sync" : "Flush") + " message");
    // A Flush is obeyed while messages are skipped: its client waits for the error before it syncs.
    if (skip_to_sync_ && !bare) return {};
    switch (message.type) {
    case 'Q': return simpleQuery(message);
    case 'P': return parseMessage(message);
    case 'B': return bindMessage(message);
    case 'D': return describeMessage(message);
    case 'E': return executeMessage(message);
    case 'C': return closeMessage(message);
    case 'S': return syncMessage();
    case 'H': return writer_.flush();
    case 'd':
    case 'c':
    case 'f': return {}; // the rest of a COPY that failed
    case 'F':
        reportFailure(
            Error(sqlstate::kFeatureNotSupported, "function calls by message are not supported")
                .withHint("Call the function in a SELECT."),
            0);
        return sendReady();
    default: {
        char type[8];
        std::snprintf(type, sizeof(type), "0x%02X", unsigned(u8(message.type)));
        return failure(sqlstate::kProtocolViolation,
                       std::string("invalid frontend message type ") + type);
    }
    }
}

// ---- Answers that every kind of statement gives

namespace {
void appendErrorFields(MessageWriter& writer, const Error& error, std::string_view severity) {
    writer.byte('S').text(severity).byte('V').text(severity);
    writer.byte('C').text(error.sqlstate.empty() ? sqlstate::kInternalError : error.sqlstate);
    writer.byte('M').text(error.message);
    if (!error.detail.empty()) writer.byte('D').text(error.detail);
    if (!error.hint.empty()) writer.byte('H').text(error.hint);
    if (error.position > 0) writer.byte('P').text(std::to_string(error.position));
    writer.byte('\0').end();
}
} // namespace

void Session::sendError(const Error& error, std::string_view severity) {
    writer_.begin('E');
    appendErrorFields(writer_, error, severity);
}

void Session::sendFatal(const Error& error) {
    writer_.dropIncomplete();
    sendError(error, "FATAL");
    // The session ends whether or not the client can still be told.
    static_cast<void>(writer_.flush());
}

void Session::reportFailure(Error error, u32 characters_before) {
    writer_.dropIncomplete();
    portals_.clear();
    block_open_ = false;
    if (error.position > 0) error.position += int(characters_before);
    connection_->failed();
    sendNotices();
    sendError(error);
}

void Session::sendNotices() {
    for (const Notice& notice : connection_->takeNotices()) {
        writer_.begin('N');
        appendErrorFields(writer_, notice.error, notice.severity);
    }
}

void Session::sendSettingChanges() {
    for (const auto& [name, value] : connection_->takeSettingChanges()) {
        writer_.begin('S');
        writer_.text(name).text(value).end();
    }
}

Status Session::sendReady() {
    connection_->pause();
    sendSettingChanges();
    writer_.begin('Z');
    writer_.byte(char(connection_->transactionStatus())).end();
    // Before the client can react, so that the watcher never sees an answered session as busy.
    phase_ = SessionPhase::kWaiting;
    return writer_.flush();
}

} // namespace blueshift::session
