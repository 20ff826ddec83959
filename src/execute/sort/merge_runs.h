// merge_runs.h: merges sorted runs into one order, in parts that can run in parallel.
//
// Place: the end of a sort. Parts are split at keys of the longest run, found in the others by
// binary search; a part writes its own stretch of the output.
// Threads: parts share only what they read; each writes its own range.
#pragma once

#include <vector>

#include "execute/sort/row_order.h"

namespace blueshift::execute {

class RunMerger {
public:
    RunMerger(const RowOrder& order, std::vector<std::vector<SortEntry>> runs, u32 parts);

    u32 parts() const { return u32(cuts_.size()) - 1; }
    void mergePart(u32 part, const StopToken& stop);
    const std::vector<SortEntry>& merged() const { return merged_; }
    /// Frees the runs.
    void finish();

private:
    const RowOrder& order_;
    std::vector<std::vector<SortEntry>> runs_;
    std::vector<std::vector<size_t>> cuts_; // cuts_[part][run]: where the part begins in the run
    std::vector<SortEntry> merged_;
};

} // namespace blueshift::execute
