// Texts for logs and system tables: secrets replaced.

#include "parse/lexer.h"

namespace blueshift::parse {

namespace {

bool beforeSecret(const Token& token) {
    if (token.kind != TokenKind::kWord) return false;
    for (std::string_view word : {"password", "credentials", "access_key_id", "secret_access_key",
                                  "session_token", "master_symmetric_key"})
        if (token.text == word) return true;
    return false;
}

} // namespace

std::string redact(std::string_view text) {
    Arena arena;
    Lexer lexer(text, arena, true);
    std::string out;
    size_t copied = 0;
    bool armed = false;
    size_t reached = 0;
    try {
        for (;;) {
            Token token = lexer.next();
            if (token.kind == TokenKind::kEnd) break;
            reached = static_cast<size_t>(token.end);
            if (armed && token.kind == TokenKind::kText) {
                out += text.substr(copied, static_cast<size_t>(token.begin) - copied);
                out += "'***'";
                copied = reached;
            }
            // AS and = may stand between the word and its literal.
            bool between = token.is(Keyword::kAs) || token.is(Symbol::kEqual);
            armed = beforeSecret(token) || (armed && between);
        }
    } catch (const SqlError&) {
        // What cannot be cut into tokens may hold an open secret: nothing of it is shown.
        if (reached < text.size()) {
            out += text.substr(copied, reached - copied);
            out += " ***";
            return out;
        }
    }
    out += text.substr(copied);
    return out;
}

} // namespace blueshift::parse
