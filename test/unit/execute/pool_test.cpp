// The worker pool and the result queue under contention.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <latch>
#include <thread>

#include "execute/execute.h"
#include "execute/pipeline/result_queue.h"
#include "execute/pipeline/worker_pool.h"
#include "unit/execute/rows_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using blueshift::execute::test::TestContext;

namespace {

/// Holds a worker until it is let go.
class Blocker final : public Task {
public:
    TaskResult run(u32) override {
        started.count_down();
        release.wait();
        ended.count_down();
        return TaskResult::kDone;
    }
    std::latch started{1};
    std::latch release{1};
    std::latch ended{1};
};

/// Writes numbered batches into a queue, parking when it is full.
class Writer final : public Task {
public:
    Writer(ResultQueue& queue, i64 first, u32 batches)
        : queue_(queue), next_(first), left_(batches) {}
    TaskResult run(u32) override {
        while (left_ > 0) {
            if (!queue_.roomOrPark(*this)) return TaskResult::kParked;
            i64 value = next_++;
            Vector column{
                .kind = PhysicalKind::kI64, .form = VectorForm::kConstant, .data = &value};
            queue_.push(std::make_unique<OwnedBatch>(
                Batch{.rows = 2, .selected = 2, .columns = std::span(&column, 1)}));
            if (--left_ % 5 == 0 && left_ > 0) return TaskResult::kAgain;
        }
        queue_.writerEnded();
        return TaskResult::kDone;
    }

private:
    ResultQueue& queue_;
    i64 next_;
    u32 left_;
};

} // namespace

TEST_CASE("parallelFor runs every index once, from several threads at a time") {
    WorkerPool pool(3);
    std::array<std::vector<std::atomic<u32>>, 4> counts;
    std::atomic<u32> bad_workers{0};
    std::vector<std::thread> callers;
    for (auto& count : counts) {
        count = std::vector<std::atomic<u32>>(700);
        callers.emplace_back([&] {
            for (u32 size : {0u, 1u, 2u, 700u, 700u, 5u})
                pool.parallelFor(size, [&](u32 index, u32 worker) {
                    count[index].fetch_add(1);
                    if (worker > pool.threads()) bad_workers.fetch_add(1);
                });
        });
    }
    for (auto& caller : callers) caller.join();
    CHECK(bad_workers.load() == 0);
    for (const auto& count : counts) {
        CHECK(count[0].load() == 5);
        CHECK(count[1].load() == 4);
        CHECK(count[4].load() == 3);
        for (u32 i = 5; i < 700; ++i) REQUIRE(count[i].load() == 2);
    }
}

TEST_CASE("parallelFor does not wait for workers that others keep busy") {
    WorkerPool pool(2);
    Blocker blockers[2];
    for (Blocker& blocker : blockers) pool.submit(blocker);
    for (Blocker& blocker : blockers) blocker.started.wait();
    u32 sum = 0;
    pool.parallelFor(10, [&](u32 index, u32 worker) {
        CHECK(worker == pool.threads());
        sum += index;
    });
    CHECK(sum == 45);
    CHECK_FALSE(pool.crowded());
    for (Blocker& blocker : blockers) blocker.release.count_down();
    for (Blocker& blocker : blockers) blocker.ended.wait();
}

TEST_CASE("a task that returns kAgain gives way to those that wait") {
    WorkerPool pool(1);
    std::atomic<bool> other_ran{false};
    std::latch ended{2};
    struct Long final : Task {
        std::atomic<bool>& other;
        std::latch& ended;
        Long(std::atomic<bool>& o, std::latch& e) : other(o), ended(e) {}
        TaskResult run(u32) override {
            if (!other.load()) return TaskResult::kAgain;
            ended.count_down();
            return TaskResult::kDone;
        }
    } long_task(other_ran, ended);
    struct Short final : Task {
        std::atomic<bool>& ran;
        std::latch& ended;
        Short(std::atomic<bool>& r, std::latch& e) : ran(r), ended(e) {}
        TaskResult run(u32) override {
            ran.store(true);
            ended.count_down();
            return TaskResult::kDone;
        }
    } short_task(other_ran, ended);
    pool.submit(long_task);
    pool.submit(short_task);
    ended.wait();
    CHECK(other_ran.load());
}

TEST_CASE("a queue delivers every batch of parked and resumed writers") {
    constexpr u32 kWriters = 4;
    constexpr u32 kBatches = 500;
    for (int turn = 0; turn < 5; ++turn) {
        // The queue is declared first: the pool's threads end before it does.
        TestContext test;
        ResultQueue queue;
        std::vector<std::unique_ptr<Writer>> writers;
        WorkerPool pool(2);
        queue.expect(kWriters);
        for (u32 w = 0; w < kWriters; ++w) {
            writers.push_back(std::make_unique<Writer>(queue, i64(w) * kBatches, kBatches));
            pool.submit(*writers.back());
        }
        std::vector<u32> seen(kWriters * kBatches);
        while (const auto batch = queue.take(pool, test.context)) {
            REQUIRE(batch->batch().selected == 2);
            const Vector& column = batch->batch().columns[0];
            CHECK(column.valueAt<i64>(0) == column.valueAt<i64>(1));
            seen[u64(column.valueAt<i64>(0))]++;
        }
        for (u32 count : seen) REQUIRE(count == 1);
        queue.waitForWriters();
    }
}

TEST_CASE("abandoning a full queue lets parked writers end") {
    for (const u32 taken : {0u, 3u, 100u}) {
        TestContext test;
        ResultQueue queue;
        std::vector<std::unique_ptr<Writer>> writers;
        WorkerPool pool(2);
        queue.expect(3);
        for (u32 w = 0; w < 3; ++w) {
            writers.push_back(std::make_unique<Writer>(queue, 0, 300));
            pool.submit(*writers.back());
        }
        for (u32 i = 0; i < taken; ++i) REQUIRE(queue.take(pool, test.context) != nullptr);
        queue.abandon(pool);
        queue.waitForWriters();
        // Nothing waits any more, however much was written after abandoning.
        class Probe final : public Task {
            TaskResult run(u32) override { return TaskResult::kDone; }
        } probe;
        CHECK(queue.roomOrPark(probe));
    }
}

TEST_CASE("an owned batch keeps values after its source is gone") {
    std::unique_ptr<OwnedBatch> owned;
    {
        std::string words[] = {"a text that is too long to be inline", "short",
                               "another one of some length"};
        TextView entries[3];
        for (int i = 0; i < 3; ++i) entries[i] = makeTextView(words[i]);
        const u8 codes[64] = {2, 1, 0, 2, 1};
        const i32 flat[64] = {10, 11, 12, 13, 14};
        const u64 validity[kValidityWords] = {~u64{0} ^ 0b1000};
        const u64 null_word = 0;
        std::vector<Vector> columns{
            {.kind = PhysicalKind::kText,
             .form = VectorForm::kDictionary,
             .code_width = 1,
             .dictionary_size = 3,
             .data = entries,
             .codes = codes,
             .validity = validity},
            {.kind = PhysicalKind::kI32, .data = flat},
            {.kind = PhysicalKind::kText, .form = VectorForm::kConstant, .data = entries},
            {.kind = PhysicalKind::kText,
             .form = VectorForm::kConstant,
             .data = entries,
             .validity = &null_word}};
        const u16 selection[] = {0, 3, 4};
        owned = std::make_unique<OwnedBatch>(
            Batch{.rows = 5, .selected = 3, .selection = selection, .columns = columns});
        for (std::string& word : words) word.assign(word.size(), '#');
    }
    const Batch& batch = owned->batch();
    REQUIRE(batch.selected == 3);
    REQUIRE(batch.selection == nullptr);
    CHECK(asStringView(batch.columns[0].valueAt<TextView>(0)) == "another one of some length");
    CHECK(batch.columns[0].isNull(1));
    CHECK(asStringView(batch.columns[0].valueAt<TextView>(2)) == "short");
    CHECK(batch.columns[1].valueAt<i32>(1) == 13);
    CHECK(batch.columns[1].valueAt<i32>(2) == 14);
    CHECK(asStringView(batch.columns[2].valueAt<TextView>(2)) ==
          "a text that is too long to be inline");
    for (u32 row = 0; row < 3; ++row) CHECK(batch.columns[3].isNull(row));
}

TEST_CASE("grants give back what they took, and the broker keeps its limit") {
    MemoryBroker broker(1000);
    const StopToken stop;
    {
        const auto grant = broker.admit({}, stop);
        const auto other = broker.admit({}, stop);
        CHECK(grant->grow(600));
        CHECK_FALSE(other->grow(401));
        CHECK(other->grow(400));
        CHECK(broker.used() == 1000);
        grant->shrink(100);
        CHECK(broker.used() == 900);
    }
    CHECK(broker.used() == 0);
}

TEST_CASE("who was told that there is room gets it, whatever other queries take meanwhile") {
    constexpr u32 kWorkers = 3;
    MemoryBroker broker(8 << 20);
    const StopToken stop;
    std::vector<std::unique_ptr<QueryGrant>> grants;
    for (int query = 0; query < 3; ++query)
        grants.push_back(broker.admit({.operators = 2, .workers = kWorkers}, stop));
    std::atomic<u64> refused{0};
    std::atomic<u64> failed{0};
    std::atomic<u64> most_used{0};
    std::vector<std::thread> threads;
    for (u32 n = 0; n < 3 * 2 * kWorkers; ++n) {
        threads.emplace_back([&, n] {
            QueryGrant& grant = *grants[n % 3];
            u64 random = n + 1;
            u64 held = 0;
            for (int batch = 0; batch < 3000; ++batch) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                const u64 more = 1 + (random >> 33) % (grant.workerBytes() * 2 / 3);
                if (!grant.hasRoom(held, more)) {
                    ++refused;
                    grant.shrink(held);
                    held = 0;
                    if (more > grant.workerBytes()) continue;
                }
                // As pages grow: by a quarter of what is there, twice.
                const u64 bytes = more + std::min<u64>(held / 2, 1 << 20);
                if (grant.grow(bytes)) held += bytes;
                else ++failed;
                most_used = std::max(most_used.load(), broker.used());
            }
            grant.shrink(held);
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(failed == 0);
    CHECK(refused > 0);
    CHECK(most_used <= broker.limit());
    SUBCASE("what is held for later work is there then") {
        for (const auto& grant : grants) { // the pipeline has ended: its promises are void
            grant->keepForLater(0);
            grant->shrink(0);
        }
        REQUIRE(grants[0]->hold(1 << 20));
        while (grants[1]->hasRoom(1 << 20, 1 << 18) && grants[1]->grow(1 << 18)) {}
        CHECK(grants[0]->grow(1 << 20));
        CHECK(grants[0]->grow(grants[0]->minimum()));
        CHECK_FALSE(grants[0]->mayKeep(1, 0));
    }
    grants.clear();
    CHECK(broker.used() == 0);
}

TEST_CASE("admission: the least memory, in order of arrival, cancellable") {
    constexpr u64 kMinimum = 256 << 10; // of one operator in one worker under so low a limit
    MemoryBroker broker(2 * kMinimum);
    StopToken stop;
    REQUIRE(broker.workerMinimum(1) == kMinimum);
    SUBCASE("more than there is: refused at once with what it needs") {
        try {
            broker.admit({.operators = 3}, stop);
            FAIL("admitted");
        } catch (const SqlError& error) {
            CHECK(error.error().sqlstate == sqlstate::kOutOfMemory);
            CHECK(error.error().message.find(std::to_string(3 * kMinimum)) != std::string::npos);
        }
        CHECK(broker.used() == 0);
    }
    SUBCASE("what is reserved is used first and given back once") {
        auto grant = broker.admit({.operators = 2}, stop);
        CHECK(broker.used() == 2 * kMinimum);
        CHECK(grant->grow(2 * kMinimum));
        CHECK_FALSE(grant->grow(1));
        grant->shrink(kMinimum);
        CHECK(broker.used() == 2 * kMinimum);
        grant.reset();
        CHECK(broker.used() == 0);
    }
    SUBCASE("the second waits for the first; the third does not overtake; a stop ends a wait") {
        auto first = broker.admit({.operators = 1}, stop);
        std::atomic<int> order{0};
        int second_at = 0;
        int third_at = 0;
        std::unique_ptr<QueryGrant> second;
        std::thread waits([&] {
            second = broker.admit({.operators = 2}, stop);
            second_at = ++order;
            second.reset();
        });
        while (broker.waiting() < 1) std::this_thread::yield();
        std::thread behind([&] {
            const auto third = broker.admit({.operators = 1}, stop);
            third_at = ++order;
        });
        while (broker.waiting() < 2) std::this_thread::yield();
        CHECK(order.load() == 0);
        first.reset();
        waits.join();
        behind.join();
        CHECK(second_at == 1);
        CHECK(third_at == 2);
        first = broker.admit({.operators = 2}, stop);
        StopToken cancelled;
        cancelled.requestForTimeout();
        CHECK_THROWS_AS(broker.admit({.operators = 1}, cancelled), SqlError);
        CHECK(broker.waiting() == 0);
        // Queries that hold no rows need not wait.
        CHECK(broker.admit({}, stop) != nullptr);
    }
}
