#include "slt/script.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace blueshift::slt {
namespace {

constexpr std::string_view kModes[] = {
    "interpreted",           "vectors7", "restart", "compiled", "tiers", "spill", "nodes3",
    "nodes3_spill_compiled", "postgres"};

/// Takes the first word off a line.
std::string takeWord(std::string& line) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) {
        line.clear();
        return "";
    }
    const size_t end = std::min(line.find(' ', begin), line.size());
    std::string word = line.substr(begin, end - begin);
    const size_t rest = line.find_first_not_of(' ', end);
    line = rest == std::string::npos ? "" : line.substr(rest);
    return word;
}

struct Loop {
    std::string name;
    int first = 0;
    int last = 0;
    int line = 0;
    size_t begin = 0; // of its records
};

class ScriptReader {
public:
    explicit ScriptReader(Script& script) : script_(script) {}

    void read() {
        while (at_ < script_.lines.size() && !halted_) {
            const std::string& line = script_.lines[at_];
            if (line.empty() || line[0] == '#') ++at_;
            else readDirective(line);
        }
        if (!loops_.empty()) fail(loops_.back().line, "loop without endloop");
    }

private:
    [[noreturn]] void fail(int line, const std::string& what) {
        throw std::runtime_error(fmt::format("{}:{}: {}", script_.path, line, what));
    }

    void readDirective(std::string line) {
        const int number = int(at_) + 1;
        const std::string word = takeWord(line);
        ++at_;
        if (word == "connection") {
            next_.connection = takeWord(line);
            if (next_.connection.empty()) fail(number, "connection needs a name");
            if (const std::string user = takeWord(line); !user.empty()) next_.user = user;
        } else if (word == "skipif") {
            readSkip(line, number);
        } else if (word == "halt") {
            halted_ = true;
        } else if (word == "option") {
            if (!script_.records.empty()) fail(number, "option must come before any statement");
            const std::string name = takeWord(line);
            script_.options.emplace_back(name, line);
        } else if (word == "loop") {
            readLoop(line, number);
        } else if (word == "endloop") {
            endLoop(number);
        } else if (word == "statement") {
            readOutcome(line, number, RecordKind::kStatement);
            readSql(number, false);
            finish();
        } else if (word == "join") {
            readOutcome(line, number, RecordKind::kJoin);
            finish();
        } else if (word == "query") {
            readQuery(line, number);
        } else {
            fail(number, fmt::format("unknown directive \"{}\"", word));
        }
    }

    void readSkip(std::string line, int number) {
        const std::string mode = takeWord(line);
        bool known = false;
        for (std::string_view name : kModes) known |= mode == name;
        if (!known) fail(number, fmt::format("skipif: unknown mode \"{}\"", mode));
        if (line.empty()) fail(number, "skipif needs a reason");
        if (line.find("wrong result") != std::string::npos)
            fail(number, "\"wrong result\" is no reason to skip");
        next_.skips.push_back({mode, line});
    }

    void readLoop(std::string line, int number) {
        Loop loop{.name = takeWord(line), .line = number, .begin = script_.records.size()};
        const std::string first = takeWord(line);
        const std::string last = takeWord(line);
        if (last.empty()) fail(number, "loop needs NAME FIRST LAST");
        loop.first = std::stoi(first);
        loop.last = std::stoi(last);
        loops_.push_back(loop);
    }

    void endLoop(int number) {
        if (loops_.empty()) fail(number, "endloop without loop");
        const Loop loop = loops_.back();
        loops_.pop_back();
        const std::vector<Record> body(script_.records.begin() + long(loop.begin),
                                       script_.records.end());
        script_.records.resize(loop.begin);
        const std::string variable = "${" + loop.name + "}";
        for (int value = loop.first; value < loop.last; ++value) {
            for (Record record : body) {
                record.in_loop = true;
                substitute(record.sql, variable, value);
                substitute(record.connection, variable, value);
                substitute(record.message, variable, value);
                for (std::string& row : record.rows) substitute(row, variable, value);
                script_.records.push_back(std::move(record));
            }
        }
    }

    static void substitute(std::string& text, const std::string& variable, int value) {
        for (size_t at = 0; (at = text.find(variable, at)) != std::string::npos;)
            text.replace(at, variable.size(), std::to_string(value));
    }

    void readOutcome(std::string line, int number, RecordKind kind) {
        next_.kind = kind;
        next_.line = next_.header_line = number;
        const std::string outcome = takeWord(line);
        if (outcome == "ok") {
            next_.tag = line;
        } else if (outcome == "error") {
            next_.expectation = Expectation::kError;
            next_.sqlstate = takeWord(line);
            if (next_.sqlstate.size() != 5) fail(number, "an error needs its SQLSTATE");
            next_.message = line;
        } else if (outcome == "start" && kind == RecordKind::kStatement) {
            next_.expectation = Expectation::kStart;
        } else {
            fail(number, fmt::format("expected ok, error or start, found \"{}\"", outcome));
        }
    }

    /// Lines up to a blank one, or up to ---- when rows follow.
    void readSql(int number, bool rows_follow) {
        bool separator = false;
        while (at_ < script_.lines.size() && !script_.lines[at_].empty()) {
            const std::string& line = script_.lines[at_++];
            if (rows_follow && line == "----") {
                separator = true;
                break;
            }
            if (line[0] == '#') continue;
            if (!next_.sql.empty()) next_.sql += '\n';
            next_.sql += line;
        }
        if (next_.sql.empty()) fail(number, "the record has no SQL");
        if (rows_follow && !separator) fail(number, "a query needs ---- and its rows");
    }

    void readQuery(std::string line, int number) {
        next_.kind = RecordKind::kQuery;
        next_.line = next_.header_line = number;
        next_.types = takeWord(line);
        const std::string order = takeWord(line);
        if (order == "rowsort") next_.order = RowOrder::kRows;
        else if (order == "valuesort") next_.order = RowOrder::kValues;
        else if (!order.empty()) fail(number, fmt::format("unknown order \"{}\"", order));
        if (next_.types.empty()) fail(number, "a query needs a letter for each column");
        readSql(number, true);
        next_.rows_begin = int(at_);
        while (at_ < script_.lines.size() && !script_.lines[at_].empty())
            next_.rows.push_back(script_.lines[at_++]);
        next_.rows_end = int(at_);
        finish();
    }

    void finish() {
        script_.records.push_back(std::move(next_));
        next_ = Record();
    }

    Script& script_;
    size_t at_ = 0;
    bool halted_ = false;
    Record next_;
    std::vector<Loop> loops_;
};

} // namespace

bool Record::skippedIn(const std::string& mode) const {
    for (const Skip& skip : skips)
        if (skip.mode == mode) return true;
    return false;
}

Script readScript(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(fmt::format("{}: cannot be read", path));
    Script script{.path = path};
    for (std::string line; std::getline(file, line);) script.lines.push_back(line);
    if (script.lines.empty() || script.lines[0].size() < 3 || script.lines[0][0] != '#')
        throw std::runtime_error(fmt::format(
            "{}:1: the first line must be a comment that says what the file proves", path));
    ScriptReader(script).read();
    return script;
}

} // namespace blueshift::slt
