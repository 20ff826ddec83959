// worker_pool.h: one thread per core; runs slices of all queries' tasks in turn.
//
// Life cycle of a task: submit -> run(worker) ... run(worker) -> done. A task that returns kAgain
// goes to the end of the queue, so that short queries get their turn between the slices of long
// ones; one that returns kParked is submitted again by whoever wakes it.
// Threads: submit from anywhere; tasks outlive their last run.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/ints.h"

namespace blueshift::execute {

enum class TaskResult : u8 { kDone, kAgain, kParked };

class Task {
public:
    virtual ~Task() = default;
    virtual TaskResult run(u32 worker) = 0;
};

class WorkerPool {
public:
    explicit WorkerPool(u32 threads);
    ~WorkerPool();

    u32 threads() const { return u32(threads_.size()); }
    void submit(Task& task);
    /// Others wait for a worker: a running task should end its slice soon.
    bool crowded() const { return waiting_.load(std::memory_order_relaxed) > 0; }
    /// Runs function(index, worker) for all indexes below `count` and returns when all are done.
    /// The caller's thread takes part with worker number threads().
    void parallelFor(u32 count, const std::function<void(u32 index, u32 worker)>& function);

private:
    void work(u32 worker);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task*> queue_;
    std::atomic<u32> waiting_{0};
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

} // namespace blueshift::execute
