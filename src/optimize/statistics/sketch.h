// sketch.h: distinct counts out of HyperLogLog registers as statistics carry them.
//
// Place: statistics/; the registers are written by storage/, which this stage may not call.
#pragma once

#include <span>

#include "base/ints.h"

namespace blueshift::optimize {

/// Flajolet et al. 2007 with linear counting for small sets; any power of two of registers.
f64 estimateDistinct(std::span<const u8> registers);

} // namespace blueshift::optimize
