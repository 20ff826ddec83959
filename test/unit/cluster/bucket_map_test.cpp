// Buckets are shared out evenly, in whole groups, and stay where they are when a node joins.
#include "cluster/bucket_map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <string>

using namespace blueshift;
using cluster::BucketMap;

TEST_CASE("every node owns its share of buckets, in whole groups") {
    for (const u32 nodes : {1u, 2u, 3u, 4u, 5u, 7u, 16u, 64u, 100u}) {
        const BucketMap map = BucketMap::ofNodes(nodes);
        std::vector<u32> owned(nodes);
        for (u32 bucket = 0; bucket < kBuckets; ++bucket) ++owned.at(map.ownerOf(bucket));
        const u32 width = kBuckets / map.groups();
        CHECK(std::ranges::max(owned) - std::ranges::min(owned) <= width);
        for (u32 bucket = 0; bucket < kBuckets; ++bucket)
            CHECK(map.ownerOf(bucket) == map.ownerOf(bucket / width * width));
    }
}

TEST_CASE("one more node takes its share and little else moves") {
    std::vector<u64> members(12);
    std::iota(members.begin(), members.end(), u64{100});
    const BucketMap before(members);
    members.push_back(300);
    const BucketMap after(members);
    REQUIRE(before.groups() == after.groups());
    u32 moved = 0;
    u32 to_others = 0;
    for (u32 bucket = 0; bucket < kBuckets; ++bucket) {
        moved += before.ownerOf(bucket) != after.ownerOf(bucket);
        to_others += before.ownerOf(bucket) != after.ownerOf(bucket) && after.ownerOf(bucket) != 12;
    }
    CHECK(moved >= kBuckets / 16);
    CHECK(to_others <= kBuckets / 4);
}

TEST_CASE("the map of three nodes is fixed") {
    const BucketMap map = BucketMap::ofNodes(3);
    std::string owners;
    for (u32 group = 0; group < map.groups(); ++group)
        owners += char('0' + map.ownerOf(group * (kBuckets / map.groups())));
    CHECK(owners == "2201202121201010");
}
