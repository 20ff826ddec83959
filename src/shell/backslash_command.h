// backslash_command.h: the shell's own commands: \q, \?, \d, \dt, \timing, \i, \format, \o.
//
// Catalog commands are turned into SQL over pg_catalog and run like any statement.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "shell/statement_runner.h"

namespace blueshift::shell {

enum class CommandResult : u8 { kDone, kFailed, kQuit };

/// `line` begins with a backslash. `include` runs a file and says whether it went well.
CommandResult runBackslashCommand(std::string_view line, StatementRunner& runner,
                                  const std::function<bool(const std::string&)>& include);

} // namespace blueshift::shell
