// memory_limit.h: how much memory this process may use when nobody said so.
#pragma once

#include "base/ints.h"

namespace blueshift::engine {

/// Three quarters of the machine's memory, or of the cgroup's limit when that is less.
u64 defaultMemoryBytes();

} // namespace blueshift::engine
