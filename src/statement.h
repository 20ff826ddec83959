// statement.h: blueshift as a library: open a place, connect, run statements.
//
// Place: the only header that session/ (the wire) and shell/ include. statement.cpp tells the story
// of one statement: parse -> bind -> optimize -> compile -> execute.
// Life cycle: Engine::open -> connect -> Connection::prepare -> execute -> Execution::next ...
// done. Errors: SqlError from every call that plans or runs; the connection stays usable. Inside a
// failed transaction block every statement but ROLLBACK and COMMIT fails with 25P02. Threads: an
// Engine is shared; a Connection and what it makes belong to one thread, Engine::cancel excepted.
// Several Executions of one connection may be open (portals), but only one runs at a time.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "types/sql_type.h"
#include "types/value.h"
#include "types/vector.h"

namespace blueshift {

struct EngineOptions {
    std::string place;             // a directory; created when absent
    u64 memory_bytes = 0;          // 0: three quarters of what the machine or cgroup has
    u32 threads = 0;               // 0: one per core
    u32 vector_rows = kVectorRows; // fewer in tests
    u32 nodes = 1;                 // compute nodes in this process
    /// Tests: tiny tables are shared out row by row, and treated as if they were large.
    bool small_shares = false;
    /// Address written to PLACE/.server for other processes; empty for in-process use.
    std::string address;
    /// Verifier or password of the first superuser `admin`; generated when empty.
    std::string admin_password;
    bool read_files = true;       // COPY FROM 'file' by superusers
    std::string codegen;          // initial value of the setting; empty: as documented
    bool alternate_tiers = false; // tests: change tiers at every morsel
    /// Directory of a local disk for rows that do not fit memory; empty: PLACE/spill.
    std::string temp;
    bool perf_map = false;       // names of generated functions for perf (engine/perf_map.h)
    bool crash_compiler = false; // tests: generated code makes the compiler crash, once
    bool force_spill = false;    // tests: operators write out whatever they can
};

/// How a user proves identity; see security notes in docs/design/session.md.
struct UserCredentials {
    std::string name;
    bool superuser = false;
    std::string scram_verifier;  // SCRAM-SHA-256$...
    std::string md5_verifier;    // md5<hex>
    std::string digest_verifier; // sha256|<hex digest>|<hex salt>
    std::string valid_until;     // ISO timestamp or empty
    i32 connection_limit = -1;
};

struct ConnectionOptions {
    std::string user = "admin";
    std::string database = "dev";
    std::string remote_address;
    /// Settings of the start-up packet (application_name, timezone, search_path ...); unknown ones
    /// are ignored.
    std::vector<std::pair<std::string, std::string>> settings;
};

struct ResultField {
    std::string name;
    SqlType type;
    bool nullable = true;
    u32 table_oid = 0;
    i16 attribute = 0;
};

/// The column of a table or view that a result column shows; empty for computed ones.
struct ColumnOrigin {
    std::string schema;
    std::string relation;
    std::string column;
};

struct Notice {
    std::string severity; // NOTICE, INFO, WARNING
    Error error;
};

/// Bytes of COPY ... FROM STDIN. Returns an empty span at the end; an error when the client gave
/// up.
class CopySource {
public:
    virtual ~CopySource() = default;
    virtual Result<std::span<const char>> read() = 0;
};

enum class ResultKind : u8 {
    kNone, // a command: only a tag
    kRows,
    kCopyIn,  // reads the CopySource while next() runs
    kCopyOut, // next() yields bytes
    kEmpty,   // an empty statement
};

/// One statement under way. Destroying it ends it.
class Execution {
public:
    virtual ~Execution() = default;
    virtual ResultKind kind() const = 0;
    /// Columns of the rows, or of the copied table (COPY: for the CopyIn/OutResponse).
    virtual std::span<const ResultField> fields() const = 0;
    /// kRows: the next batch, flat, constant or dictionary vectors in any integer width, valid
    /// until the next call. Blocks. False at the end. Throws SqlError.
    virtual bool next(Batch& batch) = 0;
    /// kCopyOut: the next piece of the output, whole rows, empty at the end.
    virtual std::string_view nextBytes() = 0;
    /// kCopyOut: where each row of the last piece ends. What is no row ends like one, but for the
    /// head of the binary format, which goes with what follows, as clients expect.
    virtual std::span<const size_t> rowEnds() const = 0;
    /// COPY: 0 text, 1 binary.
    virtual int copyFormat() const = 0;
    /// Runs whatever is left without delivering rows, ends the statement, and commits it when it
    /// stands alone. Returns the command tag: "SELECT 5", "INSERT 0 3", "COPY 10", "BEGIN".
    virtual std::string finish() = 0;
};

/// A parsed (and, for queries, described) statement.
class Prepared {
public:
    virtual ~Prepared() = default;
    virtual bool empty() const = 0;
    virtual ResultKind kind() const = 0;
    virtual std::span<const SqlType> parameterTypes() const = 0;
    virtual std::span<const ResultField> fields() const = 0; // none for commands
    virtual std::string_view text() const = 0;
    /// BEGIN, COMMIT, ROLLBACK and the like, allowed in a failed transaction.
    virtual bool endsTransaction() const = 0;
};

enum class TransactionStatus : char { kIdle = 'I', kInBlock = 'T', kFailed = 'E' };

class Connection {
public:
    virtual ~Connection() = default;

    virtual i32 processId() const = 0;
    virtual u32 cancelKey() const = 0;
    virtual TransactionStatus transactionStatus() const = 0;

    /// The statements of a text, each to be prepared by itself; throws 42601 for the whole text. An
    /// empty text gives no piece. `offset`: bytes before the piece, for error positions.
    struct Piece {
        std::string text;
        u32 offset = 0;
        u32 characters_before = 0;
    };
    virtual std::vector<Piece> split(std::string_view text) = 0;

    /// One statement. `types`: as declared by the client, kUnknown to infer.
    virtual std::unique_ptr<Prepared> prepare(std::string_view text,
                                              std::vector<SqlType> types = {}) = 0;
    /// `implicit_block`: the statement is one of several of a simple-query message, which commit
    /// together at endImplicitBlock(). `source`: for COPY FROM STDIN.
    struct ExecuteOptions {
        CopySource* source = nullptr;
        bool implicit_block = false;
    };
    virtual std::unique_ptr<Execution> execute(Prepared& prepared,
                                               std::span<const Value> parameters,
                                               const ExecuteOptions& options) = 0;
    /// Commits what an implicit block of statements did; the wire calls it before ReadyForQuery.
    virtual void endImplicitBlock() = 0;
    /// A statement failed: rolls back an implicit block, marks an explicit one as failed.
    virtual void failed() = 0;

    /// Notices and changed reportable settings (TimeZone, DateStyle, search_path ...) since the
    /// last call.
    virtual std::vector<Notice> takeNotices() = 0;
    virtual std::vector<std::pair<std::string, std::string>> takeSettingChanges() = 0;
    virtual std::string setting(std::string_view name) const = 0;

    virtual ColumnOrigin originOf(const ResultField& field) const = 0;

    /// Text form of a cell under this session's settings.
    virtual void appendText(std::string& out, const Vector& vector, u32 row,
                            const SqlType& type) = 0;
    /// The parts of an array's text; nothing for a NULL.
    virtual std::vector<std::optional<std::string>> arrayElements(std::string_view text,
                                                                  const SqlType& type) const = 0;
    /// The OID of the function that a regproc names; 0 for none.
    virtual u32 functionOid(std::string_view regproc) const = 0;
    /// A parameter in text form; throws 22P02 naming value and type. Text lies in the connection
    /// until the next statement.
    virtual Value parseParameter(std::string_view text, const SqlType& type) = 0;

    /// Rows so far and in all of the running statement, for progress bars: 0 when unknown. May be
    /// called from another thread.
    struct Progress {
        f64 done = 0;
        f64 total = 0;
    };
    virtual Progress progress() const = 0;
    /// Asks the running statement to stop; from any thread. For nobody when none runs.
    virtual void cancel() = 0;
    /// The statement that runs has been asked to stop.
    virtual bool cancelRequested() const = 0;
    /// Nothing runs until the next call, though portals may be open: the client has its answer.
    virtual void pause() = 0;
};

class Engine {
public:
    static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);
    virtual ~Engine() = default;

    /// Credentials by name; nothing for unknown users.
    virtual std::optional<UserCredentials> findUser(std::string_view name) const = 0;
    virtual bool databaseExists(std::string_view name) const = 0;
    /// Throws 3D000, 53300 and the like.
    virtual std::unique_ptr<Connection> connect(const ConnectionOptions& options) = 0;
    /// CancelRequest: true when the key fitted.
    virtual bool cancel(i32 process_id, u32 key) = 0;
    /// pg_terminate_backend: the wire polls it and closes the session.
    virtual bool terminated(i32 process_id) const = 0;
    /// The password generated for `admin` when open() made the place; empty otherwise.
    virtual std::string newAdminPassword() const = 0;
    /// What was done since open(), by name; tests prove by it that a mode was in force.
    virtual std::map<std::string, u64> counters() const = 0;
    /// Checkpoint before the end; no connection may be open. An error loses nothing: the log has
    /// all.
    virtual Status shutdown() = 0;
};

/// The verifiers that CREATE USER stores for a password.
struct PasswordVerifiers {
    std::string scram;
    std::string md5;
    std::string digest;
};
PasswordVerifiers makeVerifiers(std::string_view user, std::string_view password);

} // namespace blueshift
