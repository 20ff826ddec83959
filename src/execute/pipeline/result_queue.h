// result_queue.h: batches on their way from workers to the client's thread, copied and bounded.
//
// A worker that finds the queue full parks its lane; taking a batch wakes it. Never blocks a
// worker. With a `spill` layout a full queue writes to disk instead, so that a query that holds
// memory can end and give it back while its client still reads.
// Threads: any number of writers, one reader.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "execute/pipeline/worker_pool.h"
#include "execute/spill/spilled_rows.h"
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

    ResultQueue() = default;
    /// Spills rows of this layout, a field per result column.
    explicit ResultQueue(RowLayout layout) : layout_(std::move(layout)), spills_(true) {}

    /// True when there is room. Otherwise `task` is remembered and submitted to `pool` later.
    bool roomOrPark(Task& task);
    void push(std::unique_ptr<OwnedBatch> batch);
    /// Pushes a copy, or writes it to disk when the queue is full and may do so.
    void push(const Batch& batch, WorkerContext& context);
    /// A writer has ended; the last one ends the queue.
    void writerEnded();
    void expect(u32 writers) { writers_ = writers; }
    /// The next batch; nullptr when all writers have ended.
    std::unique_ptr<OwnedBatch> take(WorkerPool& pool, WorkerContext& context);
    u64 bytesSpilled() const { return file_.bytesSpilled(); }
    /// Wakes parked tasks so that they can end; the queue takes no more notice of its bound.
    void abandon(WorkerPool& pool);
    void waitForWriters();

private:
    bool write(const Batch& batch, SpilledRows& written, WorkerContext& context);
    std::unique_ptr<OwnedBatch> readBack(const SpilledRows& rows, WorkerContext& context);

    RowLayout layout_;
    const bool spills_ = false;
    const RowCodec codec_{layout_};
    SpillFile file_;
    std::deque<SpilledRows> spilled_; // a block each

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<OwnedBatch>> batches_;
    std::vector<Task*> parked_;
    u32 writers_ = 0;
    bool abandoned_ = false;
};

} // namespace blueshift::execute
