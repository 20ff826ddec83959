// Rows shared by several nodes: each row is exactly one node's, whatever the share is made by.
#include "scan_fixture.h"
#include "storage/scan/share_rows.h"
#include "types/bucket_hash.h"

namespace blueshift::storage {

namespace {

/// Owners of runs of buckets, as a bucket map has them.
std::vector<u16> ownersOf(u32 nodes, u32 groups) {
    std::vector<u16> owners(kBuckets);
    for (u32 bucket = 0; bucket < kBuckets; ++bucket)
        owners[bucket] = u16(bucket / (kBuckets / groups) * 7 % nodes);
    return owners;
}

/// Scans the table as each node; every row comes once, and belongs where `owner` says.
template <class Owner>
std::vector<u64> checkShares(TestTable& test, ScanShare share, u32 vector_rows, Owner&& owner) {
    std::set<u64> all;
    std::vector<u64> rows;
    for (u32 node = 0; node < share.nodes; ++node) {
        share.node = node;
        const auto found = test.scan({.vector_rows = vector_rows, .share = share});
        for (const auto& [number, id] : found) {
            REQUIRE(all.insert(number).second);
            REQUIRE(owner(number, id) == node);
        }
        rows.push_back(found.size());
    }
    REQUIRE(all.size() == test.reference.size());
    return rows;
}

void distributeBy(TestTable& test, u32 column) {
    auto keyed = std::make_shared<catalog::Table>(*test.table);
    keyed->dist_style = catalog::DistStyle::kKey;
    keyed->dist_key = column;
    test.table = keyed;
}

u64 hashOfCell(const Cell& cell, u32 column) {
    if (cell.is_null) return kernels::kBucketNullHash;
    if (column == kComment) return kernels::bucketHashText(makeTextView(cell.text));
    return kernels::bucketHashInteger(cell.integer);
}

} // namespace

TEST_CASE("ranges of rows are shared evenly, also of small segments") {
    TestTable test(41);
    test.insert(900000);
    test.insert(150000);
    test.insert(200);
    for (const u32 least : {1u, kVectorRows}) {
        ScanShare share{.nodes = 3, .least_rows = least};
        std::set<u64> all;
        std::vector<u64> rows;
        for (share.node = 0; share.node < 3; ++share.node) {
            const auto found = test.scan({.share = share});
            for (const auto& [number, id] : found) REQUIRE(all.insert(number).second);
            rows.push_back(found.size());
        }
        CHECK(all.size() == test.reference.size());
        for (const u64 count : rows) CHECK(count * 4 > test.reference.size());
    }
    TestTable tiny(42);
    tiny.insert(5);
    ScanShare share{.nodes = 3, .least_rows = 1};
    u64 together = 0;
    for (share.node = 0; share.node < 3; ++share.node) {
        const u64 rows = tiny.scan({.vector_rows = 7, .share = share}).size();
        CHECK(rows >= 1);
        together += rows;
    }
    CHECK(together == 5);
}

TEST_CASE("a distribution key shares rows by bucket; NULLs have one node") {
    for (const u32 column : {u32(kRandom), u32(kComment), u32(kFixed)}) {
        TestTable test(43);
        distributeBy(test, column);
        test.insert(70000);
        test.insert(100);
        const auto owners = ownersOf(3, 16);
        const ScanShare share{.nodes = 3, .key_column = column, .owners = owners};
        checkShares(test, share, kVectorRows, [&](u64 number, u64) {
            return u32(owners[bucketOf(hashOfCell(test.reference[number][column - 1], column))]);
        });
    }
}

TEST_CASE("segments with a hash prefix are read by their owners only") {
    TestTable test(44);
    distributeBy(test, kNumber);
    test.split = true;
    test.insert(600000);
    REQUIRE(test.table->segments->size() == 16);
    for (const auto& entry : *test.table->segments) CHECK(entry.segment->bucket_bits == 4);
    const auto owners = ownersOf(4, 16);
    ScanShare share{.nodes = 4, .key_column = kNumber, .owners = owners};
    checkShares(test, share, kVectorRows, [&](u64 number, u64) {
        return u32(owners[bucketOf(kernels::bucketHashInteger(i64(number)))]);
    });
    for (const auto& entry : *test.table->segments) {
        u32 readers = 0;
        for (share.node = 0; share.node < 4; ++share.node) {
            const SegmentShare part(share, *entry.segment);
            readers += part.none() ? 0 : 1;
            CHECK(!part.byBucket());
        }
        CHECK(readers == 1);
    }
    // Another key: the prefix says nothing.
    auto moved = std::make_shared<catalog::Table>(*test.table);
    moved->dist_key = kRandom;
    test.table = moved;
    share.key_column = kRandom;
    checkShares(test, share, kVectorRows, [&](u64 number, u64) {
        return u32(owners[bucketOf(hashOfCell(test.reference[number][kRandom - 1], kRandom))]);
    });
}

} // namespace blueshift::storage
