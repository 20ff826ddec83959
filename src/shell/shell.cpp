#include "shell/shell.h"

#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "shell/admin_password.h"
#include "shell/backend.h"
#include "shell/backslash_command.h"
#include "shell/line_editor.h"
#include "shell/statement_reader.h"
#include "shell/statement_runner.h"
#include "shell/statement_watch.h"

namespace blueshift::shell {

namespace {

constexpr int kExitConnect = 1;
constexpr int kExitSqlError = 3;
constexpr int kMaxIncludeDepth = 16;

bool isDsn(const std::string& target) {
    return target.starts_with("postgres://") || target.starts_with("postgresql://") ||
           (target.find('=') != std::string::npos && !std::filesystem::exists(target));
}

std::string firstLine(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    while (!line.empty() && std::isspace(u8(line.back()))) line.pop_back();
    return line;
}

std::string quotedForDsn(std::string_view value) {
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

/// The DSN of the server that holds a place: its address from PLACE/.server (`host:port`), and the
/// password of admin where this user may read it.
std::optional<std::string> dsnOfHolder(const std::string& place) {
    const std::filesystem::path folder(place);
    const std::string address = firstLine(folder / ".server");
    const size_t colon = address.rfind(':');
    if (colon == std::string::npos) return {};
    std::string dsn = "host=" + quotedForDsn(address.substr(0, colon)) +
                      " port=" + quotedForDsn(address.substr(colon + 1)) + " user=admin dbname=dev";
    const std::string password = firstLine(adminPasswordFile(place));
    if (!password.empty() && std::getenv("BLUESHIFT_PASSWORD") == nullptr)
        dsn += " password=" + quotedForDsn(password);
    return dsn;
}

Result<std::unique_ptr<Backend>> openBackend(const ShellOptions& options) {
    if (options.target.empty() || isDsn(options.target)) return openServerBackend(options.target);
    auto backend = openEngineBackend(options.target, options.memory_bytes, options.threads);
    if (backend || backend.error().sqlstate != sqlstate::kObjectInUse) return backend;
    const std::optional<std::string> dsn = dsnOfHolder(options.target);
    return dsn ? openServerBackend(*dsn) : std::move(backend);
}

/// Runs one input (text, file or terminal) to its end.
class InputRunner {
public:
    InputRunner(StatementRunner& runner, const ShellOptions& options)
        : runner_(runner), keep_going_(options.keep_going) {}

    bool quit() const { return quit_; }

    /// False when a statement failed.
    bool runLines(const LineSource& lines) {
        StatementReader reader;
        bool ok = true;
        while (!quit_) {
            const std::optional<std::string> line = lines();
            if (!line) break;
            if (reader.blank() && isBackslashCommand(*line)) {
                reader.clear();
                if (!runCommand(*line)) ok = false;
            } else {
                reader.add(*line);
                while (const std::optional<std::string> statement = reader.next()) {
                    if (!runner_.run(*statement, lines)) ok = false;
                    if (!ok && !keep_going_) return false;
                }
            }
            if (!ok && !keep_going_) return false;
        }
        const std::string rest = quit_ ? std::string() : reader.rest();
        if (!rest.empty() && !runner_.run(rest, lines)) ok = false;
        return ok;
    }

    bool runFile(const std::string& file) {
        std::ifstream stream(file);
        if (!stream || std::filesystem::is_directory(file)) {
            std::fprintf(
                stderr, "could not read \"%s\": %s\n", file.c_str(),
                std::filesystem::is_directory(file) ? "it is a directory" : std::strerror(errno));
            return false;
        }
        if (depth_ >= kMaxIncludeDepth) {
            std::fprintf(stderr, "\"%s\": files include each other too deeply\n", file.c_str());
            return false;
        }
        ++depth_;
        const bool ok = runLines([&stream]() -> std::optional<std::string> {
            std::string line;
            if (!std::getline(stream, line)) return {};
            return line + "\n";
        });
        --depth_;
        return ok;
    }

    bool runText(const std::string& text) {
        size_t at = 0;
        return runLines([&]() -> std::optional<std::string> {
            if (at >= text.size()) return {};
            const size_t end = std::min(text.find('\n', at), text.size() - 1);
            std::string line = text.substr(at, end + 1 - at);
            at = end + 1;
            return line;
        });
    }

    bool runCommand(const std::string& line) {
        const CommandResult result =
            runBackslashCommand(line.substr(line.find('\\')), runner_,
                                [this](const std::string& file) { return runFile(file); });
        quit_ = quit_ || result == CommandResult::kQuit;
        return result != CommandResult::kFailed;
    }

    static bool isBackslashCommand(const std::string& line) {
        const size_t at = line.find_first_not_of(" \t");
        return at != std::string::npos && line[at] == '\\';
    }

private:
    StatementRunner& runner_;
    bool keep_going_;
    bool quit_ = false;
    int depth_ = 0;
};

void runTerminal(StatementRunner& runner, InputRunner& input) {
    Backend& backend = runner.backend();
    std::printf("blueshift, %s\nStatements end with ;  \\? lists commands, \\q leaves.\n",
                backend.description().c_str());
    LineEditor editor(defaultHistoryFile());
    StatementReader reader;
    std::string entered; // for history
    const auto prompt = [&] {
        std::string text = backend.database();
        const char mark = backend.transactionMark();
        text += reader.mark();
        if (mark != ' ') text += mark;
        return text + "> ";
    };
    const LineSource copy_lines = [&]() -> std::optional<std::string> {
        std::string line;
        if (editor.read(">> ", line) != LineEditor::Answer::kLine) return {};
        return line + "\n";
    };
    while (!input.quit()) {
        std::string line;
        switch (editor.read(prompt(), line)) {
        case LineEditor::Answer::kEnd: std::printf("\n"); return;
        case LineEditor::Answer::kInterrupted:
            reader.clear();
            entered.clear();
            continue;
        case LineEditor::Answer::kLine: break;
        }
        if (reader.blank() && InputRunner::isBackslashCommand(line)) {
            reader.clear();
            editor.remember(line);
            input.runCommand(line);
            continue;
        }
        line += '\n';
        reader.add(line);
        entered += line;
        while (const std::optional<std::string> statement = reader.next()) {
            if (!entered.empty()) {
                while (!entered.empty() && std::isspace(u8(entered.back()))) entered.pop_back();
                editor.remember(entered);
                entered.clear();
            }
            runner.run(*statement, copy_lines);
        }
    }
}

} // namespace

int runShell(const ShellOptions& options) {
    // Widths of characters depend on it; without a locale everything is one column wide.
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(std::setlocale(LC_CTYPE, nullptr), "C") == 0)
        std::setlocale(LC_CTYPE, "C.UTF-8");
    // Before any thread starts, so that the watching thread alone sees Ctrl-C.
    blockInterrupts();
    const Result<std::unique_ptr<Backend>> backend = openBackend(options);
    if (!backend) {
        std::fputs(formatError(backend.error(), "").c_str(), stderr);
        return kExitConnect;
    }
    const bool from_arguments = !options.commands.empty() || !options.files.empty();
    const bool terminal = !from_arguments && ::isatty(STDIN_FILENO) != 0;
    StatementRunner runner(**backend, options.format, options.timing, terminal);
    InputRunner input(runner, options);
    if (terminal) {
        runTerminal(runner, input);
        return 0;
    }
    allowInterrupts();
    bool ok = true;
    for (const std::string& command : options.commands)
        if ((ok || options.keep_going) && !input.quit() && !input.runText(command)) ok = false;
    for (const std::string& file : options.files)
        if ((ok || options.keep_going) && !input.quit() && !input.runFile(file)) ok = false;
    if (!from_arguments) {
        ok = input.runLines([]() -> std::optional<std::string> {
            std::string line;
            int c;
            while ((c = std::getc(stdin)) != EOF) {
                line += char(c);
                if (c == '\n') break;
            }
            if (line.empty()) return {};
            return line;
        });
    }
    return ok ? 0 : kExitSqlError;
}

} // namespace blueshift::shell
