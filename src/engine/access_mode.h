// access_mode.h: what a READ ONLY transaction refuses: writes to tables that are not temporary, and
// every definition.
//
// Place: statement.cpp asks before a statement runs.
// Why so: by statement, as in PostgreSQL: the message names the command, and nothing has happened
// yet when it fails.
#pragma once

#include <string_view>

#include "parse/ast.h"

namespace blueshift::engine {

struct WriteCommand {
    std::string_view words;                   // "INSERT"; empty: the statement writes nothing
    const parse::ObjectName* table = nullptr; // allowed when this is a temporary table
};

WriteCommand writeCommandOf(const parse::Statement& statement);

/// The error of a write in a READ ONLY transaction, 25006.
[[noreturn]] void refuseWrite(std::string_view words);

} // namespace blueshift::engine
