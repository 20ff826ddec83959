// statement_reader.h: finds where statements end in text that arrives line by line.
//
// Knows quotes ('...', "...", $tag$...$tag$), comments (-- and nested /* */) and nothing else of
// SQL. Give it lines with add(); next() yields each statement that a semicolon has ended.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace blueshift::shell {

class StatementReader {
public:
    void add(std::string_view line);
    /// The next complete statement, without its semicolon.
    std::optional<std::string> next();
    /// What is left when the input ends; empty when it is blank.
    std::string rest();
    /// Nothing but blanks and comments is waiting.
    bool blank() const;
    /// The prompt's mark: '=' for a new statement, '-' inside one, a quote inside quotes, '*'
    /// inside a comment.
    char mark() const;
    void clear();

private:
    enum class State : unsigned char { kPlain, kSingle, kDouble, kDollar, kLine, kBlock };
    void scan();
    size_t skipPlain(size_t at);

    std::string text_;
    size_t scanned_ = 0;
    State state_ = State::kPlain;
    bool has_content_ = false;
    int depth_ = 0;
    std::string dollar_tag_;
    size_t end_ = std::string::npos; // of a complete statement
};

} // namespace blueshift::shell
