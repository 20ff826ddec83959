#include "shell/statement_runner.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "shell/statement_watch.h"

namespace blueshift::shell {

namespace {

constexpr size_t kFlushBytes = 64 * 1024;
constexpr u32 kContextColumns = 72;

u32 terminalWidth(std::FILE* file) {
    winsize size{};
    const int descriptor = ::fileno(file);
    if (::isatty(descriptor) == 0 || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

/// The byte offset of a 1-based character position.
size_t byteOfCharacter(std::string_view text, int position) {
    size_t byte = 0;
    for (int character = 1; character < position && byte < text.size(); ++character) {
        ++byte;
        while (byte < text.size() && (text[byte] & 0xC0) == 0x80) ++byte;
    }
    return byte;
}

void appendContext(std::string& out, std::string_view statement, int position) {
    const size_t at = byteOfCharacter(statement, position);
    const size_t line_begin = at == 0 ? 0 : statement.rfind('\n', at - 1) + 1;
    const size_t line_end = std::min(statement.find('\n', at), statement.size());
    u32 line_number = 1;
    for (const char c : statement.substr(0, line_begin)) line_number += c == '\n';
    std::string_view line = statement.substr(line_begin, line_end - line_begin);
    size_t offset = at - line_begin;
    // A long line is shown around the place only.
    std::string lead = "LINE " + std::to_string(line_number) + ": ";
    if (displayWidth(line) > kContextColumns && offset > kContextColumns / 2) {
        size_t cut = offset - kContextColumns / 2;
        while (cut < line.size() && (line[cut] & 0xC0) == 0x80) ++cut;
        line.remove_prefix(cut);
        offset -= cut;
        lead += "...";
    }
    size_t shown = 0;
    for (u32 width = 0; shown < line.size() && width < kContextColumns; ++width) {
        ++shown;
        while (shown < line.size() && (line[shown] & 0xC0) == 0x80) ++shown;
    }
    std::string text(line.substr(0, shown));
    std::string before(line.substr(0, offset));
    for (std::string* part : {&text, &before})
        for (char& c : *part)
            if (c == '\t' || c == '\r') c = ' ';
    out += lead + text + (shown < line.size() ? "..." : "") + "\n";
    out.append(lead.size() + displayWidth(before), ' ');
    out += "^\n";
}

} // namespace

std::string formatError(const Error& error, std::string_view statement) {
    std::string text = "ERROR " + error.sqlstate + ": " + error.message + "\n";
    if (error.position > 0) appendContext(text, statement, error.position);
    if (!error.detail.empty()) text += "DETAIL: " + error.detail + "\n";
    if (!error.hint.empty()) text += "HINT: " + error.hint + "\n";
    return text;
}

StatementRunner::StatementRunner(Backend& backend, Format format, bool timing, bool interactive)
    : backend_(backend), format_(format), timing_(timing), interactive_(interactive) {}

StatementRunner::~StatementRunner() {
    setOutput("");
}

bool StatementRunner::setOutput(const std::string& file) {
    std::FILE* opened = stdout;
    if (!file.empty()) {
        opened = std::fopen(file.c_str(), "w");
        if (opened == nullptr) {
            std::fprintf(stderr, "could not write \"%s\": %s\n", file.c_str(),
                         std::strerror(errno));
            return false;
        }
    }
    if (output_ != stdout) std::fclose(output_);
    output_ = opened;
    return true;
}

bool StatementRunner::run(const std::string& statement, const LineSource& copy_lines) {
    const std::unique_ptr<Clock> clock = makeSystemClock();
    const i64 start = clock->monotonicNanos();
    copy_lines_ = &copy_lines;
    copy_ended_ = false;
    std::optional<Error> error;
    Outcome outcome;
    {
        StatementWatch watch(backend_, interactive_);
        watch_ = &watch;
        try {
            outcome = backend_.run(statement, *this);
        } catch (const SqlError& failed) {
            error = failed.error();
        } catch (const std::exception& failed) {
            error = Error(sqlstate::kInternalError, failed.what());
        }
        watch_ = nullptr;
    }
    copy_lines_ = nullptr;
    writer_.reset();
    const f64 seconds = f64(clock->monotonicNanos() - start) / 1e9;
    if (!error) printSummary(outcome, seconds);
    flushOutput();
    if (error) std::fputs(formatError(*error, statement).c_str(), stderr);
    return !error;
}

void StatementRunner::printSummary(const Outcome& outcome, f64 seconds) {
    // Other formats are for programs: nothing but the data may be in them.
    if (format_ != Format::kBox || outcome.tag.empty()) return;
    std::string line = outcome.tag;
    if (outcome.had_rows)
        line = "(" + std::to_string(outcome.rows) + (outcome.rows == 1 ? " row)" : " rows)");
    text_ += line;
    if (timing_) {
        char time[48];
        if (seconds < 1) std::snprintf(time, sizeof(time), "  %.3f ms", seconds * 1e3);
        else std::snprintf(time, sizeof(time), "  %.3f s", seconds);
        text_ += time;
    }
    text_ += "\n";
}

void StatementRunner::flushOutput() {
    std::fwrite(text_.data(), 1, text_.size(), output_);
    std::fflush(output_);
    text_.clear();
}

void StatementRunner::begin(std::span<const ResultColumn> columns) {
    writer_ = makeResultWriter(format_, terminalWidth(output_), text_);
    writer_->begin(columns);
}

void StatementRunner::row(std::span<const Cell> cells) {
    writer_->row(cells);
    if (text_.size() < kFlushBytes) return;
    if (watch_ != nullptr) watch_->hideProgress();
    flushOutput();
}

void StatementRunner::end() {
    writer_->end();
}

void StatementRunner::copyData(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() >= kFlushBytes) flushOutput();
}

std::optional<std::string> StatementRunner::copyInput() {
    if (copy_ended_) return {};
    if (watch_ != nullptr) watch_->hideProgress();
    std::optional<std::string> line = (*copy_lines_)();
    if (!line || *line == "\\.\n" || *line == "\\.\r\n" || *line == "\\.") {
        copy_ended_ = true;
        return {};
    }
    return line;
}

void StatementRunner::notice(std::string_view severity, const Error& error) {
    std::string text = std::string(severity) + ": " + error.message + "\n";
    if (!error.detail.empty()) text += "DETAIL: " + error.detail + "\n";
    if (!error.hint.empty()) text += "HINT: " + error.hint + "\n";
    if (watch_ != nullptr) watch_->hideProgress();
    std::fputs(text.c_str(), stderr);
}

} // namespace blueshift::shell
