// heap_trimmer.h: gives memory that the C library keeps after it was freed back to the system.
//
// Why: pages of operators and blocks of the cache come and go in many sizes; glibc's heaps keep
// what lies between living ones. TPC-H at scale factor 10 with 1 GiB ended with 700 MiB of it.
// How: looks ten times a second; trims when the process has more private memory than `limit_bytes`
// and has grown by a sixteenth of that since the last time. Below the limit it does nothing.
// Threads: one of its own. malloc_trim holds one heap's lock at a time.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/ints.h"

namespace blueshift::engine {

/// Resident memory of this process that no file stands behind, in bytes; 0 when unknown.
u64 privateResidentBytes();

class HeapTrimmer {
public:
    explicit HeapTrimmer(u64 limit_bytes);
    ~HeapTrimmer();

private:
    void watch();

    const u64 limit_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    std::thread thread_;
};

} // namespace blueshift::engine
