#include "engine/heap_trimmer.h"

#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

namespace blueshift::engine {

namespace {
constexpr std::chrono::milliseconds kInterval{100};
constexpr u64 kLeastGrowth = 16; // part of the limit
} // namespace

u64 privateResidentBytes() {
    std::ifstream file("/proc/self/statm"); // in pages
    u64 size = 0, resident = 0, shared = 0;
    if (!(file >> size >> resident >> shared)) return 0;
    return (resident - shared) * u64(sysconf(_SC_PAGE_SIZE));
}

HeapTrimmer::HeapTrimmer(u64 limit_bytes) : limit_(limit_bytes), thread_([this] { watch(); }) {}

HeapTrimmer::~HeapTrimmer() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void HeapTrimmer::watch() {
    u64 after_last = 0;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kInterval, [this] { return stop_; })) {
        const u64 now = privateResidentBytes();
        if (now < limit_ || now < after_last + limit_ / kLeastGrowth) continue;
        malloc_trim(0);
        after_last = privateResidentBytes();
    }
}

} // namespace blueshift::engine
