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
#include "execute/spill/live_slots.h"
#include "execute/spill/spill_space.h"
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
    std::unique_ptr<QueryGrant> grant;
    std::vector<std::unique_ptr<JoinFilter>> filters;
    std::vector<JoinFilter*> filter_pointers;
    std::vector<std::unique_ptr<SinkOperator>> sinks;
    std::vector<u64> released_bytes;  // by sink: memory that it gave back
    std::vector<size_t> last_readers; // by sink: the last pipeline that reads it
    std::vector<OperatorMetrics> metrics;
    /// Sources and steps of the pipelines made so far; kept for their counters.
    struct Made {
        PipelineOperators operators;
        std::unique_ptr<SourceOperator> source;
        std::vector<std::unique_ptr<StepOperator>> steps;
        const compile::Pipeline* pipeline = nullptr;
        std::shared_ptr<PipelineCode> code;
        bool ordered = false;
        u32 morsels = 0;
    };
    std::vector<std::unique_ptr<Made>> made;
    std::atomic<u32> pipelines_done{0};
    std::atomic<Made*> current_made{nullptr};
    std::optional<compile::RowShapes> shapes; // made when code is first asked for
    std::mutex error_mutex;
    std::optional<Error> error;

    // The result's pipelines.
    size_t next_pipeline = 0;
    Made* result_made = nullptr; // the one under way
    bool rest_made = false;      // it has ended, and result_made is what it still owes
    std::atomic<u32> lanes_running{0};
    u64 result_spilled = 0;
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
        context.spill = environment.spill;
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

    void admit();
    void makeSinks();
    void attachCode(const compile::Pipeline& pipeline, Made& made_pipeline);
    std::unique_ptr<GeneratedSteps> makeGenerated(const Made& made_pipeline);
    Made& makePipeline(size_t index);
    Made& keep(std::unique_ptr<Made> fresh);
    /// What a step of an ended pipeline still owes, as a pipeline of its own; nullptr: nothing.
    Made* makeRest(Made& ended);
    /// Sinks that only pipelines up to `index` read give their memory back.
    void releaseSinks(size_t index);
    void nextResult();
    /// The last of them gives the memory back that nobody reads any more, before the client has
    /// read the queue to its end.
    void laneEnded();
    void endOfResult();
    std::unique_ptr<ResultQueue> makeQueue() const;
    void runPipeline(size_t index);
    void finishSink(SinkOperator& sink);
    bool feedsResult(const compile::Pipeline& pipeline) const {
        return pipeline.sink == program.result_sink;
    }
    /// Lanes that a pipeline deserves: 1 is run by the caller's thread.
    u32 laneCount(const Made& operators) const {
        if (operators.ordered) return 1;
        return std::min(environment.pool->threads(), operators.morsels);
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
                if (more) queue_->push(batch, *context_);
                if (more && run_.environment.pool->crowded()) return;
            }
        });
        if (parked) return TaskResult::kParked;
        if (more && !context_->failed()) return TaskResult::kAgain;
        run_.takeError(*context_);
        lane_.reset();
        run_.laneEnded();
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
    result_spilled += queue->bytesSpilled();
    queue.reset();
}

void QueryRun::Impl::admit() {
    u32 holding = 0;
    for (const auto& info : program.sinks)
        holding += !std::holds_alternative<compile::ResultSink>(info.sink);
    const bool forced = environment.spill != nullptr && environment.spill->forced();
    grant = environment.memory->admit({holding, environment.pool->threads() + 1, forced},
                                      *environment.stop);
    last_readers.assign(program.sinks.size(), ~size_t{0});
    released_bytes.assign(program.sinks.size(), 0);
    for (size_t i = 0; i < program.pipelines.size(); ++i)
        for (const u32 sink : program.pipelines[i].needs) last_readers[sink] = i;
}

void QueryRun::Impl::makeSinks() {
    for (u32 i = 0; i < program.join_filters; ++i) {
        filters.push_back(std::make_unique<JoinFilter>());
        filter_pointers.push_back(filters.back().get());
    }
    std::vector<bool> looped(program.sinks.size(), false);
    for (const auto& pipeline : program.pipelines)
        for (const auto& step : pipeline.steps)
            if (const auto* loop = std::get_if<compile::NestedLoopStep>(&step.step))
                looped[loop->sink] = true;
    for (const auto& info : program.sinks) {
        std::unique_ptr<SinkOperator> sink;
        if (std::holds_alternative<compile::BuildSink>(info.sink))
            sink = std::make_unique<JoinBuild>(info, filter_pointers);
        else if (std::holds_alternative<compile::MaterializeSink>(info.sink))
            sink = makeMaterializeSink(info, looped[sinks.size()]);
        else if (std::holds_alternative<compile::GroupSink>(info.sink)) sink = makeGroupSink(info);
        else if (std::holds_alternative<compile::SortSink>(info.sink)) sink = makeSortSink(info);
        else if (std::holds_alternative<compile::WindowSink>(info.sink))
            sink = makeWindowSink(info);
        sinks.push_back(std::move(sink));
    }
}

QueryRun::Impl::Made& QueryRun::Impl::makePipeline(size_t index) {
    const compile::Pipeline& pipeline = program.pipelines[index];
    std::vector<bool> started(program.sinks.size(), false);
    for (size_t i = 0; i <= index; ++i) started[program.pipelines[i].sink] = true;
    u32 later = 0;
    for (size_t i = 0; i < program.sinks.size(); ++i)
        later += !started[i] && i != program.result_sink;
    grant->keepForLater(later);
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
    for (size_t i = 0; i < pipeline.steps.size(); ++i) {
        const auto& info = pipeline.steps[i];
        if (const auto* probe = std::get_if<compile::ProbeStep>(&info.step))
            result.steps.push_back(makeProbe(info, dynamic_cast<JoinBuild&>(*sinks[probe->sink]),
                                             inputOf(pipeline, i)));
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
    result.ordered = pipeline.ordered;
    result.morsels = result.source->morselCount();
    if (environment.code != nullptr && environment.codegen != Codegen::kOff)
        attachCode(pipeline, result);
    return keep(std::move(fresh));
}

QueryRun::Impl::Made& QueryRun::Impl::keep(std::unique_ptr<Made> fresh) {
    fresh->morsels = fresh->source->morselCount();
    made.push_back(std::move(fresh));
    current_made.store(made.back().get());
    return *made.back();
}

QueryRun::Impl::Made* QueryRun::Impl::makeRest(Made& ended) {
    PipelineOperators& before = ended.operators;
    for (size_t i = 0; i < before.steps.size(); ++i) {
        auto source = before.steps[i]->takeRest();
        if (source == nullptr) continue;
        auto fresh = std::make_unique<Made>();
        fresh->source = std::move(source);
        fresh->source->open();
        fresh->ordered = ended.ordered;
        PipelineOperators& rest = fresh->operators;
        rest.source = fresh->source.get();
        rest.steps.assign(before.steps.begin() + i64(i) + 1, before.steps.end());
        rest.step_ops.assign(before.step_ops.begin() + i64(i) + 1, before.step_ops.end());
        rest.sink_slots = before.sink_slots;
        rest.source_op = before.step_ops[i];
        rest.metrics = before.metrics;
        rest.timed = before.timed;
        return &keep(std::move(fresh));
    }
    return nullptr;
}

void QueryRun::Impl::releaseSinks(size_t index) {
    WorkerContext context = makeContext(environment.pool->threads());
    for (size_t i = 0; i < sinks.size(); ++i) {
        if (!sinks[i] || last_readers[i] != index) continue;
        released_bytes[i] = sinks[i]->memoryBytes();
        sinks[i]->release(context);
    }
}

void QueryRun::Impl::attachCode(const compile::Pipeline& pipeline, Made& made_pipeline) {
    const u32 morsels = made_pipeline.morsels;
    if (morsels == 0) return;
    // Generated code probes whole tables only.
    for (const auto& info : pipeline.steps)
        if (const auto* probe = std::get_if<compile::ProbeStep>(&info.step))
            if (dynamic_cast<JoinBuild&>(*sinks[probe->sink]).spilledMask() != 0) return;
    if (!shapes) shapes = rowShapes(program);
    made_pipeline.code =
        environment.code->codeFor(program, pipeline, *shapes, environment.codegen, morsels);
    if (!made_pipeline.code) return;
    made_pipeline.operators.code = made_pipeline.code.get();
    made_pipeline.operators.alternate_tiers = environment.alternate_tiers;
    made_pipeline.operators.lanes = std::max(1u, laneCount(made_pipeline));
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
    for (Made* part = &makePipeline(index); part != nullptr; part = makeRest(*part)) {
        const u32 lanes = std::max(1u, laneCount(*part));
        environment.pool->parallelFor(lanes, [&](u32, u32 worker) {
            WorkerContext context = makeContext(worker);
            guarded(context, [&] {
                const auto state = sink.makeState(context);
                Lane lane(part->operators, context, state.get());
                Batch batch;
                while (lane.pull(batch)) sink.consume(*state, batch, context);
                if (!context.failed()) sink.flush(*state, context);
            });
            takeError(context);
        });
        throwIfFailed();
    }
    releaseSinks(index);
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

/// The next pipeline that feeds the result, after what it needs; nullptr: there is none.
void QueryRun::Impl::nextResult() {
    if (result_made != nullptr && !rest_made) endOfResult();
    rest_made = false;
    if (result_made != nullptr) return;
    while (result_made == nullptr && next_pipeline < program.pipelines.size()) {
        const size_t index = next_pipeline++;
        if (feedsResult(program.pipelines[index])) result_made = &makePipeline(index);
        else runPipeline(index);
    }
}

void QueryRun::Impl::endOfResult() {
    result_made = makeRest(*result_made);
    if (result_made == nullptr) releaseSinks(next_pipeline - 1);
    rest_made = true;
}

void QueryRun::Impl::laneEnded() {
    if (lanes_running.fetch_sub(1) != 1 || environment.stop->requested()) return;
    WorkerContext context = makeContext(environment.pool->threads());
    guarded(context, [&] { endOfResult(); });
    takeError(context);
}

/// Scans that hold no memory to speak of park when their client is slow; a query that does hold
/// some writes its result out, ends, and gives it back.
std::unique_ptr<ResultQueue> QueryRun::Impl::makeQueue() const {
    constexpr u64 kWorthGivingBack = 8 << 20;
    const bool forced = environment.spill != nullptr && environment.spill->forced();
    if (environment.spill == nullptr || (!forced && grant->used() < kWorthGivingBack))
        return std::make_unique<ResultQueue>();
    const compile::Pipeline& pipeline = program.pipelines[next_pipeline - 1];
    const auto& slots =
        pipeline.steps.empty() ? pipeline.source_slots : pipeline.steps.back().output;
    std::vector<RowColumn> columns;
    for (const compile::Slot slot : pipeline.sink_slots)
        columns.push_back({slots[slot].kind, slots[slot].nullable});
    return std::make_unique<ResultQueue>(RowLayout(columns, false));
}

/// Opens the next result pipeline. Leaves neither lane nor queue at the end.
void QueryRun::Impl::prepareResult() {
    endTasks();
    inline_lane.reset();
    held.reset();
    nextResult();
    if (result_made == nullptr) return;
    Made& operators = *result_made;
    const u32 lanes = laneCount(operators);
    if (lanes <= 1) {
        inline_context = std::make_unique<WorkerContext>(makeContext(environment.pool->threads()));
        guarded(*inline_context, [&] {
            inline_lane = std::make_unique<Lane>(operators.operators, *inline_context);
        });
        takeError(*inline_context);
        throwIfFailed();
        return;
    }
    queue = makeQueue();
    queue->expect(lanes);
    lanes_running = lanes;
    for (u32 i = 0; i < lanes; ++i)
        tasks.push_back(std::make_unique<LaneTask>(*this, operators, queue.get()));
    for (auto& task : tasks) environment.pool->submit(*task);
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
    WorkerContext context = makeContext(environment.pool->threads());
    held = queue->take(*environment.pool, context);
    takeError(context);
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
    impl_->admit();
    impl_->makeSinks();
}

QueryRun::~QueryRun() = default;

bool QueryRun::next(Batch& batch) {
    for (;;) {
        if (impl_->inline_lane && impl_->nextInline(batch)) return true;
        if (impl_->queue && impl_->nextQueued(batch)) return true;
        const bool last = impl_->next_pipeline == impl_->program.pipelines.size();
        if (last && impl_->result_made == nullptr) return false;
        impl_->prepareResult();
    }
}

void QueryRun::consume(BatchConsumer& consumer) {
    Impl& run = *impl_;
    consumer.prepare(run.environment.pool->threads() + 1);
    for (run.nextResult(); run.result_made != nullptr; run.nextResult()) {
        Impl::Made& operators = *run.result_made;
        const u32 lanes = std::max(1u, run.laneCount(operators));
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
        const f64 morsels = std::max(1.0, f64(current->morsels));
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
        if (impl_->sinks[i]) {
            auto& report = reports[impl_->program.sinks[i].op];
            report.memory_bytes +=
                std::max(impl_->released_bytes[i], impl_->sinks[i]->memoryBytes());
            report.spilled_bytes += impl_->sinks[i]->spilledBytes();
        }
    reports[impl_->program.sinks[impl_->program.result_sink].op].spilled_bytes +=
        impl_->result_spilled;
    for (const auto& made : impl_->made) {
        for (size_t i = 0; i < made->steps.size(); ++i)
            reports[made->operators.step_ops[i]].spilled_bytes += made->steps[i]->spilledBytes();
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
