// partition_view.h: the rows of one window partition by number, their peers and their frames.
//
// Place: what window calls look at; it is the same for rows in memory and on disk.
// Life: enter() a partition, then showPeers() for the rows that are evaluated next, in their order.
// Borrows: the rows. Threads: one at a time.
#pragma once

#include <optional>

#include "execute/spill/row_reader.h"
#include "execute/window/window_column.h"
#include "execute/window/window_shape.h"

namespace blueshift::execute {

/// Rows [begin, end) of a part, by number; empty when begin >= end.
struct RowRange {
    u64 begin = 0;
    u64 end = 0;
    bool operator==(const RowRange&) const = default;
};

class PartitionView {
public:
    PartitionView(const WindowShape& shape, RowReader& rows, WorkerContext& context)
        : shape(shape), rows(rows), context(context) {}

    void enter(RowRange partition) { partition_ = partition; }
    const RowRange& partition() const { return partition_; }
    /// `peers[i]` are the peers of row `first + i`.
    void showPeers(u64 first, std::span<const RowRange> peers) {
        first_shown_ = first;
        peers_ = peers;
    }
    const RowRange& peersOf(u64 row) const { return peers_[row - first_shown_]; }
    /// What `call` sees at a row whose peers are shown.
    RowRange frameOf(const compile::WindowSink::Call& call, u64 row) const;

    const u8* row(u64 number) const { return rows.at(number, context); }
    bool isNull(u64 number, u32 column) const { return shape.layout.isNull(row(number), column); }
    /// An integer column; nothing for NULL.
    std::optional<i128> integerAt(u64 number, u32 column) const;
    /// The value of row `from` becomes the result of row `to`.
    void copy(u64 from, u32 column, u64 to, WindowColumn& out);

    const WindowShape& shape;
    RowReader& rows;
    WorkerContext& context;

private:
    RowRange partition_;
    u64 first_shown_ = 0;
    std::span<const RowRange> peers_;
    VectorBuffer scratch_;
};

} // namespace blueshift::execute
