// move_limits.h: LIMIT goes below computed columns, so that it meets its ORDER BY (top-n), and a
// copy of it into the branches of UNION ALL. ORDER BY below groupings and DISTINCT goes away.
//
// Place: after predicates were pushed down. Switches: move_limits, drop_sorts.
#pragma once

#include "optimize/plan_context.h"

namespace blueshift::optimize {

bind::LogicalOp* moveLimits(PlanContext& context, bind::LogicalOp* op);
bind::LogicalOp* dropSorts(PlanContext& context, bind::LogicalOp* op);

} // namespace blueshift::optimize
