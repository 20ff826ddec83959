#include "engine/perf_map.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

namespace blueshift::engine {

Result<std::unique_ptr<PerfMap>> PerfMap::create() {
    const std::string path = fmt::format("/tmp/perf-{}.map", getpid());
    unlink(path.c_str()); // of an earlier process with this number
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0)
        return failure(Error(sqlstate::kIoError,
                             fmt::format("could not make {}: {}", path, std::strerror(errno)))
                           .withHint("Remove it, or start without --perf-map."));
    return std::unique_ptr<PerfMap>(new PerfMap(file));
}

PerfMap::~PerfMap() {
    close(file_);
}

void PerfMap::add(const std::string& owner, const compile::MachineCode& code) {
    std::string lines;
    for (const compile::CodeSymbol& symbol : code.symbols) {
        const bool itself = symbol.name == owner;
        lines += fmt::format("{:x} {:x} {}{}{}\n", symbol.address, symbol.bytes, owner,
                             itself ? "" : "/", itself ? "" : symbol.name);
    }
    const std::lock_guard lock(mutex_);
    // A profile without names is no reason to fail a query.
    [[maybe_unused]] const auto written = write(file_, lines.data(), lines.size());
}

} // namespace blueshift::engine
