// sorted_part.h: a part of a window operator that is larger than memory: its rows are sorted on
// disk, and its calls are computed batch by batch while it is read.
//
// Nothing is kept of results. Ends of partitions and of peer groups are found by galloping through
// the sorted rows, so that neither must fit memory.
// Life: rows go to rows() -> open() -> next() ... false -> release().
// Threads: one worker's, whose context outlives it.
#pragma once

#include <memory>

#include "execute/sort/ordered_rows.h"
#include "execute/window/window_call.h"

namespace blueshift::execute {

class SortedPart {
public:
    SortedPart(const WindowShape& shape, const RowCodec& codec, WorkerContext& context);

    OrderedRows& rows() { return rows_; }
    /// No more rows come. False after recording an error.
    bool open();
    /// The next rows of the sink's output columns, valid until the next call; 0 at the end or after
    /// an error.
    u32 next(std::span<const u32> columns, std::span<VectorBuffer> buffers,
             std::span<Vector> vectors);
    u64 bytesSpilled() const;
    /// Gives memory and space back.
    void release();

private:
    u64 endOfEqual(const RowOrder& order, u64 begin, u64 end);
    void showPeers(const RowRange& rows);

    const WindowShape& shape_;
    WorkerContext& context_;
    OrderedRows rows_;
    PartitionView view_;
    std::vector<std::unique_ptr<WindowCall>> calls_;
    std::vector<std::unique_ptr<WindowColumn>> results_; // of the batch
    u64 at_ = 0;
    RowRange peers_; // of the row before at_
    std::vector<RowRange> batch_peers_;
};

} // namespace blueshift::execute
