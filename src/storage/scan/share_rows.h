// share_rows.h: which rows of a segment a node reads, of a table that several nodes share.
//
// Place: TableScan plans morsels by it, MorselCursor clears the rows of others.
// Ranges: a segment's rows are cut into ranges of blocks, or of fewer rows when it has few blocks;
// they go to the nodes in turn, beginning at another node for each segment.
// Buckets: a segment with a hash prefix holds the buckets of that prefix only, so that its rows are
// often all of one node and need no hash. Threads: immutable.
#pragma once

#include "storage/storage.h"
#include "types/bucket_hash.h"

namespace blueshift::storage {

class SegmentShare {
public:
    SegmentShare() = default;
    SegmentShare(const ScanShare& share, const catalog::Segment& segment);

    bool none() const { return kind_ == Kind::kNone; }
    /// Rows are told apart by the bucket of their key.
    bool byBucket() const { return kind_ == Kind::kBuckets; }
    /// Moves `row` to the node's next row at or after it, and `count` to the rows of the node from
    /// there, at most `count`; 0 when none is left before `end`.
    void nextRange(u32& row, u32 end, u32& count) const;
    /// Clears the bits of the rows whose bucket another node owns. `key`: the whole block.
    void keepBuckets(const Vector& key, u32 first, u32 rows, u64* mask) const;

private:
    enum class Kind : u8 { kAll, kNone, kBuckets, kRanges };
    bool owns(u64 hash) const { return share_.owners[kernels::bucketOf(hash)] == share_.node; }

    Kind kind_ = Kind::kAll;
    ScanShare share_;
    u32 range_rows_ = kBlockRows;
    u32 first_node_ = 0;
};

} // namespace blueshift::storage
