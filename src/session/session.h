// session.h: one client from its first byte to its last.
//
//   start-up -> authentication -> ready <-> statement (simple, extended or COPY) -> closed
//
// Owns: the engine's Connection, prepared statements and portals. Borrows the transport's socket
// and what SessionEnvironment names. Threads: run() occupies the connection's thread; what stands
// under "from any thread" is called by the server's watching thread. Errors: SqlError of the engine
// becomes ErrorResponse and the session goes on; malformed messages become FATAL 08P01 and end it;
// a vanished client ends it silently.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "session/authentication.h"
#include "session/copy_stream.h"
#include "session/login_throttle.h"
#include "session/message_reader.h"
#include "session/message_writer.h"
#include "session/portal.h"
#include "session/startup.h"
#include "session/transport.h"
#include "statement.h"

namespace blueshift::session {

class TlsContext;

/// What all sessions of a server share.
struct SessionEnvironment {
    Engine* engine = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
    LoginThrottle* throttle = nullptr;
    const TlsContext* tls = nullptr; // none: TLS is refused
    bool require_tls = false;
    bool trust = false;
    std::string mock_secret;
    /// Waits, but not beyond the server's end.
    std::function<void(u32 milliseconds)> pause;
};

enum class EndReason : u8 { kNone, kAuthenticationTimeout, kTerminated, kShutdown };
enum class SessionPhase : u8 { kStarting, kWaiting, kBusy };

class Session {
public:
    Session(const SessionEnvironment& environment, Transport& transport, std::string address,
            bool loopback);
    ~Session();

    /// Returns when the session is over.
    void run();

    // From any thread.
    SessionPhase phase() const { return phase_.load(); }
    i32 processId() const { return process_id_.load(); }
    /// Records the first reason to end. The caller then wakes the reader of a session that waits,
    /// or leaves a busy one until its statement ends.
    void end(EndReason reason);
    /// Stops the running statement.
    void cancelStatement();

private:
    // session.cpp
    void serve();
    /// False for a cancel request, which is done then.
    Result<bool> start();
    Status startTls();
    Status openConnection(StartupPacket packet);
    void sendStartupStatus(const StartupPacket& packet);
    void loop();
    Status dispatch(const Message& message);
    void sendError(const Error& error, std::string_view severity = "ERROR");
    void sendNotices();
    void sendFatal(const Error& error);
    Status sendReady();
    void sendSettingChanges();
    Error endError() const;
    void dropConnection();
    /// Runs engine code; an exception becomes an ErrorResponse and marks the transaction failed.
    template <class Function> bool guarded(u32 characters_before, Function&& function);
    void reportFailure(Error error, u32 characters_before);

    // simple_query.cpp
    Status simpleQuery(const Message& message);
    Status runPiece(const Connection::Piece& piece, bool implicit_block);
    /// DEALLOCATE of a statement made by Parse, which the engine does not know by name.
    bool deallocate(std::string_view text);
    static void checkText(std::string_view text);
    void refuseInFailedBlock(const Prepared& prepared) const;

    // extended_query.cpp
    Status parseMessage(const Message& message);
    Status bindMessage(const Message& message);
    Status describeMessage(const Message& message);
    std::unique_ptr<Prepared> describeCursor(std::string_view name);
    Status executeMessage(const Message& message);
    Status closeMessage(const Message& message);
    Status syncMessage();
    struct ParameterField {
        std::string_view bytes;
        bool is_null = false;
    };
    void bindParameters(std::span<const ParameterField> fields, std::span<const i16> formats,
                        Portal& portal);
    void runPortal(Portal& portal, u64 limit, Status& sent);

    // results.cpp
    DecimalForm decimalForm() const {
        return driver_protocol_ >= 2 ? DecimalForm::kRedshift : DecimalForm::kPostgres;
    }
    void sendRowDescription(std::span<const ResultField> fields, std::span<const i16> formats);
    // The Status is that of the connection; errors of the statement are thrown.
    Status sendRows(Execution& execution);
    Status sendPortalRows(Portal& portal, u64 limit, bool& suspended);
    Status runCopyIn(Execution& execution);
    Status runCopyOut(Execution& execution);
    void sendCopyResponse(char type, const Execution& execution);
    void sendComplete(std::string_view tag);

    const SessionEnvironment& environment_;
    Transport* transport_;
    std::unique_ptr<Transport> tls_transport_;
    MessageReader reader_;
    MessageWriter writer_;
    CopyStream copy_stream_;
    std::string address_;
    bool loopback_;
    bool encrypted_ = false;
    /// client_protocol_version as granted; -1: no driver of Redshift's. From 1 on result columns
    /// are described at length, from 2 on decimals have Redshift's binary form.
    i32 driver_protocol_ = -1;
    std::string database_;

    std::mutex connection_mutex_; // the watcher may cancel while the session closes
    std::unique_ptr<Connection> connection_;
    std::map<std::string, std::shared_ptr<Statement>, std::less<>> statements_;
    std::map<std::string, std::unique_ptr<Portal>, std::less<>> portals_;
    bool skip_to_sync_ = false;
    bool block_open_ = false; // extended statements since the last Sync share an implicit block

    std::atomic<SessionPhase> phase_{SessionPhase::kStarting};
    std::atomic<EndReason> end_reason_{EndReason::kNone};
    std::atomic<i32> process_id_{0};
};

template <class Function> bool Session::guarded(u32 characters_before, Function&& function) {
    try {
        function();
        return true;
    } catch (SqlError& error) {
        reportFailure(std::move(error.error()), characters_before);
    } catch (const std::bad_alloc&) {
        reportFailure(Error(sqlstate::kOutOfMemory, "out of memory")
                          .withHint("Run the statement with less data, or give the server more "
                                    "memory."),
                      0);
    } catch (const std::exception& error) {
        reportFailure(
            Error(sqlstate::kInternalError, std::string("internal error: ") + error.what()), 0);
    }
    return false;
}

} // namespace blueshift::session
