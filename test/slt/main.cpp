// slt_runner: runs .slt files in one mode and says what failed and what the mode proved.
//
//   slt_runner [--mode NAME] [--rewrite] FILE-OR-FOLDER...
//
// Exit codes: 0 all records passed and the mode proved something, 1 otherwise, 2 wrong usage.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "leak_suppressions.h"
#include "slt/file_run.h"

namespace blueshift::slt {
namespace {

struct Arguments {
    Mode mode = Mode::kInterpreted;
    bool rewrite = false;
    std::vector<std::string> files;
};

bool parseArguments(int count, char** values, Arguments& arguments) {
    for (int i = 1; i < count; ++i) {
        const std::string value = values[i];
        if (value == "--rewrite") {
            arguments.rewrite = true;
        } else if (value == "--mode" && i + 1 < count) {
            const std::string name = values[++i];
            bool known = false;
            for (Mode mode :
                 {Mode::kInterpreted, Mode::kVectors7, Mode::kRestart, Mode::kCompiled,
                  Mode::kTiers, Mode::kSpill, Mode::kNodes3, Mode::kNodes3SpillCompiled}) {
                if (name != nameOf(mode)) continue;
                arguments.mode = mode;
                known = true;
            }
            if (!known) return false;
        } else if (value.starts_with("--")) {
            return false;
        } else if (std::filesystem::is_directory(value)) {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(value))
                if (entry.path().extension() == ".slt") arguments.files.push_back(entry.path());
        } else {
            arguments.files.push_back(value);
        }
    }
    std::sort(arguments.files.begin(), arguments.files.end());
    return !arguments.files.empty();
}

/// Writes the rows, column letters and SQLSTATEs that were found into the file.
void rewrite(const Script& script, const FileRun& run) {
    std::vector<std::string> lines = script.lines;
    const auto& actuals = run.actuals();
    for (auto actual = actuals.rbegin(); actual != actuals.rend(); ++actual) {
        const Record& record = script.records[actual->record];
        if (record.in_loop) continue;
        std::string& header = lines[size_t(record.header_line - 1)];
        if (record.expectation == Expectation::kError && !actual->sqlstate.empty())
            header.replace(header.find(record.sqlstate), record.sqlstate.size(), actual->sqlstate);
        if (record.kind != RecordKind::kQuery || actual->types.empty()) continue;
        header.replace(header.find(record.types, 6), record.types.size(), actual->types);
        lines.erase(lines.begin() + record.rows_begin, lines.begin() + record.rows_end);
        lines.insert(lines.begin() + record.rows_begin, actual->rows.begin(), actual->rows.end());
    }
    std::ofstream file(script.path);
    for (const std::string& line : lines) file << line << '\n';
}

/// True when the mode did what it is named after.
bool proved(Mode mode, const Proof& proof) {
    const auto& counters = proof.counters;
    switch (mode) {
    case Mode::kInterpreted:
        fmt::print("proved: {} statements ran on the interpreter\n", proof.statements);
        return proof.statements > 0;
    case Mode::kVectors7:
        fmt::print(
            "proved: {} batches of at most 7 rows, {} results in several batches; "
            "{} batches were larger\n",
            proof.batches - proof.batches_over_seven, proof.split_results,
            proof.batches_over_seven);
        return proof.split_results > 0 && proof.batches_over_seven == 0;
    case Mode::kCompiled: {
        const u64 generated = counters.at("pipelines generated");
        fmt::print("proved: {} pipelines and {} rows by generated code, {} texts compiled\n",
                   generated, counters.at("rows generated"), counters.at("texts compiled"));
        fmt::print("{} texts refused, {} rows of pipelines with code were interpreted\n",
                   counters.at("texts refused"), counters.at("rows interpreted"));
        return generated > 0 && counters.at("texts refused") == 0 &&
               counters.at("rows interpreted") == 0;
    }
    case Mode::kTiers:
        fmt::print("proved: {} changes of tier, {} rows interpreted, {} by generated code\n",
                   counters.at("tier switches"), counters.at("rows interpreted"),
                   counters.at("rows generated"));
        return counters.at("tier switches") > 0 && counters.at("rows generated") > 0 &&
               counters.at("rows interpreted") > 0;
    case Mode::kSpill:
        fmt::print("proved: {} bytes were written to temporary files\n",
                   counters.at("bytes spilled"));
        return counters.at("bytes spilled") > 0;
    case Mode::kNodes3SpillCompiled: {
        // Joins whose build side was written out are interpreted.
        const u64 batches = counters.at("batches serialised");
        fmt::print("proved: {} batches serialised, {} bytes spilled, {} rows by generated code\n",
                   batches, counters.at("bytes spilled"), counters.at("rows generated"));
        return batches > 0 && counters.at("bytes spilled") > 0 &&
               counters.at("rows generated") > 0 && counters.at("texts refused") == 0;
    }
    case Mode::kNodes3:
        fmt::print("proved: {} batches were serialised between nodes\n",
                   counters.at("batches serialised"));
        return counters.at("batches serialised") > 0;
    default:
        fmt::print("proved: {} restarts between statements\n", proof.restarts);
        return proof.restarts > 0;
    }
}

int runAll(const Arguments& arguments) {
    Proof total;
    size_t records = 0;
    size_t failures = 0;
    size_t failed_files = 0;
    size_t skipped = 0;
    for (const std::string& path : arguments.files) {
        try {
            const auto start = std::chrono::steady_clock::now();
            const Script script = readScript(path);
            FileRun run(script, arguments.mode, arguments.rewrite);
            run.run();
            const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
            fmt::print("{} {} ({} records, {:.2f} s)\n", run.failures().empty() ? "ok  " : "FAIL",
                       path, script.records.size(), seconds.count());
            for (const Failure& failure : run.failures())
                fmt::print("  {}:{}: {}\n", path, failure.line, failure.what);
            records += script.records.size();
            failures += run.failures().size();
            failed_files += run.failures().empty() ? 0 : 1;
            skipped += run.skipped();
            total.statements += run.proof().statements;
            total.restarts += run.proof().restarts;
            total.batches += run.proof().batches;
            total.batches_over_seven += run.proof().batches_over_seven;
            total.split_results += run.proof().split_results;
            for (const auto& [name, count] : run.proof().counters) total.counters[name] += count;
            if (arguments.rewrite) rewrite(script, run);
        } catch (const std::exception& error) {
            fmt::print("FAIL {}\n  {}\n", path, error.what());
            ++failures;
            ++failed_files;
        }
        std::fflush(stdout);
    }
    fmt::print("mode {}: {} files, {} failed; {} records, {} failed, {} skipped\n",
               nameOf(arguments.mode), arguments.files.size(), failed_files, records, failures,
               skipped);
    return proved(arguments.mode, total) && failures == 0 ? 0 : 1;
}

} // namespace
} // namespace blueshift::slt

int main(int count, char** values) {
    blueshift::slt::Arguments arguments;
    if (!blueshift::slt::parseArguments(count, values, arguments)) {
        std::fprintf(stderr,
                     "usage: slt_runner [--mode NAME] [--rewrite] "
                     "FILE-OR-FOLDER...\n");
        return 2;
    }
    return blueshift::slt::runAll(arguments);
}
