// execute.h: front door: runs a program and hands out its batches.
//
// Place: compile -> execute -> the client's result, a table writer, COPY.
// Life cycle: construct (operators are made) -> next() ... false, or consume() -> metrics.
// The last pipeline is pulled by the caller's thread when one worker suffices (ordered results, few
// rows), else workers fill a bounded queue that the caller drains; a full queue parks them.
// Threads: one caller; stop may be requested from anywhere.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "catalog/table_source.h"
#include "cluster/cluster.h"
#include "compile/program.h"
#include "execute/generated/code_source.h"
#include "execute/memory/memory_broker.h"
#include "execute/operator.h"
#include "storage/storage.h"

namespace blueshift::execute {

class SpillSpace;
class WorkerPool;
std::unique_ptr<WorkerPool> makeWorkerPool(u32 threads);
void destroyWorkerPool(WorkerPool* pool);

/// What a run needs of its surroundings; all borrowed.
struct RunEnvironment {
    WorkerPool* pool = nullptr;
    objects::ObjectStore* store = nullptr;
    storage::BlockCache* cache = nullptr;
    MemoryBroker* memory = nullptr;
    SpillSpace* spill = nullptr; // nullptr: what does not fit memory fails
    catalog::SourceContext sources;
    StopToken* stop = nullptr;
    u32 vector_rows = kVectorRows;
    bool timed = false; // measure time per operator
    CodeSource* code = nullptr;
    Codegen codegen = Codegen::kOff;
    bool alternate_tiers = false; // change tiers at every morsel; for tests
    /// Needed by programs for several nodes.
    cluster::Cluster* cluster = nullptr;
    u32 share_rows = kVectorRows; // storage::ScanShare::least_rows
    i64 failing_node = -1;        // tests: stops after its first batch
    i64 query_id = 0;             // shown beside its memory
    bool consumer_holds = false;  // the BatchConsumer keeps rows: an operator more at admission
};

/// Takes result batches on several workers at once.
class BatchConsumer {
public:
    virtual ~BatchConsumer() = default;
    /// Called once before the first batch, with the number of workers that may come and the
    /// memory of the run.
    virtual void prepare(u32 workers, MemoryGrant& grant) = 0;
    virtual Status consume(u32 worker, const Batch& batch) = 0;
};

/// What one node sent through one exchange.
struct SentReport {
    u32 op = 0;
    u32 node = 0;
    bool broadcast = false;
    u64 rows = 0;
    u64 moved_bytes = 0;
    u64 batches = 0;
};

/// What an exchange that was left open became; rows of the build side, their estimated bytes.
struct SettledReport {
    bool of_build = false;
    bool broadcast = false; // of a build; of a probe side: its rows stay
    u64 rows = 0;
    f64 bytes = 0;
};

struct OperatorReport {
    std::optional<SettledReport> settled;
    u64 rows = 0;
    u64 nanos = 0;
    u64 memory_bytes = 0;
    u64 spilled_bytes = 0;
    u64 blocks_read = 0;
    u64 blocks_skipped = 0;
    u64 join_filter_tested = 0;
    u64 join_filter_passed = 0;
    u64 sent_batches = 0; // exchanges
    u64 sent_rows = 0;
    u64 moved_bytes = 0;
};

class QueryRun {
public:
    /// Waits until the broker has the least memory that the program needs. Throws SqlError: 53200
    /// when that is more than there is.
    QueryRun(const compile::Program& program, const RunEnvironment& environment);
    ~QueryRun();

    /// The next batch of the result in the program's column order; valid until the next call.
    /// Throws SqlError. False at the end.
    bool next(Batch& batch);
    /// Runs everything into a consumer; rows in no order.
    void consume(BatchConsumer& consumer);

    /// Source rows looked at so far and in all, for progress bars; from any thread.
    std::pair<f64, f64> progress() const;
    std::vector<OperatorReport> reports() const;
    /// By pipeline of the program; pipelines without generated code report no rows.
    std::vector<TierReport> tiers() const;
    std::vector<SentReport> sent() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace blueshift::execute
