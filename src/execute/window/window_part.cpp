#include "execute/window/window_part.h"

#include <algorithm>
#include <cmath>

#include "execute/window/frame_aggregate.h"
#include "functions/aggregates/indexed_values.h"
#include "kernels/decimal.h"

namespace blueshift::execute {
namespace {

using bind::FrameBound;
using bind::WindowFunction;

/// Of a row: its sort entry, its place in the order, the ends of its peers.
constexpr u64 kSortBytes = sizeof(SortEntry) + 3 * sizeof(u8*);

f64 asFloat(const RowLayout& layout, u32 column, const u8* row) {
    f64 value = 0;
    dispatchKind(layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        if constexpr (!std::is_same_v<T, TextView>)
            value = f64(loadField<T>(row, layout.offsetOf(column)));
    });
    return value;
}

/// `base` moved by a frame's offset, kept within [low, high].
size_t moved(size_t base, i64 by, bool forward, size_t low, size_t high) {
    const u64 distance = by < 0 ? 0 : u64(by);
    if (forward) return distance >= high - base ? high : base + distance;
    return distance >= base - low ? low : base - distance;
}

} // namespace

u64 WindowPart::memoryBytes() const {
    u64 bytes = (rows_.size() + peer_begin_.size() * 2) * 8;
    for (const auto& column : results_) bytes += column->memoryBytes();
    return bytes;
}

bool WindowPart::take(u64 bytes, std::string_view what, WorkerContext& context) {
    if (!context.take(bytes, what)) return false;
    taken_ += bytes;
    return true;
}

void WindowPart::release(WorkerContext& context) {
    context.give(taken_);
    taken_ = 0;
    rows_ = {};
    peer_begin_ = {};
    peer_end_ = {};
    partitions_ = {};
    results_.clear();
}

u64 WindowPart::rowBytes(const WindowShape& shape) {
    u64 bytes = kSortBytes;
    const size_t first = shape.sink.columns.size();
    for (size_t c = 0; c < shape.sink.calls.size(); ++c)
        bytes += widthOf(shape.info.output[first + c].kind) + 1;
    return bytes;
}

void WindowPart::read(std::span<const u32> columns, size_t begin, u32 count,
                      std::span<VectorBuffer> buffers, std::span<Vector> vectors) const {
    const u32 passed = u32(shape_.sink.columns.size());
    for (size_t c = 0; c < columns.size(); ++c) {
        const u32 column = columns[c];
        vectors[c] = column < passed ? gatherColumn(shape_.layout, column, rows_.data() + begin,
                                                    count, buffers[c])
                                     : result(column - passed).read(begin, count, buffers[c]);
    }
}

void WindowPart::compute(const std::vector<RowPages*>& sources, WorkerContext& context) {
    for (const RowPages* pages : sources) pages->collectRows(rows_);
    taken_ = rows_.size() * rowBytes(shape_);
    if (shape_.order.hasKeys()) shape_.order.sortRows(rows_, *context.stop);
    if (context.failed()) return;
    findPeers();
    const auto& calls = shape_.sink.calls;
    const size_t first = shape_.sink.columns.size();
    for (u32 c = 0; c < calls.size(); ++c) {
        const PhysicalKind kind = shape_.info.output[first + c].kind;
        results_.push_back(std::make_unique<WindowColumn>(kind, rows_.size()));
        u64 text_bytes = 0;
        for (const WindowPartition& partition : partitions_) {
            if (context.failed()) return;
            computeCall(c, partition, context);
            const u64 held = results_.back()->textBytes();
            if (held > text_bytes && !take(held - text_bytes, "window results", context)) return;
            text_bytes = held;
        }
    }
}

void WindowPart::findPeers() {
    const size_t count = rows_.size();
    peer_begin_.resize(count);
    peer_end_.resize(count);
    for (size_t begin = 0; begin < count;) {
        size_t end = begin + 1;
        while (end < count && shape_.partition_order.compare(rows_[end - 1], rows_[end]) == 0)
            ++end;
        partitions_.push_back({begin, end});
        for (size_t peer = begin; peer < end;) {
            size_t past = peer + 1;
            while (past < end && shape_.peer_order.compare(rows_[past - 1], rows_[past]) == 0)
                ++past;
            std::fill(peer_begin_.begin() + i64(peer), peer_begin_.begin() + i64(past), peer);
            std::fill(peer_end_.begin() + i64(peer), peer_end_.begin() + i64(past), past);
            peer = past;
        }
        begin = end;
    }
}

FrameRows WindowPart::frameOf(const Call& call, const WindowPartition& partition,
                              size_t row) const {
    const bind::WindowFrame& frame = call.frame;
    FrameRows rows{partition.begin, partition.end};
    switch (frame.start) {
    case FrameBound::kUnboundedPreceding: break;
    case FrameBound::kPreceding:
        rows.begin = moved(row, frame.start_offset, false, partition.begin, partition.end);
        break;
    case FrameBound::kCurrentRow: rows.begin = frame.rows ? row : peer_begin_[row]; break;
    case FrameBound::kFollowing:
        rows.begin = moved(row, frame.start_offset, true, partition.begin, partition.end);
        break;
    case FrameBound::kUnboundedFollowing: rows.begin = partition.end; break;
    }
    switch (frame.end) {
    case FrameBound::kUnboundedFollowing: break;
    case FrameBound::kPreceding:
        rows.end = moved(row + 1, frame.end_offset, false, partition.begin, partition.end);
        break;
    case FrameBound::kCurrentRow: rows.end = frame.rows ? row + 1 : peer_end_[row]; break;
    case FrameBound::kFollowing:
        rows.end = moved(row + 1, frame.end_offset, true, partition.begin, partition.end);
        break;
    case FrameBound::kUnboundedPreceding: rows.end = partition.begin; break;
    }
    return rows;
}

bool WindowPart::isNullArg(u32 index, u32 arg, size_t row) const {
    return shape_.layout.isNull(rows_[row], shape_.args[index][arg]);
}

std::optional<i128> WindowPart::integerArg(u32 index, u32 arg, size_t row) const {
    if (isNullArg(index, arg, row)) return std::nullopt;
    const u32 column = shape_.args[index][arg];
    i128 value = 0;
    functions::dispatchInteger(shape_.layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        value = loadField<T>(rows_[row], shape_.layout.offsetOf(column));
    });
    return value;
}

void WindowPart::copyArg(u32 index, u32 arg, size_t from, size_t to, WindowColumn& out) {
    const Vector value =
        gatherColumn(shape_.layout, shape_.args[index][arg], &rows_[from], 1, scratch_);
    out.set(to, value, 0);
}

void WindowPart::computeCall(u32 index, const WindowPartition& partition, WorkerContext& context) {
    const Call& call = shape_.sink.calls[index];
    WindowColumn& out = *results_[index];
    switch (call.function) {
    case WindowFunction::kRowNumber:
    case WindowFunction::kRank:
    case WindowFunction::kDenseRank:
    case WindowFunction::kPercentRank:
    case WindowFunction::kCumeDist: rank(call, partition, out); return;
    case WindowFunction::kNtile: tile(index, partition, out, context); return;
    case WindowFunction::kLag:
    case WindowFunction::kLead: shift(index, partition, out, context); return;
    case WindowFunction::kFirstValue:
    case WindowFunction::kLastValue:
    case WindowFunction::kNthValue: pick(index, partition, out, context); return;
    case WindowFunction::kRatioToReport: ratio(index, partition, out); return;
    case WindowFunction::kAggregate: aggregate(index, partition, out, context); return;
    }
}

void WindowPart::rank(const Call& call, const WindowPartition& partition, WindowColumn& out) {
    const size_t rows = partition.end - partition.begin;
    i64 dense = 0;
    for (size_t row = partition.begin; row < partition.end; ++row) {
        const bool new_peer = peer_begin_[row] == row;
        dense += new_peer;
        const i64 rank = i64(peer_begin_[row] - partition.begin) + 1;
        switch (call.function) {
        case WindowFunction::kRowNumber: out.setInteger(row, i64(row - partition.begin) + 1); break;
        case WindowFunction::kRank: out.setInteger(row, rank); break;
        case WindowFunction::kDenseRank: out.setInteger(row, dense); break;
        case WindowFunction::kPercentRank:
            out.setFloat(row, rows <= 1 ? 0 : f64(rank - 1) / f64(rows - 1));
            break;
        default: out.setFloat(row, f64(peer_end_[row] - partition.begin) / f64(rows)); break;
        }
    }
}

void WindowPart::tile(u32 index, const WindowPartition& partition, WindowColumn& out,
                      WorkerContext& context) {
    const auto tiles = integerArg(index, 0, partition.begin);
    if (!tiles) return;
    if (*tiles <= 0) {
        context.eval.fail(
            Error(sqlstate::kInvalidParameterValue, "argument of ntile must be greater than zero")
                .withHint("Give the number of groups as a positive integer."));
        return;
    }
    const i128 rows = i128(partition.end - partition.begin);
    const i128 size = rows / *tiles;
    const i128 larger = rows % *tiles; // the first tiles have one row more
    for (size_t row = partition.begin; row < partition.end; ++row) {
        const i128 at = i128(row - partition.begin);
        const i128 in_larger = larger * (size + 1);
        out.setInteger(row,
                       at < in_larger ? at / (size + 1) + 1 : larger + (at - in_larger) / size + 1);
    }
}

void WindowPart::shift(u32 index, const WindowPartition& partition, WindowColumn& out,
                       WorkerContext&) {
    const Call& call = shape_.sink.calls[index];
    const bool back = call.function == WindowFunction::kLag;
    std::vector<size_t> valued; // rows with a value, for IGNORE NULLS
    if (call.ignore_nulls) {
        for (size_t row = partition.begin; row < partition.end; ++row) {
            if (!isNullArg(index, 0, row)) valued.push_back(row);
        }
    }
    for (size_t row = partition.begin; row < partition.end; ++row) {
        std::optional<i128> distance = 1;
        if (shape_.args[index].size() > 1) distance = integerArg(index, 1, row);
        if (!distance) continue;
        const i128 step = back ? -*distance : *distance;
        i128 from = i128(row) + step;
        if (call.ignore_nulls && step != 0) {
            const auto at = step < 0 ? std::lower_bound(valued.begin(), valued.end(), row)
                                     : std::upper_bound(valued.begin(), valued.end(), row) - 1;
            const i128 place = (at - valued.begin()) + step;
            from = place >= 0 && place < i128(valued.size()) ? i128(valued[size_t(place)]) : -1;
        }
        if (from >= i128(partition.begin) && from < i128(partition.end))
            copyArg(index, 0, size_t(from), row, out);
        else if (shape_.args[index].size() > 2) copyArg(index, 2, row, row, out);
    }
}

void WindowPart::pick(u32 index, const WindowPartition& partition, WindowColumn& out,
                      WorkerContext& context) {
    const Call& call = shape_.sink.calls[index];
    std::vector<size_t> valued;
    if (call.ignore_nulls) {
        for (size_t row = partition.begin; row < partition.end; ++row) {
            if (!isNullArg(index, 0, row)) valued.push_back(row);
        }
    }
    for (size_t row = partition.begin; row < partition.end; ++row) {
        const FrameRows frame = frameOf(call, partition, row);
        std::optional<i128> wanted = 1;
        if (call.function == WindowFunction::kNthValue) {
            wanted = integerArg(index, 1, row);
            if (wanted && *wanted <= 0) {
                context.eval.fail(Error(sqlstate::kInvalidParameterValue,
                                        "argument of nth_value must be greater than zero")
                                      .withHint("Rows of a frame are counted from 1."));
                return;
            }
        }
        if (!wanted || frame.begin >= frame.end) continue;
        const bool last = call.function == WindowFunction::kLastValue;
        if (!call.ignore_nulls) {
            const i128 from = last ? i128(frame.end) - 1 : i128(frame.begin) + *wanted - 1;
            if (from < i128(frame.end)) copyArg(index, 0, size_t(from), row, out);
            continue;
        }
        const auto begin = std::lower_bound(valued.begin(), valued.end(), frame.begin);
        const auto end = std::lower_bound(begin, valued.end(), frame.end);
        if (*wanted <= i128(end - begin))
            copyArg(index, 0, last ? *(end - 1) : *(begin + i64(*wanted - 1)), row, out);
    }
}

void WindowPart::ratio(u32 index, const WindowPartition& partition, WindowColumn& out) {
    const u32 column = shape_.args[index][0];
    f64 sum = 0;
    for (size_t row = partition.begin; row < partition.end; ++row) {
        if (!isNullArg(index, 0, row)) sum += asFloat(shape_.layout, column, rows_[row]);
    }
    if (sum == 0) return;
    for (size_t row = partition.begin; row < partition.end; ++row) {
        if (isNullArg(index, 0, row)) continue;
        const f64 value = asFloat(shape_.layout, column, rows_[row]) / sum;
        if (isIntegerKind(out.kind())) {
            const i128 power = kernels::powerOfTen(shape_.sink.calls[index].result.scale);
            out.setInteger(row, i128(std::round(value * f64(power))));
        } else {
            out.setFloat(row, value);
        }
    }
}

void WindowPart::aggregate(u32 index, const WindowPartition& partition, WindowColumn& out,
                           WorkerContext& context) {
    FrameAggregate frames(shape_, index, rows_, partition, context);
    FrameRows previous{1, 0};
    for (size_t row = partition.begin; row < partition.end && !context.failed(); ++row) {
        FrameRows frame = frameOf(shape_.sink.calls[index], partition, row);
        if (frame.begin >= frame.end) frame = {partition.begin, partition.begin};
        if (row == partition.begin || frame.begin != previous.begin || frame.end != previous.end) {
            frames.evaluate(frame, row, out);
            previous = frame;
        } else {
            frames.repeat(row, out);
        }
    }
}

} // namespace blueshift::execute
