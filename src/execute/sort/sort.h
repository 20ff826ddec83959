// sort.h: ORDER BY and top-n: a sink whose source delivers its rows in order.
//
// Place: made from compile::SortSink; with a limit it keeps the best rows only (top_rows.h).
// Life: each worker collects rows and sorts them when it is done; the sorted runs are merged in
// parallel, split at keys of the longest run; the source's morsels are in order. What finds no room
// is written as sorted runs, which the source merges (spilled_runs.h).
// Owns: rows and the order. Rows never move, their 24-byte entries do.
#pragma once

#include <memory>

#include "execute/operator.h"

namespace blueshift::execute {

/// `info.sink` is a SortSink; `info` must outlive the operator.
std::unique_ptr<SinkOperator> makeSortSink(const compile::SinkInfo& info);

} // namespace blueshift::execute
