// window.h: window functions: a sink whose source delivers its rows with one more column per call.
//
// Place: made from compile::WindowSink, one per partitioning and order.
// Life: workers collect rows into 64 parts by the hash of the partition keys; after the last batch
// each part is sorted by (partition, order) and its functions are computed, parts in parallel; the
// source reads the parts, rows in that order.
// Owns: rows and results. Threads: a part is one task's.
#pragma once

#include <memory>

#include "execute/operator.h"

namespace blueshift::execute {

/// `info.sink` is a WindowSink; `info` must outlive the operator.
std::unique_ptr<SinkOperator> makeWindowSink(const compile::SinkInfo& info);

} // namespace blueshift::execute
