// window_part.h: one part of a window operator: its sorted rows and the results of every call.
//
// Steps: sort rows by (partition, order), cut them into partitions and peer groups, compute each
// call partition by partition. Aggregates over a frame that only grows are updated once per row;
// sliding frames go through a tree of partial states (Leis et al., PVLDB 2015), except for DISTINCT
// and order-dependent aggregates, which are recomputed.
// Threads: one task's while it is made; read by any afterwards.
#pragma once

#include <memory>
#include <optional>

#include "execute/rows/row_pages.h"
#include "execute/rows/state_memory.h"
#include "execute/window/window_column.h"
#include "execute/window/window_shape.h"

namespace blueshift::execute {

/// Rows [begin, end) of a part that share their partition keys.
struct WindowPartition {
    size_t begin = 0;
    size_t end = 0;
};
/// Rows of a frame, [begin, end); empty when begin >= end.
struct FrameRows {
    size_t begin = 0;
    size_t end = 0;
};

class WindowPart {
public:
    explicit WindowPart(const WindowShape& shape) : shape_(shape) {}

    /// The caller has taken rowBytes() for each row; they become this part's.
    void compute(const std::vector<RowPages*>& sources, WorkerContext& context);
    const std::vector<u8*>& rows() const { return rows_; }
    const WindowColumn& result(u32 call) const { return *results_[call]; }
    /// Rows [begin, begin + count) of the sink's output columns, into `vectors`.
    void read(std::span<const u32> columns, size_t begin, u32 count,
              std::span<VectorBuffer> buffers, std::span<Vector> vectors) const;
    u64 memoryBytes() const;
    /// Gives back what was taken for this part.
    void release(WorkerContext& context);
    /// What computing takes for a row, its page and the texts of results excepted.
    static u64 rowBytes(const WindowShape& shape);

private:
    using Call = compile::WindowSink::Call;

    bool take(u64 bytes, std::string_view what, WorkerContext& context);
    void findPeers();
    void computeCall(u32 index, const WindowPartition& partition, WorkerContext& context);
    void rank(const Call& call, const WindowPartition& partition, WindowColumn& out);
    void tile(u32 index, const WindowPartition& partition, WindowColumn& out,
              WorkerContext& context);
    void shift(u32 index, const WindowPartition& partition, WindowColumn& out,
               WorkerContext& context);
    void pick(u32 index, const WindowPartition& partition, WindowColumn& out,
              WorkerContext& context);
    void ratio(u32 index, const WindowPartition& partition, WindowColumn& out);
    void aggregate(u32 index, const WindowPartition& partition, WindowColumn& out,
                   WorkerContext& context);
    FrameRows frameOf(const Call& call, const WindowPartition& partition, size_t row) const;
    /// Integer argument `arg` at a row; nothing for NULL.
    std::optional<i128> integerArg(u32 index, u32 arg, size_t row) const;
    bool isNullArg(u32 index, u32 arg, size_t row) const;
    void copyArg(u32 index, u32 arg, size_t from, size_t to, WindowColumn& out);

    const WindowShape& shape_;
    std::vector<u8*> rows_;
    std::vector<size_t> peer_begin_; // by row: first and past-the-last of its peers
    std::vector<size_t> peer_end_;
    std::vector<WindowPartition> partitions_;
    std::vector<std::unique_ptr<WindowColumn>> results_;
    VectorBuffer scratch_;
    u64 taken_ = 0;
};

} // namespace blueshift::execute
