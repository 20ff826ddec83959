// Lost, late and doubled answers to the create that commits: each transaction is applied once when
// it was acknowledged, at most once otherwise, and never reported aborted when it was applied.
#include <cstring>
#include <thread>

#include "transaction/log_record.h"
#include "unit/transaction/fixture.h"
#include "unit/transaction/scripted_store.h"

namespace blueshift::transaction::test {
namespace {

struct Fixture {
    ScriptedStore store;
    std::unique_ptr<Clock> clock = makeSystemClock();
    std::unique_ptr<Random> random = makeSeededRandom(11);
    std::unique_ptr<Database> database = open();
    Oid table = createTable(*database, "t");

    std::unique_ptr<Database> open(u32 unknown_after_ms = 60'000) {
        auto opened =
            Database::open(store, *clock, *random,
                           {.checkpoint_commits = 1'000'000, .unknown_after_ms = unknown_after_ms});
        REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
        return std::move(*opened);
    }
    std::string reread() { return contents(*open()->committed(), table); }
    void setBoundary(u64 lsn) {
        std::vector<u8> bytes(8);
        std::memcpy(bytes.data(), &lsn, 8);
        const auto present = store.getVersioned("gc/boundary");
        REQUIRE(store.compareAndSwap("gc/boundary", present->version, bytes).outcome ==
                WriteOutcome::kDone);
        for (u64 old = 1; old <= lsn; ++old) REQUIRE(store.remove(logKey(old)));
    }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "every sequence of three faults, alone and against another writer") {
    const Fault faults[] = {Fault::kNone,      Fault::kDropRequest, Fault::kDropReply,
                            Fault::kApplyLate, Fault::kOwnExists,   Fault::kRefuse};
    u32 serial = 0;
    std::string expected;
    auto other = open();
    for (const bool rival : {false, true})
        for (const Fault first : faults)
            for (const Fault second : faults)
                for (const Fault third : faults) {
                    const std::string mine = fmt::format("m{}", serial);
                    const std::string theirs = fmt::format("o{}", serial++);
                    if (rival)
                        store.before_create = [&] {
                            REQUIRE(append(*other, table, theirs));
                            store.script = {first, second, third};
                        };
                    else store.script = {first, second, third};
                    const Status done = append(*database, table, mine);
                    store.script.clear();
                    CAPTURE(int(first));
                    CAPTURE(int(second));
                    CAPTURE(int(third));
                    if (rival) expected += (expected.empty() ? "" : " ") + theirs;
                    if (done) {
                        expected += (expected.empty() ? "" : " ") + mine;
                    } else {
                        // Only a refusal of the first copy sent to a slot is an error.
                        CHECK(done.error().sqlstate == "58030");
                        CHECK((first == Fault::kRefuse || rival));
                    }
                    // A late copy must not surface afterwards.
                    REQUIRE(append(*database, table, "x" + mine));
                    expected += (expected.empty() ? "" : " ") + ("x" + mine);
                    CHECK(contents(*database->committed(), table) == expected);
                }
    CHECK(reread() == expected);
}

TEST_CASE_FIXTURE(Fixture, "reads that fail while settling leave the state unknown, not aborted") {
    store.script = {Fault::kDropReply};
    store.failing_gets = 3;
    REQUIRE(append(*database, table, "a"));
    CHECK(reread() == "a");
}

TEST_CASE_FIXTURE(Fixture, "a client that waited long is told 08007; settling goes on") {
    auto impatient = open(1);
    store.script = {Fault::kDropReply};
    store.failing_gets = 6;
    const Status done = append(*impatient, table, "a");
    REQUIRE(!done);
    CHECK(done.error().sqlstate == "08007");
    CHECK(!done.error().detail.empty());
    // While the slot is unsettled, what waits behind it is turned away, certainly not applied.
    Status next = append(*impatient, table, "b");
    for (int i = 0; i < 1000 && stateOf(next) == "58030"; ++i)
        next = append(*impatient, table, "b");
    REQUIRE(next);
    CHECK(contents(*impatient->committed(), table) == "a b");
    CHECK(reread() == "a b");
}

TEST_CASE_FIXTURE(Fixture, "another writer in our slot: validated again, conflict or next slot") {
    auto other = open();
    store.before_create = [&] { REQUIRE(append(*other, table, "theirs")); };
    REQUIRE(append(*database, table, "ours"));
    CHECK(reread() == "theirs ours");
    auto transaction = database->begin();
    transaction->deleteRows({table, 1, rowBits({3})});
    store.before_create = [&] {
        auto rival = other->begin();
        rival->refresh();
        rival->addSegments(table, {makeSegment("again")}, {});
        rival->deleteRows({table, 1, rowBits({3})});
        const Status rival_done = rival->commit();
        REQUIRE(rival_done);
    };
    CHECK(stateOf(transaction->commit()) == "40001");
    CHECK(reread() == "theirs-1 ours again");
}

TEST_CASE_FIXTURE(Fixture, "overtaken: answer lost, checkpointed, slot removed: acknowledged") {
    auto other = open();
    store.script = {Fault::kDropReply};
    store.before_get = [&] {
        REQUIRE(append(*other, table, "theirs"));
        REQUIRE(other->checkpoint());
        setBoundary(other->committed()->lsn);
    };
    REQUIRE(append(*database, table, "ours"));
    CHECK(reread() == "ours theirs");
    CHECK(contents(*database->committed(), table) == "ours theirs");
}

TEST_CASE_FIXTURE(Fixture, "zombie: a record written below the boundary is not a commit") {
    auto other = open();
    SUBCASE("the create succeeds in a slot that was removed") {
        store.before_create = [&] {
            REQUIRE(append(*other, table, "theirs"));
            REQUIRE(other->checkpoint());
            setBoundary(other->committed()->lsn);
        };
    }
    SUBCASE("the request is lost first") {
        store.before_create = [&] {
            REQUIRE(append(*other, table, "theirs"));
            REQUIRE(other->checkpoint());
            setBoundary(other->committed()->lsn);
            store.script = {Fault::kDropRequest};
        };
    }
    REQUIRE(append(*database, table, "ours"));
    CHECK(contents(*database->committed(), table) == "theirs ours");
    CHECK(reread() == "theirs ours");
}

TEST_CASE_FIXTURE(Fixture, "concurrent committers of two databases preserve everything") {
    auto other = open();
    constexpr int kThreads = 4;
    constexpr int kCommits = 50;
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            Database& mine = t % 2 == 0 ? *database : *other;
            for (int i = 0; i < kCommits; ++i)
                if (!append(mine, table, fmt::format("s{}-{}", t, i))) ++failures;
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    const auto fresh = open();
    const auto segments = fresh->committed()->tables.at(table)->segments;
    std::set<std::string> keys;
    u64 last = 0;
    for (const auto& entry : *segments) {
        keys.insert(entry.segment->object_key);
        CHECK(entry.segment->id > last);
        last = entry.segment->id;
    }
    CHECK(keys.size() == kThreads * kCommits);
    CHECK(segments->size() == kThreads * kCommits);
    // Group commit: fewer records than transactions is allowed, more is not.
    CHECK(store.objectsBelow("log/") <= u64(kThreads * kCommits + 2));
}

} // namespace blueshift::transaction::test
