// join_filter_probe.h: a join filter applied to the rows of a scan, with its switch.
//
// Place: MorselCursor keeps one per join filter of the scan.
// Switch: over a window of tested rows that mostly pass, the filter rests for some blocks and is
// then tried again; a filter that drops few rows costs more than it saves.
#pragma once

#include <vector>

#include "storage/scan/block_filter.h"
#include "types/scan_predicate.h"

namespace blueshift::storage {

class JoinFilterProbe {
public:
    explicit JoinFilterProbe(JoinFilter* filter) : filter_(filter) {}

    /// Looks whether the filter is there and wanted for the next block.
    bool enterBlock();
    bool active() const { return active_; }
    /// The block's column is known now.
    void prepare(const Vector& block, u32 rows);
    bool prepared() const { return prepared_; }
    void apply(const kernels::BlockSteps& steps, const Vector& block, u32 first, u32 rows,
               u64* mask);
    /// Adds the counts to the filter's own, for EXPLAIN ANALYZE.
    void publishCounts();
    const JoinFilter& filter() const { return *filter_; }

private:
    u64 hashOf(const Vector& block, u32 row) const;
    void testBloom(const Vector& block, u32 first, u32 rows, u64* mask) const;

    JoinFilter* filter_;
    bool active_ = false;
    bool prepared_ = false;
    bool tests_range_ = false;
    bool tests_bloom_ = false;
    BlockFilter range_;
    std::vector<u64> members_; // dictionary codes that pass
    bool constant_passes_ = true;
    u64 window_tested_ = 0;
    u64 window_passed_ = 0;
    u64 tested_ = 0;
    u64 passed_ = 0;
    u32 rest_blocks_ = 0;
};

} // namespace blueshift::storage
