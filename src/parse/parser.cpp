#include "parse/parser.h"

#include <charconv>

#include "base/nearest_name.h"

namespace blueshift::parse {

const Token& Parser::peek(size_t ahead) {
    BS_ASSERT(ahead < kWindow);
    while (window_size_ <= ahead) {
        window_[(window_start_ + window_size_) % kWindow] = lexer_.next();
        ++window_size_;
    }
    return window_[(window_start_ + ahead) % kWindow];
}

Token Parser::take() {
    Token token = peek();
    if (token.kind != TokenKind::kEnd) {
        window_start_ = (window_start_ + 1) % kWindow;
        --window_size_;
        last_end_ = token.end;
    }
    return token;
}

bool Parser::accept(Keyword keyword) {
    if (!at(keyword)) return false;
    take();
    return true;
}

bool Parser::accept(Symbol symbol) {
    if (!at(symbol)) return false;
    take();
    return true;
}

bool Parser::accept(Keyword first, Keyword second) {
    if (!at(first) || !at(second, 1)) return false;
    take();
    take();
    return true;
}

bool Parser::accept(Keyword first, Keyword second, Keyword third) {
    if (!at(first) || !at(second, 1) || !at(third, 2)) return false;
    take();
    take();
    take();
    return true;
}

void Parser::expect(Keyword keyword) {
    if (!accept(keyword)) {
        std::string word(keywordText(keyword));
        for (char& c : word)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
        fail("Expected " + word + " here.");
    }
}

void Parser::expect(Symbol symbol) {
    if (accept(symbol)) return;
    if (symbol == Symbol::kRightParen) {
        if (startsOperand(peek())) fail("A comma or an operator may be missing before it.");
        fail("A closing parenthesis is missing.");
    }
    if (symbol == Symbol::kLeftParen) fail("An opening parenthesis is missing.");
    fail();
}

bool Parser::startsOperand(const Token& token) {
    switch (token.kind) {
    case TokenKind::kEnd:
    case TokenKind::kSymbol: return false;
    case TokenKind::kWord: return !isReserved(token.keyword) || token.is(Keyword::kCase);
    default: return true;
    }
}

void Parser::fail(std::string hint) {
    failAt(peek(), std::move(hint));
}

std::string Parser::nearestWordHint(std::initializer_list<std::string_view> words) {
    if (peek().kind != TokenKind::kWord) return "";
    std::string near = nearestName(peek().text, std::span(words.begin(), words.size()));
    for (char& c : near)
        if (c >= 'a' && c <= 'z') c = char(c - 32);
    return near.empty() ? "" : "Perhaps you meant " + near + ".";
}

void Parser::failAt(const Token& token, std::string hint) {
    if (token.kind == TokenKind::kEnd)
        failWith(sqlstate::kSyntaxError, "syntax error at end of input", token.begin,
                 std::move(hint));
    constexpr size_t kShown = 64;
    std::string_view source = sourceText(token.begin, token.end);
    std::string shown(source.substr(0, kShown));
    if (source.size() > kShown) {
        while (!shown.empty() && (shown.back() & 0xC0) == 0x80) shown.pop_back();
        if (!shown.empty() && (shown.back() & 0x80) != 0) shown.pop_back();
        shown += "...";
    }
    failWith(sqlstate::kSyntaxError, "syntax error at or near \"" + shown + "\"", token.begin,
             std::move(hint));
}

void Parser::failWith(std::string_view state, std::string message, i32 position, std::string hint) {
    throw SqlError(Error(state, std::move(message))
                       .withHint(std::move(hint))
                       .at(characterPosition(text_, position)));
}

void Parser::notYet(std::string_view what, i32 position) {
    failWith(sqlstate::kFeatureNotSupported, std::string(what) + " is not supported yet", position);
}

void Parser::enter() {
    if (++depth_ <= kMaxDepth) return;
    failWith(sqlstate::kStatementTooComplex, "statement is nested more than 1000 levels deep",
             here(), "Use fewer parentheses, or name subqueries with WITH.");
}

bool Parser::atName(size_t ahead) {
    const Token& token = peek(ahead);
    return token.kind == TokenKind::kQuotedName ||
           (token.kind == TokenKind::kWord && !isReserved(token.keyword));
}

std::string_view Parser::parseName() {
    // #name is a name of a temporary table when nothing stands between the two.
    if (at(Symbol::kHash) && peek(1).kind == TokenKind::kWord && peek().end == peek(1).begin) {
        take();
        std::string name = "#";
        name += take().text;
        if (name.size() > kMaxNameBytes)
            failWith(sqlstate::kInvalidName, "identifier is longer than 127 bytes", last_end_);
        return arena_.copyText(name);
    }
    if (!atName()) {
        const Token& token = peek();
        if (token.kind == TokenKind::kWord)
            fail("\"" + std::string(token.text) +
                 "\" is a reserved word; write it in double quotes to use it as a name.");
        if (token.kind == TokenKind::kText) fail("A name is written in double quotes or without.");
        fail("A name is expected here.");
    }
    return take().text;
}

std::string_view Parser::parseLabel() {
    if (peek().kind == TokenKind::kWord) return take().text;
    return parseName();
}

ColumnName Parser::parseColumnName() {
    ColumnName name;
    name.position = here();
    name.name = parseName();
    return name;
}

List<ColumnName> Parser::parseColumnNames() {
    List<ColumnName> names = list<ColumnName>();
    do names.push(parseColumnName());
    while (accept(Symbol::kComma));
    return names;
}

List<ColumnName> Parser::parseColumnNamesInParentheses() {
    expect(Symbol::kLeftParen);
    List<ColumnName> names = parseColumnNames();
    expect(Symbol::kRightParen);
    return names;
}

ObjectName Parser::objectNameOf(const List<std::string_view>& parts, i32 position) {
    if (parts.size() > 3)
        failWith(sqlstate::kSyntaxError, "a name has at most three parts: database.schema.name",
                 position);
    ObjectName name;
    name.position = position;
    name.name = parts[parts.size() - 1];
    if (parts.size() > 1) name.schema = parts[parts.size() - 2];
    if (parts.size() > 2) name.database = parts[0];
    return name;
}

ObjectName Parser::parseObjectName() {
    i32 position = here();
    List<std::string_view> parts = list<std::string_view>();
    parts.push(parseName());
    while (accept(Symbol::kDot)) parts.push(parseLabel());
    return objectNameOf(parts, position);
}

List<ObjectName> Parser::parseObjectNames() {
    List<ObjectName> names = list<ObjectName>();
    do names.push(parseObjectName());
    while (accept(Symbol::kComma));
    return names;
}

std::string_view Parser::parseText() {
    if (peek().kind != TokenKind::kText) fail("A text in single quotes is expected here.");
    return take().text;
}

std::string_view Parser::lowerText(std::string_view text) {
    std::span<char> lower = arena_.makeArray<char>(text.size());
    for (size_t i = 0; i < text.size(); ++i)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    return {lower.data(), lower.size()};
}

i64 Parser::parseInteger() {
    const Token& token = peek();
    if (token.kind != TokenKind::kInteger) fail("A whole number is expected here.");
    i64 value = 0;
    auto [end, error] =
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    if (error != std::errc())
        failWith(sqlstate::kNumericValueOutOfRange,
                 "number is out of range: " + std::string(token.text), token.begin);
    take();
    return value;
}

i64 Parser::parseSignedInteger() {
    if (accept(Symbol::kMinus)) return -parseInteger();
    accept(Symbol::kPlus);
    return parseInteger();
}

DropBehavior Parser::parseDropBehavior() {
    if (accept(Keyword::kCascade)) return DropBehavior::kCascade;
    if (accept(Keyword::kRestrict)) return DropBehavior::kRestrict;
    return DropBehavior::kUnspecified;
}

bool Parser::acceptIfExists() {
    return accept(Keyword::kIf, Keyword::kExists);
}

bool Parser::acceptIfNotExists() {
    return accept(Keyword::kIf, Keyword::kNot, Keyword::kExists);
}

int characterPosition(std::string_view text, i32 byte_offset) {
    if (byte_offset < 0) return 0;
    size_t end = std::min<size_t>(static_cast<size_t>(byte_offset), text.size());
    int characters = 1;
    for (size_t i = 0; i < end; ++i)
        if ((text[i] & 0xC0) != 0x80) ++characters;
    return characters;
}

} // namespace blueshift::parse
