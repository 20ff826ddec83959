// server_facts.h: what is alive in the server, as the monitoring views show it.
//
// Place: implemented by engine/ over its registry of connections and its history of statements;
// read by the STV, STL and SYS views. Times are microseconds since 2000-01-01 UTC, 0 when there is
// none. Threads: thread-safe; every call returns a copy of one moment. Why so: catalog/ stands
// below engine/ and must not include it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace blueshift::catalog {

enum class StatementState : u8 { kRunning, kSuccess, kFailed, kCanceled };

/// One statement of a client, running or among the recent ones.
struct StatementFacts {
    i64 query_id = 0;
    u64 transaction_id = 0;
    i32 process_id = 0;
    u32 user_id = 0;
    std::string user;
    std::string database;
    std::string label; // query_group
    std::string text;
    std::string type; // SELECT, INSERT, UPDATE, DELETE, COPY, UNLOAD, CTAS, DDL, UTILITY, COMMAND
    StatementState state = StatementState::kRunning;
    i64 start_time = 0;
    i64 end_time = 0; // 0 while it runs
    i64 planning_micros = 0;
    i64 compile_micros = 0;
    i64 returned_rows = 0;
    i64 returned_bytes = 0;
    std::string error;
};

struct SessionRow {
    i32 process_id = 0;
    u32 user_id = 0;
    std::string user;
    std::string database;
    std::string application_name;
    std::string remote_host;
    i64 start_time = 0;
    i64 end_time = 0;       // of closed sessions
    u64 transaction_id = 0; // 0: none open
    i64 transaction_start = 0;
    i64 query_start = 0;
    std::string current_query; // empty when idle
};

/// What one node sent through one exchange of a statement.
struct ExchangeFacts {
    i64 query_id = 0;
    u32 user_id = 0;
    std::string user;
    i32 node = 0;
    i32 step = 0; // the exchange's operator in the plan
    bool broadcast = false;
    i64 start_time = 0;
    i64 end_time = 0;
    i64 rows = 0;
    i64 bytes = 0; // that went to other nodes
    i64 batches = 0;
};

struct SettingFacts {
    std::string name;
    std::string value;
    std::string description;
};

/// One row that COPY did not load.
struct LoadError {
    i64 query_id = 0;
    u64 transaction_id = 0;
    i32 process_id = 0;
    u32 user_id = 0;
    std::string database;
    u32 table = 0;
    i64 time = 0;
    std::string file;
    i64 line = 0;
    std::string column;
    std::string column_type;
    std::string column_length;
    i32 position = 0;
    std::string raw_line;
    std::string raw_value;
    i32 code = 0;
    std::string message;
};

/// Machine code of one pipeline that a statement asked for.
struct CompilationFacts {
    i64 query_id = 0;
    u32 pipeline = 0;
    i64 start_time = 0;
    i64 end_time = 0;
    bool compiled = false; // else it was found in the cache
    std::string function;
    u32 level = 0; // of optimisation
    u32 text_bytes = 0;
    std::string error; // empty: it worked
};

/// The memory of a statement that runs, or waits to be admitted.
struct MemoryFacts {
    i64 query_id = 0;
    bool waiting = false;
    u64 least = 0;    // with which it can finish
    u64 reserved = 0; // taken from what queries may have
    u64 used = 0;
};

class ServerFacts {
public:
    virtual ~ServerFacts() = default;
    virtual std::vector<SessionRow> sessions() const = 0;
    /// Sessions that ended, the most recent ones, oldest first.
    virtual std::vector<SessionRow> closedSessions() const = 0;
    /// Running and recent statements, oldest first.
    virtual std::vector<StatementFacts> statements() const = 0;
    /// Parameters of one session.
    virtual std::vector<SettingFacts> settings(i32 process_id) const = 0;
    virtual std::vector<LoadError> loadErrors() const = 0;
    /// The most recent ones, oldest first.
    virtual std::vector<CompilationFacts> compilations() const { return {}; }
    /// What recent statements sent between nodes, oldest first.
    virtual std::vector<ExchangeFacts> exchanges() const { return {}; }
    /// Those that were admitted, then those that wait, in order of arrival.
    virtual std::vector<MemoryFacts> queryMemory() const { return {}; }
    /// What the process did since it started, by name.
    virtual std::map<std::string, u64> counters() const { return {}; }
    virtual u32 slices() const = 0;
    /// Megabytes of the place's file system.
    virtual i64 storageCapacity() const = 0;
};

} // namespace blueshift::catalog
