// operator.h: what runs: sources make batches, steps change them, sinks take them.
//
// Place: instances are made from compile/program.h for one run of one program.
// Contract: a Batch is valid until the next call on the operator that made it. States belong to one
// worker each; everything else in an operator is shared and either immutable while its pipeline
// runs or guarded by the operator itself.
// Errors: recorded in WorkerContext::eval; callers look at failed() after each call and stop.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/canceled.h"
#include "compile/program.h"
#include "functions/function.h"
#include "types/vector.h"

namespace blueshift::execute {

/// Says stop: cancel requests, time-outs, an error in another worker. Polled by every loop over
/// batches; from any thread. A token with a parent stops with it, and stays stopped when the parent
/// is cleared: whoever saw the request has left work undone.
class StopToken {
public:
    explicit StopToken(const StopToken* parent = nullptr) : parent_(parent) {}

    void request() { stop_.store(true, std::memory_order_relaxed); }
    void requestForTimeout() {
        timed_out_.store(true, std::memory_order_relaxed);
        request();
    }
    bool timedOut() const { return timed_out_.load(std::memory_order_relaxed); }
    /// 57014 in the words of what stopped the statement.
    Error error(std::string_view while_doing = {}) const {
        return canceledError(timedOut(), while_doing);
    }
    CancelCheck check() const {
        return [this]() -> std::optional<Error> {
            if (!requested()) return std::nullopt;
            return error();
        };
    }
    /// Before the next statement starts.
    void clear() {
        timed_out_.store(false, std::memory_order_relaxed);
        stop_.store(false, std::memory_order_relaxed);
    }
    bool requested() const {
        if (stop_.load(std::memory_order_relaxed)) return true;
        if (parent_ == nullptr || !parent_->requested()) return false;
        if (parent_->timedOut()) timed_out_.store(true, std::memory_order_relaxed);
        stop_.store(true, std::memory_order_relaxed);
        return true;
    }

private:
    const StopToken* parent_;
    mutable std::atomic<bool> stop_{false};
    mutable std::atomic<bool> timed_out_{false};
};

/// Bytes of one query, taken from the node's broker; operators ask before they grow.
class MemoryGrant {
public:
    virtual ~MemoryGrant() = default;
    /// False: there is no more; the query fails with 53200.
    virtual bool grow(u64 bytes) = 0;
    virtual void shrink(u64 bytes) = 0;
    /// False: a worker that holds `held` bytes for an operator should write them out before it
    /// takes `more` (0: what a batch may bring). Asked before rows are kept. True: grow() will not
    /// refuse, whatever other queries take meanwhile.
    virtual bool hasRoom(u64 held, u64 more = 0) {
        (void)held, (void)more;
        return true;
    }
    /// Before a worker's rows go over to its sink: may they stay in memory, and `more` be taken
    /// for them?
    virtual bool mayKeep(u64 held, u64 more = 0) {
        (void)held, (void)more;
        return true;
    }
    /// Keeps bytes free for work that is to come, until unhold(): grow() will not refuse them.
    virtual bool hold(u64 bytes) {
        (void)bytes;
        return true;
    }
    virtual void unhold(u64 bytes) { (void)bytes; }
    /// Bytes that hasRoom() would still grant, roughly.
    virtual u64 room() const { return ~u64{0} >> 1; }
    /// What each worker may always hold for an operator; how many may at once.
    virtual u64 workerBytes() const { return u64{1} << 20; }
    virtual u32 workers() const { return 1; }
    /// How often rows that do not fit may be divided by further bits of their hash.
    virtual u32 mostLevels() const { return 8; }
};

class SpillSpace;

/// One worker's surroundings while it runs a pipeline.
struct WorkerContext {
    u32 worker = 0;
    u32 workers = 1;
    u32 vector_rows = kVectorRows;
    functions::EvalContext eval;
    StopToken* stop = nullptr;
    MemoryGrant* memory = nullptr;
    SpillSpace* spill = nullptr; // nullptr: everything stays in memory

    bool hasRoom(u64 held, u64 more = 0) const {
        return spill == nullptr || memory == nullptr || memory->hasRoom(held, more);
    }
    bool mayKeep(u64 held, u64 more = 0) const {
        return spill == nullptr || memory == nullptr || memory->mayKeep(held, more);
    }
    u64 room() const {
        return spill == nullptr || memory == nullptr ? ~u64{0} >> 1 : memory->room();
    }
    void give(u64 bytes) {
        if (memory != nullptr) memory->shrink(bytes);
    }
    bool failed() const { return eval.failed() || stop->requested(); }
    /// Takes memory or records 53200 naming `what`.
    bool take(u64 bytes, std::string_view what);
};

class State {
public:
    virtual ~State() = default;
};

class SourceOperator {
public:
    virtual ~SourceOperator() = default;
    /// Called once all needed sinks are finished, before any state is made.
    virtual void open() {}
    virtual u32 morselCount() const = 0;
    virtual std::unique_ptr<State> makeState(WorkerContext& context) = 0;
    virtual void start(State& state, u32 morsel, WorkerContext& context) = 0;
    /// False at the end of the morsel or after an error. Batches have at least one selected row.
    virtual bool next(State& state, Batch& batch, WorkerContext& context) = 0;
    /// next() gave nothing because nothing has arrived yet; the morsel goes on.
    virtual bool waits(const State& state) const {
        (void)state;
        return false;
    }
};

class StepOperator {
public:
    virtual ~StepOperator() = default;
    virtual std::unique_ptr<State> makeState(WorkerContext& context) = 0;
    /// A new input batch; `more` is then called until it returns false. Each true gives an output.
    virtual void start(State& state, const Batch& input, WorkerContext& context) = 0;
    virtual bool more(State& state, Batch& output, WorkerContext& context) = 0;
    /// True once nothing more can come (LIMIT reached): the pipeline stops early.
    virtual bool exhausted() const { return false; }
    /// This worker's source has ended without an error.
    virtual void flush(State& state, WorkerContext& context) { (void)state, (void)context; }
    /// After every lane of a pipeline has ended: a source of the output that this step still owes
    /// (joins whose rows did not fit memory), which then runs through the steps behind it; nullptr:
    /// nothing is owed. Called once; its morsels may run in any order and on any worker.
    virtual std::unique_ptr<SourceOperator> takeRest() { return nullptr; }
    virtual u64 spilledBytes() const { return 0; }
};

class SinkOperator {
public:
    virtual ~SinkOperator() = default;
    virtual std::unique_ptr<State> makeState(WorkerContext& context) = 0;
    /// `batch` has the sink's input slots, in order.
    virtual void consume(State& state, const Batch& batch, WorkerContext& context) = 0;
    /// This worker saw its last batch of this pipeline; merges its state. Called under no lock, by
    /// several workers at once.
    virtual void flush(State& state, WorkerContext& context) = 0;

    // ---- After every worker of every feeding pipeline has flushed.
    /// Number of tasks that finish the sink in parallel; 0: nothing to do.
    virtual u32 finishTasks() { return 0; }
    virtual void finishTask(u32 task, WorkerContext& context) { (void)task, (void)context; }
    /// After the last task, by one worker. More rounds: return true and finishTasks() is asked
    /// again.
    virtual bool finished(WorkerContext& context) {
        (void)context;
        return false;
    }

    /// A source over what the sink holds, delivering `columns` of its output.
    virtual std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) {
        (void)columns;
        return nullptr;
    }
    /// Nobody reads the sink any more: gives its memory back.
    virtual void release(WorkerContext& context) { (void)context; }
    /// For EXPLAIN ANALYZE.
    virtual u64 memoryBytes() const { return 0; }
    virtual u64 spilledBytes() const { return 0; }
};

} // namespace blueshift::execute
