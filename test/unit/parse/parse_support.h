// parse_support.h: short forms for the tests of parse/.
#pragma once

#include <string>
#include <string_view>

#include "parse/parse.h"

namespace blueshift::parse {

/// All statements of a text, printed, with "; " between them.
inline std::string printed(std::string_view text, const ParseOptions& options = {}) {
    Arena arena;
    std::string out;
    for (const Statement* statement : parse(text, arena, options)) {
        if (!out.empty()) out += "; ";
        out += print(*statement);
    }
    return out;
}

/// The error of a text that must not parse; an empty SQLSTATE if it did.
inline Error errorOf(std::string_view text, const ParseOptions& options = {}) {
    try {
        Arena arena;
        parse(text, arena, options);
    } catch (const SqlError& error) {
        return error.error();
    }
    return {};
}

/// The structure of an expression, with all parentheses.
std::string shape(const Expression* expression);
inline std::string shapeOf(std::string_view text) {
    Arena arena;
    return shape(parseExpression(text, arena));
}

} // namespace blueshift::parse
