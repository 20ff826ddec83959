#include "shell/line_editor.h"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// readline.h needs stdio.h before it.
#include <readline/history.h>
#include <readline/readline.h>

namespace blueshift::shell {

namespace {

constexpr int kControlC = 3;
constexpr char kInterruptedLine[] = "\x03";
constexpr int kHistoryEntries = 5000;

/// Bound to Ctrl-C: answers with a line that nobody can type.
int interruptLine(int, int) {
    rl_replace_line(kInterruptedLine, 0);
    rl_done = 1;
    return 0;
}

/// Takes the interrupt character from the terminal driver while a line is edited, so that Ctrl-C
/// arrives as a key instead of a signal.
class InterruptAsKey {
public:
    InterruptAsKey() {
        saved_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (!saved_) return;
        termios settings = before_;
        settings.c_cc[VINTR] = _POSIX_VDISABLE;
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
    }
    ~InterruptAsKey() {
        if (saved_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }

private:
    termios before_{};
    bool saved_ = false;
};

} // namespace

LineEditor::LineEditor(std::string history_file) : history_file_(std::move(history_file)) {
    rl_readline_name = "blueshift";
    rl_catch_signals = 0;
    rl_initialize();
    rl_bind_key(kControlC, interruptLine);
    rl_bind_key('\t', rl_insert);
    // Text that is pasted with line breaks arrives as it is.
    rl_variable_bind("enable-bracketed-paste", "on");
    using_history();
    stifle_history(kHistoryEntries);
    if (!history_file_.empty()) read_history(history_file_.c_str());
}

LineEditor::~LineEditor() {
    if (history_file_.empty()) return;
    write_history(history_file_.c_str());
    ::chmod(history_file_.c_str(), 0600);
}

LineEditor::Answer LineEditor::read(const std::string& prompt, std::string& line) {
    const InterruptAsKey interrupt_as_key;
    char* typed = ::readline(prompt.c_str());
    if (typed == nullptr) return Answer::kEnd;
    line = typed;
    std::free(typed);
    return line == kInterruptedLine ? Answer::kInterrupted : Answer::kLine;
}

void LineEditor::remember(const std::string& statement) {
    // Passwords have no place in a file.
    std::string lower = statement;
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    for (const std::string_view secret : {"password", "credentials", "secret", "access_key"})
        if (lower.find(secret) != std::string::npos) return;
    std::ranges::replace(lower = statement, '\n', ' ');
    if (!lower.empty()) add_history(lower.c_str());
}

std::string defaultHistoryFile() {
    const char* home = std::getenv("HOME");
    return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.blueshift_history";
}

} // namespace blueshift::shell
