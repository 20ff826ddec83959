// window_shape.h: the rows that a window operator keeps: passed-on columns, then partition keys,
// order keys and arguments that are not among them.
//
// Threads: immutable after construction.
#pragma once

#include "execute/operator.h"
#include "execute/sort/row_order.h"

namespace blueshift::execute {

struct WindowShape {
    explicit WindowShape(const compile::SinkInfo& info);
    WindowShape(const WindowShape&) = delete;

    u32 columnOf(compile::Slot slot) const;

    const compile::SinkInfo& info;
    const compile::WindowSink& sink;
    std::vector<compile::Slot> slots; // input slot of each column of the layout
    RowLayout layout;
    RowOrder order;                     // partition keys, then order keys
    RowOrder partition_order;           // equal: the same partition
    RowOrder peer_order;                // equal, within a partition: peers
    std::vector<std::vector<u32>> args; // columns, by call
};

} // namespace blueshift::execute
