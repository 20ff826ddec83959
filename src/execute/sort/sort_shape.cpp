#include "execute/sort/sort_shape.h"

#include <algorithm>

namespace blueshift::execute {

RowLayout layoutOf(const compile::SinkInfo& info, const std::vector<compile::Slot>& slots,
                   bool has_hash) {
    std::vector<RowColumn> columns;
    for (const compile::Slot slot : slots)
        columns.push_back({info.input[slot].kind, info.input[slot].nullable});
    return RowLayout(columns, has_hash);
}

std::vector<compile::Slot> SortShape::slotsOf(const compile::SortSink& sink) {
    std::vector<compile::Slot> slots = sink.columns;
    for (const auto& key : sink.keys) {
        if (std::find(slots.begin(), slots.end(), key.slot) == slots.end())
            slots.push_back(key.slot);
    }
    return slots;
}

std::vector<RowSortKey> SortShape::keysOf(const compile::SortSink& sink,
                                          const std::vector<compile::Slot>& slots) {
    std::vector<RowSortKey> keys;
    for (const auto& key : sink.keys) {
        const auto at = std::find(slots.begin(), slots.end(), key.slot);
        keys.push_back({u32(at - slots.begin()), key.descending, key.nulls_first});
    }
    return keys;
}

SortShape::SortShape(const compile::SinkInfo& info)
    : slots(slotsOf(std::get<compile::SortSink>(info.sink))),
      keys(keysOf(std::get<compile::SortSink>(info.sink), slots)),
      layout(layoutOf(info, slots, false)),
      order(layout, keys) {
    const auto& sink = std::get<compile::SortSink>(info.sink);
    offset = sink.offset > 0 ? u64(sink.offset) : 0;
    limit = ~u64{0};
    if (sink.limit >= 0 && !__builtin_add_overflow(u64(sink.limit), offset, &limit)) return;
    limit = ~u64{0};
}

} // namespace blueshift::execute
