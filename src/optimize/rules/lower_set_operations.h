// lower_set_operations.h: INTERSECT and EXCEPT become UNION ALL, grouping and a filter.
//
// Place: after unnesting. Each side brings a flag; a group passes when the flags of both sides
// (INTERSECT) or of the left side only (EXCEPT) are set. Grouping treats NULLs as equal, as set
// operations do. ALL: copies are numbered first, so that the n-th copies are compared.
#pragma once

#include "optimize/plan_context.h"

namespace blueshift::optimize {

bind::LogicalOp* lowerSetOperations(PlanContext& context, bind::LogicalOp* op);

} // namespace blueshift::optimize
