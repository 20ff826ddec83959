// basic_steps.h: filter, compute, limit, select: steps that yield at most one batch for each.
#pragma once

#include "execute/operator.h"

namespace blueshift::execute {

/// The operator of a FilterStep, ComputeStep, LimitStep or SelectStep.
std::unique_ptr<StepOperator> makeBasicStep(const compile::StepInfo& info);

} // namespace blueshift::execute
