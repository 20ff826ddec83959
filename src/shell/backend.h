// backend.h: where the shell's statements run: an engine in this process, or a server over libpq.
//
// A backend runs one statement at a time and hands rows to a sink as they come. Errors are thrown
// as SqlError with positions in the statement's own text; the backend stays usable.
// Threads: everything belongs to the shell's thread, cancel() and progress() may come from any.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift::shell {

struct ResultColumn {
    std::string name;
    bool numeric = false; // aligned to the right, and bare in JSON
    bool boolean = false;
};

using Cell = std::optional<std::string_view>; // nothing: NULL

class ResultSink {
public:
    virtual ~ResultSink() = default;
    virtual void begin(std::span<const ResultColumn> columns) = 0;
    virtual void row(std::span<const Cell> cells) = 0;
    virtual void end() = 0;
    /// COPY ... TO STDOUT.
    virtual void copyData(std::string_view bytes) = 0;
    /// COPY ... FROM STDIN: a piece of data with its line ends, nothing at the end.
    virtual std::optional<std::string> copyInput() = 0;
    virtual void notice(std::string_view severity, const Error& error) = 0;
};

struct Outcome {
    std::string tag;
    bool had_rows = false;
    u64 rows = 0;
};

class Backend {
public:
    virtual ~Backend() = default;
    /// Nothing for an empty statement.
    virtual Outcome run(const std::string& statement, ResultSink& sink) = 0;
    /// In a transaction block: '*' open, '!' failed, ' ' none.
    virtual char transactionMark() const = 0;
    virtual std::string database() const = 0;
    /// One line about what the shell talks to.
    virtual std::string description() const = 0;
    virtual void cancel() = 0;
    /// Share done, 0 to 1; nothing when unknown.
    virtual std::optional<f64> progress() const = 0;
};

/// Opens the engine on a directory in this process.
Result<std::unique_ptr<Backend>> openEngineBackend(const std::string& place, u64 memory_bytes,
                                                   u32 threads);
/// Connects with libpq; `dsn` in either of its forms.
Result<std::unique_ptr<Backend>> openServerBackend(const std::string& dsn);

} // namespace blueshift::shell
