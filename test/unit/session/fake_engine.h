// fake_engine.h: an Engine of a few canned statements, to test the wire and the shell without one.
//
//   select N                         one int4 row          select * from numbers(N)   N rows, typed
//   select $1[, $2 ...]              the parameters        select * from types        every type
//   begin, commit, rollback          a block               set NAME to VALUE          reported
//   sleep                            until cancelled       notice                     a NOTICE
//   copy t from stdin                takes bytes           copy N to stdout           N lines
//   insert                           INSERT 0 1            anything else              42601 at its
//   place
// `fail` raises 22012, `crash` a std::exception; `select unprintable` fails inside its row.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "statement.h"

namespace blueshift::fake {

/// What the statements did, for tests to look at.
struct Journal {
    std::mutex mutex;
    std::vector<std::string> events; // "insert", "commit block", "rollback", "copied N"
    void add(std::string event);
    std::vector<std::string> take();
};

class FakeConnection;

class FakeEngine final : public Engine {
public:
    std::map<std::string, UserCredentials, std::less<>> users;
    mutable Journal journal;
    std::string new_password;

    std::optional<UserCredentials> findUser(std::string_view name) const override;
    bool databaseExists(std::string_view name) const override { return name == "dev"; }
    std::unique_ptr<Connection> connect(const ConnectionOptions& options) override;
    bool cancel(i32 process_id, u32 key) override;
    bool terminated(i32 process_id) const override;
    std::string newAdminPassword() const override { return new_password; }
    std::map<std::string, u64> counters() const override { return {}; }
    Status shutdown() override { return {}; }

    void terminate(i32 process_id);
    size_t connectionCount() const;
    /// Returns when some statement sleeps.
    void waitForSleeper();

private:
    friend class FakeConnection;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<i32, FakeConnection*> connections_;
    std::set<i32> terminated_;
    i32 next_process_id_ = 100;
    int sleepers_ = 0;
};

} // namespace blueshift::fake
