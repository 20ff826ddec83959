// Runs pipelines: alone in a parallel loop, or with those that send to them as tasks that park.
#include <algorithm>
#include <utility>

#include "execute/memory/least_memory.h"
#include "execute/pipeline/run_task.h"
#include "execute/rows/materialize.h"
#include "execute/spill/spill_space.h"

namespace blueshift::execute {

QueryRun::Impl::Impl(const compile::Program& p, const RunEnvironment& e)
    : program(p), stop(e.stop), environment(e), metrics(p.operators + 1) {
    environment.stop = &stop;
}

QueryRun::Impl::~Impl() {
    environment.stop->request();
    endTasks();
    countExchanges();
}

/// The threads are shared by the nodes; the leader's own pipelines may have them all.
u32 QueryRun::Impl::laneCount(const Made& operators, u32 sharing) const {
    if (operators.ordered) return 1;
    const u32 threads = (environment.pool->threads() + sharing - 1) / sharing;
    return std::max(1u, std::min(threads, operators.morsels));
}

std::vector<size_t> QueryRun::Impl::stageOf(size_t index) const {
    std::vector<size_t> stage;
    const auto add = [&](auto& self, size_t at) -> void {
        const auto* receive = std::get_if<compile::ReceiveSource>(&program.pipelines[at].source);
        if (receive != nullptr) {
            for (size_t p = 0; p < program.pipelines.size(); ++p) {
                const auto* send =
                    std::get_if<compile::SendSink>(&program.sinks[program.pipelines[p].sink].sink);
                if (send != nullptr && send->exchange == receive->exchange) self(self, p);
            }
        }
        stage.push_back(at);
    };
    add(add, index);
    return stage;
}

/// Runs the pipeline and what sends to it to the end; finishes its sink after the last that feeds
/// it.
void QueryRun::Impl::runPipeline(size_t index, BatchConsumer* consumer) {
    const compile::Pipeline& pipeline = program.pipelines[index];
    const auto stage = stageOf(index);
    if (stage.size() == 1) {
        runAlone(index, consumer);
    } else {
        startStage(stage, true, {.consumer = consumer});
        waitForTasks();
        clearTasks(); // else the next ones would be submitted with them
    }
    throwIfFailed();
    releaseSinks(index);
    pipelines_done.fetch_add(u32(stage.size()));
    if (consumer != nullptr) return;
    bool last = true;
    for (size_t later = index + 1; later < program.pipelines.size(); ++later)
        last &= program.pipelines[later].sink != pipeline.sink;
    if (last) finishSink(pipeline.sink);
}

void QueryRun::Impl::releaseSinks(size_t turn) {
    WorkerContext context = makeContext(environment.pool->threads());
    for (Node& node : nodes) {
        for (size_t i = 0; i < node.sinks.size(); ++i) {
            if (!node.sinks[i] || last_readers[i] != turn) continue;
            node.released_bytes[i] = node.sinks[i]->memoryBytes();
            node.sinks[i]->release(context);
        }
    }
}

void QueryRun::Impl::runLane(Made& operators, SinkOperator* sink, BatchConsumer* consumer,
                             u32 worker) {
    WorkerContext context = makeContext(worker, operators.node);
    guarded(context, [&] {
        const auto state = sink == nullptr ? nullptr : sink->makeState(context);
        Lane lane(operators.operators, context, state.get());
        Batch batch;
        while (nodeStands(operators.node, context) && lane.pull(batch)) {
            if (consumer == nullptr) {
                sink->consume(*state, batch, context);
            } else if (auto status = consumer->consume(worker, batch); !status) {
                context.eval.fail(std::move(status.error()));
                return;
            }
        }
        if (sink != nullptr && !context.failed()) sink->flush(*state, context);
    });
    takeError(context);
}

void QueryRun::Impl::runAlone(size_t index, BatchConsumer* consumer) {
    const compile::Pipeline& pipeline = program.pipelines[index];
    std::vector<Made*> parts;
    for (u32 node = 0; node < nodesOf(pipeline); ++node)
        parts.push_back(&makePipeline(index, node));
    while (!parts.empty()) {
        runParts(parts, pipeline.sink, consumer);
        throwIfFailed();
        for (Made*& part : parts) part = makeRest(*part);
        std::erase(parts, nullptr);
    }
}

/// One pipeline on several nodes.
void QueryRun::Impl::runParts(std::span<Made* const> parts, u32 sink_index,
                              BatchConsumer* consumer) {
    std::vector<Made*> lanes(parts.begin(), parts.end());
    for (Made* part : parts) {
        // The last node's rows are shared by all threads; on the others these lanes find none left.
        part->lanes = laneCount(*part, 1);
        for (u32 lane = 1; lane < part->lanes; ++lane) lanes.push_back(part);
    }
    environment.pool->parallelFor(u32(lanes.size()), [&](u32 index, u32 worker) {
        Made& operators = *lanes[index];
        const u32 next = operators.operators.next_morsel.load(std::memory_order_relaxed);
        if (index >= parts.size() && next >= operators.morsels) return;
        SinkOperator* sink =
            consumer == nullptr ? nodes[operators.node].sinks[sink_index].get() : nullptr;
        runLane(operators, sink, consumer, worker);
    });
}

void QueryRun::Impl::startStage(const std::vector<size_t>& stage, bool with_last, Target target) {
    clearTasks();
    consumers = 0;
    // Channels first: the ends of a stage are made from them.
    std::vector<u32> senders(program.exchanges.size());
    for (const size_t at : stage) {
        const auto* receive = std::get_if<compile::ReceiveSource>(&program.pipelines[at].source);
        if (receive == nullptr) continue;
        const compile::ExchangeInfo& info = program.exchanges[receive->exchange];
        settle(receive->exchange);
        exchange::ChannelShape shape;
        shape.endpoints = program.pipelines[at].leader_only ? 1 : program.nodes;
        shape.ordered = info.merges;
        shape.credit_bytes = takeCredit();
        shape.nodes = program.nodes;
        shape.first_dictionary_id = u64{1} << 63 | u64{receive->exchange} << 40;
        for (const auto& slot : info.slots) shape.kinds.push_back(slot.kind);
        channels[receive->exchange] = std::make_unique<exchange::Channel>(std::move(shape));
    }
    for (const size_t at : stage) {
        const compile::Pipeline& pipeline = program.pipelines[at];
        const auto* send = std::get_if<compile::SendSink>(&program.sinks[pipeline.sink].sink);
        // Senders stand before the pipeline that receives: all of them are known by then.
        if (const auto* receive = std::get_if<compile::ReceiveSource>(&pipeline.source))
            channels[receive->exchange]->expect(senders[receive->exchange]);
        if (send == nullptr && !with_last) continue;
        for (u32 node = 0; node < nodesOf(pipeline); ++node) {
            if (send != nullptr && nodes[node].sinks[pipeline.sink] == nullptr)
                nodes[node].sinks[pipeline.sink] = std::make_unique<SendOperator>(
                    *send, program.exchanges[send->exchange], exchange_kinds[send->exchange],
                    *channels[send->exchange], environment.cluster->buckets(), node);
            u32 none = 0;
            addTasks(pipeline.sink, makePipeline(at, node), send == nullptr ? target : Target{},
                     send == nullptr ? none : senders[send->exchange]);
        }
    }
    submitTasks();
}

/// Takes the memory of an exchange's messages in flight. The least is reserved since admission;
/// who holds no rows goes on without it where there is none.
u64 QueryRun::Impl::takeCredit() {
    u64 credit = channelCredit(*environment.memory);
    u64 bytes = channelBytes(program, credit);
    bool taken = grant->mayKeep(0, bytes) && grant->grow(bytes);
    if (!taken) {
        credit = kLeastCredit;
        bytes = channelBytes(program, credit);
        taken = grant->grow(bytes);
    }
    if (taken) channel_bytes += bytes;
    return credit;
}

void QueryRun::Impl::settle(u32 exchange) {
    using optimize::ExchangeKind;
    const compile::ExchangeInfo& info = program.exchanges[exchange];
    ExchangeKind& kind = exchange_kinds[exchange];
    if (kind == ExchangeKind::kSettledProbe) {
        const bool stays = exchange_kinds[info.build] == ExchangeKind::kBroadcast;
        kind = stays ? ExchangeKind::kKeep : ExchangeKind::kHash;
        settled[exchange] = {.broadcast = stays};
    }
    if (kind != ExchangeKind::kSettledBuild) return;
    u64 rows = 0;
    for (const Node& node : nodes)
        rows += dynamic_cast<Materialized&>(*node.sinks[info.materialized]).rowCount();
    const f64 bytes = info.row_bytes * f64(rows);
    // Every row to every other node, or both sides but for the rows that lie right already.
    const f64 n = program.nodes;
    kind = bytes * (n - 1) <= (bytes + info.probe_bytes) * (n - 1) / n ? ExchangeKind::kBroadcast
                                                                       : ExchangeKind::kHash;
    settled[exchange] = {.of_build = true,
                         .broadcast = kind == ExchangeKind::kBroadcast,
                         .rows = rows,
                         .bytes = bytes};
}

void QueryRun::Impl::submitTasks() {
    running_tasks = u32(tasks.size());
    for (auto& task : tasks) environment.pool->submit(*task);
}

void QueryRun::Impl::addTasks(u32 sink_index, Made& operators, Target target, u32& next_sender) {
    const bool to_result = target.queue != nullptr || target.consumer != nullptr;
    SinkOperator* sink = to_result ? nullptr : nodes[operators.node].sinks[sink_index].get();
    operators.lanes_left = operators.lanes;
    for (u32 lane = 0; lane < operators.lanes; ++lane) {
        const u32 number = target.consumer != nullptr ? consumers++ : u32(tasks.size());
        tasks.push_back(std::make_unique<RunTask>(*this, operators, sink, target, number));
        tasks.back()->sendAs(next_sender++);
    }
}

void QueryRun::Impl::addRestTasks(Made& rest, SinkOperator* sink, Target target, u32 number) {
    auto* send = dynamic_cast<SendOperator*>(sink);
    const bool ordered = send != nullptr && send->channel().shape().ordered;
    rest.lanes = ordered ? 1 : laneCount(rest, nodesOf(*rest.pipeline));
    rest.lanes_left = rest.lanes;
    environment.spill->countRest(rest.lanes);
    const u32 more = rest.lanes - 1;
    if (more == 0) return;
    u32 sender = send == nullptr ? 0 : send->channel().addSenders(more);
    // Of the pipeline before only the lane that calls is left: its number is not given away. Those
    // of a consumer lie within mostWorkers().
    constexpr u32 kBeyondTasks = 1024;
    const u32 first = target.consumer != nullptr ? consumers : kBeyondTasks;
    u32 next = first + rest.node * environment.pool->threads();
    std::vector<RunTask*> fresh;
    {
        const std::lock_guard lock(tasks_mutex);
        for (u32 lane = 0; lane < more; ++lane) {
            if (next == number) ++next;
            rest_tasks.push_back(std::make_unique<RunTask>(*this, rest, sink, target, next++));
            rest_tasks.back()->sendAs(sender++);
            fresh.push_back(rest_tasks.back().get());
        }
        running_tasks += more;
    }
    for (RunTask* task : fresh) environment.pool->submit(*task);
}

void QueryRun::Impl::finishSink(u32 index) {
    std::vector<SinkOperator*> open;
    for (Node& node : nodes)
        if (node.sinks[index]) open.push_back(node.sinks[index].get());
    while (!open.empty()) {
        std::vector<std::pair<SinkOperator*, u32>> work;
        for (SinkOperator* sink : open) {
            const u32 count = sink->finishTasks();
            for (u32 task = 0; task < count; ++task) work.emplace_back(sink, task);
        }
        environment.pool->parallelFor(u32(work.size()), [&](u32 task, u32 worker) {
            WorkerContext context = makeContext(worker);
            if (!context.failed())
                guarded(context, [&] { work[task].first->finishTask(work[task].second, context); });
            takeError(context);
        });
        throwIfFailed();
        std::erase_if(open, [&](SinkOperator* sink) {
            WorkerContext context = makeContext(environment.pool->threads());
            bool again = false;
            guarded(context, [&] { again = sink->finished(context); });
            takeError(context);
            return !again;
        });
        throwIfFailed();
    }
    if (program.nodes > 1)
        if (const auto* build = std::get_if<compile::BuildSink>(&program.sinks[index].sink))
            uniteFilters(*build);
}

void QueryRun::Impl::taskDone() {
    const std::lock_guard lock(tasks_mutex);
    --running_tasks;
    task_ended.notify_all();
}

void QueryRun::Impl::waitForTasks() {
    std::unique_lock lock(tasks_mutex);
    task_ended.wait(lock, [&] { return running_tasks == 0; });
}

void QueryRun::Impl::clearTasks() {
    tasks.clear();
    rest_tasks.clear();
    if (grant) grant->shrink(std::exchange(channel_bytes, 0));
}

void QueryRun::Impl::abandonChannels() {
    for (auto& channel : channels)
        if (channel) channel->abandon();
}

void QueryRun::Impl::endTasks() {
    if (queue) queue->abandon(*environment.pool);
    {
        const std::lock_guard lock(tasks_mutex);
        if (running_tasks > 0) abandonChannels();
    }
    waitForTasks();
    clearTasks();
    if (queue) result_spilled += queue->bytesSpilled();
    queue.reset();
}

} // namespace blueshift::execute
