// result_queue.h: batches on their way from workers to the client's thread, copied and bounded.
//
// A worker that finds the queue full parks its lane; taking a batch wakes it. Never blocks a
// worker. Threads: any number of writers, one reader.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "execute/pipeline/worker_pool.h"
#include "functions/function.h"
#include "types/vector.h"

namespace blueshift::execute {

/// A batch that owns its values, dense.
class OwnedBatch {
public:
    explicit OwnedBatch(const Batch& batch);
    const Batch& batch() const { return batch_; }

private:
    std::vector<VectorBuffer> buffers_;
    std::vector<Vector> columns_;
    functions::TextHeap heap_;
    Batch batch_;
};

class ResultQueue {
public:
    static constexpr size_t kMostBatches = 64;

    /// True when there is room. Otherwise `task` is remembered and submitted to `pool` later.
    bool roomOrPark(Task& task);
    void push(std::unique_ptr<OwnedBatch> batch);
    /// A writer has ended; the last one ends the queue.
    void writerEnded();
    void expect(u32 writers) { writers_ = writers; }
    /// The next batch; nullptr when all writers have ended.
    std::unique_ptr<OwnedBatch> take(WorkerPool& pool);
    /// Wakes parked tasks so that they can end; the queue takes no more notice of its bound.
    void abandon(WorkerPool& pool);
    void waitForWriters();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<OwnedBatch>> batches_;
    std::vector<Task*> parked_;
    u32 writers_ = 0;
    bool abandoned_ = false;
};

} // namespace blueshift::execute
