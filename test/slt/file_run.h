// file_run.h: runs the records of one script on an engine of its own.
//
// Place: main.cpp makes one FileRun a file; it uses blueshift only through statement.h.
// Owns: a private directory, the engine on it, the sessions, threads of background statements.
// Modes: `interpreted` runs without machine code, `vectors7` with vectors of seven rows, `restart`
// closes and opens the engine after each statement that may have changed something, whenever no
// session holds state that a restart would end (a transaction, temporary tables, prepared
// statements). Every second restart skips the shutdown, so that the log is read back. `spill` makes
// every operator write its rows to disk and read them back. `nodes3` runs on three nodes, which
// share even the smallest table.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "slt/script.h"
#include "statement.h"

namespace blueshift::slt {

enum class Mode {
    kInterpreted,
    kVectors7,
    kRestart,
    kCompiled,
    kTiers,
    kSpill,
    kNodes3,
    kNodes3SpillCompiled
};

/// What a mode proved, summed over files.
struct Proof {
    u64 statements = 0;
    u64 restarts = 0;
    u64 batches = 0; // of queries, with at least one row
    u64 batches_over_seven = 0;
    u64 split_results = 0;               // results of several batches
    std::map<std::string, u64> counters; // of the engine
};

struct Failure {
    int line = 0;
    std::string what;
};

/// What a record gave, for --rewrite.
struct Actual {
    size_t record = 0;
    std::string types;
    std::vector<std::string> rows;
    std::string sqlstate; // of an error
};

class Session;

class FileRun {
public:
    FileRun(const Script& script, Mode mode, bool keep_rows);
    ~FileRun();

    void run();

    const std::vector<Failure>& failures() const { return failures_; }
    const Proof& proof() const { return proof_; }
    const std::vector<Actual>& actuals() const { return actuals_; }
    u64 skipped() const { return skipped_; }

private:
    void openEngine();
    void closeEngine(bool shutdown);
    Session& session(const Record& record);
    void runRecord(size_t index);
    void check(const Record& record, const struct Outcome& outcome, size_t index);
    void checkRows(const Record& record, const struct Outcome& outcome);
    void restartIfPossible(const struct Outcome& outcome);
    void fail(const Record& record, std::string what);

    const Script& script_;
    Mode mode_;
    bool keep_rows_;
    std::string directory_;
    std::unique_ptr<Engine> engine_;
    std::map<std::string, std::unique_ptr<Session>> sessions_;
    std::vector<Failure> failures_;
    std::vector<Actual> actuals_;
    Proof proof_;
    u64 skipped_ = 0;
};

const char* nameOf(Mode mode);

} // namespace blueshift::slt
