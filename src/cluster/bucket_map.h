// bucket_map.h: which node owns which bucket.
//
// Place: scans take the rows of their node's buckets, hash exchanges send a row to its owner.
// Rule: neighbouring buckets form groups; a group goes to the member with the highest score
// (rendezvous hashing), or the next one while that member has its share. So every member owns as
// many groups as any other, give or take one, and a change of membership moves few of them.
// Groups are as few as balance allows (4 a node, at least 16), so that a segment with a short hash
// prefix belongs to few nodes. Immutable.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "types/bucket_hash.h"

namespace blueshift::cluster {

class BucketMap {
public:
    /// `members`: distinct ids that live as long as the member; owners are indexes into it.
    explicit BucketMap(std::span<const u64> members);
    /// Members 0 .. nodes - 1.
    static BucketMap ofNodes(u32 nodes);

    u32 nodes() const { return nodes_; }
    u32 ownerOf(u32 bucket) const { return owners_[bucket]; }
    u32 ownerOfHash(u64 hash) const { return owners_[bucketOf(hash)]; }
    std::span<const u16> owners() const { return owners_; }
    u32 groups() const { return groups_; }

private:
    u32 nodes_;
    u32 groups_;
    std::array<u16, kBuckets> owners_{};
};

} // namespace blueshift::cluster
