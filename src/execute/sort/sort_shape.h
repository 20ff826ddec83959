// sort_shape.h: the rows that a sort keeps: its output columns, then keys that are not among them.
//
// Threads: immutable after construction.
#pragma once

#include "execute/operator.h"
#include "execute/sort/row_order.h"

namespace blueshift::execute {

struct SortShape {
    explicit SortShape(const compile::SinkInfo& info);
    SortShape(const SortShape&) = delete;

    std::vector<compile::Slot> slots; // input slot of each column of the layout
    std::vector<RowSortKey> keys;
    RowLayout layout;
    RowOrder order;
    u64 limit; // rows kept, offset included; ~0: all
    u64 offset;

private:
    static std::vector<compile::Slot> slotsOf(const compile::SortSink& sink);
    static std::vector<RowSortKey> keysOf(const compile::SortSink& sink,
                                          const std::vector<compile::Slot>& slots);
};

/// The layout of columns taken from input slots.
RowLayout layoutOf(const compile::SinkInfo& info, const std::vector<compile::Slot>& slots,
                   bool has_hash);

} // namespace blueshift::execute
