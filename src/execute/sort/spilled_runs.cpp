#include "execute/sort/spilled_runs.h"

#include <algorithm>

namespace blueshift::execute {

MergeOfRuns::MergeOfRuns(const RowOrder& order, const RowCodec& codec, const SpillFile& file,
                         std::span<const SpilledRows> runs)
    : order_(order), codec_(codec), file_(file) {
    for (const SpilledRows& run : runs) {
        cursors_.push_back(std::make_unique<Cursor>());
        cursors_.back()->run = &run;
    }
}

u64 MergeOfRuns::bytesOfRun(std::span<const SpilledRows> runs) {
    u64 most = 1;
    for (const SpilledRows& run : runs)
        for (size_t b = 0; b < run.blockCount(); ++b)
            most = std::max(most, run.blockBytes(b, sizeof(SortEntry)));
    return most;
}

size_t MergeOfRuns::runsFor(u64 bytes, u64 bytes_of_run) {
    constexpr u64 kFewestRuns = 2;
    const u64 blocks = bytes / bytes_of_run;
    return size_t(std::clamp<u64>(blocks - std::min<u64>(blocks, 1), kFewestRuns, kMostRuns));
}

bool MergeOfRuns::load(Cursor& cursor, WorkerContext& context) {
    if (cursor.pages.rowCount() > 0) {
        context.give(cursor.entries.size() * sizeof(SortEntry));
        read_.push_back(std::move(cursor.pages));
        cursor.pages = RowPages();
    }
    cursor.entries.clear();
    cursor.at = 0;
    if (cursor.next_block == cursor.run->blockCount()) return false;
    const size_t block = cursor.next_block++;
    if (!context.take(cursor.run->blockRows(block) * sizeof(SortEntry), "a sort")) return false;
    cursor.entries.resize(cursor.run->blockRows(block));
    if (!cursor.run->read(block, file_, codec_, cursor.pages, context)) return false;
    const RowPage& page = cursor.pages.pages()[0];
    for (u32 i = 0; i < page.rows; ++i) cursor.entries[i].row = page.row(i);
    order_.makePrefixes(cursor.entries.data(), page.rows);
    return true;
}

bool MergeOfRuns::open(WorkerContext& context) {
    for (const auto& cursor : cursors_)
        if (load(*cursor, context)) heap_.push_back(cursor.get());
    const auto after = [this](const Cursor* a, const Cursor* b) {
        return order_.less(b->entries[b->at], a->entries[a->at]);
    };
    std::make_heap(heap_.begin(), heap_.end(), after);
    return !context.failed();
}

u32 MergeOfRuns::next(u8** rows, u32 most, WorkerContext& context) {
    const auto after = [this](const Cursor* a, const Cursor* b) {
        return order_.less(b->entries[b->at], a->entries[a->at]);
    };
    u32 count = 0;
    while (count < most && !heap_.empty()) {
        std::pop_heap(heap_.begin(), heap_.end(), after);
        Cursor& least = *heap_.back();
        // Of blocks at their end only one is kept: the rows so far go first.
        const bool last = least.at + 1 == least.entries.size();
        if (last && count > 0 && !read_.empty()) {
            std::push_heap(heap_.begin(), heap_.end(), after);
            break;
        }
        rows[count++] = least.entries[least.at++].row;
        if (least.at < least.entries.size() || load(least, context))
            std::push_heap(heap_.begin(), heap_.end(), after);
        else heap_.pop_back();
    }
    return context.failed() ? 0 : count;
}

void MergeOfRuns::forget(WorkerContext& context) {
    for (RowPages& pages : read_) pages.clear(context);
    read_.clear();
}

void MergeOfRuns::close(WorkerContext& context) {
    forget(context);
    for (const auto& cursor : cursors_) {
        context.give(cursor->entries.size() * sizeof(SortEntry));
        cursor->pages.clear(context);
    }
    cursors_.clear();
    heap_.clear();
}

SpilledRows mergeToRun(const RowOrder& order, const RowCodec& codec, const SpillFile& from,
                       std::span<const SpilledRows> runs, SpillFile& into, WorkerContext& context,
                       u64 block_bytes) {
    MergeOfRuns merge(order, codec, from, runs);
    SpilledRows merged;
    BlockWriter writer(into, codec, block_bytes);
    u8* rows[kVectorRows];
    if (merge.open(context)) {
        while (const u32 count = merge.next(rows, kVectorRows, context)) {
            if (!writer.add(rows, count, merged, context)) break;
            merge.forget(context);
        }
        if (!context.failed()) writer.finish(merged, context);
    }
    merge.close(context);
    return merged;
}

struct SpilledSortSource::Reading final : State {
    std::unique_ptr<MergeOfRuns> merge;
    u64 skip = 0;
    u64 left = 0;
    std::vector<VectorBuffer> buffers;
    std::vector<Vector> vectors;
};

std::unique_ptr<State> SpilledSortSource::makeState(WorkerContext&) {
    auto state = std::make_unique<Reading>();
    state->buffers.resize(columns_.size());
    state->vectors.resize(columns_.size());
    return state;
}

void SpilledSortSource::start(State& base, u32, WorkerContext& context) {
    auto& state = static_cast<Reading&>(base);
    state.merge = std::make_unique<MergeOfRuns>(shape_.order, codec_, file_, runs_);
    state.merge->open(context);
    state.skip = shape_.offset;
    state.left = shape_.limit - std::min(shape_.offset, shape_.limit);
}

bool SpilledSortSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<Reading&>(base);
    u8* rows[kVectorRows];
    u32 count = 0;
    do {
        if (context.failed()) return false;
        state.merge->forget(context);
        const u64 wanted = state.skip > 0 ? state.skip : state.left;
        count = state.merge->next(rows, u32(std::min<u64>(wanted, context.vector_rows)), context);
        if (count == 0) {
            state.merge->close(context);
            return false;
        }
        if (state.skip == 0) break;
        state.skip -= count;
    } while (true);
    state.left -= count;
    for (size_t c = 0; c < columns_.size(); ++c)
        state.vectors[c] = gatherColumn(shape_.layout, columns_[c], rows, count, state.buffers[c]);
    batch = {.rows = count, .selected = count, .columns = state.vectors};
    return true;
}

} // namespace blueshift::execute
