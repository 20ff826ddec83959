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

#include "compile/program.h"
#include "functions/function.h"
#include "types/vector.h"

namespace blueshift::execute {

/// Says stop: cancel requests, time-outs, an error in another worker. Polled by every loop over
/// batches; from any thread.
class StopToken {
public:
    void request() { stop_.store(true, std::memory_order_relaxed); }
    void requestForTimeout() {
        timed_out_.store(true, std::memory_order_relaxed);
        request();
    }
    bool timedOut() const { return timed_out_.load(std::memory_order_relaxed); }
    /// Before the next statement starts.
    void clear() {
        timed_out_.store(false, std::memory_order_relaxed);
        stop_.store(false, std::memory_order_relaxed);
    }
    bool requested() const { return stop_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> stop_{false};
    std::atomic<bool> timed_out_{false};
};

/// Bytes of one query, taken from the node's broker; operators ask before they grow.
class MemoryGrant {
public:
    virtual ~MemoryGrant() = default;
    /// False: there is no more; the operator must spill or fail with 53200.
    virtual bool grow(u64 bytes) = 0;
    virtual void shrink(u64 bytes) = 0;
};

/// One worker's surroundings while it runs a pipeline.
struct WorkerContext {
    u32 worker = 0;
    u32 workers = 1;
    u32 vector_rows = kVectorRows;
    functions::EvalContext eval;
    StopToken* stop = nullptr;
    MemoryGrant* memory = nullptr;

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
    /// For EXPLAIN ANALYZE.
    virtual u64 memoryBytes() const { return 0; }
};

} // namespace blueshift::execute
