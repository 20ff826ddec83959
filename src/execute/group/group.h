// group.h: GROUP BY, DISTINCT and aggregates without keys: a sink that holds groups.
//
// Place: made from compile::GroupSink; its source delivers keys, results and the grouping id.
// Life: each worker groups what it sees in a small table of its own (local_groups.h), which empties
// itself into 64 partitions when groups are many; after the last batch the partitions are merged in
// parallel (merge_groups.h); the source reads the merged rows, one morsel per partition or more.
// Owns: all rows and states. Why so: Kuiper, Boncz, Muehleisen (ICDE 2024).
#pragma once

#include <memory>

#include "compile/segment.h"
#include "execute/operator.h"

namespace blueshift::execute {

/// `info.sink` is a GroupSink; `info` must outlive the operator.
std::unique_ptr<SinkOperator> makeGroupSink(const compile::SinkInfo& info);

/// What a worker has grouped, given its state of a group sink.
class LocalGroups;
LocalGroups& localGroupsOf(State& state);
/// How its groups' rows lie in memory, for generated code.
compile::GroupRowShape groupRowShape(const compile::SinkInfo& info);

} // namespace blueshift::execute
