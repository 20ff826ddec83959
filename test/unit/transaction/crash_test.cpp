// Power loss at every operation: what was acknowledged is there whole, what failed is absent, what
// was under way is there whole or not at all.
#include <functional>
#include <vector>

#include "unit/transaction/fixture.h"

namespace blueshift::transaction::test {
namespace {

using Step = std::function<Status(Database&)>;

/// Changes a transaction makes to `table` and commits.
Step change(std::function<void(Transaction&)> make) {
    return [make = std::move(make)](Database& database) {
        auto transaction = database.begin();
        make(*transaction);
        return transaction->commit();
    };
}

/// A small workload that goes through every kind of record and a checkpoint.
std::vector<Step> smallWorkload() {
    constexpr Oid kTable = catalog::kFirstUserOid;
    std::vector<u64> large(16384); // rows in no pattern: an object of its own
    for (size_t i = 0; i < large.size(); ++i) large[i] = mixHash(i);
    return {
        change([](Transaction& t) { t.putTable(makeTable(t.newOid(), "t")); }),
        change([](Transaction& t) { t.addSegments(kTable, {makeSegment("a")}, {{1, 2}}); }),
        change([](Transaction& t) {
            t.addSegments(kTable, {makeSegment("b", 1 << 20), makeSegment("c")}, {{1, 4}});
            t.deleteRows({kTable, 1, rowBits({0, 63, 64})});
        }),
        change([large](Transaction& t) { t.deleteRows({kTable, 2, large}); }),
        [](Database& database) { return database.checkpoint(); },
        change([](Transaction& t) {
            t.putTable(makeTable(t.newOid(), "u"));
            auto user = std::make_shared<catalog::User>();
            user->name = "bob";
            user->member_of = {"analysts", "writers"};
            t.putUser(user);
        }),
        change([](Transaction& t) { t.removeAllRows(kTable); }),
        [](Database& database) { return database.checkpoint(); },
        change([](Transaction& t) { t.dropTable(kTable); }),
    };
}

/// Runs steps until one fails; returns how many succeeded and whether the failure was final.
size_t run(Place& place, const std::vector<Step>& steps, std::string& sqlstate) {
    for (size_t i = 0; i < steps.size(); ++i) {
        const Status done = steps[i](*place.database);
        if (!done) {
            sqlstate = done.error().sqlstate;
            return i;
        }
    }
    return steps.size();
}

} // namespace

TEST_CASE("power loss at every operation of a small workload") {
    const std::vector<Step> steps = smallWorkload();
    // A run without faults says what the state is after each step, and how many operations it has.
    std::vector<std::string> expected;
    u64 operations = 0;
    {
        Place place;
        REQUIRE(place.open());
        expected.push_back(everything(*place.database->committed()));
        for (const Step& step : steps) {
            REQUIRE(step(*place.database));
            expected.push_back(everything(*place.database->committed()));
        }
        operations = place.files.operationCount();
    }
    REQUIRE(operations > 100);
    u64 started = 0;
    for (u64 seed : {u64{0}, u64{1}, u64{2}}) {
        for (u64 at = 1; at <= operations; ++at) {
            CAPTURE(seed);
            CAPTURE(at);
            Place place;
            place.options.unknown_after_ms = 1;
            place.files.powerOffAt(at);
            size_t done = 0;
            std::string sqlstate;
            const bool opened = place.open().has_value();
            if (opened) done = run(place, steps, sqlstate);
            started += opened;
            place.close();
            place.files.crash(seed * 1'000'003 + (seed == 0 ? 0 : at));
            const Status reopened = place.open();
            REQUIRE_MESSAGE(reopened.has_value(), reopened.error().message);
            const std::string state = everything(*place.database->committed());
            const bool may_have_next = opened && done < steps.size() && sqlstate == "08007";
            const bool right =
                state == expected[done] || (may_have_next && state == expected[done + 1]);
            CHECK_MESSAGE(right, state, " after ", done, " steps, ", sqlstate);
            // What was shown once stays, even if power fails again at once.
            place.close();
            place.files.crash(0);
            REQUIRE(place.open());
            CHECK(everything(*place.database->committed()) == state);
        }
    }
    CHECK(started > 100);
}

TEST_CASE("an error of one operation: the database goes on or says that it cannot") {
    const std::vector<Step> steps = smallWorkload();
    u64 operations = 0;
    {
        Place place;
        REQUIRE(place.open());
        std::string sqlstate;
        REQUIRE(run(place, steps, sqlstate) == steps.size());
        operations = place.files.operationCount();
    }
    for (const i64 error_number : {EIO, ENOSPC, EINTR}) {
        for (u64 at = 1; at <= operations; ++at) {
            CAPTURE(error_number);
            CAPTURE(at);
            Place place;
            place.options.unknown_after_ms = 1;
            place.files.failAt(at, error_number);
            if (!place.open()) continue;
            // Acknowledged steps are remembered by the state that they left.
            std::string acknowledged = everything(*place.database->committed());
            std::string possible = acknowledged;
            for (const Step& step : steps) {
                const Status done = step(*place.database);
                const std::string now = everything(*place.database->committed());
                if (done) {
                    acknowledged = possible = now;
                } else if (done.error().sqlstate == "08007") {
                    possible = ""; // it may turn out either way
                    break;
                } else {
                    CHECK(now == acknowledged);
                    break;
                }
            }
            place.close();
            place.files.crash(at);
            const Status reopened = place.open();
            REQUIRE_MESSAGE(reopened.has_value(), reopened.error().message);
            const std::string after = everything(*place.database->committed());
            if (!possible.empty()) CHECK(after == acknowledged);
        }
    }
}

TEST_CASE("random workloads with repeated power loss") {
    for (u64 seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        auto random = makeSeededRandom(seed);
        Place place;
        place.options.unknown_after_ms = 1;
        std::string expected;
        std::string after_unknown;
        u64 serial = 0;
        for (int life = 0; life < 6; ++life) {
            Status opened = place.open();
            REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
            std::string state = everything(*place.database->committed());
            if (life > 0) CHECK((state == expected || state == after_unknown));
            expected = state;
            after_unknown.clear();
            place.files.resetCount();
            place.files.powerOffAt(1 + random->next() % 300);
            for (int i = 0; i < 40; ++i) {
                auto transaction = place.database->begin();
                const auto view = transaction->view();
                const u64 changes = 1 + random->next() % 3;
                for (u64 c = 0; c < changes; ++c) {
                    const auto now = transaction->view();
                    const u64 dice = random->next() % 10;
                    if (now->tables.empty() || dice == 0) {
                        transaction->putTable(
                            makeTable(transaction->newOid(), fmt::format("t{}", serial++)));
                        continue;
                    }
                    auto table = now->tables.begin();
                    std::advance(table, random->next() % now->tables.size());
                    if (dice == 1) transaction->dropTable(table->first);
                    else if (dice == 2) transaction->removeAllRows(table->first);
                    else if (dice < 6 || table->second->segments->empty())
                        transaction->addSegments(
                            table->first, {makeSegment(fmt::format("k{}", serial++))}, {{1, 4}});
                    else
                        transaction->deleteRows({table->first,
                                                 table->second->segments->back().segment->id,
                                                 rowBits({u32(random->next() % 100)})});
                }
                const std::string would_be = everything(*transaction->view());
                const Status done = transaction->commit();
                if (done) {
                    expected = would_be;
                } else {
                    if (done.error().sqlstate == "08007") after_unknown = would_be;
                    break;
                }
                if (random->next() % 8 == 0) (void)place.database->checkpoint();
            }
            place.close();
            place.files.crash(random->next() | 1);
        }
    }
}

TEST_CASE("a full disk: 53100, nothing changes, drops go through, then work goes on") {
    Place place;
    REQUIRE(place.open());
    const Oid table = createTable(*place.database, "t");
    const Oid other = createTable(*place.database, "u");
    REQUIRE(append(*place.database, table, "a"));
    place.files.setFreeBytes(0);
    const Status full = append(*place.database, table, "b");
    REQUIRE(!full);
    CHECK(full.error().sqlstate == "53100");
    CHECK(!full.error().hint.empty());
    CHECK(contents(*place.database->committed(), table) == "a");
    {
        auto transaction = place.database->begin();
        transaction->dropTable(other);
        CHECK(stateOf(transaction->commit()) == "00000");
    }
    CHECK(stateOf(append(*place.database, table, "c")) == "53100");
    place.files.setFreeBytes(~u64{0});
    REQUIRE(append(*place.database, table, "d"));
    place.close();
    place.files.crash(0);
    REQUIRE(place.open());
    CHECK(contents(*place.database->committed(), table) == "a d");
    CHECK(contents(*place.database->committed(), other) == "(none)");
}

TEST_CASE("a failed fsync poisons: no later commit is acknowledged, a restart tells the truth") {
    Place place;
    REQUIRE(place.open());
    const Oid table = createTable(*place.database, "t");
    REQUIRE(append(*place.database, table, "a"));
    place.files.failFsync(EIO);
    CHECK(stateOf(append(*place.database, table, "b")) == "58030");
    place.files.failFsync(0);
    CHECK(stateOf(append(*place.database, table, "c")) == "58030");
    CHECK(place.store->poisoned());
    place.close();
    place.files.crash(3);
    REQUIRE(place.open());
    CHECK(contents(*place.database->committed(), table) == "a");
    REQUIRE(append(*place.database, table, "d"));
    CHECK(contents(*place.database->committed(), table) == "a d");
}

} // namespace blueshift::transaction::test
