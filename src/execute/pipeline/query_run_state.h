// query_run_state.h: the inside of a QueryRun: the operators of every node, the stage that runs.
//
// Place: query_run.cpp (the front), node_operators.cpp (makes operators), run_stage.cpp (runs
// them). Shape: pipelines run one after the other, each on every node, or on the leader alone. One
// that receives runs together with those that send to it, directly or through others: a stage. With
// one node every stage is one pipeline. Threads: the caller's thread starts stages; lanes run on
// the pool; errors go through takeError.
#pragma once

#include <condition_variable>
#include <mutex>

#include "execute/execute.h"
#include "execute/generated/generated_segment.h"
#include "execute/pipeline/exchange_operators.h"
#include "execute/pipeline/lane.h"
#include "execute/pipeline/result_queue.h"
#include "execute/pipeline/worker_pool.h"

namespace blueshift::execute {

/// Runs `body`, turning exceptions into the context's error.
template <class Body> void guarded(WorkerContext& context, Body&& body) {
    try {
        body();
    } catch (const SqlError& error) {
        context.eval.fail(error.error());
    } catch (const std::bad_alloc&) {
        context.eval.fail(sqlstate::kOutOfMemory, "out of memory: the system refused to give more");
    } catch (const std::exception& error) {
        context.eval.fail(sqlstate::kInternalError, error.what());
    }
}

struct QueryRun::Impl {
    /// Sources and steps of a pipeline on one node; kept for their counters.
    struct Made {
        PipelineOperators operators;
        std::unique_ptr<SourceOperator> source;
        std::vector<std::unique_ptr<StepOperator>> steps;
        const compile::Pipeline* pipeline = nullptr;
        std::shared_ptr<PipelineCode> code;
        bool ordered = false;
        u32 morsels = 0;
        u32 node = 0;
        u32 lanes = 1;
        std::atomic<u32> lanes_left{1};     // of those in a stage
        ReceiveOperator* receive = nullptr; // the source, when it is one
    };
    struct Node {
        std::vector<std::unique_ptr<JoinFilter>> filters;
        std::vector<JoinFilter*> filter_pointers;
        std::vector<std::unique_ptr<SinkOperator>> sinks; // nullptr: not on this node
        std::vector<u64> released_bytes;                  // by sink: memory that it gave back
    };
    class RunTask;
    /// What the lanes of a pipeline do with their batches, besides feeding its sink.
    struct Target {
        ResultQueue* queue = nullptr;
        BatchConsumer* consumer = nullptr;
    };

    const compile::Program& program;
    StopToken stop; // of this run alone: other runs of the connection go on when it ends
    RunEnvironment environment;
    std::unique_ptr<QueryGrant> grant;
    std::vector<size_t> turns;        // by pipeline: the one with which it runs
    std::vector<size_t> last_readers; // by sink: the turn of the last pipeline that reads it
    std::vector<Node> nodes;
    /// Join filters of all nodes together, for scans beyond an exchange.
    std::vector<std::unique_ptr<JoinFilter>> united_filters;
    std::vector<std::unique_ptr<exchange::Channel>> channels; // by exchange
    std::vector<optimize::ExchangeKind> exchange_kinds;       // settled when their stage starts
    std::vector<std::optional<SettledReport>> settled;        // by exchange
    u64 channel_bytes = 0;                                    // taken for those of the stage
    std::vector<OperatorMetrics> metrics;
    std::mutex made_mutex; // workers make what joins still owe
    std::vector<std::unique_ptr<Made>> made;
    std::atomic<u32> pipelines_done{0};
    std::atomic<Made*> current_made{nullptr};
    std::optional<compile::RowShapes> shapes; // made when code is first asked for
    std::atomic<u32> checks_of_failing{0};    // how often the node that shall fail was asked
    std::mutex error_mutex;
    std::optional<Error> error;

    // The lanes that run on the pool.
    std::vector<std::unique_ptr<RunTask>> tasks;
    std::vector<std::unique_ptr<RunTask>> rest_tasks; // made by running ones, under the lock
    std::mutex tasks_mutex;
    std::condition_variable task_ended;
    u32 running_tasks = 0;
    u32 consumers = 0; // numbered lanes that feed a BatchConsumer

    // The result's pipelines.
    size_t next_pipeline = 0;
    Made* result_made = nullptr; // the one under way
    bool rest_made = false;      // it has ended, and result_made is what it still owes
    std::atomic<u32> lanes_running{0};
    u64 result_spilled = 0;
    std::unique_ptr<WorkerContext> inline_context;
    std::unique_ptr<Lane> inline_lane;
    Made* inline_made = nullptr;
    std::unique_ptr<ResultQueue> queue;
    std::unique_ptr<OwnedBatch> held;

    Impl(const compile::Program& p, const RunEnvironment& e);
    ~Impl();

    WorkerContext makeContext(u32 worker, u32 node = 0) const;
    void takeError(WorkerContext& context);
    void throwIfFailed();
    /// False, with the error recorded: the node was stopped.
    bool nodeStands(u32 node, WorkerContext& context);

    // ---- node_operators.cpp
    void makeSinks();
    Made& makePipeline(size_t index, u32 node);
    Made& keep(std::unique_ptr<Made> fresh);
    /// What a step of an ended pipeline still owes, as a pipeline of its own; nullptr: nothing.
    Made* makeRest(Made& ended);
    void attachCode(const compile::Pipeline& pipeline, Made& made_pipeline);
    std::unique_ptr<GeneratedSteps> makeGenerated(const Made& made_pipeline);
    void uniteFilters(const compile::BuildSink& build);

    // ---- run_stage.cpp
    u32 nodesOf(const compile::Pipeline& pipeline) const {
        return pipeline.leader_only ? 1 : program.nodes;
    }
    /// Lanes of one of `sharing` nodes.
    u32 laneCount(const Made& operators, u32 sharing) const;
    /// Pipelines that run with `index`, senders first; itself last.
    std::vector<size_t> stageOf(size_t index) const;
    void runPipeline(size_t index, BatchConsumer* consumer = nullptr);
    void runAlone(size_t index, BatchConsumer* consumer);
    void runParts(std::span<Made* const> parts, u32 sink, BatchConsumer* consumer);
    /// Makes operators and lanes of a stage; the last pipeline's only with `with_last`.
    void startStage(const std::vector<size_t>& stage, bool with_last, Target target);
    void addTasks(u32 sink, Made& operators, Target target, u32& next_sender);
    /// Further lanes for what a pipeline of a stage still owes, beside the calling one.
    void addRestTasks(Made& rest, SinkOperator* sink, Target target, u32 number);
    void clearTasks();
    void finishSink(u32 index);
    /// Sinks that only pipelines up to this turn read give their memory back.
    void releaseSinks(size_t turn);
    void runLane(Made& operators, SinkOperator* sink, BatchConsumer* consumer, u32 worker);
    u32 mostWorkers() const { return (environment.pool->threads() + 1) * (program.nodes + 1); }
    /// What an exchange of a stage about to start does; settles the kinds that were left open.
    void settle(u32 exchange);
    u64 takeCredit();
    void submitTasks();
    void taskDone();
    void abandonChannels();
    void waitForTasks();
    bool feedsResult(const compile::Pipeline& pipeline) const {
        return pipeline.sink == program.result_sink;
    }

    // ---- query_run.cpp
    void admit();
    void prepareResult();
    void nextResult();
    /// The last of them gives the memory back that nobody reads any more, before the client has
    /// read the queue to its end.
    void laneEnded();
    void endOfResult();
    std::unique_ptr<ResultQueue> makeQueue() const;
    bool nextInline(Batch& batch);
    bool nextQueued(Batch& batch);
    void endTasks();
    void countExchanges();
};

} // namespace blueshift::execute
