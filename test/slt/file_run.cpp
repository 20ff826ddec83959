#include "slt/file_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "slt/session.h"

namespace blueshift::slt {
namespace {

std::string joined(const std::vector<std::string>& values) {
    std::string line;
    for (const std::string& value : values) {
        if (!line.empty() || &value != &values.front()) line += '\t';
        line += value;
    }
    return line;
}

/// The rows as lines, in the order in which they are compared.
std::vector<std::string> linesOf(const Outcome& outcome, RowOrder order) {
    std::vector<std::string> lines;
    for (const auto& row : outcome.rows) {
        if (order == RowOrder::kValues) lines.insert(lines.end(), row.begin(), row.end());
        else lines.push_back(joined(row));
    }
    if (order != RowOrder::kAsDelivered) std::sort(lines.begin(), lines.end());
    return lines;
}

bool sameTypes(const std::string& expected, const std::string& actual) {
    if (expected.size() != actual.size()) return false;
    for (size_t i = 0; i < expected.size(); ++i)
        if (expected[i] != '?' && expected[i] != actual[i]) return false;
    return true;
}

std::string describe(const Error& error) {
    std::string text = fmt::format("{} {}", error.sqlstate, error.message);
    if (!error.detail.empty()) text += fmt::format(" ({})", error.detail);
    return text;
}

std::string listed(const std::vector<std::string>& lines) {
    constexpr size_t kShown = 12;
    std::string text;
    for (size_t i = 0; i < std::min(lines.size(), kShown); ++i) text += "\n      " + lines[i];
    if (lines.size() > kShown) text += fmt::format("\n      ... {} rows", lines.size());
    return text;
}

} // namespace

const char* nameOf(Mode mode) {
    switch (mode) {
    case Mode::kInterpreted: return "interpreted";
    case Mode::kVectors7: return "vectors7";
    case Mode::kCompiled: return "compiled";
    case Mode::kTiers: return "tiers";
    case Mode::kSpill: return "spill";
    case Mode::kNodes3: return "nodes3";
    case Mode::kNodes3SpillCompiled: return "nodes3_spill_compiled";
    default: return "restart";
    }
}

FileRun::FileRun(const Script& script, Mode mode, bool keep_rows)
    : script_(script), mode_(mode), keep_rows_(keep_rows) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "blueshift-slt-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no private directory could be made at " + pattern);
    directory_ = pattern;
}

FileRun::~FileRun() {
    sessions_.clear();
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void FileRun::openEngine() {
    EngineOptions options{.place = directory_ + "/place",
                          .memory_bytes = u64{512} << 20,
                          .threads = 2,
                          .admin_password = "Slt-secret-1"};
    if (mode_ == Mode::kVectors7) options.vector_rows = 7;
    const bool all = mode_ == Mode::kNodes3SpillCompiled;
    if (mode_ == Mode::kCompiled || mode_ == Mode::kTiers || all) options.codegen = "force";
    options.alternate_tiers = mode_ == Mode::kTiers;
    options.force_spill = mode_ == Mode::kSpill || all;
    if (mode_ == Mode::kNodes3 || all) {
        options.nodes = 3;
        options.small_shares = true;
    }
    for (const auto& [name, value] : script_.options) {
        if (name == "threads") options.threads = u32(std::stoul(value));
        else if (name == "crash_compiler") options.crash_compiler = value == "1";
        else if (name == "nodes") options.nodes = u32(std::stoul(value));
        else if (name == "memory") options.memory_bytes = std::stoull(value) << 20;
        else throw std::runtime_error(fmt::format("{}: unknown option \"{}\"", script_.path, name));
    }
    auto engine = Engine::open(options);
    if (!engine)
        throw std::runtime_error(fmt::format("{}: the engine does not open: {}", script_.path,
                                             describe(engine.error())));
    engine_ = std::move(*engine);
}

void FileRun::closeEngine(bool shutdown) {
    sessions_.clear();
    // A compiler that is made to crash would spoil what `compiled` proves.
    const bool crashes = std::any_of(script_.options.begin(), script_.options.end(),
                                     [](const auto& o) { return o.first == "crash_compiler"; });
    if (!crashes)
        for (const auto& [name, count] : engine_->counters()) proof_.counters[name] += count;
    if (shutdown)
        if (const Status status = engine_->shutdown(); !status)
            throw std::runtime_error(fmt::format("{}: the engine does not shut down: {}",
                                                 script_.path, describe(status.error())));
    engine_.reset();
}

Session& FileRun::session(const Record& record) {
    auto& session = sessions_[record.connection];
    if (session == nullptr) {
        std::vector<std::pair<std::string, std::string>> settings;
        if (mode_ == Mode::kInterpreted) settings.emplace_back("codegen", "SET codegen TO off");
        session = std::make_unique<Session>(*engine_, record.user, settings);
    }
    return *session;
}

void FileRun::run() {
    openEngine();
    for (size_t i = 0; i < script_.records.size(); ++i) {
        const Record& record = script_.records[i];
        if (record.skippedIn(nameOf(mode_))) {
            ++skipped_;
            continue;
        }
        try {
            runRecord(i);
        } catch (const SqlError& error) {
            fail(record, fmt::format("outside of a statement: {}", describe(error.error())));
        }
    }
    closeEngine(true);
}

void FileRun::runRecord(size_t index) {
    const Record& record = script_.records[index];
    ++proof_.statements;
    Session& session = this->session(record);
    if (record.kind == RecordKind::kJoin) {
        if (!session.started()) return fail(record, "no statement was started on this connection");
        check(record, session.join(), index);
        return;
    }
    if (session.started()) return fail(record, "a started statement must be joined first");
    if (record.expectation == Expectation::kStart) {
        session.start(record.sql);
        return;
    }
    const Outcome outcome = session.run(record.sql);
    proof_.batches += outcome.batches;
    proof_.batches_over_seven += outcome.batches_over_seven;
    if (outcome.batches > 1) ++proof_.split_results;
    check(record, outcome, index);
    restartIfPossible(outcome);
}

void FileRun::check(const Record& record, const Outcome& outcome, size_t index) {
    if (keep_rows_) {
        Actual actual{.record = index, .types = outcome.types, .sqlstate = outcome.error.sqlstate};
        if (outcome.ok) actual.rows = linesOf(outcome, record.order);
        actuals_.push_back(std::move(actual));
    }
    if (record.expectation == Expectation::kError) {
        if (outcome.ok)
            return fail(record,
                        fmt::format("expected error {}, but it succeeded", record.sqlstate));
        if (outcome.error.sqlstate != record.sqlstate)
            return fail(record, fmt::format("expected error {}, got {}", record.sqlstate,
                                            describe(outcome.error)));
        if (outcome.error.message.find(record.message) == std::string::npos)
            fail(record, fmt::format("the error does not say \"{}\": {}", record.message,
                                     describe(outcome.error)));
        return;
    }
    if (!outcome.ok)
        return fail(record, fmt::format("unexpected error {}", describe(outcome.error)));
    if (record.kind == RecordKind::kQuery) return checkRows(record, outcome);
    if (!record.tag.empty() && record.tag != outcome.tag)
        fail(record, fmt::format("expected tag \"{}\", got \"{}\"", record.tag, outcome.tag));
}

void FileRun::checkRows(const Record& record, const Outcome& outcome) {
    if (!outcome.has_rows) return fail(record, fmt::format("no rows, only \"{}\"", outcome.tag));
    if (keep_rows_ && !record.in_loop) return; // they are written into the file, to be judged there
    const std::vector<std::string> lines = linesOf(outcome, record.order);
    if (lines != record.rows)
        return fail(record,
                    fmt::format("expected{}\n    got{}", listed(record.rows), listed(lines)));
    if (!sameTypes(record.types, outcome.types))
        return fail(record,
                    fmt::format("expected columns {}, got {}", record.types, outcome.types));
    if (!outcome.tag.starts_with("SELECT") && !outcome.tag.starts_with("FETCH")) return;
    if (!outcome.tag.ends_with(fmt::format(" {}", outcome.rows.size())))
        fail(record,
             fmt::format("{} rows, but the tag is \"{}\"", outcome.rows.size(), outcome.tag));
}

void FileRun::restartIfPossible(const Outcome& outcome) {
    if (mode_ != Mode::kRestart || outcome.changed_nothing) return;
    for (const auto& [name, session] : sessions_)
        if (session->pinned()) return;
    struct Kept {
        std::string user;
        std::vector<std::pair<std::string, std::string>> settings;
    };
    std::map<std::string, Kept> kept;
    for (const auto& [name, session] : sessions_)
        kept[name] = {session->user(), session->settings()};
    closeEngine(proof_.restarts % 2 == 0);
    openEngine();
    ++proof_.restarts;
    for (const auto& [name, state] : kept) {
        // A user who may no longer connect finds out at the next record.
        try {
            sessions_[name] = std::make_unique<Session>(*engine_, state.user, state.settings);
        } catch (const SqlError&) {
            sessions_.erase(name);
        }
    }
}

void FileRun::fail(const Record& record, std::string what) {
    failures_.push_back({record.line, std::move(what)});
}

} // namespace blueshift::slt
