// statement_runner.h: runs one statement for the shell and prints what comes of it.
//
// Owns the settings that backslash commands change: format, timing, output file. Errors are printed
// with the statement's line and a caret under the position, then counted; nothing is thrown.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "shell/backend.h"
#include "shell/result_writer.h"

namespace blueshift::shell {

class StatementWatch;

/// Gives the next line of the input with its line end; nothing at the end.
using LineSource = std::function<std::optional<std::string>()>;

class StatementRunner final : private ResultSink {
public:
    StatementRunner(Backend& backend, Format format, bool timing, bool interactive);
    ~StatementRunner() override;

    /// False when the statement failed. `copy_lines`: the input behind the statement.
    bool run(const std::string& statement, const LineSource& copy_lines);

    void setFormat(Format format) { format_ = format; }
    void setTiming(bool timing) { timing_ = timing; }
    bool timing() const { return timing_; }
    /// Empty: standard output. False when the file cannot be written; a message is printed.
    bool setOutput(const std::string& file);
    Backend& backend() { return backend_; }

private:
    void begin(std::span<const ResultColumn> columns) override;
    void row(std::span<const Cell> cells) override;
    void end() override;
    void copyData(std::string_view bytes) override;
    std::optional<std::string> copyInput() override;
    void notice(std::string_view severity, const Error& error) override;

    void flushOutput();
    void printSummary(const Outcome& outcome, f64 seconds);

    Backend& backend_;
    Format format_;
    bool timing_;
    bool interactive_;
    std::FILE* output_ = stdout;
    std::string text_;
    std::unique_ptr<ResultWriter> writer_;
    StatementWatch* watch_ = nullptr;
    const LineSource* copy_lines_ = nullptr;
    bool copy_ended_ = false;
};

/// ERROR line, the statement's line with a caret, DETAIL and HINT.
std::string formatError(const Error& error, std::string_view statement);

} // namespace blueshift::shell
