#include "execute/window/sorted_part.h"

#include <algorithm>

namespace blueshift::execute {

SortedPart::SortedPart(const WindowShape& shape, const RowCodec& codec, WorkerContext& context)
    : shape_(shape),
      context_(context),
      rows_(shape.order, codec, "a partition of a window"),
      view_(shape, rows_.reader(), context) {
    for (u32 c = 0; c < shape.sink.calls.size(); ++c) calls_.push_back(makeWindowCall(view_, c));
    results_.resize(calls_.size());
}

bool SortedPart::open() {
    at_ = 0;
    peers_ = {};
    view_.enter({});
    return rows_.finish(context_);
}

/// Where the rows that `order` holds equal to row `begin` end, at most `end`.
u64 SortedPart::endOfEqual(const RowOrder& order, u64 begin, u64 end) {
    if (!order.hasKeys()) return end;
    RowReader& reader = rows_.reader();
    const auto equal = [&](u64 other) {
        const u8* first = reader.at(begin, context_);
        return order.compare(first, reader.at(other, context_)) == 0;
    };
    u64 low = begin; // equal
    u64 step = 1;
    while (step < end - low && equal(low + step)) {
        low += step;
        step *= 2;
    }
    u64 high = low + std::min(step, end - low); // not equal, or the end
    ++low;
    while (low < high) {
        const u64 middle = low + (high - low) / 2;
        if (equal(middle)) low = middle + 1;
        else high = middle;
    }
    return low;
}

void SortedPart::showPeers(const RowRange& rows) {
    batch_peers_.clear();
    for (u64 row = rows.begin; row < rows.end; ++row) {
        if (row >= peers_.end)
            peers_ = {row, endOfEqual(shape_.peer_order, row, view_.partition().end)};
        batch_peers_.push_back(peers_);
    }
    view_.showPeers(rows.begin, batch_peers_);
}

u32 SortedPart::next(std::span<const u32> columns, std::span<VectorBuffer> buffers,
                     std::span<Vector> vectors) {
    RowReader& reader = rows_.reader();
    if (at_ == reader.size() || context_.failed()) return 0;
    // Rows of one block, which stays loaded while the batch is looked at.
    const u64 wanted = std::min<u64>(reader.size(), at_ + context_.vector_rows);
    const u64 end = at_ + reader.from(at_, wanted, context_).size();
    const size_t passed = shape_.sink.columns.size();
    for (size_t c = 0; c < calls_.size(); ++c)
        results_[c] =
            std::make_unique<WindowColumn>(shape_.info.output[passed + c].kind, end - at_);
    for (u64 row = at_; row < end;) {
        if (row == view_.partition().end) {
            view_.enter({row, endOfEqual(shape_.partition_order, row, reader.size())});
            for (const auto& call : calls_) call->start();
        }
        const RowRange rows{row, std::min(end, view_.partition().end)};
        showPeers(rows);
        for (size_t c = 0; c < calls_.size() && !context_.failed(); ++c)
            calls_[c]->evaluate(rows, row - at_, *results_[c]);
        if (context_.failed()) return 0;
        row = rows.end;
    }
    const u32 count = u32(end - at_);
    const auto batch = reader.from(at_, end, context_);
    if (context_.failed()) return 0;
    for (size_t c = 0; c < columns.size(); ++c) {
        const u32 column = columns[c];
        vectors[c] = column < passed
                         ? gatherColumn(shape_.layout, column, batch.data(), count, buffers[c])
                         : results_[column - passed]->read(0, count, buffers[c]);
    }
    at_ = end;
    return count;
}

u64 SortedPart::bytesSpilled() const {
    u64 bytes = rows_.bytesSpilled();
    for (const auto& call : calls_) bytes += call->bytesSpilled();
    return bytes;
}

void SortedPart::release() {
    for (const auto& call : calls_) call->release();
    rows_.release(context_);
}

} // namespace blueshift::execute
