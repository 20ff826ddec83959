#include "execute/window/partition_view.h"

#include "functions/aggregates/indexed_values.h"

namespace blueshift::execute {
namespace {

using bind::FrameBound;

/// `base` moved by a frame's offset, kept within [low, high].
u64 moved(u64 base, i64 by, bool forward, u64 low, u64 high) {
    const u64 distance = by < 0 ? 0 : u64(by);
    if (forward) return distance >= high - base ? high : base + distance;
    return distance >= base - low ? low : base - distance;
}

} // namespace

RowRange PartitionView::frameOf(const compile::WindowSink::Call& call, u64 row) const {
    const bind::WindowFrame& frame = call.frame;
    const auto [low, high] = partition_;
    RowRange range = partition_;
    switch (frame.start) {
    case FrameBound::kUnboundedPreceding: break;
    case FrameBound::kPreceding:
        range.begin = moved(row, frame.start_offset, false, low, high);
        break;
    case FrameBound::kCurrentRow: range.begin = frame.rows ? row : peersOf(row).begin; break;
    case FrameBound::kFollowing:
        range.begin = moved(row, frame.start_offset, true, low, high);
        break;
    case FrameBound::kUnboundedFollowing: range.begin = high; break;
    }
    switch (frame.end) {
    case FrameBound::kUnboundedFollowing: break;
    case FrameBound::kPreceding:
        range.end = moved(row + 1, frame.end_offset, false, low, high);
        break;
    case FrameBound::kCurrentRow: range.end = frame.rows ? row + 1 : peersOf(row).end; break;
    case FrameBound::kFollowing:
        range.end = moved(row + 1, frame.end_offset, true, low, high);
        break;
    case FrameBound::kUnboundedPreceding: range.end = low; break;
    }
    return range;
}

std::optional<i128> PartitionView::integerAt(u64 number, u32 column) const {
    const u8* at = row(number);
    if (shape.layout.isNull(at, column)) return std::nullopt;
    i128 value = 0;
    functions::dispatchInteger(shape.layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        value = loadField<T>(at, shape.layout.offsetOf(column));
    });
    return value;
}

void PartitionView::copy(u64 from, u32 column, u64 to, WindowColumn& out) {
    const u8* at = row(from);
    out.set(to, gatherColumn(shape.layout, column, &at, 1, scratch_), 0);
}

} // namespace blueshift::execute
