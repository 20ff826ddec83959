#include "compile/group_ranges.h"

#include "kernels/pipeline.h"

namespace blueshift::compile {

std::optional<std::vector<GroupRange>> groupRanges(const SinkInfo& info) {
    // A table of 2 MiB lies in the caches of one core.
    constexpr u64 kMostNumbers = u64{1} << 18;
    constexpr f64 kMostNumbersPerGroup = 32;
    constexpr f64 kFewNumbers = 1024;
    const auto& sink = std::get<GroupSink>(info.sink);
    if (!sink.grouping_sets.empty()) return std::nullopt;
    std::vector<GroupRange> ranges;
    u64 numbers = 1;
    for (u32 k = 0; k < sink.keys.size(); ++k) {
        if (sink.keys[k].dependent) continue;
        const SlotInfo& slot = info.input[sink.keys[k].slot];
        if (!slot.has_range || !isIntegerKind(slot.kind) || slot.kind == PhysicalKind::kI128)
            return std::nullopt;
        const i128 extent = slot.max - slot.min + 1 + slot.nullable;
        if (extent < 1 || extent > i128(kMostNumbers / numbers)) return std::nullopt;
        numbers *= u64(extent);
        ranges.push_back({k, u64(slot.min) - slot.nullable, u64(extent)});
    }
    if (ranges.empty() || ranges.size() > kernels::kMostIndexKeys ||
        f64(numbers) > kFewNumbers + kMostNumbersPerGroup * sink.estimated_groups)
        return std::nullopt;
    return ranges;
}

} // namespace blueshift::compile
