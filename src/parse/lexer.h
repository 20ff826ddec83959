// lexer.h: cuts SQL text into tokens, one at a time.
//
// Place: text -> tokens for the parser; also for redact().
// Owns / borrows: borrows the text, which must be valid UTF-8 and outlive the tokens; puts folded
// names and unescaped literals into the arena, everything else points into the text.
// Threads: one statement, one thread.
// Why so: tokens are made on demand, so that a 16 MB INSERT needs no token array; the parser looks
// at most a few tokens ahead.
#pragma once

#include "base/arena.h"
#include "parse/keywords.h"
#include "parse/parse.h"

namespace blueshift::parse {

enum class TokenKind : u8 {
    kEnd,
    /// An unquoted word: `keyword` may be set, `text` is folded.
    kWord,
    kQuotedName,
    /// Unescaped text of any of the literal forms.
    kText,
    kInteger,
    kDecimal,
    kFloat,
    /// $n: `text` holds the digits.
    kParameter,
    kSymbol,
};

enum class Symbol : u8 {
    kNone,
    kLeftParen,
    kRightParen,
    kLeftBracket,
    kRightBracket,
    kComma,
    kSemicolon,
    kDot,
    kColon,
    kDoubleColon,
    kAssign,
    kArrow,
    kPlus,
    kMinus,
    kStar,
    kSlash,
    kPercent,
    kCaret,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kShiftLeft,
    kShiftRight,
    kAmpersand,
    kPipe,
    kConcatenate,
    kHash,
    kTilde,
    kTildeStar,
    kNotTilde,
    kNotTildeStar,
    kLike,
    kLikeNoCase,
    kNotLike,
    kNotLikeNoCase,
    kSquareRoot,
    kCubeRoot,
    kAt,
    /// A character that starts no token, such as ? or a lone !.
    kUnknown,
};

struct Token {
    TokenKind kind = TokenKind::kEnd;
    Symbol symbol = Symbol::kNone;
    Keyword keyword = Keyword::kNoKeyword;
    /// Bytes [begin, end) of the text.
    i32 begin = 0;
    i32 end = 0;
    std::string_view text;

    bool is(Keyword word) const { return keyword == word; }
    bool is(Symbol s) const { return symbol == s; }
};

class Lexer {
public:
    Lexer(std::string_view text, Arena& arena, bool fold_quoted)
        : text_(text), arena_(arena), fold_quoted_(fold_quoted) {}

    /// The next token; kEnd for ever after the last. Throws SqlError for text that is no token:
    /// an open quote or comment, a bad escape, a name that is too long.
    Token next();

private:
    void skipBlanks();
    Token readWord(size_t start);
    Token readQuotedName(size_t start);
    Token readNumber(size_t start);
    Token readParameterOrDollarText(size_t start);
    Token readSymbol(size_t start);
    /// `quote` is the offset of the opening quote; reads adjacent literals too.
    Token readText(size_t start, size_t quote, bool escapes);
    size_t findClosingQuote(size_t start, size_t quote, bool escapes, bool& has_escapes);
    std::string_view unescape(std::string_view body);
    size_t adjacentQuote(size_t offset) const;
    void checkNameLength(std::string_view name, size_t start) const;
    Token finish(TokenKind kind, size_t start, size_t end, std::string_view text) const;
    [[noreturn]] void fail(std::string_view sqlstate, std::string message, size_t offset,
                           std::string hint = {}) const;

    char at(size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

    std::string_view text_;
    Arena& arena_;
    bool fold_quoted_;
    size_t offset_ = 0;
};

/// Throws 22021 unless the text is UTF-8 without zero bytes, 54000 if it is larger than a statement
/// may be.
void checkText(std::string_view text);

/// True if the bytes are UTF-8 without surrogates, overlong forms and zero bytes; otherwise `bad`
/// is the offset of the first byte that is not.
bool isValidText(std::string_view text, size_t& bad);

/// True if the bytes can be written as a name without quotes (keywords aside).
bool isPlainName(std::string_view name);

} // namespace blueshift::parse
