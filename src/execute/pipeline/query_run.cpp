#include <algorithm>
#include <new>

#include "execute/execute.h"
#include "execute/group/group.h"
#include "execute/join/join_build.h"
#include "execute/join/nested_loop.h"
#include "execute/join/probe.h"
#include "execute/pipeline/basic_sources.h"
#include "execute/pipeline/basic_steps.h"
#include "execute/pipeline/lane.h"
#include "execute/pipeline/result_queue.h"
#include "execute/pipeline/worker_pool.h"
#include "execute/rows/materialize.h"
#include "execute/sort/sort.h"
#include "execute/window/window.h"

namespace blueshift::execute {

namespace {

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

} // namespace

struct QueryRun::Impl {
    const compile::Program& program;
    RunEnvironment environment;
    std::unique_ptr<MemoryGrant> grant;
    std::vector<std::unique_ptr<JoinFilter>> filters;
    std::vector<JoinFilter*> filter_pointers;
    std::vector<std::unique_ptr<SinkOperator>> sinks;
    std::vector<OperatorMetrics> metrics;
    /// Sources and steps of the pipelines made so far; kept for their counters.
    struct Made {
        PipelineOperators operators;
        std::unique_ptr<SourceOperator> source;
        std::vector<std::unique_ptr<StepOperator>> steps;
        const compile::Pipeline* pipeline = nullptr;
        std::shared_ptr<PipelineCode> code;
    };
    std::vector<std::unique_ptr<Made>> made;
    std::atomic<u32> pipelines_done{0};
    std::atomic<Made*> current_made{nullptr};
    std::optional<compile::RowShapes> shapes; // made when code is first asked for
    std::mutex error_mutex;
    std::optional<Error> error;

    // The result's pipelines.
    size_t next_pipeline = 0;
    std::unique_ptr<WorkerContext> inline_context;
    std::unique_ptr<Lane> inline_lane;
    class LaneTask;
    std::unique_ptr<ResultQueue> queue;
    std::vector<std::unique_ptr<Task>> tasks;
    std::unique_ptr<OwnedBatch> held;

    Impl(const compile::Program& p, const RunEnvironment& e)
        : program(p), environment(e), metrics(p.operators + 1) {}
    ~Impl();

    WorkerContext makeContext(u32 worker) const {
        WorkerContext context;
        context.worker = worker;
        context.workers = environment.pool->threads() + 1;
        context.vector_rows = environment.vector_rows;
        context.eval.session = environment.sources.session;
        context.eval.random_state += worker * 0x9E3779B97F4A7C15ull;
        context.stop = environment.stop;
        context.memory = grant.get();
        return context;
    }
    void takeError(WorkerContext& context) {
        if (!context.eval.failed()) return;
        std::lock_guard lock(error_mutex);
        if (!error) error = std::move(context.eval.error);
        context.eval.error = Error(sqlstate::kQueryCanceled, "");
        environment.stop->request();
    }
    void throwIfFailed() {
        std::lock_guard lock(error_mutex);
        if (error) throw SqlError(*error);
        if (environment.stop->requested())
            throw SqlError(sqlstate::kQueryCanceled,
                           environment.stop->timedOut()
                               ? "canceling statement due to statement timeout"
                               : "canceling statement due to user request");
    }

    void makeSinks();
    void attachCode(const compile::Pipeline& pipeline, Made& made_pipeline);
    std::unique_ptr<GeneratedSteps> makeGenerated(const Made& made_pipeline);
    Made& makePipeline(const compile::Pipeline& pipeline);
    void runPipeline(size_t index);
    void finishSink(SinkOperator& sink);
    bool feedsResult(const compile::Pipeline& pipeline) const {
        return pipeline.sink == program.result_sink;
    }
    /// Lanes that a pipeline deserves: 1 is run by the caller's thread.
    u32 laneCount(const compile::Pipeline& pipeline, const Made& operators) const {
        if (pipeline.ordered) return 1;
        return std::min(environment.pool->threads(), operators.source->morselCount());
    }
    void prepareResult();
    bool nextInline(Batch& batch);
    bool nextQueued(Batch& batch);
    void endTasks();
};

/// A lane that runs in slices on the pool: into the queue, a consumer or a sink.
class QueryRun::Impl::LaneTask final : public Task {
public:
    LaneTask(Impl& run, Made& made, ResultQueue* queue) : run_(run), made_(made), queue_(queue) {}

    TaskResult run(u32 worker) override {
        if (!context_) {
            context_ = std::make_unique<WorkerContext>(run_.makeContext(worker));
            guarded(*context_, [&] { lane_ = std::make_unique<Lane>(made_.operators, *context_); });
        }
        bool parked = false;
        bool more = lane_ != nullptr;
        guarded(*context_, [&] {
            Batch batch;
            while (more) {
                if (!queue_->roomOrPark(*this)) {
                    parked = true;
                    return;
                }
                more = lane_->pull(batch);
                if (more) queue_->push(std::make_unique<OwnedBatch>(batch));
                if (more && run_.environment.pool->crowded()) return;
            }
        });
        if (parked) return TaskResult::kParked;
        if (more && !context_->failed()) return TaskResult::kAgain;
        run_.takeError(*context_);
        lane_.reset();
        queue_->writerEnded();
        return TaskResult::kDone;
    }

private:
    Impl& run_;
    Made& made_;
    ResultQueue* queue_;
    std::unique_ptr<WorkerContext> context_;
    std::unique_ptr<Lane> lane_;
};

QueryRun::Impl::~Impl() {
    environment.stop->request();
    endTasks();
}

void QueryRun::Impl::endTasks() {
    if (!queue) return;
    queue->abandon(*environment.pool);
    queue->waitForWriters();
    tasks.clear();
    queue.reset();
}

void QueryRun::Impl::makeSinks() {
    for (u32 i = 0; i < program.join_filters; ++i) {
        filters.push_back(std::make_unique<JoinFilter>());
        filter_pointers.push_back(filters.back().get());
    }
    for (const auto& info : program.sinks) {
        std::unique_ptr<SinkOperator> sink;
        if (std::holds_alternative<compile::BuildSink>(info.sink))
            sink = std::make_unique<JoinBuild>(info, filter_pointers);
        else if (std::holds_alternative<compile::MaterializeSink>(info.sink))
            sink = makeMaterializeSink(info);
        else if (std::holds_alternative<compile::GroupSink>(info.sink)) sink = makeGroupSink(info);
        else if (std::holds_alternative<compile::SortSink>(info.sink)) sink = makeSortSink(info);
        else if (std::holds_alternative<compile::WindowSink>(info.sink))
            sink = makeWindowSink(info);
        sinks.push_back(std::move(sink));
    }
}

QueryRun::Impl::Made& QueryRun::Impl::makePipeline(const compile::Pipeline& pipeline) {
    auto fresh = std::make_unique<Made>();
    Made& result = *fresh;
    if (const auto* scan = std::get_if<compile::ScanSource>(&pipeline.source)) {
        result.source =
            std::make_unique<TableScanSource>(*scan, *environment.store, *environment.cache,
                                              filter_pointers, environment.vector_rows);
    } else if (const auto* system = std::get_if<compile::SystemSource>(&pipeline.source)) {
        result.source = makeSystemSource(*system, pipeline.source_slots, environment.sources);
    } else if (const auto* values = std::get_if<compile::ValuesSource>(&pipeline.source)) {
        result.source = makeValuesSource(*values, pipeline.source_slots);
    } else {
        const auto& read = std::get<compile::SinkSource>(pipeline.source);
        auto* build = dynamic_cast<JoinBuild*>(sinks[read.sink].get());
        auto* rows = dynamic_cast<Materialized*>(sinks[read.sink].get());
        if (build != nullptr) result.source = build->makeMatchSource(read.columns, read.matched);
        else if (rows != nullptr && rows->keepsMatches())
            result.source = rows->makeMatchSource(read.columns, read.matched);
        else result.source = sinks[read.sink]->makeSource(read.columns);
    }
    result.source->open();
    for (const auto& info : pipeline.steps) {
        if (const auto* probe = std::get_if<compile::ProbeStep>(&info.step))
            result.steps.push_back(makeProbe(info, dynamic_cast<JoinBuild&>(*sinks[probe->sink])));
        else if (const auto* loop = std::get_if<compile::NestedLoopStep>(&info.step))
            result.steps.push_back(
                makeNestedLoop(info, dynamic_cast<Materialized&>(*sinks[loop->sink])));
        else result.steps.push_back(makeBasicStep(info));
        result.operators.steps.push_back(result.steps.back().get());
        result.operators.step_ops.push_back(info.op);
    }
    result.operators.source = result.source.get();
    result.operators.sink_slots = pipeline.sink_slots;
    result.operators.source_op = pipeline.source_op;
    result.operators.metrics = metrics;
    result.operators.timed = environment.timed;
    result.pipeline = &pipeline;
    if (environment.code != nullptr && environment.codegen != Codegen::kOff)
        attachCode(pipeline, result);
    made.push_back(std::move(fresh));
    current_made.store(made.back().get());
    return result;
}

void QueryRun::Impl::attachCode(const compile::Pipeline& pipeline, Made& made_pipeline) {
    const u32 morsels = made_pipeline.source->morselCount();
    if (morsels == 0) return;
    if (!shapes) shapes = rowShapes(program);
    made_pipeline.code =
        environment.code->codeFor(program, pipeline, *shapes, environment.codegen, morsels);
    if (!made_pipeline.code) return;
    made_pipeline.operators.code = made_pipeline.code.get();
    made_pipeline.operators.alternate_tiers = environment.alternate_tiers;
    made_pipeline.operators.lanes = std::max(1u, laneCount(pipeline, made_pipeline));
    made_pipeline.operators.make_generated = [this, &made_pipeline] {
        return makeGenerated(made_pipeline);
    };
}

/// The pipeline's steps, each segment in the place of those it stands for.
std::unique_ptr<GeneratedSteps> QueryRun::Impl::makeGenerated(const Made& made_pipeline) {
    auto result = std::make_unique<GeneratedSteps>();
    const auto& codes = *made_pipeline.code->ready();
    const auto& segments = made_pipeline.code->segments;
    size_t next = 0;
    const auto& steps = made_pipeline.operators.steps;
    for (u32 step = 0; step <= steps.size();) {
        if (next < segments.size() && segments[next].first_step == step) {
            const compile::Segment& segment = segments[next];
            std::vector<const JoinBuild*> builds;
            for (const u32 sink : segment.tables)
                builds.push_back(dynamic_cast<const JoinBuild*>(sinks[sink].get()));
            result->segments.push_back(
                std::make_unique<GeneratedSegment>(segment, codes[next], builds, metrics));
            result->steps.push_back(result->segments.back().get());
            result->step_ops.push_back(GeneratedSteps::kCountsItself);
            ++next;
            if (segment.step_count > 0) {
                step += segment.step_count;
                continue;
            }
        }
        if (step < steps.size()) {
            result->steps.push_back(steps[step]);
            result->step_ops.push_back(made_pipeline.operators.step_ops[step]);
        }
        ++step;
    }
    return result;
}

void QueryRun::Impl::runPipeline(size_t index) {
    const compile::Pipeline& pipeline = program.pipelines[index];
    SinkOperator& sink = *sinks[pipeline.sink];
    Made& operators = makePipeline(pipeline);
    const u32 lanes = std::max(1u, laneCount(pipeline, operators));
    environment.pool->parallelFor(lanes, [&](u32, u32 worker) {
        WorkerContext context = makeContext(worker);
        guarded(context, [&] {
            const auto state = sink.makeState(context);
            Lane lane(operators.operators, context, state.get());
            Batch batch;
            while (lane.pull(batch)) sink.consume(*state, batch, context);
            if (!context.failed()) sink.flush(*state, context);
        });
        takeError(context);
    });
    throwIfFailed();
    bool last = true;
    for (size_t later = index + 1; later < program.pipelines.size(); ++later)
        last &= program.pipelines[later].sink != pipeline.sink;
    if (last) finishSink(sink);
    pipelines_done.fetch_add(1);
}

void QueryRun::Impl::finishSink(SinkOperator& sink) {
    for (bool again = true; again;) {
        const u32 tasks_count = sink.finishTasks();
        environment.pool->parallelFor(tasks_count, [&](u32 task, u32 worker) {
            WorkerContext context = makeContext(worker);
            if (!context.failed()) guarded(context, [&] { sink.finishTask(task, context); });
            takeError(context);
        });
        throwIfFailed();
        WorkerContext context = makeContext(environment.pool->threads());
        again = false;
        guarded(context, [&] { again = sink.finished(context); });
        takeError(context);
        throwIfFailed();
    }
}

/// Runs what the next result pipeline needs, then opens it. Leaves neither lane nor queue at the
/// end.
void QueryRun::Impl::prepareResult() {
    endTasks();
    inline_lane.reset();
    held.reset();
    for (; next_pipeline < program.pipelines.size(); ++next_pipeline) {
        const compile::Pipeline& pipeline = program.pipelines[next_pipeline];
        if (!feedsResult(pipeline)) {
            runPipeline(next_pipeline);
            continue;
        }
        Made& operators = makePipeline(pipeline);
        const u32 lanes = laneCount(pipeline, operators);
        ++next_pipeline;
        if (lanes <= 1) {
            inline_context =
                std::make_unique<WorkerContext>(makeContext(environment.pool->threads()));
            guarded(*inline_context, [&] {
                inline_lane = std::make_unique<Lane>(operators.operators, *inline_context);
            });
            takeError(*inline_context);
            throwIfFailed();
            return;
        }
        queue = std::make_unique<ResultQueue>();
        queue->expect(lanes);
        for (u32 i = 0; i < lanes; ++i)
            tasks.push_back(std::make_unique<LaneTask>(*this, operators, queue.get()));
        for (auto& task : tasks) environment.pool->submit(*task);
        return;
    }
}

bool QueryRun::Impl::nextInline(Batch& batch) {
    bool more = false;
    guarded(*inline_context, [&] { more = inline_lane->pull(batch); });
    if (more) return true;
    takeError(*inline_context);
    throwIfFailed();
    inline_lane.reset();
    return false;
}

bool QueryRun::Impl::nextQueued(Batch& batch) {
    held = queue->take(*environment.pool);
    if (held) {
        batch = held->batch();
        return true;
    }
    throwIfFailed();
    endTasks();
    return false;
}

QueryRun::QueryRun(const compile::Program& program, const RunEnvironment& environment)
    : impl_(std::make_unique<Impl>(program, environment)) {
    impl_->grant = environment.memory->makeGrant();
    impl_->makeSinks();
}

QueryRun::~QueryRun() = default;

bool QueryRun::next(Batch& batch) {
    for (;;) {
        if (impl_->inline_lane && impl_->nextInline(batch)) return true;
        if (impl_->queue && impl_->nextQueued(batch)) return true;
        if (impl_->next_pipeline == impl_->program.pipelines.size()) return false;
        impl_->prepareResult();
    }
}

void QueryRun::consume(BatchConsumer& consumer) {
    Impl& run = *impl_;
    consumer.prepare(run.environment.pool->threads() + 1);
    for (size_t index = 0; index < run.program.pipelines.size(); ++index) {
        const compile::Pipeline& pipeline = run.program.pipelines[index];
        if (!run.feedsResult(pipeline)) {
            run.runPipeline(index);
            continue;
        }
        Impl::Made& operators = run.makePipeline(pipeline);
        const u32 lanes = std::max(1u, run.laneCount(pipeline, operators));
        run.environment.pool->parallelFor(lanes, [&](u32, u32 worker) {
            WorkerContext context = run.makeContext(worker);
            guarded(context, [&] {
                Lane lane(operators.operators, context);
                Batch batch;
                while (lane.pull(batch)) {
                    if (auto status = consumer.consume(worker, batch); !status) {
                        context.eval.fail(std::move(status.error()));
                        return;
                    }
                }
            });
            run.takeError(context);
        });
        run.throwIfFailed();
    }
    run.next_pipeline = run.program.pipelines.size();
}

std::vector<TierReport> QueryRun::tiers() const {
    std::vector<TierReport> reports(impl_->program.pipelines.size());
    for (const auto& made : impl_->made) {
        if (!made->code) continue;
        const size_t index = size_t(made->pipeline - impl_->program.pipelines.data());
        reports[index] = {.interpreted_rows = made->code->interpreted_rows.load(),
                          .generated_rows = made->code->generated_rows.load(),
                          .switches = made->code->switches.load(),
                          .compile_nanos = made->code->compileNanos()};
    }
    return reports;
}

std::pair<f64, f64> QueryRun::progress() const {
    const f64 pipelines = f64(impl_->program.pipelines.size());
    f64 done = impl_->pipelines_done.load();
    if (const auto* current = impl_->current_made.load()) {
        const f64 morsels = std::max(1.0, f64(current->source->morselCount()));
        done += std::min(1.0, current->operators.next_morsel.load() / morsels);
    }
    return {std::min(done, pipelines), pipelines};
}

std::vector<OperatorReport> QueryRun::reports() const {
    std::vector<OperatorReport> reports(impl_->metrics.size());
    for (size_t i = 0; i < reports.size(); ++i) {
        reports[i].rows = impl_->metrics[i].rows.load();
        reports[i].nanos = impl_->metrics[i].nanos.load();
    }
    for (size_t i = 0; i < impl_->sinks.size(); ++i)
        if (impl_->sinks[i])
            reports[impl_->program.sinks[i].op].memory_bytes += impl_->sinks[i]->memoryBytes();
    for (const auto& made : impl_->made) {
        const auto* scan = dynamic_cast<const TableScanSource*>(made->source.get());
        if (scan == nullptr) continue;
        auto& report = reports[made->operators.source_op];
        report.blocks_read = scan->scan().counters().blocks_read.load();
        report.blocks_skipped = scan->scan().counters().blocks_skipped.load();
    }
    for (const auto& pipeline : impl_->program.pipelines) {
        const auto* scan = std::get_if<compile::ScanSource>(&pipeline.source);
        if (scan == nullptr) continue;
        for (const auto& target : scan->join_filters) {
            reports[pipeline.source_op].join_filter_tested +=
                impl_->filters[target.filter]->rows_tested.load();
            reports[pipeline.source_op].join_filter_passed +=
                impl_->filters[target.filter]->rows_passed.load();
        }
    }
    return reports;
}

} // namespace blueshift::execute
