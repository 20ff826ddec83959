// nested_loop.h: joins without equal keys: each inner row, as constants, against a whole probe
// batch.
//
// Why so: the condition then runs vectorised and the probe batch is only narrowed, never copied.
// Cost: probe batches x inner rows evaluations.
#pragma once

#include "execute/rows/materialize.h"

namespace blueshift::execute {

std::unique_ptr<StepOperator> makeNestedLoop(const compile::StepInfo& info, Materialized& inner);

} // namespace blueshift::execute
