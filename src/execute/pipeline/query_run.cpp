#include <algorithm>

#include "execute/memory/least_memory.h"
#include "execute/pipeline/basic_sources.h"
#include "execute/pipeline/query_run_state.h"
#include "execute/spill/spill_space.h"

namespace blueshift::execute {

WorkerContext QueryRun::Impl::makeContext(u32 worker, u32 node) const {
    WorkerContext context;
    context.worker = worker;
    context.workers = mostWorkers();
    context.vector_rows = environment.vector_rows;
    context.eval.session = environment.sources.session;
    context.eval.random_state += (worker + u64{node} * 4096) * 0x9E3779B97F4A7C15ull;
    context.stop = environment.stop;
    context.memory = grant.get();
    context.spill = environment.spill;
    return context;
}

void QueryRun::Impl::takeError(WorkerContext& context) {
    if (!context.eval.failed()) return;
    std::lock_guard lock(error_mutex);
    if (!error) error = std::move(context.eval.error);
    context.eval.error = Error(sqlstate::kQueryCanceled, "");
    environment.stop->request();
}

void QueryRun::Impl::throwIfFailed() {
    std::lock_guard lock(error_mutex);
    if (error) throw SqlError(*error);
    if (environment.stop->requested()) throw SqlError(environment.stop->error());
}

bool QueryRun::Impl::nodeStands(u32 node, WorkerContext& context) {
    if (program.nodes <= 1) return true;
    const bool fails = environment.failing_node == node && checks_of_failing.fetch_add(1) > 0;
    if (!fails && environment.cluster->stands(node)) return true;
    context.eval.fail(Error(cluster::kNodeStopped,
                            "node " + std::to_string(node) + " stopped while the statement ran")
                          .withHint("Run the statement again."));
    return false;
}

void QueryRun::Impl::admit() {
    const u32 threads = environment.pool->threads();
    GrantRequest request = leastMemory(program, threads, *environment.memory);
    if (environment.consumer_holds)
        request.more_bytes +=
            environment.memory->workerMinimum(threads) * lanesOf(program.nodes, threads);
    request.query_id = environment.query_id;
    request.forced = environment.spill != nullptr && environment.spill->forced();
    grant = environment.memory->admit(request, *environment.stop);
    turns.resize(program.pipelines.size());
    for (size_t i = 0; i < program.pipelines.size(); ++i) {
        const auto& sink = program.sinks[program.pipelines[i].sink].sink;
        if (std::holds_alternative<compile::SendSink>(sink)) continue;
        for (const size_t at : stageOf(i)) turns[at] = i;
    }
    last_readers.assign(program.sinks.size(), ~size_t{0});
    for (size_t i = 0; i < program.pipelines.size(); ++i)
        for (const u32 sink : program.pipelines[i].needs) {
            size_t& last = last_readers[sink];
            last = last == ~size_t{0} ? turns[i] : std::max(last, turns[i]);
        }
}

/// The next pipeline that feeds the result, after what it needs; none: result_made is nullptr.
void QueryRun::Impl::nextResult() {
    if (result_made != nullptr && !rest_made) endOfResult();
    rest_made = false;
    if (result_made != nullptr) return;
    while (result_made == nullptr && next_pipeline < program.pipelines.size()) {
        const size_t index = next_pipeline++;
        const compile::Pipeline& pipeline = program.pipelines[index];
        // Senders run with the pipeline that receives.
        if (std::holds_alternative<compile::SendSink>(program.sinks[pipeline.sink].sink)) continue;
        if (!feedsResult(pipeline)) {
            runPipeline(index);
            continue;
        }
        const auto stage = stageOf(index);
        if (stage.size() > 1) startStage(stage, false, {});
        result_made = &makePipeline(index, 0);
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
    const u32 lanes = laneCount(operators, 1);
    if (lanes <= 1 || operators.receive != nullptr) {
        inline_made = &operators;
        inline_context = std::make_unique<WorkerContext>(makeContext(environment.pool->threads()));
        guarded(*inline_context, [&] {
            inline_lane = std::make_unique<Lane>(operators.operators, *inline_context);
        });
        takeError(*inline_context);
        throwIfFailed();
        return;
    }
    operators.lanes = lanes;
    queue = makeQueue();
    queue->expect(lanes);
    lanes_running = lanes;
    u32 none = 0;
    addTasks(program.result_sink, operators, {.queue = queue.get()}, none);
    submitTasks();
}

bool QueryRun::Impl::nextInline(Batch& batch) {
    for (;;) {
        bool more = false;
        guarded(*inline_context,
                [&] { more = nodeStands(0, *inline_context) && inline_lane->pull(batch); });
        if (more) return true;
        if (!inline_lane->waiting() || inline_context->failed()) break;
        inline_made->receive->waitReady(inline_lane->sourceState());
    }
    takeError(*inline_context);
    inline_lane.reset();
    if (inline_made->receive != nullptr) inline_made->receive->close();
    endTasks();
    throwIfFailed();
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

/// Adds what this run moved to the cluster's totals.
void QueryRun::Impl::countExchanges() {
    for (const auto& channel : channels) {
        if (!channel) continue;
        auto& totals = environment.cluster->totals();
        totals.batches += channel->counters().messages;
        totals.rows += channel->counters().rows;
        totals.bytes += channel->counters().bytes;
        totals.moved_bytes += channel->counters().moved_bytes;
    }
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
    consumer.prepare(run.mostWorkers(), *run.grant);
    for (size_t index = 0; index < run.program.pipelines.size(); ++index) {
        const compile::Pipeline& pipeline = run.program.pipelines[index];
        if (std::holds_alternative<compile::SendSink>(run.program.sinks[pipeline.sink].sink))
            continue;
        run.runPipeline(index, run.feedsResult(pipeline) ? &consumer : nullptr);
    }
    run.next_pipeline = run.program.pipelines.size();
}

std::vector<TierReport> QueryRun::tiers() const {
    std::vector<TierReport> reports(impl_->program.pipelines.size());
    for (const auto& made : impl_->made) {
        if (!made->code) continue;
        // A pipeline has an instance per node.
        TierReport& report = reports[size_t(made->pipeline - impl_->program.pipelines.data())];
        report.interpreted_rows += made->code->interpreted_rows.load();
        report.generated_rows += made->code->generated_rows.load();
        report.switches += made->code->switches.load();
        report.compile_nanos = std::max(report.compile_nanos, made->code->compileNanos());
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

std::vector<SentReport> QueryRun::sent() const {
    std::vector<SentReport> sent;
    for (size_t i = 0; i < impl_->channels.size(); ++i) {
        if (!impl_->channels[i]) continue;
        const compile::ExchangeInfo& info = impl_->program.exchanges[i];
        for (u32 node = 0; node < impl_->program.nodes; ++node) {
            const exchange::ChannelCounters& counters = impl_->channels[i]->countersOf(node);
            if (counters.messages == 0) continue;
            sent.push_back(
                {.op = info.op,
                 .node = node,
                 .broadcast = impl_->exchange_kinds[i] == optimize::ExchangeKind::kBroadcast,
                 .rows = counters.rows,
                 .moved_bytes = counters.moved_bytes,
                 .batches = counters.messages});
        }
    }
    return sent;
}

std::vector<OperatorReport> QueryRun::reports() const {
    std::vector<OperatorReport> reports(impl_->metrics.size());
    for (size_t i = 0; i < reports.size(); ++i) {
        reports[i].rows = impl_->metrics[i].rows.load();
        reports[i].nanos = impl_->metrics[i].nanos.load();
    }
    for (const auto& node : impl_->nodes)
        for (size_t i = 0; i < node.sinks.size(); ++i) {
            if (!node.sinks[i]) continue;
            auto& report = reports[impl_->program.sinks[i].op];
            report.memory_bytes += std::max(node.released_bytes[i], node.sinks[i]->memoryBytes());
            report.spilled_bytes += node.sinks[i]->spilledBytes();
        }
    reports[impl_->program.sinks[impl_->program.result_sink].op].spilled_bytes +=
        impl_->result_spilled;
    for (const auto& made : impl_->made) {
        for (size_t i = 0; i < made->steps.size(); ++i)
            reports[made->operators.step_ops[i]].spilled_bytes += made->steps[i]->spilledBytes();
        const auto* scan = dynamic_cast<const TableScanSource*>(made->source.get());
        if (scan == nullptr) continue;
        auto& report = reports[made->operators.source_op];
        report.blocks_read += scan->scan().counters().blocks_read.load();
        report.blocks_skipped += scan->scan().counters().blocks_skipped.load();
    }
    for (const auto& pipeline : impl_->program.pipelines) {
        const auto* scan = std::get_if<compile::ScanSource>(&pipeline.source);
        if (scan == nullptr) continue;
        auto& report = reports[pipeline.source_op];
        for (const auto& target : scan->join_filters) {
            const auto count = [&](const JoinFilter& filter) {
                report.join_filter_tested += filter.rows_tested.load();
                report.join_filter_passed += filter.rows_passed.load();
            };
            if (target.united && !impl_->united_filters.empty())
                count(*impl_->united_filters[target.filter]);
            else
                for (const auto& node : impl_->nodes) count(*node.filters[target.filter]);
        }
    }
    for (size_t i = 0; i < impl_->channels.size(); ++i) {
        if (!impl_->channels[i]) continue;
        auto& report = reports[impl_->program.exchanges[i].op];
        const exchange::ChannelCounters& counters = impl_->channels[i]->counters();
        report.sent_batches += counters.messages.load();
        report.sent_rows += counters.rows.load();
        report.moved_bytes += counters.moved_bytes.load();
        report.settled = impl_->settled[i];
    }
    return reports;
}

} // namespace blueshift::execute
