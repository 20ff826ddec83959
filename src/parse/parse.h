// parse.h: the front door of parse/: text to syntax tree, and back to text.
//
// Place: first stage of a statement; called by statement.cpp, by bind/ for the text of views.
// Owns: nothing; the tree lives in the given arena, which also gets a copy of the text.
// Threads: reentrant, no shared state.
// Errors: SqlError with SQLSTATE 42601 (syntax), 42602 (a name that is too long), 54001 (nested too
// deeply), 0A000 (a documented statement that is not built yet), 22021 (not UTF-8), 22025 (bad
// escape); all carry the 1-based character position.
#pragma once

#include <string>
#include <string_view>

#include "parse/ast.h"

namespace blueshift::parse {

/// Parentheses, subqueries, CASE and calls may nest this deep.
inline constexpr u32 kMaxDepth = 1000;
/// Bytes of a name.
inline constexpr size_t kMaxNameBytes = 127;
/// Bytes of a text with all its statements.
inline constexpr size_t kMaxTextBytes = size_t{16} << 20;

struct ParseOptions {
    /// Quoted names fold to lower case (downcase_delimited_identifier = on).
    bool fold_quoted = true;
};

/// All statements of the text, in order; empty statements are dropped.
List<Statement*> parse(std::string_view text, Arena& arena, const ParseOptions& options = {});

/// One expression and nothing after it: column defaults and other stored texts.
Expression* parseExpression(std::string_view text, Arena& arena, const ParseOptions& options = {});

/// One query and nothing after it: the stored text of a view.
Query* parseQuery(std::string_view text, Arena& arena, const ParseOptions& options = {});

/// The 1-based character position of a byte offset in UTF-8 text; 0 for an offset below 0.
int characterPosition(std::string_view text, i32 byte_offset);

/// SQL text that parses to the same tree, on one line. Secrets are printed as '***'.
std::string print(const Statement& statement);
std::string print(const Query& query);
std::string print(const Expression& expression);
std::string print(const TypeName& type);
std::string print(const ObjectName& name);

/// A name as it must be written: quoted if it is reserved or has other characters than a-z 0-9 _ $.
std::string quoteName(std::string_view name);
/// 'text' with doubled quotes.
std::string quoteText(std::string_view text);

/// The text with the literals after PASSWORD, CREDENTIALS, ACCESS_KEY_ID, SECRET_ACCESS_KEY,
/// SESSION_TOKEN and MASTER_SYMMETRIC_KEY replaced by '***'. Works on text that does not parse.
std::string redact(std::string_view text);

} // namespace blueshift::parse
