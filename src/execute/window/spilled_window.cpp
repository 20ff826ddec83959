#include "execute/window/spilled_window.h"

#include <algorithm>

namespace blueshift::execute {

void WindowSpill::write(std::vector<u8*> rows, WorkerContext& context) {
    if (rows.empty()) return;
    if (shape_.sink.partition_by.empty()) {
        if (shape_.order.hasKeys()) shape_.order.sortRows(rows, *context.stop);
        SpilledRows run;
        if (!run.append(file, codec, rows.data(), rows.size(), context)) return;
        any_.store(true);
        const std::lock_guard lock(mutex_);
        runs_.push_back(std::move(run));
        return;
    }
    SpilledParts written;
    const auto part_of = [](const u8* row) { return partitionOf(RowLayout::hashOf(row)); };
    if (!spillByPart(rows, part_of, file, codec, written, context)) return;
    any_.store(true);
    const std::lock_guard lock(mutex_);
    for (u32 p = 0; p < kPartitions; ++p) parts_[p].absorb(std::move(written[p]));
}

struct SpilledWindowSource::Computing final : State {
    Computing(const WindowShape& shape, const RowCodec& codec, WorkerContext& context)
        : sorted(shape, codec, context) {}
    std::vector<Waiting> waiting;
    RowPages pages;
    u64 reserved = 0;                 // bytes taken for computing the rows of `pages`
    std::unique_ptr<WindowPart> part; // the part at hand, when it fits
    u64 at = 0;
    bool is_sorted = false; // the part at hand is `sorted`
    SortedPart sorted;
    u64 counted = 0; // bytes that `sorted` has reported
    std::vector<VectorBuffer> buffers;
    std::vector<Vector> vectors;
};

void SpilledWindowSource::open() {
    for (u32 p = 0; p < kPartitions; ++p) {
        if (spill_.part(p).empty()) continue;
        parts_.push_back(p);
        rows_ += spill_.part(p).rowCount();
    }
}

std::unique_ptr<State> SpilledWindowSource::makeState(WorkerContext& context) {
    auto state = std::make_unique<Computing>(shape_, spill_.codec, context);
    state->buffers.resize(columns_.size());
    state->vectors.resize(columns_.size());
    return state;
}

void SpilledWindowSource::start(State& base, u32 morsel, WorkerContext& context) {
    auto& state = static_cast<Computing&>(base);
    if (!spill_.runs().empty()) {
        state.sorted.rows().absorbRuns(spill_.runs(), spill_.file);
        state.is_sorted = state.sorted.open();
        return;
    }
    const SpilledRows& rows = spill_.part(parts_[morsel]);
    state.waiting.push_back({0, divisible(0, rows.rowCount(), rows_, context), rows});
}

bool SpilledWindowSource::compute(Computing& state, const Waiting& part, WorkerContext& context) {
    for (size_t b = 0; b < part.rows.blockCount(); ++b) {
        if (state.pages.rowCount() > 0 &&
            !context.hasRoom(state.pages.memoryBytes() + state.reserved)) {
            context.give(std::exchange(state.reserved, 0));
            if (part.divisible) divide(state, part, b, context);
            else sort(state, part, b, context);
            return !context.failed();
        }
        if (!part.rows.read(b, spill_.file, spill_.codec, state.pages, context)) return false;
        const u64 needed = state.pages.rowCount() * WindowPart::rowBytes(shape_);
        if (!context.take(needed - state.reserved, "a partition of a window")) return false;
        state.reserved = needed;
    }
    state.part = std::make_unique<WindowPart>(shape_);
    state.at = 0;
    state.reserved = 0; // the part's now
    state.part->compute({&state.pages}, context);
    return !context.failed();
}

/// Blocks from `next_block` on have not been read yet; the others are in state.pages.
void SpilledWindowSource::divide(Computing& state, const Waiting& part, size_t next_block,
                                 WorkerContext& context) {
    SpilledParts parts;
    std::vector<u8*> rows;
    const u32 level = part.level + 1;
    const auto part_of = [&](const u8* row) { return partitionOf(RowLayout::hashOf(row), level); };
    for (size_t b = next_block; b <= part.rows.blockCount(); ++b) {
        rows.clear();
        state.pages.collectRows(rows);
        if (!spillByPart(rows, part_of, spill_.file, spill_.codec, parts, context)) return;
        state.pages.clear(context);
        if (b < part.rows.blockCount() &&
            !part.rows.read(b, spill_.file, spill_.codec, state.pages, context))
            return;
    }
    for (SpilledRows& rest : parts) {
        if (rest.empty()) continue;
        const bool again = divisible(level, rest.rowCount(), part.rows.rowCount(), context);
        state.waiting.push_back({level, again, std::move(rest)});
    }
}

void SpilledWindowSource::sort(Computing& state, const Waiting& part, size_t next_block,
                               WorkerContext& context) {
    OrderedRows& rows = state.sorted.rows();
    for (size_t b = next_block; b <= part.rows.blockCount(); ++b) {
        if (!rows.absorb(std::exchange(state.pages, {}), context)) return;
        rows.settle(context);
        if (b < part.rows.blockCount() &&
            !part.rows.read(b, spill_.file, spill_.codec, state.pages, context))
            return;
    }
    state.is_sorted = state.sorted.open();
}

void SpilledWindowSource::endPart(Computing& state, WorkerContext& context) {
    if (state.part != nullptr) {
        spill_.further_bytes.fetch_add(state.part->bytesSpilled());
        state.part->release(context);
        state.part.reset();
        state.pages.clear(context);
    }
    if (state.is_sorted) {
        const u64 bytes = state.sorted.bytesSpilled();
        spill_.further_bytes.fetch_add(bytes - std::exchange(state.counted, bytes));
        state.sorted.release();
        state.is_sorted = false;
    }
}

bool SpilledWindowSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<Computing&>(base);
    u32 count = 0;
    while (!context.failed()) {
        if (state.is_sorted) {
            count = state.sorted.next(columns_, state.buffers, state.vectors);
        } else if (state.part != nullptr) {
            count = u32(std::min<u64>(state.part->rowCount() - state.at, context.vector_rows));
            state.part->read(columns_, state.at, count, state.buffers, state.vectors);
            state.at += count;
        }
        if (count > 0) break;
        endPart(state, context);
        if (state.waiting.empty()) return false;
        const Waiting part = std::move(state.waiting.back());
        state.waiting.pop_back();
        compute(state, part, context);
    }
    if (context.failed()) return false;
    batch = {.rows = count, .selected = count, .columns = state.vectors};
    return true;
}

} // namespace blueshift::execute
