#include "parse/lexer.h"

#include <array>
#include <string>

namespace blueshift::parse {

namespace {

enum : u8 { kBlank = 1, kNameStart = 2, kNamePart = 4, kDigit = 8 };

constexpr std::array<u8, 256> kClasses = [] {
    std::array<u8, 256> table{};
    for (int c : {' ', '\t', '\n', '\r', '\f', '\v'}) table[c] = kBlank;
    for (int c = 'a'; c <= 'z'; ++c) table[c] = kNameStart | kNamePart;
    for (int c = 'A'; c <= 'Z'; ++c) table[c] = kNameStart | kNamePart;
    for (int c = 128; c < 256; ++c) table[c] = kNameStart | kNamePart;
    table['_'] = kNameStart | kNamePart;
    table['$'] = kNamePart;
    for (int c = '0'; c <= '9'; ++c) table[c] = kDigit | kNamePart;
    return table;
}();

bool has(char c, u8 classes) {
    return (kClasses[static_cast<u8>(c)] & classes) != 0;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool hasUpper(std::string_view text) {
    for (char c : text)
        if (c >= 'A' && c <= 'Z') return true;
    return false;
}

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

void appendUtf8(std::string& out, u32 code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

/// Length of the UTF-8 sequence at `offset`, 0 if it is not one.
size_t sequenceLength(std::string_view text, size_t offset) {
    auto byte = [&](size_t i) -> u32 {
        return offset + i < text.size() ? static_cast<u8>(text[offset + i]) : 0;
    };
    auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
    u32 first = byte(0);
    if (first == 0) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if (!continues(1) || !continues(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0;
        if (first == 0xED && byte(1) > 0x9F) return 0;
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        if (first == 0xF0 && byte(1) < 0x90) return 0;
        if (first == 0xF4 && byte(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

} // namespace

bool isValidText(std::string_view text, size_t& bad) {
    size_t offset = 0;
    while (offset < text.size()) {
        size_t length = sequenceLength(text, offset);
        if (length == 0) {
            bad = offset;
            return false;
        }
        offset += length;
    }
    return true;
}

void checkText(std::string_view text) {
    if (text.size() > kMaxTextBytes)
        throw SqlError(
            Error(sqlstate::kProgramLimitExceeded,
                  "statement text is longer than 16777216 bytes: " + std::to_string(text.size()))
                .withHint("Load large amounts of data with COPY."));
    size_t bad = 0;
    if (isValidText(text, bad)) return;
    constexpr char kHex[] = "0123456789abcdef";
    u8 byte = static_cast<u8>(text[bad]);
    std::string shown = {'0', 'x', kHex[byte >> 4], kHex[byte & 15]};
    throw SqlError(Error(sqlstate::kCharacterNotInRepertoire,
                         "invalid byte sequence for encoding \"UTF8\": " + shown)
                       .withHint("Send statements in UTF-8 and without zero bytes.")
                       .at(characterPosition(text.substr(0, bad), static_cast<i32>(bad))));
}

bool isPlainName(std::string_view name) {
    if (name.empty() || !has(name[0], kNameStart)) return false;
    for (char c : name)
        if (!has(c, kNamePart) || (c >= 'A' && c <= 'Z')) return false;
    return true;
}

void Lexer::fail(std::string_view state, std::string message, size_t offset,
                 std::string hint) const {
    throw SqlError(Error(state, std::move(message))
                       .withHint(std::move(hint))
                       .at(characterPosition(text_, static_cast<i32>(offset))));
}

Token Lexer::finish(TokenKind kind, size_t start, size_t end, std::string_view text) const {
    Token token;
    token.kind = kind;
    token.begin = static_cast<i32>(start);
    token.end = static_cast<i32>(end);
    token.text = text;
    return token;
}

void Lexer::skipBlanks() {
    for (;;) {
        while (offset_ < text_.size() && has(text_[offset_], kBlank)) ++offset_;
        if (at(offset_) == '-' && at(offset_ + 1) == '-') {
            while (offset_ < text_.size() && text_[offset_] != '\n') ++offset_;
        } else if (at(offset_) == '/' && at(offset_ + 1) == '*') {
            size_t start = offset_;
            size_t depth = 0;
            do {
                if (offset_ >= text_.size())
                    fail(sqlstate::kSyntaxError, "unterminated /* comment", start,
                         "Comments nest: each /* needs its own */.");
                if (text_[offset_] == '/' && at(offset_ + 1) == '*') {
                    ++depth;
                    offset_ += 2;
                } else if (text_[offset_] == '*' && at(offset_ + 1) == '/') {
                    --depth;
                    offset_ += 2;
                } else {
                    ++offset_;
                }
            } while (depth > 0);
        } else {
            return;
        }
    }
}

Token Lexer::next() {
    skipBlanks();
    size_t start = offset_;
    if (start >= text_.size()) return finish(TokenKind::kEnd, text_.size(), text_.size(), {});
    char c = text_[start];
    if (has(c, kNameStart)) {
        if (at(start + 1) == '\'') {
            char prefix = lower(c);
            if (prefix == 'e') return readText(start, start + 1, true);
            if (prefix == 'n') return readText(start, start + 1, false);
        }
        return readWord(start);
    }
    if (has(c, kDigit) || (c == '.' && has(at(start + 1), kDigit))) return readNumber(start);
    if (c == '\'') return readText(start, start, false);
    if (c == '"') return readQuotedName(start);
    if (c == '$') return readParameterOrDollarText(start);
    return readSymbol(start);
}

void Lexer::checkNameLength(std::string_view name, size_t start) const {
    if (name.size() <= kMaxNameBytes) return;
    fail(sqlstate::kInvalidName,
         "identifier is longer than 127 bytes: \"" + std::string(name.substr(0, 40)) + "...\"",
         start, "Choose a shorter name; it has " + std::to_string(name.size()) + " bytes.");
}

Token Lexer::readWord(size_t start) {
    size_t end = start;
    bool upper = false;
    while (end < text_.size() && has(text_[end], kNamePart)) {
        upper |= text_[end] >= 'A' && text_[end] <= 'Z';
        ++end;
    }
    offset_ = end;
    std::string_view word = text_.substr(start, end - start);
    Token token = finish(TokenKind::kWord, start, end, word);
    char buffer[32];
    if (word.size() <= sizeof(buffer)) {
        for (size_t i = 0; i < word.size(); ++i) buffer[i] = lower(word[i]);
        token.keyword = findKeyword({buffer, word.size()});
        if (token.keyword != Keyword::kNoKeyword) {
            token.text = keywordText(token.keyword);
            return token;
        }
    }
    checkNameLength(word, start);
    if (upper) {
        std::span<char> folded = arena_.makeArray<char>(word.size());
        for (size_t i = 0; i < word.size(); ++i) folded[i] = lower(word[i]);
        token.text = {folded.data(), folded.size()};
    }
    return token;
}

Token Lexer::readQuotedName(size_t start) {
    size_t end = start + 1;
    bool doubled = false;
    for (;; ++end) {
        if (end >= text_.size())
            fail(sqlstate::kSyntaxError, "unterminated quoted identifier", start,
                 "Text is written in single quotes, names in double quotes.");
        if (text_[end] != '"') continue;
        if (at(end + 1) != '"') break;
        doubled = true;
        ++end;
    }
    offset_ = end + 1;
    std::string_view body = text_.substr(start + 1, end - start - 1);
    if (body.empty())
        fail(sqlstate::kSyntaxError, "zero-length delimited identifier", start,
             "A name has at least one character; an empty text is written ''.");
    if (doubled || (fold_quoted_ && hasUpper(body))) {
        std::span<char> name = arena_.makeArray<char>(body.size());
        size_t size = 0;
        for (size_t i = 0; i < body.size(); ++i) {
            name[size++] = fold_quoted_ ? lower(body[i]) : body[i];
            if (body[i] == '"') ++i;
        }
        body = {name.data(), size};
    }
    checkNameLength(body, start);
    return finish(TokenKind::kQuotedName, start, offset_, body);
}

Token Lexer::readNumber(size_t start) {
    size_t end = start;
    TokenKind kind = TokenKind::kInteger;
    while (has(at(end), kDigit)) ++end;
    if (at(end) == '.') {
        kind = TokenKind::kDecimal;
        ++end;
        while (has(at(end), kDigit)) ++end;
    }
    if (lower(at(end)) == 'e') {
        size_t digits = end + 1;
        if (at(digits) == '+' || at(digits) == '-') ++digits;
        if (has(at(digits), kDigit)) {
            kind = TokenKind::kFloat;
            end = digits;
            while (has(at(end), kDigit)) ++end;
        }
    }
    if (has(at(end), kNamePart)) {
        size_t junk = end;
        std::string word;
        while (has(at(junk), kNamePart)) word += lower(at(junk++));
        // A reserved word cannot be the rest of a name: Redshift's drivers send 4WHEN.
        if (!isReserved(findKeyword(word)))
            fail(sqlstate::kSyntaxError,
                 "trailing junk after numeric literal at or near \"" +
                     std::string(text_.substr(start, std::min<size_t>(junk - start, 64))) + "\"",
                 start,
                 "Put a blank after the number, or quotes around a name that starts with one.");
    }
    offset_ = end;
    return finish(kind, start, end, text_.substr(start, end - start));
}

Token Lexer::readParameterOrDollarText(size_t start) {
    size_t end = start + 1;
    if (has(at(end), kDigit)) {
        while (has(at(end), kDigit)) ++end;
        offset_ = end;
        return finish(TokenKind::kParameter, start, end, text_.substr(start + 1, end - start - 1));
    }
    if (has(at(end), kNameStart))
        while (has(at(end), kNamePart) && at(end) != '$') ++end;
    if (at(end) != '$') {
        offset_ = start + 1;
        Token token = finish(TokenKind::kSymbol, start, start + 1, text_.substr(start, 1));
        token.symbol = Symbol::kUnknown;
        return token;
    }
    std::string_view tag = text_.substr(start, end + 1 - start);
    size_t body = end + 1;
    size_t close = text_.find(tag, body);
    if (close == std::string_view::npos)
        fail(sqlstate::kSyntaxError, "unterminated dollar-quoted string", start,
             "The text ends at the next " + std::string(tag) + ".");
    offset_ = close + tag.size();
    return finish(TokenKind::kText, start, offset_, text_.substr(body, close - body));
}

size_t Lexer::findClosingQuote(size_t start, size_t quote, bool escapes, bool& has_escapes) {
    for (size_t end = quote + 1;; ++end) {
        if (end >= text_.size())
            fail(sqlstate::kSyntaxError, "unterminated quoted string", start,
                 "A quote inside of text is written twice.");
        if (text_[end] == '\\' && escapes) {
            has_escapes = true;
            ++end;
        } else if (text_[end] == '\'') {
            if (at(end + 1) != '\'') return end;
            has_escapes = true;
            ++end;
        }
    }
}

/// Offset of the quote that continues the literal ending before `offset`: blanks and line comments
/// with at least one line end may stand between. npos if there is none.
size_t Lexer::adjacentQuote(size_t offset) const {
    bool new_line = false;
    for (;;) {
        if (has(at(offset), kBlank)) {
            new_line |= at(offset) == '\n' || at(offset) == '\r';
            ++offset;
        } else if (at(offset) == '-' && at(offset + 1) == '-') {
            while (offset < text_.size() && text_[offset] != '\n') ++offset;
        } else {
            return new_line && at(offset) == '\'' ? offset : std::string_view::npos;
        }
    }
}

Token Lexer::readText(size_t start, size_t quote, bool escapes) {
    std::string_view value;
    std::string joined;
    bool several = false;
    for (;;) {
        bool has_escapes = false;
        size_t close = findClosingQuote(start, quote, escapes, has_escapes);
        std::string_view body = text_.substr(quote + 1, close - quote - 1);
        offset_ = close + 1;
        if (has_escapes) {
            if (escapes) {
                body = unescape(body);
            } else {
                std::span<char> copy = arena_.makeArray<char>(body.size());
                size_t size = 0;
                for (size_t i = 0; i < body.size(); ++i) {
                    copy[size++] = body[i];
                    if (body[i] == '\'') ++i;
                }
                body = {copy.data(), size};
            }
        }
        if (several) joined += body;
        size_t following = adjacentQuote(offset_);
        if (following == std::string_view::npos) {
            value = several ? arena_.copyText(joined) : body;
            break;
        }
        if (!several) joined = body;
        several = true;
        quote = following;
    }
    return finish(TokenKind::kText, start, offset_, value);
}

std::string_view Lexer::unescape(std::string_view body) {
    size_t base = static_cast<size_t>(body.data() - text_.data());
    std::string out;
    out.reserve(body.size());
    auto hexRun = [&](size_t& i, size_t most, u32& value) {
        size_t digits = 0;
        value = 0;
        while (digits < most && i + 1 < body.size() && hexDigit(body[i + 1]) >= 0) {
            value = value * 16 + static_cast<u32>(hexDigit(body[++i]));
            ++digits;
        }
        return digits;
    };
    for (size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\'') {
            out += '\'';
            ++i;
            continue;
        }
        if (body[i] != '\\') {
            out += body[i];
            continue;
        }
        size_t escape = base + i;
        char c = body[++i];
        u32 value = 0;
        switch (c) {
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'x':
            if (hexRun(i, 2, value) == 0) out += 'x';
            else out += static_cast<char>(value);
            break;
        case 'u':
        case 'U': {
            size_t digits = c == 'u' ? 4 : 8;
            if (hexRun(i, digits, value) != digits || value > 0x10FFFF || value == 0 ||
                (value >= 0xD800 && value <= 0xDFFF))
                fail(sqlstate::kInvalidEscapeSequence, "invalid Unicode escape", escape,
                     "Write \\uXXXX or \\UXXXXXXXX with the code of one character.");
            appendUtf8(out, value);
            break;
        }
        default:
            if (c >= '0' && c <= '7') {
                value = static_cast<u32>(c - '0');
                for (int more = 0;
                     more < 2 && i + 1 < body.size() && body[i + 1] >= '0' && body[i + 1] <= '7';
                     ++more)
                    value = value * 8 + static_cast<u32>(body[++i] - '0');
                out += static_cast<char>(value);
            } else {
                out += c;
            }
        }
    }
    size_t bad = 0;
    if (!isValidText(out, bad))
        fail(sqlstate::kCharacterNotInRepertoire,
             "invalid byte sequence for encoding \"UTF8\" after escapes in text", base,
             "Escapes must form UTF-8 characters and no zero byte.");
    return arena_.copyText(out);
}

Token Lexer::readSymbol(size_t start) {
    struct Spelling {
        std::string_view text;
        Symbol symbol;
    };
    // Longer spellings first among those with the same beginning.
    static constexpr Spelling kSpellings[] = {
        {"!~~*", Symbol::kNotLikeNoCase},
        {"!~~", Symbol::kNotLike},
        {"!~*", Symbol::kNotTildeStar},
        {"||/", Symbol::kCubeRoot},
        {"~~*", Symbol::kLikeNoCase},
        {"!~", Symbol::kNotTilde},
        {"!=", Symbol::kNotEqual},
        {"<>", Symbol::kNotEqual},
        {"<=", Symbol::kLessEqual},
        {"<<", Symbol::kShiftLeft},
        {">=", Symbol::kGreaterEqual},
        {">>", Symbol::kShiftRight},
        {"||", Symbol::kConcatenate},
        {"|/", Symbol::kSquareRoot},
        {"~~", Symbol::kLike},
        {"~*", Symbol::kTildeStar},
        {"::", Symbol::kDoubleColon},
        {":=", Symbol::kAssign},
        {"=>", Symbol::kArrow},
        {"(", Symbol::kLeftParen},
        {")", Symbol::kRightParen},
        {"[", Symbol::kLeftBracket},
        {"]", Symbol::kRightBracket},
        {",", Symbol::kComma},
        {";", Symbol::kSemicolon},
        {".", Symbol::kDot},
        {":", Symbol::kColon},
        {"+", Symbol::kPlus},
        {"-", Symbol::kMinus},
        {"*", Symbol::kStar},
        {"/", Symbol::kSlash},
        {"%", Symbol::kPercent},
        {"^", Symbol::kCaret},
        {"=", Symbol::kEqual},
        {"<", Symbol::kLess},
        {">", Symbol::kGreater},
        {"&", Symbol::kAmpersand},
        {"|", Symbol::kPipe},
        {"#", Symbol::kHash},
        {"~", Symbol::kTilde},
        {"@", Symbol::kAt},
    };
    // First spelling of each character, so that commas and parentheses need no search.
    static constexpr std::array<u8, 128> kFirst = [] {
        std::array<u8, 128> first{};
        for (u8& entry : first) entry = 255;
        for (size_t i = std::size(kSpellings); i-- > 0;)
            first[static_cast<u8>(kSpellings[i].text[0])] = static_cast<u8>(i);
        return first;
    }();
    std::string_view rest = text_.substr(start);
    Symbol symbol = Symbol::kUnknown;
    size_t length = 1;
    for (size_t i = kFirst[static_cast<u8>(rest[0]) & 127]; i < std::size(kSpellings); ++i) {
        if (!rest.starts_with(kSpellings[i].text)) continue;
        symbol = kSpellings[i].symbol;
        length = kSpellings[i].text.size();
        break;
    }
    offset_ = start + length;
    Token token = finish(TokenKind::kSymbol, start, offset_, text_.substr(start, length));
    token.symbol = symbol;
    return token;
}

} // namespace blueshift::parse
