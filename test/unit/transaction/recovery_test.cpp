// Opening: checkpoints, damage of every byte, missing records, speed; table locks.
#include "transaction/recovery.h"

#include <atomic>
#include <cstring>
#include <thread>

#include "storage/memory_segment.h"
#include "transaction/checkpoint.h"
#include "transaction/log_record.h"
#include "transaction/table_locks.h"
#include "unit/transaction/fixture.h"
#include "unit/transaction/scripted_store.h"

namespace blueshift::transaction::test {
namespace {

struct Fixture {
    ScriptedStore store;
    std::unique_ptr<Clock> clock = makeSystemClock();
    std::unique_ptr<Random> random = makeSeededRandom(5);

    Result<std::unique_ptr<Database>> open() {
        DatabaseOptions options{.checkpoint_commits = 1'000'000};
        options.first_user = [] {
            catalog::User user;
            user.name = "admin";
            user.superuser = true;
            user.scram_verifier = "SCRAM-SHA-256$4096:x$y:z";
            return user;
        };
        return Database::open(store, *clock, *random, options);
    }
    /// A database with a bit of everything.
    std::string fill() {
        auto database = std::move(*open());
        CHECK(database->createdNow());
        const Oid table = createTable(*database, "t");
        REQUIRE(append(*database, table, "a"));
        auto transaction = database->begin();
        transaction->deleteRows({table, 1, rowBits({0, 99})});
        auto inline_rows = std::make_shared<catalog::Segment>();
        inline_rows->rows = 3;
        inline_rows->column_ids = {1};
        inline_rows->ranges.resize(1);
        storage::MemorySegment::Column column;
        column.column_id = 1;
        column.type = SqlType::bigInt();
        column.kind = PhysicalKind::kI8;
        column.values = {1, 2, 3};
        column.values.resize(3 + 64);
        inline_rows->memory = std::make_shared<storage::MemorySegment>(
            3, std::vector<storage::MemorySegment::Column>{column});
        transaction->addSegments(table, {inline_rows}, {{1, 8}});
        auto statistics = std::make_shared<catalog::TableStatistics>();
        statistics->rows = 101;
        statistics->columns.push_back({1, {.distinct = 7, .hll = {1, 2, 3}, .min = -4}});
        statistics->sample = inline_rows->memory;
        transaction->putStatistics(table, statistics);
        REQUIRE(transaction->commit());
        return everything(*database->committed());
    }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "replay from zero, from a checkpoint, and from both are the same") {
    const std::string state = fill();
    auto database = std::move(*open());
    CHECK(!database->createdNow());
    CHECK(database->committed()->database == "dev");
    CHECK(database->committed()->findUser("admin")->oid == catalog::kAdminUser);
    CHECK(everything(*database->committed()) == state);
    const Oid table = database->committed()->findTable(catalog::kPublicSchema, "t")->oid;
    const auto check_rest = [&](const catalog::CatalogSnapshot& snapshot, u64 rows) {
        const auto found = snapshot.tables.at(table);
        CHECK(found->segments->at(0).deletes->bits == rowBits({0, 99}));
        CHECK(found->segments->at(0).segment->ranges[0].max == i128(1) << 100);
        REQUIRE(found->segments->at(1).segment->memory);
        CHECK(found->segments->at(1).segment->memory->rows() == 3);
        CHECK(found->statistics->find(1)->hll == std::vector<u8>{1, 2, 3});
        CHECK(found->statistics->sample->rows() == 3);
        CHECK(found->rowCount() == rows);
    };
    check_rest(*database->committed(), 101);
    REQUIRE(database->checkpoint());
    REQUIRE(append(*database, table, "after"));
    const std::string longer = everything(*database->committed());
    const u64 lsn = database->committed()->lsn;
    database = std::move(*open());
    CHECK(everything(*database->committed()) == longer);
    CHECK(database->committed()->lsn == lsn);
    check_rest(*database->committed(), 201);
    // New ids continue behind everything that was committed.
    CHECK(createTable(*database, "next") > table);
    // Without HINT the list of checkpoints serves; without any the whole log.
    const std::string newest = everything(*database->committed());
    REQUIRE(store.remove("ckpt/HINT"));
    CHECK(everything(*(*open())->committed()) == newest);
    for (const ObjectInfo& info : *store.list("ckpt/")) REQUIRE(store.remove(info.key));
    CHECK(everything(*(*open())->committed()) == newest);
}

TEST_CASE_FIXTURE(Fixture, "three checkpoints are kept") {
    auto database = std::move(*open());
    for (int i = 0; i < 6; ++i) {
        createTable(*database, fmt::format("t{}", i));
        REQUIRE(database->checkpoint());
        REQUIRE(database->checkpoint());
    }
    CHECK(store.objectsBelow("ckpt/0") == 3);
}

TEST_CASE_FIXTURE(Fixture, "a changed byte anywhere in a record is XX001 that names it") {
    fill();
    for (const ObjectInfo& info : *store.list("log/"))
        for (u64 at = 0; at < info.bytes; ++at) {
            store.bytesOf(info.key)[at] ^= 0x10;
            const auto opened = open();
            REQUIRE(!opened);
            CHECK(opened.error().sqlstate == "XX001");
            CHECK(opened.error().message.find(info.key) != std::string::npos);
            store.bytesOf(info.key)[at] ^= 0x10;
        }
    for (const char* key : {"FORMAT"})
        for (u64 at = 0; at < *store.size(key); ++at) {
            store.bytesOf(key)[at] ^= 0x10;
            const auto opened = open();
            REQUIRE(!opened);
            CHECK((opened.error().sqlstate == "XX001"));
            store.bytesOf(key)[at] ^= 0x10;
        }
    CHECK(open().has_value());
}

TEST_CASE_FIXTURE(Fixture, "records cut short at every length are XX001") {
    fill();
    const std::string key = logKey(2);
    const std::vector<u8> whole = store.bytesOf(key);
    for (u64 length = 0; length < whole.size(); ++length) {
        store.bytesOf(key).assign(whole.begin(), whole.begin() + i64(length));
        const auto opened = open();
        REQUIRE(!opened);
        CHECK(opened.error().sqlstate == "XX001");
    }
}

TEST_CASE_FIXTURE(Fixture, "a damaged checkpoint is passed over for the log; a bad hint too") {
    const std::string state = fill();
    REQUIRE((*open())->checkpoint());
    const std::string key = store.list("ckpt/0")->front().key;
    for (u64 at = 0; at < *store.size(key); ++at) {
        store.bytesOf(key)[at] ^= 0x01;
        const auto opened = open();
        REQUIRE(opened);
        CHECK(everything(*(*opened)->committed()) == state);
        store.bytesOf(key)[at] ^= 0x01;
    }
    REQUIRE(store.put("ckpt/HINT", std::vector<u8>{'x'}));
    CHECK(everything(*(*open())->committed()) == state);
}

TEST_CASE_FIXTURE(Fixture, "bodies of random bytes with right checksums never crash the reader") {
    // FieldReader meets what no checksum stops: mutations of a valid body, sealed again.
    fill();
    auto mutate = makeSeededRandom(99);
    u32 refused = 0;
    for (u64 lsn = 1; lsn <= 4; ++lsn) {
        const std::vector<u8> whole = store.bytesOf(logKey(lsn));
        for (int round = 0; round < 5000; ++round) {
            std::vector<u8> bytes = whole;
            for (u64 n = 1 + mutate->next() % 3; n > 0; --n)
                bytes[128 + mutate->next() % (bytes.size() - 132)] = u8(mutate->next());
            const u32 crc = crc32c(bytes.data(), bytes.size() - 4);
            std::memcpy(bytes.data() + bytes.size() - 4, &crc, 4);
            const auto decoded = decodeRecord(bytes, "fuzz", storedRowsCodec());
            if (!decoded) {
                ++refused;
                CHECK(decoded.error().sqlstate == "XX001");
                continue;
            }
            // What can be read may still make no sense: replay must say so, not fail otherwise.
            LogState empty;
            empty.snapshot = catalog::makeEmptyCatalog();
            Replay replay(std::move(empty));
            NextRecord next;
            next.record = *decoded;
            (void)replay.apply(next, nullptr);
        }
    }
    CHECK(refused > 100);
}

TEST_CASE_FIXTURE(Fixture, "a missing record, a foreign record, a swapped record") {
    fill();
    const std::vector<u8> second = store.bytesOf(logKey(2));
    REQUIRE(store.remove(logKey(2)));
    auto opened = open();
    REQUIRE(!opened);
    CHECK(opened.error().sqlstate == "XX001");
    CHECK(opened.error().message.find(logKey(2)) != std::string::npos);
    REQUIRE(store.put(logKey(2), store.bytesOf(logKey(3))));
    CHECK(open().error().sqlstate == "XX001");
    // Rightly sealed, but it follows another record.
    auto record = decodeRecord(second, "x", storedRowsCodec());
    record->header.previous.low ^= 1;
    REQUIRE(store.put(logKey(2), encodeRecord(*record, storedRowsCodec())));
    CHECK(open().error().sqlstate == "XX001");
    record->header.previous.low ^= 1;
    record->header.database.low ^= 1;
    REQUIRE(store.put(logKey(2), encodeRecord(*record, storedRowsCodec())));
    CHECK(open().error().message.find("another database") != std::string::npos);
    record->header.database.low ^= 1;
    record->header.reader_features = 1;
    REQUIRE(store.put(logKey(2), encodeRecord(*record, storedRowsCodec())));
    CHECK(open().error().sqlstate == "0A000");
    REQUIRE(store.put(logKey(2), second));
    REQUIRE(open());
    REQUIRE(store.remove("FORMAT"));
    CHECK(open().error().message.find("FORMAT") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a chain of ten thousand records replays to the same state") {
    std::string state;
    {
        auto database = std::move(*open());
        const Oid table = createTable(*database, "t");
        for (int i = 0; i < 10'000; ++i) REQUIRE(append(*database, table, fmt::format("k{}", i)));
        state = everything(*database->committed());
    }
    const i64 before = clock->monotonicNanos();
    auto database = std::move(*open());
    MESSAGE("10,002 records replayed in ", (clock->monotonicNanos() - before) / 1'000'000, " ms");
    CHECK(everything(*database->committed()) == state);
}

TEST_CASE("table locks: queue, deadlock, cancel, release") {
    TableLocks locks;
    const CancelCheck never;
    REQUIRE(locks.lock(1, 10, never));
    REQUIRE(locks.lock(1, 10, never));
    REQUIRE(locks.lock(2, 20, never));
    const auto stopped = locks.lock(2, 10, [] { return canceledError(true); });
    REQUIRE(stateOf(stopped) == "57014");
    CHECK(stopped.error().message ==
          "canceling statement due to statement timeout while waiting for a lock");
    std::atomic<bool> granted{false};
    std::atomic<bool> waiting{false};
    std::thread second([&] {
        CHECK(locks
                  .lock(2, 10,
                        [&]() -> std::optional<Error> {
                            waiting = true;
                            return std::nullopt;
                        })
                  .has_value());
        granted = true;
    });
    while (!waiting) std::this_thread::yield();
    CHECK(stateOf(locks.lock(1, 20, never)) == "40P01");
    CHECK(!granted);
    locks.releaseAll(1);
    second.join();
    CHECK(granted);
    locks.releaseAll(2);
    REQUIRE(locks.lock(3, 10, never));
    REQUIRE(locks.lock(3, 20, never));
}

TEST_CASE("locks of a transaction end with it") {
    Place place;
    REQUIRE(place.open());
    const Oid table = createTable(*place.database, "t");
    const CancelCheck cancelled = [] { return canceledError(false); };
    auto a = place.database->begin();
    auto b = place.database->begin();
    REQUIRE(place.database->lockTable(*a, table, cancelled));
    CHECK(stateOf(place.database->lockTable(*b, table, cancelled)) == "57014");
    a->rollback();
    REQUIRE(place.database->lockTable(*b, table, cancelled));
    b->addSegments(table, {makeSegment("b")}, {});
    REQUIRE(b->commit());
    auto c = place.database->begin();
    REQUIRE(place.database->lockTable(*c, table, cancelled));
}

} // namespace blueshift::transaction::test
