// window_part.h: one part of a window operator that fits memory: its sorted rows and the results of
// every call.
//
// Steps: sort rows by (partition, order), cut them into partitions and peer groups, compute each
// call partition by partition.
// Threads: one task's while it is made; read by any afterwards.
#pragma once

#include <memory>

#include "execute/window/partition_view.h"

namespace blueshift::execute {

class WindowPart {
public:
    explicit WindowPart(const WindowShape& shape) : shape_(shape) {}

    /// The caller has taken rowBytes() for each row; they become this part's.
    void compute(const std::vector<RowPages*>& sources, WorkerContext& context);
    u64 rowCount() const { return rows_.size(); }
    /// Rows [begin, begin + count) of the sink's output columns, into `vectors`.
    void read(std::span<const u32> columns, size_t begin, u32 count,
              std::span<VectorBuffer> buffers, std::span<Vector> vectors) const;
    u64 memoryBytes() const;
    u64 bytesSpilled() const { return spilled_bytes_; }
    /// Gives back what was taken for this part.
    void release(WorkerContext& context);
    /// What computing takes for a row, its page and the texts of results excepted.
    static u64 rowBytes(const WindowShape& shape);

private:
    void findPeers();
    void computeCall(u32 index, PartitionView& view);

    const WindowShape& shape_;
    std::vector<u8*> rows_;
    std::vector<RowRange> peers_; // by row
    std::vector<RowRange> partitions_;
    std::vector<std::unique_ptr<WindowColumn>> results_;
    u64 taken_ = 0;
    u64 spilled_bytes_ = 0; // of what calls keep about their rows
};

} // namespace blueshift::execute
