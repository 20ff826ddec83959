#include "execute/window/window_part.h"

#include <algorithm>

#include "execute/window/window_call.h"

namespace blueshift::execute {
namespace {

/// Of a row: its sort entry, its place in the order, its peers.
constexpr u64 kSortBytes = sizeof(SortEntry) + sizeof(u8*) + sizeof(RowRange);

} // namespace

u64 WindowPart::memoryBytes() const {
    u64 bytes = rows_.size() * sizeof(u8*) + peers_.size() * sizeof(RowRange);
    for (const auto& column : results_) bytes += column->memoryBytes();
    return bytes;
}

void WindowPart::release(WorkerContext& context) {
    context.give(taken_);
    taken_ = 0;
    rows_ = {};
    peers_ = {};
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
                                     : results_[column - passed]->read(begin, count, buffers[c]);
    }
}

void WindowPart::compute(const std::vector<RowPages*>& sources, WorkerContext& context) {
    for (const RowPages* pages : sources) pages->collectRows(rows_);
    taken_ = rows_.size() * rowBytes(shape_);
    if (shape_.order.hasKeys()) shape_.order.sortRows(rows_, *context.stop);
    if (context.failed()) return;
    findPeers();
    RowReader reader;
    reader.open(rows_);
    PartitionView view(shape_, reader, context);
    view.showPeers(0, peers_);
    for (u32 c = 0; c < shape_.sink.calls.size() && !context.failed(); ++c) computeCall(c, view);
}

void WindowPart::computeCall(u32 index, PartitionView& view) {
    WorkerContext& context = view.context;
    const PhysicalKind kind = shape_.info.output[shape_.sink.columns.size() + index].kind;
    results_.push_back(std::make_unique<WindowColumn>(kind, rows_.size()));
    WindowColumn& out = *results_.back();
    const auto call = makeWindowCall(view, index);
    u64 text_bytes = 0;
    for (const RowRange& partition : partitions_) {
        if (context.failed()) break;
        view.enter(partition);
        call->start();
        if (!context.failed()) call->evaluate(partition, partition.begin, out);
        const u64 held = out.textBytes();
        if (held > text_bytes && !context.take(held - text_bytes, "window results")) break;
        taken_ += held - text_bytes;
        text_bytes = held;
    }
    call->release();
    spilled_bytes_ += call->bytesSpilled();
}

void WindowPart::findPeers() {
    const size_t count = rows_.size();
    peers_.resize(count);
    for (size_t begin = 0; begin < count;) {
        size_t end = begin + 1;
        while (end < count && shape_.partition_order.compare(rows_[end - 1], rows_[end]) == 0)
            ++end;
        partitions_.push_back({begin, end});
        for (size_t peer = begin; peer < end;) {
            size_t past = peer + 1;
            while (past < end && shape_.peer_order.compare(rows_[past - 1], rows_[past]) == 0)
                ++past;
            std::fill(peers_.begin() + i64(peer), peers_.begin() + i64(past), RowRange{peer, past});
            peer = past;
        }
        begin = end;
    }
}

} // namespace blueshift::execute
