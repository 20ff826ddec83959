// window_call.h: computes one call of a window for the rows of one partition after another.
//
// Life: start() a partition -> evaluate() its rows from the first to the last, as many at a time as
// is wanted -> the next start() -> release().
// Threads: one at a time. Errors: recorded in the view's context.
#pragma once

#include <memory>

#include "execute/window/partition_view.h"

namespace blueshift::execute {

class WindowCall {
public:
    virtual ~WindowCall() = default;
    /// The view has entered a partition.
    virtual void start() {}
    /// The result of row `rows.begin` goes to row `to` of `out`, and so on. Peers are shown.
    virtual void evaluate(const RowRange& rows, u64 to, WindowColumn& out) = 0;
    /// Gives memory and space back.
    virtual void release() {}
    virtual u64 bytesSpilled() const { return 0; }
};

std::unique_ptr<WindowCall> makeWindowCall(PartitionView& view, u32 index);

// ---- The families, by what they look at.
std::unique_ptr<WindowCall> makeShift(PartitionView& view, u32 index);  // LAG, LEAD
std::unique_ptr<WindowCall> makePick(PartitionView& view, u32 index);   // FIRST_, LAST_, NTH_VALUE
std::unique_ptr<WindowCall> makeFramed(PartitionView& view, u32 index); // aggregates

} // namespace blueshift::execute
