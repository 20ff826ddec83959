// line_editor.h: one line from the terminal, with history and editing by libedit (BSD licence).
//
// Ctrl-C at the prompt discards the line (nothing is signalled); Ctrl-D on an empty line ends.
// Keys are those of Emacs: arrows and Ctrl-R walk the history; ~/.editrc may bind others.
// Owns: the editor, the history and its file, one statement a line.
#pragma once

#include <string>

struct editline;
struct history;

namespace blueshift::shell {

class LineEditor {
public:
    /// `history_file`: read now and written at the end; empty for none.
    explicit LineEditor(std::string history_file);
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    enum class Answer : unsigned char { kLine, kInterrupted, kEnd };
    Answer read(const std::string& prompt, std::string& line);
    void remember(const std::string& statement);

    // For libedit's callbacks.
    const char* prompt() const { return prompt_.c_str(); }
    void interrupt() { interrupted_ = true; }

private:
    void bindKeys();
    void loadHistory();
    void saveHistory();

    std::string history_file_;
    std::string prompt_;
    bool interrupted_ = false;
    editline* editor_;
    history* history_;
};

/// ~/.blueshift_history, or nothing without a home.
std::string defaultHistoryFile();

} // namespace blueshift::shell
