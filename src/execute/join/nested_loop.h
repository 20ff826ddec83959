// nested_loop.h: joins without equal keys: each inner row, as constants, against a whole probe
// batch.
//
// Why so: the condition then runs vectorised and the probe batch is only narrowed, never copied.
// Inner rows on disk are read for every probe batch, block by block, which costs little beside
// comparing them with a full batch.
// Cost: probe batches x inner rows evaluations.
#pragma once

#include "execute/rows/materialize.h"

namespace blueshift::execute {

std::unique_ptr<StepOperator> makeNestedLoop(const compile::StepInfo& info, Materialized& inner);

} // namespace blueshift::execute
