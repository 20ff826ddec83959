#include "execute/group/group_source.h"

#include <algorithm>

namespace blueshift::execute {

void GroupReader::prepare(Cursor& cursor) const {
    cursor.buffers.resize(columns_.size());
    cursor.vectors.resize(columns_.size());
}

void GroupSource::open() {
    constexpr size_t kMorselGroups = 32 << 10;
    for (u32 p = 0; p < parts_.size(); ++p) {
        const size_t groups = parts_[p]->groups().size();
        for (size_t begin = 0; begin < groups; begin += kMorselGroups)
            morsels_.push_back({p, begin, std::min(groups, begin + kMorselGroups)});
    }
}

std::unique_ptr<State> GroupSource::makeState(WorkerContext&) {
    auto cursor = std::make_unique<GroupReader::Cursor>();
    reader_.prepare(*cursor);
    return cursor;
}

void GroupSource::start(State& state, u32 morsel, WorkerContext&) {
    auto& cursor = static_cast<GroupReader::Cursor&>(state);
    const Morsel& range = morsels_[morsel];
    cursor.groups = parts_[range.part]->groups().data() + range.begin;
    cursor.left = range.end - range.begin;
}

struct SpilledGroupSource::Merging final : GroupReader::Cursor {
    std::vector<GroupPart> waiting;
    std::unique_ptr<MergedGroups> merged;
};

void SpilledGroupSource::open() {
    for (u32 p = 0; p < kPartitions; ++p)
        if (!spill_.part(p).groups.empty()) parts_.push_back(p);
}

std::unique_ptr<State> SpilledGroupSource::makeState(WorkerContext&) {
    auto state = std::make_unique<Merging>();
    reader_.prepare(*state);
    return state;
}

void SpilledGroupSource::start(State& base, u32 morsel, WorkerContext&) {
    static_cast<Merging&>(base).waiting.push_back(spill_.part(parts_[morsel]));
}

bool SpilledGroupSource::next(State& base, Batch& batch, WorkerContext& context) {
    auto& state = static_cast<Merging&>(base);
    while (!reader_.next(state, batch, context)) {
        if (state.merged != nullptr) {
            state.merged->release(context);
            state.merged.reset();
        }
        if (context.failed() || state.waiting.empty()) return false;
        const GroupPart part = std::move(state.waiting.back());
        state.waiting.pop_back();
        auto merged = std::make_unique<MergedGroups>(shape_);
        if (!merged->load(part, spill_, state.waiting, context)) {
            merged->release(context);
            continue;
        }
        state.groups = merged->groups().data();
        state.left = merged->groups().size();
        state.merged = std::move(merged);
    }
    return true;
}

bool GroupReader::next(Cursor& cursor, Batch& batch, WorkerContext& context) const {
    if (cursor.left == 0 || context.failed()) return false;
    cursor.heap.clear();
    const u32 count = u32(std::min<size_t>(cursor.left, context.vector_rows));
    const u32 calls = u32(shape_.sink.calls.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
        const u32 column = columns_[c];
        VectorBuffer& out = cursor.buffers[c];
        if (column < shape_.key_count)
            cursor.vectors[c] = gatherColumn(shape_.layout, column, cursor.groups, count, out);
        else if (column < shape_.key_count + calls)
            cursor.vectors[c] =
                result(cursor, column - shape_.key_count, cursor.groups, count, out, context);
        else cursor.vectors[c] = groupingId(cursor.groups, count, out);
    }
    cursor.groups += count;
    cursor.left -= count;
    batch = {.rows = count, .selected = count, .columns = cursor.vectors};
    return !context.failed();
}

Vector GroupReader::result(Cursor& cursor, u32 index, u8* const* groups, u32 count,
                           VectorBuffer& out, WorkerContext& context) const {
    const auto& spec = shape_.sink.calls[index];
    out.reset(shape_.info.output[shape_.key_count + index].kind);
    cursor.memory.bind(context);
    u8* states[kVectorRows];
    for (u32 i = 0; i < count; ++i) states[i] = groups[i] + shape_.state_offsets[index];
    const functions::AggregateCall call{
        {}, spec.arg_types, spec.result, cursor.memory, context.eval};
    spec.aggregate->finalize(call, states, count, out, cursor.heap);
    return out.view(true);
}

Vector GroupReader::groupingId(u8* const* groups, u32 count, VectorBuffer& out) const {
    out.reset(PhysicalKind::kI64);
    const u64 all = shape_.key_count >= 64 ? ~u64{0} : (u64{1} << shape_.key_count) - 1;
    for (u32 i = 0; i < count; ++i) {
        const u32 set = shape_.has_sets
                            ? loadField<u32>(groups[i], shape_.layout.offsetOf(shape_.set_column))
                            : 0;
        out.values<i64>()[i] = i64(~shape_.sets[set] & all);
    }
    return out.view(false);
}

} // namespace blueshift::execute
