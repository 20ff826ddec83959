#include "shell/statement_reader.h"

#include <algorithm>
#include <cctype>

namespace blueshift::shell {

namespace {
bool isBlank(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}
bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

/// Line ends after the statement before are not part of this one's line numbers.
std::string withoutLeadingBlanks(std::string text) {
    const auto begin = std::ranges::find_if_not(text, isBlank);
    text.erase(text.begin(), begin);
    return text;
}

} // namespace

void StatementReader::add(std::string_view line) {
    text_ += line;
}

void StatementReader::clear() {
    text_.clear();
    scanned_ = 0;
    state_ = State::kPlain;
    has_content_ = false;
    depth_ = 0;
    end_ = std::string::npos;
}

/// One step outside quotes and comments; returns the next offset.
size_t StatementReader::skipPlain(size_t at) {
    const char c = text_[at];
    const char following = at + 1 < text_.size() ? text_[at + 1] : '\0';
    if (c == '-' && following == '-') {
        state_ = State::kLine;
        return at + 2;
    }
    if (c == '/' && following == '*') {
        state_ = State::kBlock;
        depth_ = 1;
        return at + 2;
    }
    if (c == ';') {
        end_ = at;
        return at + 1;
    }
    if (!isBlank(c)) has_content_ = true;
    if (c == '\'') state_ = State::kSingle;
    if (c == '"') state_ = State::kDouble;
    if (c == '$' && (at == 0 || !isWord(text_[at - 1]))) {
        size_t close = at + 1;
        while (close < text_.size() && isWord(text_[close])) ++close;
        const bool parameter =
            at + 1 < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at + 1]));
        if (close < text_.size() && text_[close] == '$' && !parameter) {
            dollar_tag_ = text_.substr(at, close - at + 1);
            state_ = State::kDollar;
            return close + 1;
        }
    }
    return at + 1;
}

void StatementReader::scan() {
    while (scanned_ < text_.size() && end_ == std::string::npos) {
        const char c = text_[scanned_];
        switch (state_) {
        case State::kPlain: scanned_ = skipPlain(scanned_); continue;
        case State::kSingle:
            // Redshift reads backslash escapes in plain literals only where E precedes; a doubled
            // quote closes and opens again, which comes to the same.
            if (c == '\'') state_ = State::kPlain;
            break;
        case State::kDouble:
            if (c == '"') state_ = State::kPlain;
            break;
        case State::kDollar:
            if (text_.compare(scanned_, dollar_tag_.size(), dollar_tag_) == 0) {
                scanned_ += dollar_tag_.size() - 1;
                state_ = State::kPlain;
            }
            break;
        case State::kLine:
            if (c == '\n') state_ = State::kPlain;
            break;
        case State::kBlock:
            if (text_.compare(scanned_, 2, "*/") == 0) {
                ++scanned_;
                if (--depth_ == 0) state_ = State::kPlain;
            } else if (text_.compare(scanned_, 2, "/*") == 0) {
                ++scanned_;
                ++depth_;
            }
            break;
        }
        ++scanned_;
    }
}

std::optional<std::string> StatementReader::next() {
    while (true) {
        scan();
        if (end_ == std::string::npos) return {};
        std::string statement = text_.substr(0, end_);
        const bool content = has_content_;
        text_.erase(0, end_ + 1);
        scanned_ = 0;
        end_ = std::string::npos;
        has_content_ = false;
        if (content) return withoutLeadingBlanks(std::move(statement));
    }
}

std::string StatementReader::rest() {
    scan();
    std::string statement = has_content_ ? withoutLeadingBlanks(text_) : std::string();
    clear();
    return statement;
}

bool StatementReader::blank() const {
    return !has_content_ && state_ == State::kPlain;
}

char StatementReader::mark() const {
    switch (state_) {
    case State::kSingle: return '\'';
    case State::kDouble: return '"';
    case State::kDollar: return '$';
    case State::kBlock: return '*';
    default: return has_content_ ? '-' : '=';
    }
}

} // namespace blueshift::shell
