// The operators of one node: sinks once, sources and steps when their pipeline begins.
#include <algorithm>
#include <bit>

#include "execute/group/group.h"
#include "execute/join/join_build.h"
#include "execute/join/nested_loop.h"
#include "execute/join/probe.h"
#include "execute/memory/least_memory.h"
#include "execute/pipeline/basic_sources.h"
#include "execute/pipeline/basic_steps.h"
#include "execute/pipeline/query_run_state.h"
#include "execute/rows/materialize.h"
#include "execute/sort/sort.h"
#include "execute/spill/live_slots.h"
#include "execute/window/window.h"

namespace blueshift::execute {

namespace {

std::unique_ptr<SinkOperator> makeSink(const compile::SinkInfo& info,
                                       std::span<JoinFilter* const> filters) {
    if (std::holds_alternative<compile::BuildSink>(info.sink))
        return std::make_unique<JoinBuild>(info, filters);
    if (std::holds_alternative<compile::MaterializeSink>(info.sink))
        return makeMaterializeSink(info);
    if (std::holds_alternative<compile::GroupSink>(info.sink)) return makeGroupSink(info);
    if (std::holds_alternative<compile::SortSink>(info.sink)) return makeSortSink(info);
    if (std::holds_alternative<compile::WindowSink>(info.sink)) return makeWindowSink(info);
    return nullptr; // the result's; senders are made with their channel
}

} // namespace

void QueryRun::Impl::makeSinks() {
    nodes.resize(program.nodes);
    for (u32 n = 0; n < program.nodes; ++n) {
        Node& node = nodes[n];
        for (u32 i = 0; i < program.join_filters; ++i) {
            node.filters.push_back(std::make_unique<JoinFilter>());
            node.filter_pointers.push_back(node.filters.back().get());
        }
        for (size_t i = 0; i < program.sinks.size(); ++i) {
            const compile::SinkInfo& info = program.sinks[i];
            const bool here = n == 0 || info.everywhere;
            node.sinks.push_back(here ? makeSink(info, node.filter_pointers) : nullptr);
        }
        node.released_bytes.assign(program.sinks.size(), 0);
    }
    if (program.nodes > 1)
        for (u32 i = 0; i < program.join_filters; ++i)
            united_filters.push_back(std::make_unique<JoinFilter>());
    channels.resize(program.exchanges.size());
    settled.resize(program.exchanges.size());
    for (const auto& info : program.exchanges) exchange_kinds.push_back(info.kind);
}

QueryRun::Impl::Made& QueryRun::Impl::makePipeline(size_t index, u32 number) {
    const compile::Pipeline& pipeline = program.pipelines[index];
    std::vector<bool> started(program.sinks.size(), false);
    for (size_t i = 0; i < program.pipelines.size(); ++i)
        if (turns[i] <= turns[index]) started[program.pipelines[i].sink] = true;
    u32 later = 0;
    for (size_t i = 0; i < program.sinks.size(); ++i)
        later += !started[i] && holdsRows(program.sinks[i]);
    grant->keepForLater(later);
    auto fresh = std::make_unique<Made>();
    Made& result = *fresh;
    Node& node = nodes[number];
    result.node = number;
    if (const auto* scan = std::get_if<compile::ScanSource>(&pipeline.source)) {
        storage::ScanShare share;
        if (program.nodes > 1 && !scan->whole) {
            share = {.node = number, .nodes = program.nodes, .least_rows = environment.share_rows};
            if (scan->table->dist_style == catalog::DistStyle::kKey) {
                share.key_column = scan->table->dist_key;
                share.owners = environment.cluster->buckets().owners();
            }
        }
        std::vector<JoinFilter*> filters = node.filter_pointers;
        for (const auto& target : scan->join_filters)
            if (target.united && program.nodes > 1)
                filters[target.filter] = united_filters[target.filter].get();
        result.source = std::make_unique<TableScanSource>(
            *scan, *environment.store, *environment.cache, filters, environment.vector_rows, share);
    } else if (const auto* system = std::get_if<compile::SystemSource>(&pipeline.source)) {
        result.source = makeSystemSource(*system, pipeline.source_slots, environment.sources);
    } else if (const auto* values = std::get_if<compile::ValuesSource>(&pipeline.source)) {
        result.source = makeValuesSource(*values, pipeline.source_slots);
    } else if (const auto* receive = std::get_if<compile::ReceiveSource>(&pipeline.source)) {
        auto source = makeReceive(*receive, program.exchanges[receive->exchange],
                                  *channels[receive->exchange], number,
                                  pipeline.ordered ? 1 : environment.pool->threads());
        result.receive = source.get();
        result.source = std::move(source);
    } else {
        const auto& read = std::get<compile::SinkSource>(pipeline.source);
        auto* build = dynamic_cast<JoinBuild*>(node.sinks[read.sink].get());
        auto* rows = dynamic_cast<Materialized*>(node.sinks[read.sink].get());
        if (build != nullptr) result.source = build->makeMatchSource(read.columns, read.matched);
        else if (rows != nullptr && rows->keepsMatches())
            result.source = rows->makeMatchSource(read.columns, read.matched);
        else result.source = node.sinks[read.sink]->makeSource(read.columns);
    }
    result.source->open();
    for (size_t i = 0; i < pipeline.steps.size(); ++i) {
        const auto& info = pipeline.steps[i];
        if (const auto* probe = std::get_if<compile::ProbeStep>(&info.step))
            result.steps.push_back(makeProbe(
                info, dynamic_cast<JoinBuild&>(*node.sinks[probe->sink]), inputOf(pipeline, i)));
        else if (const auto* loop = std::get_if<compile::NestedLoopStep>(&info.step))
            result.steps.push_back(
                makeNestedLoop(info, dynamic_cast<Materialized&>(*node.sinks[loop->sink])));
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
    result.lanes = laneCount(result, nodesOf(pipeline));
    if (environment.code != nullptr && environment.codegen != Codegen::kOff)
        attachCode(pipeline, result);
    return keep(std::move(fresh));
}

QueryRun::Impl::Made& QueryRun::Impl::keep(std::unique_ptr<Made> fresh) {
    fresh->morsels = fresh->source->morselCount();
    const std::lock_guard lock(made_mutex);
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
        fresh->node = ended.node;
        fresh->pipeline = ended.pipeline;
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

void QueryRun::Impl::attachCode(const compile::Pipeline& pipeline, Made& made_pipeline) {
    const u32 morsels = made_pipeline.morsels;
    if (morsels == 0) return;
    // Generated code probes whole tables only.
    for (const auto& info : pipeline.steps)
        if (const auto* probe = std::get_if<compile::ProbeStep>(&info.step)) {
            auto& build = *nodes[made_pipeline.node].sinks[probe->sink];
            if (dynamic_cast<JoinBuild&>(build).spilledMask() != 0) return;
        }
    if (!shapes) shapes = rowShapes(program);
    made_pipeline.code = environment.code->codeFor(program, pipeline, *shapes, environment.codegen,
                                                   morsels * nodesOf(pipeline), *environment.stop);
    if (!made_pipeline.code) return;
    made_pipeline.operators.code = made_pipeline.code.get();
    made_pipeline.operators.alternate_tiers = environment.alternate_tiers;
    // Whether code pays is asked for the work of all nodes on all threads.
    made_pipeline.operators.lanes = laneCount(made_pipeline, 1);
    made_pipeline.operators.nodes = nodesOf(pipeline);
    made_pipeline.operators.make_generated = [this, &made_pipeline] {
        return makeGenerated(made_pipeline);
    };
}

/// The pipeline's steps, each segment in the place of those it stands for.
std::unique_ptr<GeneratedSteps> QueryRun::Impl::makeGenerated(const Made& made_pipeline) {
    auto result = std::make_unique<GeneratedSteps>();
    const auto& codes = *made_pipeline.code->ready();
    const auto& segments = made_pipeline.code->segments();
    const auto& sinks = nodes[made_pipeline.node].sinks;
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
            result->time_ops.push_back(
                segment.step_count > 0
                    ? made_pipeline.operators.step_ops[step + segment.step_count - 1]
                    : program.sinks[made_pipeline.pipeline->sink].op);
            ++next;
            if (segment.step_count > 0) {
                step += segment.step_count;
                continue;
            }
        }
        if (step < steps.size()) {
            result->steps.push_back(steps[step]);
            result->step_ops.push_back(made_pipeline.operators.step_ops[step]);
            result->time_ops.push_back(made_pipeline.operators.step_ops[step]);
        }
        ++step;
    }
    return result;
}

namespace {

/// All of `from` is in `into` as well, which has at least as many words: a word of the smaller
/// filter stands for several of the larger one.
void addBloom(JoinFilter& into, const JoinFilter& from) {
    const u64 words_each = into.bloom.size() / from.bloom.size();
    for (u64 w = 0; w < into.bloom.size(); ++w) into.bloom[w] |= from.bloom[w / words_each];
}

} // namespace

/// What the builds of all nodes published, as one filter.
void QueryRun::Impl::uniteFilters(const compile::BuildSink& build) {
    for (const auto& published : build.publishes) {
        JoinFilter& into = *united_filters[published.filter];
        into.build_empty = true;
        into.has_range = true;
        u64 words = 0;
        bool all_have_bloom = true;
        bool complete = true;
        for (const Node& node : nodes) {
            const JoinFilter& from = *node.filters[published.filter];
            if (&node != nodes.data() && !from.ready) continue; // a build on the leader only
            complete = complete && from.ready;
            if (from.build_empty) continue;
            if (into.build_empty) {
                into.min = from.min;
                into.max = from.max;
            }
            into.build_empty = false;
            into.has_range = into.has_range && from.has_range;
            into.min = std::min(into.min, from.min);
            into.max = std::max(into.max, from.max);
            all_have_bloom = all_have_bloom && !from.bloom.empty();
            words += from.bloom.size();
        }
        if (!complete) continue;
        into.has_range = into.has_range && !into.build_empty;
        if (all_have_bloom && words > 0) {
            into.bloom.assign(std::bit_ceil(words), 0);
            into.bloom_shift = u32(64 - std::countr_zero(into.bloom.size()));
            for (const Node& node : nodes) {
                const JoinFilter& from = *node.filters[published.filter];
                if (from.ready && !from.bloom.empty()) addBloom(into, from);
            }
        }
        into.ready.store(true, std::memory_order_release);
    }
}

} // namespace blueshift::execute
