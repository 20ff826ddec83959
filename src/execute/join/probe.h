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
#include "execute/spill/live_slots.h"

namespace blueshift::execute {

/// A probe of a table that holds some of the build rows at a time.
class PartProbe : public StepOperator {
public:
    /// As start(). `matched`: rows that met a partner in an earlier chunk. Rows that depend on
    /// having met none, or any, come out of the last chunk only.
    virtual void startChunk(State& state, const Batch& input, const u64* matched, bool last_chunk,
                            WorkerContext& context) = 0;
    /// Rows of the batch that have met a partner so far, by row.
    virtual const u64* matched(const State& state) const = 0;
};
/// `part` is filled anew for each part; it must outlive the probe.
std::unique_ptr<PartProbe> makePartProbe(const compile::StepInfo& info, const JoinBuild& part);

/// `input`: what of the probe's batches is needed from here on, for rows that have to wait on disk.
std::unique_ptr<StepOperator> makeProbe(const compile::StepInfo& info, JoinBuild& build,
                                        StepInput input);

} // namespace blueshift::execute
