// script.h: an .slt file as a list of records.
//
// Place: read by main.cpp, run by file_run.h; `--rewrite` writes the same records back.
// Format (docs in test/sql/README.md): records are separated by blank lines, lines that begin with
// # are comments.
//   statement ok [TAG]                 the statement succeeds [with this command tag]
//   statement error SQLSTATE [TEXT]    it fails with the SQLSTATE [and a message that contains
//   TEXT] statement start                    runs in the background on its connection join ok [TAG]
//   | join error SQLSTATE [TEXT]   waits for it query TYPES [rowsort|valuesort]    rows follow
//   ----, values separated by tabs connection NAME [USER]             the session of the next
//   record skipif MODE REASON                 the next record does not run in this mode loop NAME
//   FIRST LAST ... endloop   ${NAME} takes FIRST .. LAST-1 option NAME VALUE                  how
//   the engine opens (threads, memory, nodes), before any statement halt ends the file
#pragma once

#include <string>
#include <vector>

namespace blueshift::slt {

enum class RecordKind { kStatement, kQuery, kJoin };
enum class Expectation { kOk, kError, kStart };
enum class RowOrder { kAsDelivered, kRows, kValues };

struct Skip {
    std::string mode;
    std::string reason;
};

struct Record {
    RecordKind kind = RecordKind::kStatement;
    int line = 0;
    std::string connection = "main";
    std::string user = "admin";
    std::vector<Skip> skips;
    std::string sql;
    Expectation expectation = Expectation::kOk;
    std::string tag;      // expected command tag, empty: any
    std::string sqlstate; // of an expected error
    std::string message;  // part of an expected error's message, empty: any
    std::string types;    // kQuery: a letter a column
    RowOrder order = RowOrder::kAsDelivered;
    std::vector<std::string> rows;
    // Lines of the file that --rewrite replaces: the header, and the rows after ----.
    int header_line = 0;
    int rows_begin = 0;
    int rows_end = 0;
    bool in_loop = false;

    bool skippedIn(const std::string& mode) const;
};

struct Script {
    std::string path;
    std::vector<std::string> lines;
    std::vector<Record> records;
    std::vector<std::pair<std::string, std::string>> options;
};

/// Throws std::runtime_error with path and line for a file that cannot be understood.
Script readScript(const std::string& path);

} // namespace blueshift::slt
