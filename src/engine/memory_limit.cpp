#include "engine/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace blueshift::engine {

u64 defaultMemoryBytes() {
    u64 bytes = u64(sysconf(_SC_PHYS_PAGES)) * u64(sysconf(_SC_PAGE_SIZE));
    std::ifstream limit("/sys/fs/cgroup/memory.max");
    u64 most = 0;
    if (limit >> most) bytes = std::min(bytes, most);
    return bytes / 4 * 3;
}

} // namespace blueshift::engine
