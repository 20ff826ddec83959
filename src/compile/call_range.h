// call_range.h: bounds of what functions give, where their arguments tell more than the type.
//
// Place: used by expression_compiler; keys with few values are grouped by value (group_ranges.h).
#pragma once

#include <optional>

#include "compile/program.h"
#include "compile/range.h"

namespace blueshift::compile {

/// Bounds of the non-NULL results of a call whose arguments are set.
std::optional<Range> rangeOfCall(const EvalNode& call);

} // namespace blueshift::compile
