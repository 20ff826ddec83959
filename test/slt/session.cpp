#include "slt/session.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <regex>
#include <thread>

namespace blueshift::slt {
namespace {

/// Cancels a statement that runs for too long; ends the process when even that does not help.
class Patience {
public:
    Patience(Connection& connection, const std::string& sql)
        : thread_([this, &connection, sql] { watch(connection, sql); }) {}
    ~Patience() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

private:
    void watch(Connection& connection, const std::string& sql) {
        std::unique_lock lock(mutex_);
        const auto limit = std::chrono::seconds(kPatienceSeconds);
        if (changed_.wait_for(lock, limit, [this] { return done_; })) return;
        connection.cancel();
        if (changed_.wait_for(lock, limit, [this] { return done_; })) return;
        std::fprintf(stderr, "this statement can neither end nor be cancelled: %s\n", sql.c_str());
        std::_Exit(3);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread thread_;
};

char letterOf(const SqlType& type) {
    if (isInteger(type.kind) || type.kind == TypeKind::kOid) return 'I';
    if (type.kind == TypeKind::kDecimal) return 'D';
    if (isFloat(type.kind)) return 'R';
    if (type.kind == TypeKind::kBoolean) return 'B';
    if (isDateTime(type.kind) || isInterval(type.kind)) return 'M';
    return 'T';
}

bool matches(const std::string& sql, const char* pattern) {
    return std::regex_search(sql, std::regex(pattern, std::regex::icase));
}

} // namespace

std::string shown(bool is_null, std::string text) {
    if (is_null) return "NULL";
    if (text.empty()) return "(empty)";
    std::string result;
    for (const char c : text) {
        if (c == '\t') result += "\\t";
        else if (c == '\n') result += "\\n";
        else if (c == '\r') result += "\\r";
        else result += c;
    }
    return result;
}

Session::Session(Engine& engine, std::string user,
                 const std::vector<std::pair<std::string, std::string>>& settings)
    : user_(std::move(user)), connection_(engine.connect({.user = user_})) {
    for (const auto& [name, sql] : settings) run(sql);
}

Session::~Session() {
    if (background_.valid()) {
        connection_->cancel();
        background_.wait();
    }
}

Outcome Session::run(const std::string& sql) {
    const Patience patience(*connection_, sql);
    return execute(sql);
}

void Session::start(const std::string& sql) {
    background_ = std::async(std::launch::async, [this, sql] { return run(sql); });
}

Outcome Session::join() {
    return background_.get();
}

bool Session::pinned() const {
    return holds_state_ || background_.valid() ||
           connection_->transactionStatus() != TransactionStatus::kIdle;
}

Outcome Session::execute(const std::string& sql) {
    Outcome outcome;
    try {
        auto prepared = connection_->prepare(sql);
        auto execution = connection_->execute(*prepared, {}, {});
        if (execution->kind() == ResultKind::kRows) {
            outcome.has_rows = true;
            const std::vector<ResultField> fields(execution->fields().begin(),
                                                  execution->fields().end());
            for (const ResultField& field : fields) outcome.types += letterOf(field.type);
            u64 over_seven = 0;
            for (Batch batch; execution->next(batch);) {
                if (batch.selected == 0) continue;
                ++outcome.batches;
                over_seven += batch.rows > 7;
                for (u32 i = 0; i < batch.selected; ++i) {
                    const u32 row = batch.rowAt(i);
                    std::vector<std::string> values;
                    for (size_t column = 0; column < fields.size(); ++column) {
                        const Vector& vector = batch.columns[column];
                        std::string text;
                        const bool is_null = vector.isNull(row);
                        if (!is_null)
                            connection_->appendText(text, vector, row, fields[column].type);
                        values.push_back(shown(is_null, std::move(text)));
                    }
                    outcome.rows.push_back(std::move(values));
                }
            }
            // Texts of EXPLAIN and SHOW do not come from operators.
            if (!matches(sql, R"(^\s*(explain|show)\b)")) outcome.batches_over_seven = over_seven;
        }
        outcome.tag = execution->finish();
        outcome.ok = true;
        outcome.changed_nothing = outcome.has_rows;
        noteState(sql);
    } catch (const SqlError& error) {
        connection_->failed();
        outcome.error = error.error();
    }
    return outcome;
}

/// Remembers what a restart would lose.
void Session::noteState(const std::string& sql) {
    std::smatch found;
    static const std::regex kSet(R"(^\s*set\s+(?:session\s+)?([a-z_.]+|time\s+zone)\b)",
                                 std::regex::icase);
    static const std::regex kReset(R"(^\s*reset\s+([a-z_.]+))", std::regex::icase);
    const bool in_block = connection_->transactionStatus() != TransactionStatus::kIdle;
    if (in_block && matches(sql, R"(^\s*(set|reset)\b)")) {
        // Whether it stays depends on how the block ends.
        holds_state_ |= !matches(sql, R"(^\s*set\s+local\b)");
    } else if (std::regex_search(sql, found, kSet) && !matches(sql, R"(^\s*set\s+local\b)")) {
        settings_.emplace_back(found[1], sql);
    } else if (std::regex_search(sql, found, kReset)) {
        settings_.emplace_back(found[1], sql);
    } else if (matches(sql, R"(^\s*(prepare|declare)\b)") ||
               matches(sql, R"(^\s*create\s+(local\s+)?temp)") ||
               matches(sql, R"(\binto\s+temp)") || matches(sql, R"((\btable|\binto)\s+#)")) {
        holds_state_ = true;
    }
}

} // namespace blueshift::slt
