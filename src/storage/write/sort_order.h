// sort_order.h: the order of buffered rows by a table's sort key.
//
// Place: TableWriter sorts each segment before it encodes it.
// Order: ascending, NULLs last, stable; texts in comparison form; NaN after all numbers.
#pragma once

#include <span>
#include <vector>

#include "storage/write/column_buffer.h"

namespace blueshift::storage {

/// Row numbers in key order; empty when the rows lie in that order already (or there is no key).
std::vector<u32> sortOrder(std::span<const ColumnBuffer* const> keys);

} // namespace blueshift::storage
