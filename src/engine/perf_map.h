// perf_map.h: /tmp/perf-PID.map, from which Linux `perf` takes the names of generated functions.
//
// Place: the code service adds what it loads, when the server was started with --perf-map. Format:
// lines "address bytes name", hexadecimal without 0x (tools/perf/Documentation/jit-interface.txt).
// Threads: any.
#pragma once

#include <mutex>
#include <string>

#include "base/error.h"
#include "compile/jit/jit.h"

namespace blueshift::engine {

class PerfMap {
public:
    /// Makes the file anew; it must not be somebody else's.
    static Result<std::unique_ptr<PerfMap>> create();
    ~PerfMap();

    void add(const std::string& owner, const compile::MachineCode& code);

private:
    explicit PerfMap(int file) : file_(file) {}

    std::mutex mutex_;
    int file_;
};

} // namespace blueshift::engine
