// shell.h: the SQL shell, `blueshift sql`: reads statements, runs them, prints results.
//
// Input: -c texts, a file, or standard input, with history and editing when that is a terminal.
// Where: a directory that no server holds is opened in this process, one that a server holds and a
// DSN are reached over libpq.
// Exit codes: 0, 1 could not start or connect, 3 a statement failed (not for a terminal).
#pragma once

#include <string>
#include <vector>

#include "base/ints.h"
#include "shell/result_writer.h"

namespace blueshift::shell {

struct ShellOptions {
    std::string target;                // DSN or directory; empty: the server on the default port
    std::vector<std::string> commands; // -c
    std::vector<std::string> files;    // -f
    Format format = Format::kBox;
    bool keep_going = false;
    bool timing = true;
    u64 memory_bytes = 0;
    u32 threads = 0;
};

int runShell(const ShellOptions& options);

} // namespace blueshift::shell
