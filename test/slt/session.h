// session.h: one session of a script: runs statements, in the background when asked, and says what
// they gave.
//
// Place: made by FileRun for each connection name.
// Owns: the connection and at most one background thread, which alone uses the connection until
// join().
// Why so: a statement that hangs is cancelled after kPatienceSeconds and then reported, so that a
// lost wake-up is a failed record and not a stuck test.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "slt/script.h"
#include "statement.h"

namespace blueshift::slt {

inline constexpr int kPatienceSeconds = 120;

/// The result of one statement.
struct Outcome {
    bool ok = false;
    bool has_rows = false;
    bool changed_nothing = false; // a query or a command that only reads
    std::string tag;
    Error error;
    std::string types;
    std::vector<std::vector<std::string>> rows;
    u64 batches = 0;
    u64 batches_over_seven = 0;
};

class Session {
public:
    Session(Engine& engine, std::string user,
            const std::vector<std::pair<std::string, std::string>>& settings);
    ~Session();

    Outcome run(const std::string& sql);
    void start(const std::string& sql);
    bool started() const { return background_.valid(); }
    Outcome join();

    const std::string& user() const { return user_; }
    /// SET statements in effect, to be repeated when the session is made again.
    const std::vector<std::pair<std::string, std::string>>& settings() const { return settings_; }
    /// True while a restart would lose something the script may rely on.
    bool pinned() const;

private:
    Outcome execute(const std::string& sql);
    void noteState(const std::string& sql);

    std::string user_;
    std::unique_ptr<Connection> connection_;
    std::future<Outcome> background_;
    std::vector<std::pair<std::string, std::string>> settings_;
    bool holds_state_ = false;
};

/// A value as it stands in a script: NULL, (empty), tabs and line ends escaped.
std::string shown(bool is_null, std::string text);

} // namespace blueshift::slt
