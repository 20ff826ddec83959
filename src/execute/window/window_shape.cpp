#include "execute/window/window_shape.h"

#include <algorithm>

#include "execute/sort/sort_shape.h"

namespace blueshift::execute {
namespace {

std::vector<compile::Slot> slotsOf(const compile::WindowSink& sink) {
    std::vector<compile::Slot> slots = sink.columns;
    const auto add = [&](compile::Slot slot) {
        if (std::find(slots.begin(), slots.end(), slot) == slots.end()) slots.push_back(slot);
    };
    for (const compile::Slot slot : sink.partition_by) add(slot);
    for (const auto& key : sink.order_by) add(key.slot);
    for (const auto& call : sink.calls) {
        for (const compile::Slot slot : call.args) add(slot);
    }
    return slots;
}

std::vector<RowSortKey> keysOf(const compile::WindowSink& sink,
                               const std::vector<compile::Slot>& slots, bool partition,
                               bool order) {
    std::vector<RowSortKey> keys;
    const auto columnOf = [&](compile::Slot slot) {
        return u32(std::find(slots.begin(), slots.end(), slot) - slots.begin());
    };
    if (partition) {
        for (const compile::Slot slot : sink.partition_by)
            keys.push_back({columnOf(slot), false, false});
    }
    if (order) {
        for (const auto& key : sink.order_by)
            keys.push_back({columnOf(key.slot), key.descending, key.nulls_first});
    }
    return keys;
}

} // namespace

WindowShape::WindowShape(const compile::SinkInfo& info_given)
    : info(info_given),
      sink(std::get<compile::WindowSink>(info_given.sink)),
      slots(slotsOf(sink)),
      layout(layoutOf(info_given, slots, true)),
      order(layout, keysOf(sink, slots, true, true)),
      partition_order(layout, keysOf(sink, slots, true, false)),
      peer_order(layout, keysOf(sink, slots, false, true)) {
    for (const auto& call : sink.calls) {
        std::vector<u32>& columns = args.emplace_back();
        for (const compile::Slot slot : call.args) columns.push_back(columnOf(slot));
    }
}

u32 WindowShape::columnOf(compile::Slot slot) const {
    return u32(std::find(slots.begin(), slots.end(), slot) - slots.begin());
}

} // namespace blueshift::execute
