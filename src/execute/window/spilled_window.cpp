#include "execute/window/spilled_window.h"

#include <algorithm>

namespace blueshift::execute {

void WindowSpill::write(std::span<u8* const> rows, WorkerContext& context) {
    if (rows.empty()) return;
    SpilledParts written;
    const auto part_of = [](const u8* row) { return partitionOf(RowLayout::hashOf(row)); };
    if (!spillByPart(rows, part_of, file, codec, written, context)) return;
    any_.store(true);
    const std::lock_guard lock(mutex_);
    for (u32 p = 0; p < kPartitions; ++p) parts_[p].absorb(std::move(written[p]));
}

struct SpilledWindowSource::Computing final : State {
    std::vector<Waiting> waiting;
    RowPages pages;
    u64 reserved = 0; // bytes taken for computing the rows of `pages`
    std::unique_ptr<WindowPart> part;
    size_t at = 0;
    std::vector<VectorBuffer> buffers;
    std::vector<Vector> vectors;
};

void SpilledWindowSource::open() {
    for (u32 p = 0; p < kPartitions; ++p)
        if (!spill_.part(p).empty()) parts_.push_back(p);
}

std::unique_ptr<State> SpilledWindowSource::makeState(WorkerContext&) {
    auto state = std::make_unique<Computing>();
    state->buffers.resize(columns_.size());
    state->vectors.resize(columns_.size());
    return state;
}

void SpilledWindowSource::start(State& state, u32 morsel, WorkerContext&) {
    static_cast<Computing&>(state).waiting.push_back({0, spill_.part(parts_[morsel])});
}

bool SpilledWindowSource::compute(Computing& state, const Waiting& part, WorkerContext& context) {
    const bool divisible =
        part.level < context.memory->mostLevels() && !shape_.sink.partition_by.empty();
    for (size_t b = 0; b < part.rows.blockCount(); ++b) {
        if (!divisible || state.pages.rowCount() == 0 ||
            context.hasRoom(state.pages.memoryBytes() + state.reserved)) {
            if (!part.rows.read(b, spill_.file, spill_.codec, state.pages, context)) return false;
            const u64 needed = state.pages.rowCount() * WindowPart::rowBytes(shape_);
            if (!context.take(needed - state.reserved, "a partition of a window")) return false;
            state.reserved = needed;
            continue;
        }
        context.give(std::exchange(state.reserved, 0));
        SpilledParts parts;
        std::vector<u8*> rows;
        const auto part_of = [&](const u8* row) {
            return partitionOf(RowLayout::hashOf(row), part.level + 1);
        };
        for (; b <= part.rows.blockCount(); ++b) {
            rows.clear();
            state.pages.collectRows(rows);
            if (!spillByPart(rows, part_of, spill_.file, spill_.codec, parts, context))
                return false;
            state.pages.clear(context);
            if (b < part.rows.blockCount() &&
                !part.rows.read(b, spill_.file, spill_.codec, state.pages, context))
                return false;
        }
        for (SpilledRows& rest : parts)
            if (!rest.empty()) state.waiting.push_back({part.level + 1, std::move(rest)});
        return false;
    }
    state.part = std::make_unique<WindowPart>(shape_);
    state.at = 0;
    state.reserved = 0; // the part's now
    state.part->compute({&state.pages}, context);
    return !context.failed();
}

bool SpilledWindowSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<Computing&>(base);
    while (state.part == nullptr || state.at == state.part->rows().size()) {
        if (state.part != nullptr) {
            state.part->release(context);
            state.part.reset();
            state.pages.clear(context);
        }
        if (context.failed() || state.waiting.empty()) return false;
        const Waiting part = std::move(state.waiting.back());
        state.waiting.pop_back();
        compute(state, part, context);
    }
    if (context.failed()) return false;
    const u32 count =
        u32(std::min<size_t>(state.part->rows().size() - state.at, context.vector_rows));
    state.part->read(columns_, state.at, count, state.buffers, state.vectors);
    state.at += count;
    batch = {.rows = count, .selected = count, .columns = state.vectors};
    return true;
}

} // namespace blueshift::execute
