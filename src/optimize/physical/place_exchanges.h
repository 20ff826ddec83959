// place_exchanges.h: where rows lie, and the exchanges that bring them together.
//
// Place: over the finished physical plan, when there are several nodes. Each operator gets its
// distribution; joins, groupings, windows, sorts and limits get exchanges below them, or two
// phases. Rule: the way that moves the fewest bytes. docs/design/exchange.md says which ways are
// right when.
#pragma once

#include "optimize/plan_context.h"

namespace blueshift::optimize {

void placeExchanges(PlanContext& context, PhysicalPlan& plan);

} // namespace blueshift::optimize
