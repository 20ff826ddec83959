// line_editor.h: one line from the terminal, with history and editing by readline.
//
// Ctrl-C at the prompt discards the line (nothing is signalled); Ctrl-D on an empty line ends.
// Readline keeps state of its own for the process, so there is one LineEditor.
#pragma once

#include <string>

namespace blueshift::shell {

class LineEditor {
public:
    /// `history_file`: read now and written at the end; empty for none.
    explicit LineEditor(std::string history_file);
    ~LineEditor();

    enum class Answer : unsigned char { kLine, kInterrupted, kEnd };
    Answer read(const std::string& prompt, std::string& line);
    void remember(const std::string& statement);

private:
    std::string history_file_;
};

/// ~/.blueshift_history, or nothing without a home.
std::string defaultHistoryFile();

} // namespace blueshift::shell
