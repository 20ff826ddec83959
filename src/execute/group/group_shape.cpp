#include "execute/group/group_shape.h"

#include <algorithm>

#include "compile/group_ranges.h"

namespace blueshift::execute {
namespace {

bool isDeferred(const compile::GroupSink::Call& call) {
    return call.distinct || call.aggregate->ordered || !call.order_by.empty();
}

bool sameOrder(const std::vector<compile::SortKeySpec>& a,
               const std::vector<compile::SortKeySpec>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.slot == y.slot && x.descending == y.descending && x.nulls_first == y.nulls_first;
    });
}

} // namespace

GroupShape::GroupShape(const compile::SinkInfo& info_given)
    : info(info_given), sink(std::get<compile::GroupSink>(info_given.sink)) {
    key_count = u32(sink.keys.size());
    has_sets = !sink.grouping_sets.empty();
    sets = sink.grouping_sets;
    if (!has_sets) sets.push_back(~u64{0});

    std::vector<RowColumn> columns;
    for (u32 k = 0; k < key_count; ++k) {
        const compile::SlotInfo& slot = info.input[sink.keys[k].slot];
        columns.push_back({slot.kind, slot.nullable || has_sets});
        if (!sink.keys[k].dependent) compared.push_back(k);
    }
    if (has_sets) {
        set_column = u32(columns.size());
        compared.push_back(set_column);
        columns.push_back({PhysicalKind::kI32, false});
    }

    u32 state_bytes = 0;
    for (const auto& call : sink.calls) {
        state_offsets.push_back(state_bytes);
        state_bytes += call.aggregate->state_bytes;
    }
    layout = RowLayout(columns, true, state_bytes);
    initial_states.resize(state_bytes);
    for (u32 c = 0; c < sink.calls.size(); ++c) {
        sink.calls[c].aggregate->init(initial_states.data() + state_offsets[c]);
        state_offsets[c] += layout.extraOffset();
    }
    indexRanges();
    deferCalls();
}

void GroupShape::indexRanges() {
    const auto ranges = compile::groupRanges(info);
    if (!ranges) return;
    index.size = 1;
    for (u32 r = 0; r < ranges->size(); ++r) {
        index.least[r] = (*ranges)[r].least;
        index.extent[r] = (*ranges)[r].extent;
        index.stride[r] = index.size;
        index.size *= index.extent[r];
    }
}

void GroupShape::deferCalls() {
    for (u32 c = 0; c < sink.calls.size(); ++c) {
        if (isDeferred(sink.calls[c])) inputOf(c).calls.push_back(c);
        else immediate.push_back(c);
    }
    for (DeferredShape& input : deferred) {
        const auto& call = sink.calls[input.calls[0]];
        std::vector<RowColumn> columns{{PhysicalKind::kI64, false}};
        for (u32 k = 0; k < layout.columnCount(); ++k)
            columns.push_back({layout.kindOf(k), layout.isNullable(k)});
        for (const u32 column : compared)
            input.group_keys.push_back(DeferredShape::kFirstKey + column);
        input.compared = input.group_keys;
        input.first_arg = u32(columns.size());
        for (const compile::Slot slot : input.args) {
            input.compared.push_back(u32(columns.size()));
            columns.push_back({info.input[slot].kind, info.input[slot].nullable});
        }
        input.first_order = u32(columns.size());
        for (const auto& key : call.order_by)
            columns.push_back({info.input[key.slot].kind, info.input[key.slot].nullable});
        input.layout = RowLayout(columns, true);
    }
}

DeferredShape& GroupShape::inputOf(u32 index) {
    const auto& call = sink.calls[index];
    const bool ordered = call.aggregate->ordered || !call.order_by.empty();
    for (DeferredShape& input : deferred) {
        const auto& other = sink.calls[input.calls[0]];
        if (input.args == call.args && input.filter == call.filter &&
            input.distinct == call.distinct && input.ordered == ordered &&
            sameOrder(other.order_by, call.order_by))
            return input;
    }
    DeferredShape& input = deferred.emplace_back();
    input.args = call.args;
    input.filter = call.filter;
    input.distinct = call.distinct;
    input.ordered = ordered;
    return input;
}

} // namespace blueshift::execute
