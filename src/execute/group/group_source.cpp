#include "execute/group/group_source.h"

#include <algorithm>

namespace blueshift::execute {

struct GroupSource::Cursor final : State {
    u8* const* groups = nullptr;
    size_t left = 0;
    std::vector<VectorBuffer> buffers;
    std::vector<Vector> vectors;
    functions::TextHeap heap;
    StateMemory memory;
};

void GroupSource::open() {
    constexpr size_t kMorselGroups = 32 << 10;
    for (u32 p = 0; p < parts_.size(); ++p) {
        const size_t groups = parts_[p]->groups().size();
        for (size_t begin = 0; begin < groups; begin += kMorselGroups)
            morsels_.push_back({p, begin, std::min(groups, begin + kMorselGroups)});
    }
}

std::unique_ptr<State> GroupSource::makeState(WorkerContext&) {
    auto cursor = std::make_unique<Cursor>();
    cursor->buffers.resize(columns_.size());
    cursor->vectors.resize(columns_.size());
    return cursor;
}

void GroupSource::start(State& state, u32 morsel, WorkerContext&) {
    auto& cursor = static_cast<Cursor&>(state);
    const Morsel& range = morsels_[morsel];
    cursor.groups = parts_[range.part]->groups().data() + range.begin;
    cursor.left = range.end - range.begin;
}

bool GroupSource::next(State& state, Batch& batch, WorkerContext& context) {
    auto& cursor = static_cast<Cursor&>(state);
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

Vector GroupSource::result(Cursor& cursor, u32 index, u8* const* groups, u32 count,
                           VectorBuffer& out, WorkerContext& context) {
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

Vector GroupSource::groupingId(u8* const* groups, u32 count, VectorBuffer& out) {
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
