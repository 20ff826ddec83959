#include "execute/join/spilled_join.h"

#include <algorithm>

#include "execute/join/scatter.h"

namespace blueshift::execute {
namespace {

constexpr std::string_view kWhat = "a hash join";
/// A worker writes waiting probe rows when they are so many: blocks of some size by part.
constexpr u64 kMostKept = 4 << 20;

RowLayout layoutOfLive(const StepInput& input) {
    std::vector<RowColumn> columns;
    for (const compile::Slot slot : input.live)
        columns.push_back({input.slots[slot].kind, input.slots[slot].nullable});
    return RowLayout(columns, true);
}

} // namespace

WaitingProbes::WaitingProbes(StepInput input)
    : input_(std::move(input)), layout_(layoutOfLive(input_)), codec_(layout_) {}

void WaitingProbes::add(RowPages& kept, const Batch& batch, const u16* rows, u32 count,
                        const u64* hashes, WorkerContext& context) {
    std::vector<Vector> columns(input_.live.size());
    for (size_t c = 0; c < columns.size(); ++c) columns[c] = batch.columns[input_.live[c]];
    if (kept.memoryBytes() > kMostKept ||
        !context.hasRoom(kept.memoryBytes(), RowPages::bytesOf(layout_, columns, rows, count)))
        write(kept, context);
    if (context.failed()) return;
    kept.append(layout_, columns, rows, count, hashes, nullptr, context, kWhat);
}

void WaitingProbes::write(RowPages& kept, WorkerContext& context) {
    if (kept.rowCount() == 0) return;
    std::vector<u8*> rows;
    kept.collectRows(rows);
    SpilledParts written;
    const auto part_of = [](const u8* row) { return partitionOf(RowLayout::hashOf(row)); };
    if (!spillByPart(rows, part_of, file, codec_, written, context)) return;
    kept.clear(context);
    const std::lock_guard lock(mutex_);
    for (u32 p = 0; p < kPartitions; ++p) parts_[p].absorb(std::move(written[p]));
}

struct SpilledJoinSource::Joining final : State {
    Joining(const compile::StepInfo& info, const JoinBuild& whole, WorkerContext& context)
        : table(whole, nullptr), probe(makePartProbe(info, table)) {
        probe_state = probe->makeState(context);
    }

    JoinBuild table; // of the chunk at hand
    std::unique_ptr<PartProbe> probe;
    std::unique_ptr<State> probe_state;

    u32 root = 0; // the part of the first level
    std::vector<Part> waiting;
    SpilledRows with_flags; // build rows of `root` that are done with

    bool active = false; // `part` is being joined
    Part part;
    size_t next_build = 0; // block
    bool last_chunk = true;
    bool in_chunks = false;
    std::vector<u64> matched; // in chunks: a bit per probe row of the part

    size_t next_probe = 0; // block
    RowPages block;
    u32 at = 0;        // row of the block
    u64 block_row = 0; // number in the part of the block's first row
    u32 batch_rows = 0;
    bool probing = false;
    std::vector<VectorBuffer> buffers;
    std::vector<Vector> columns;
};

void SpilledJoinSource::open() {
    for (u32 p = 0; p < kPartitions; ++p)
        if (!probes_.part(p).empty()) parts_.push_back(p);
}

std::unique_ptr<State> SpilledJoinSource::makeState(WorkerContext& context) {
    auto state = std::make_unique<Joining>(info_, build_, context);
    state->buffers.resize(probes_.input().slots.size());
    for (const auto& slot : probes_.input().slots) state->columns.push_back(nullVector(slot.kind));
    return state;
}

void SpilledJoinSource::start(State& base, u32 morsel, WorkerContext&) {
    auto& state = static_cast<Joining&>(base);
    state.root = parts_[morsel];
    state.waiting.push_back(
        {.build = build_.spilledPart(state.root), .probe = probes_.part(state.root)});
}

bool SpilledJoinSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<Joining&>(base);
    while (!context.failed()) {
        if (state.probing) {
            if (state.probe->more(*state.probe_state, batch, context)) return true;
            if (context.failed()) return false;
            state.probing = false;
            if (state.in_chunks) {
                const u64* hits = state.probe->matched(*state.probe_state);
                for (u32 i = 0; i < state.batch_rows; ++i)
                    if (bitAt(hits, i))
                        state.matched[(state.block_row + state.at + i) / 64] |=
                            u64{1} << ((state.block_row + state.at + i) % 64);
            }
            state.at += state.batch_rows;
        }
        if (state.active && nextProbes(state, context)) continue;
        if (context.failed()) return false;
        if (state.active) {
            endChunk(state, context);
            if (state.last_chunk) state.active = false;
            else if (!loadChunk(state, context)) return false;
            continue;
        }
        if (!nextPart(state, context)) return false;
    }
    return false;
}

/// Puts the next rows of the part's probe side before the probe; false at their end.
bool SpilledJoinSource::nextProbes(Joining& state, WorkerContext& context) {
    while (state.block.rowCount() == 0 || state.at == state.block.rowCount()) {
        state.block_row += state.block.rowCount();
        state.block.clear(context);
        state.at = 0;
        if (state.next_probe == state.part.probe.blockCount()) return false;
        if (!state.part.probe.read(state.next_probe++, probes_.file, probes_.codec(), state.block,
                                   context))
            return false;
    }
    const RowPage& page = state.block.pages()[0];
    const u32 count = std::min(context.vector_rows, page.rows - state.at);
    const u8* rows[kVectorRows];
    for (u32 i = 0; i < count; ++i) rows[i] = page.row(state.at + i);
    const auto& live = probes_.input().live;
    for (size_t c = 0; c < live.size(); ++c)
        state.columns[live[c]] =
            gatherColumn(probes_.layout(), u32(c), rows, count, state.buffers[live[c]]);
    state.batch_rows = count;
    u64 known[kValidityWords] = {};
    if (state.in_chunks) {
        for (u32 i = 0; i < count; ++i) {
            const u64 row = state.block_row + state.at + i;
            if ((state.matched[row / 64] >> (row % 64) & 1) != 0) setBit(known, i);
        }
    }
    const Batch batch{.rows = count, .selected = count, .columns = state.columns};
    state.probe->startChunk(*state.probe_state, batch, known, state.last_chunk, context);
    state.probing = true;
    return true;
}

bool SpilledJoinSource::nextPart(Joining& state, WorkerContext& context) {
    if (state.waiting.empty()) {
        if (build_.keepsMatches() && !state.with_flags.empty())
            build_.replacePart(state.root, std::move(state.with_flags));
        state.with_flags = SpilledRows();
        state.table.refill(RowPages(), 0, context);
        return false;
    }
    state.part = std::move(state.waiting.back());
    state.waiting.pop_back();
    if (state.part.probe.empty()) {
        // Nobody asks for these build rows; their flags stay as they are.
        state.with_flags.absorb(std::move(state.part.build));
        return true;
    }
    state.next_build = 0;
    state.in_chunks = false;
    state.matched.clear();
    return loadChunk(state, context);
}

/// As many build rows as find room; at least a block. Divides the part if that is of use.
bool SpilledJoinSource::loadChunk(Joining& state, WorkerContext& context) {
    const SpilledRows& build = state.part.build;
    RowPages pages;
    while (state.next_build < build.blockCount()) {
        constexpr u64 kRowBytes = JoinBuild::kEntryBytes + 16;
        const u64 held = pages.memoryBytes() + pages.rowCount() * kRowBytes;
        const u64 more =
            build.blockBytes(state.next_build, kRowBytes) + state.part.probe.blockBytes(0, 0);
        if (pages.rowCount() > 0 && !context.hasRoom(held, more)) {
            if (!state.in_chunks && state.part.divisible &&
                state.part.level < context.memory->mostLevels()) {
                divide(state, std::move(pages), context);
                return !context.failed();
            }
            if (!state.in_chunks) state.matched.assign(state.part.probe.rowCount() / 64 + 1, 0);
            state.in_chunks = true;
            break;
        }
        if (!build.read(state.next_build, build_.file(), build_.codec(), pages, context))
            return false;
        ++state.next_build;
    }
    state.last_chunk = state.next_build == build.blockCount();
    state.active = true;
    state.next_probe = 0;
    state.at = 0;
    state.block_row = 0;
    return state.table.refill(std::move(pages), kPartitionBits * (state.part.level + 1), context);
}

void SpilledJoinSource::endChunk(Joining& state, WorkerContext& context) {
    if (!build_.keepsMatches()) return;
    std::vector<u8*> rows;
    state.table.pages().collectRows(rows);
    state.with_flags.append(build_.file(), build_.codec(), rows.data(), rows.size(), context);
}

void SpilledJoinSource::divide(Joining& state, RowPages held, WorkerContext& context) {
    const Part part = std::move(state.part);
    const u32 level = part.level + 1;
    const auto part_of = [&](const u8* row) { return partitionOf(RowLayout::hashOf(row), level); };
    SpilledParts build;
    SpilledParts probe;
    std::vector<u8*> rows;
    const auto write = [&](RowPages& pages, SpillFile& file, const RowCodec& codec,
                           SpilledParts& parts) {
        rows.clear();
        pages.collectRows(rows);
        spillByPart(rows, part_of, file, codec, parts, context);
        pages.clear(context);
    };
    write(held, build_.file(), build_.codec(), build);
    for (size_t b = state.next_build; b < part.build.blockCount() && !context.failed(); ++b) {
        if (!part.build.read(b, build_.file(), build_.codec(), held, context)) return;
        write(held, build_.file(), build_.codec(), build);
    }
    for (size_t b = 0; b < part.probe.blockCount() && !context.failed(); ++b) {
        RowPages pages;
        if (!part.probe.read(b, probes_.file, probes_.codec(), pages, context)) return;
        write(pages, probes_.file, probes_.codec(), probe);
    }
    for (u32 p = 0; p < kPartitions; ++p) {
        if (build[p].empty() && probe[p].empty()) continue;
        // Nearly everything in one child: one key, or a few.
        const bool divisible = build[p].rowCount() < part.build.rowCount() / 10 * 9;
        state.waiting.push_back({.level = level,
                                 .divisible = divisible,
                                 .build = std::move(build[p]),
                                 .probe = std::move(probe[p])});
    }
}

} // namespace blueshift::execute
