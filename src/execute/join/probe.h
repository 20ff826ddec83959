// probe.h: the probe side of a hash join: lookup (which build rows match) and expand (a row a
// match).
//
// Stages over the whole batch: hash -> prefetch directory -> tag test -> prefetch rows -> compare,
// then rounds: round k yields the k-th match of every probe row as a narrowed selection of the
// probe batch, so probe columns are never copied; when few rows have many matches left, they are
// expanded into dense batches instead.
// Threads: the operator is shared and immutable; states are per worker.
#pragma once

#include "execute/join/join_build.h"

namespace blueshift::execute {

std::unique_ptr<StepOperator> makeProbe(const compile::StepInfo& info, const JoinBuild& build);

} // namespace blueshift::execute
