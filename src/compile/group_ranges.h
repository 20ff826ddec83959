// group_ranges.h: keys of a GROUP BY whose values are few enough to number them all.
//
// Place: codegen/ writes the look-up by value, execute/group keeps the table; both ask here.
#pragma once

#include <optional>
#include <vector>

#include "compile/program.h"

namespace blueshift::compile {

/// One key that makes a group. Values are numbered from `least` on; of nullable keys 0 is NULL.
struct GroupRange {
    u32 key; // of GroupSink::keys
    u64 least;
    u64 extent;
};

/// The ranges of all keys, whose extents multiply to at most a quarter of a million, and to no more
/// than the groups expected make worth while; nothing when there is no such table.
std::optional<std::vector<GroupRange>> groupRanges(const SinkInfo& info);

} // namespace blueshift::compile
