// Pipelines' ends: joins' build sides, grouping, windows, sorts; and the streams that read them.
#include <algorithm>

#include "compile/pipeline_builder.h"
#include "compile/range.h"

namespace blueshift::compile {

using optimize::JoinOutput;

namespace {

bool keepsBuildRows(JoinOutput output) {
    return output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter ||
           output == JoinOutput::kBuildSemi || output == JoinOutput::kBuildAnti;
}
bool nullsBuildColumns(JoinOutput output) {
    return output == JoinOutput::kProbeOuter || output == JoinOutput::kFullOuter ||
           output == JoinOutput::kProbeSingle;
}
bool nullsProbeColumns(JoinOutput output) {
    return output == JoinOutput::kBuildOuter || output == JoinOutput::kFullOuter;
}

bool hasSlot(const std::vector<SlotInfo>& slots, ColumnId id) {
    return std::any_of(slots.begin(), slots.end(), [&](const SlotInfo& s) { return s.id == id; });
}

SlotInfo naturalSlot(ColumnId id, SqlType type) {
    SlotInfo slot{.id = id, .type = type, .kind = naturalKind(type), .nullable = true};
    if (isIntegerKind(slot.kind)) {
        const Range range = rangeOfKind(slot.kind);
        slot.has_range = true;
        slot.min = range.min;
        slot.max = range.max;
    }
    return slot;
}

} // namespace

/// Build rows that matched (semi) or did not (outer, anti), once the probe has ended; probe columns
/// are NULL.
void PipelineBuilder::buildRowsStream(Streams& streams, const optimize::PhysicalOp* op, u32 sink,
                                      const std::vector<std::pair<u32, Slot>>& build_columns,
                                      const std::vector<SlotInfo>& output) {
    std::vector<u32> columns;
    std::vector<SlotInfo> slots;
    for (const auto& [index, slot] : build_columns) {
        columns.push_back(index);
        slots.push_back(output[slot]);
    }
    Stream stream = readSink(sink, std::move(columns), std::move(slots), op);
    const bool semi = op->kind == optimize::OpKind::kHashJoin
                          ? op->as<optimize::HashJoinOp>()->output == JoinOutput::kBuildSemi
                          : op->as<optimize::NestedLoopJoinOp>()->output == JoinOutput::kBuildSemi;
    std::get<SinkSource>(stream.pipeline.source).matched = semi;
    stream.follows = true;
    ComputeStep compute;
    for (const auto& column : op->columns) {
        if (hasSlot(stream.slots, column.id)) continue;
        const auto like = std::find_if(output.begin(), output.end(),
                                       [&](const SlotInfo& s) { return s.id == column.id; });
        Expression null = ExpressionCompiler({}, arena_)
                              .compileAs(makeConstant(arena_, Value::null(like->type)), like->kind);
        SlotInfo slot = *like;
        slot.nullable = true;
        compute.targets.push_back(addSlot(stream, slot));
        compute.expressions.push_back(null);
    }
    if (!compute.expressions.empty())
        stream.pipeline.steps.push_back({std::move(compute), op->id, stream.slots});
    streams.push_back(std::move(stream));
}

PipelineBuilder::Streams PipelineBuilder::hashJoin(const optimize::HashJoinOp* op) {
    Streams build = produce(op->children[1]);
    const size_t before_probe = program_.pipelines.size();
    Streams probe = produce(op->children[0]);
    const size_t before_build = program_.pipelines.size();
    std::vector<const Expr*> build_exprs;
    std::vector<const Expr*> probe_exprs;
    for (const auto& key : op->keys) {
        build_exprs.push_back(key.build);
        probe_exprs.push_back(key.probe);
    }
    // Key kinds: the wider of all streams on both sides.
    std::vector<PhysicalKind> kinds;
    for (size_t k = 0; k < op->keys.size(); ++k) {
        PhysicalKind kind = PhysicalKind::kI8;
        const auto widen = [&](const Streams& streams, const Expr* expr) {
            for (const Stream& stream : streams) {
                const auto root = ExpressionCompiler(stream.slots, arena_).compile(expr).root;
                kind = isIntegerKind(root->kind) ? widerKind(kind, root->kind) : root->kind;
            }
        };
        widen(build, build_exprs[k]);
        widen(probe, probe_exprs[k]);
        kinds.push_back(kind);
    }
    // What the build side stores: columns that the parent or the residual needs.
    std::vector<ColumnId> stored;
    std::vector<ColumnId> residual_ids;
    if (op->residual != nullptr) collectColumns(op->residual, residual_ids);
    for (const auto& column : op->children[1]->columns) {
        const bool wanted =
            op->find(column.id) != nullptr ||
            std::find(residual_ids.begin(), residual_ids.end(), column.id) != residual_ids.end();
        if (wanted) stored.push_back(column.id);
    }
    unify(build, stored, op->id);
    BuildSink sink;
    for (size_t k = 0; k < kinds.size(); ++k) sink.keys.push_back(Slot(k));
    for (size_t i = 0; i < stored.size(); ++i) sink.columns.push_back(Slot(kinds.size() + i));
    sink.unique_keys = op->unique_build_keys;
    sink.keeps_matches = keepsBuildRows(op->output);
    sink.keeps_null_keys = op->null_aware || op->null_aware_anti;
    sink.publishes.assign(op->publishes.begin(), op->publishes.end());
    std::vector<std::vector<Slot>> build_slots;
    std::vector<SlotInfo> stored_slots;
    for (Stream& stream : build) {
        std::vector<Slot> slots = slotsFor(stream, build_exprs, op->id, &kinds);
        for (ColumnId id : stored) slots.push_back(slotOfColumn(stream, id));
        build_slots.push_back(std::move(slots));
    }
    for (Slot slot : build_slots[0]) stored_slots.push_back(build[0].slots[slot]);
    const u32 index = endStreams(build, build_slots, sink, stored_slots, op->children[1]->id);
    // The build runs before whatever the probe side needs, so that its filters reach those scans.
    auto& pipelines = program_.pipelines;
    std::rotate(pipelines.begin() + i64(before_probe), pipelines.begin() + i64(before_build),
                pipelines.end());

    if (nullsProbeColumns(op->output)) {
        std::vector<ColumnId> probe_ids;
        for (const auto& column : op->children[0]->columns) probe_ids.push_back(column.id);
        unify(probe, probe_ids, op->id);
    }
    Streams result;
    for (Stream& stream : probe) {
        const std::vector<Slot> keys = slotsFor(stream, probe_exprs, op->id, &kinds);
        probeStep(stream, op, index, keys, stored);
    }
    const StepInfo& last = probe[0].pipeline.steps.back();
    const auto build_columns = std::get<ProbeStep>(last.step).build_columns;
    const std::vector<SlotInfo> output = probe[0].slots;
    if (op->output == JoinOutput::kBuildSemi || op->output == JoinOutput::kBuildAnti) {
        // The probe only marks build rows; nothing comes out of it.
        std::vector<std::vector<Slot>> none(probe.size());
        endStreams(probe, none, MaterializeSink{}, {}, op->id);
    } else {
        result = std::move(probe);
    }
    if (keepsBuildRows(op->output)) {
        // Its pipeline must run after the probe's: end the probe streams first.
        if (!result.empty()) {
            Stream stream = single(std::move(result), op);
            result.clear();
            result.push_back(std::move(stream));
        }
        buildRowsStream(result, op, index, build_columns, output);
    }
    return result;
}

void PipelineBuilder::probeStep(Stream& stream, const optimize::HashJoinOp* op, u32 sink,
                                const std::vector<Slot>& keys, std::span<const ColumnId> stored) {
    ProbeStep step{.sink = sink, .output = op->output, .keys = keys};
    const SinkInfo& info = program_.sinks[sink];
    const u32 key_count = u32(op->keys.size());
    const std::vector<SlotInfo> before = stream.slots;
    std::vector<std::pair<u32, Slot>> all;
    for (u32 i = 0; i < stored.size(); ++i) {
        SlotInfo slot = info.output[key_count + i];
        slot.nullable |= nullsBuildColumns(op->output);
        all.emplace_back(key_count + i, addSlot(stream, slot));
    }
    std::vector<ColumnId> residual_ids;
    if (op->residual != nullptr) {
        collectColumns(op->residual, residual_ids);
        step.residual = ExpressionCompiler(stream.slots, arena_).compile(op->residual);
    }
    for (u32 i = 0; i < stored.size(); ++i) {
        const bool residual =
            std::find(residual_ids.begin(), residual_ids.end(), stored[i]) != residual_ids.end();
        if (residual) step.residual_columns.push_back(all[i]);
        if (op->find(stored[i]) != nullptr) step.build_columns.push_back(all[i]);
    }
    if (op->output == JoinOutput::kProbeMark)
        step.mark = addSlot(stream, {.id = op->mark,
                                     .type = SqlType::boolean(),
                                     .kind = PhysicalKind::kI8,
                                     .nullable = op->null_aware,
                                     .has_range = true,
                                     .min = 0,
                                     .max = 1});
    step.null_aware = op->null_aware;
    step.null_aware_anti = op->null_aware_anti;
    stream.pipeline.needs.push_back(sink);
    stream.pipeline.steps.push_back({std::move(step), op->id, stream.slots});
}

PipelineBuilder::Streams PipelineBuilder::nestedLoop(const optimize::NestedLoopJoinOp* op) {
    Streams inner = produce(op->children[1]);
    std::vector<ColumnId> stored;
    for (const auto& column : op->children[1]->columns) stored.push_back(column.id);
    unify(inner, stored, op->id);
    MaterializeSink sink;
    std::vector<SlotInfo> stored_slots;
    std::vector<std::vector<Slot>> slots;
    for (const Stream& stream : inner) {
        slots.emplace_back();
        for (ColumnId id : stored) slots.back().push_back(slotOfColumn(stream, id));
    }
    for (u32 i = 0; i < stored.size(); ++i) {
        sink.columns.push_back(Slot(i));
        stored_slots.push_back(inner[0].slots[slots[0][i]]);
    }
    sink.keeps_matches = keepsBuildRows(op->output);
    const u32 index = endStreams(inner, slots, sink, stored_slots, op->children[1]->id);

    Streams outer = produce(op->children[0]);
    if (nullsProbeColumns(op->output)) {
        std::vector<ColumnId> ids;
        for (const auto& column : op->children[0]->columns) ids.push_back(column.id);
        unify(outer, ids, op->id);
    }
    for (Stream& stream : outer) {
        NestedLoopStep step{.sink = index, .output = op->output};
        for (u32 i = 0; i < stored.size(); ++i) {
            SlotInfo slot = stored_slots[i];
            slot.nullable |= nullsBuildColumns(op->output);
            step.build_columns.emplace_back(i, addSlot(stream, slot));
        }
        if (op->condition != nullptr)
            step.condition = ExpressionCompiler(stream.slots, arena_).compile(op->condition);
        if (op->output == JoinOutput::kProbeMark)
            step.mark = addSlot(stream, {.id = op->mark,
                                         .type = SqlType::boolean(),
                                         .kind = PhysicalKind::kI8,
                                         .nullable = op->null_aware,
                                         .has_range = true,
                                         .min = 0,
                                         .max = 1});
        step.null_aware = op->null_aware;
        stream.pipeline.needs.push_back(index);
        stream.pipeline.steps.push_back({std::move(step), op->id, stream.slots});
    }
    const auto build_columns =
        std::get<NestedLoopStep>(outer[0].pipeline.steps.back().step).build_columns;
    const std::vector<SlotInfo> output = outer[0].slots;
    if (!keepsBuildRows(op->output)) return outer;
    Streams result;
    if (op->output == JoinOutput::kBuildSemi || op->output == JoinOutput::kBuildAnti) {
        std::vector<std::vector<Slot>> none(outer.size());
        endStreams(outer, none, MaterializeSink{}, {}, op->id);
    } else {
        result.push_back(single(std::move(outer), op));
    }
    buildRowsStream(result, op, index, build_columns, output);
    return result;
}

PipelineBuilder::Streams PipelineBuilder::aggregate(const optimize::AggregateOp* op) {
    Streams streams = produce(op->children[0]);
    std::vector<const Expr*> exprs;
    GroupSink sink{.has_grouping_id = op->grouping_id != kNoColumn,
                   .estimated_groups = op->estimated_groups};
    std::vector<ColumnId> key_columns;
    for (const auto& key : op->keys) {
        sink.keys.push_back({Slot(exprs.size()), key.dependent});
        exprs.push_back(key.expr);
        if (key.expr->kind == ExprKind::kColumn)
            key_columns.push_back(key.expr->as<ColumnExpr>()->id);
    }
    for (const auto& call : op->aggregates) {
        GroupSink::Call made{
            .aggregate = call.aggregate, .result = call.type, .distinct = call.distinct};
        for (const Expr* arg : call.args) {
            made.args.push_back(Slot(exprs.size()));
            made.arg_types.push_back(arg->type);
            exprs.push_back(arg);
        }
        if (call.filter != nullptr) {
            made.filter = Slot(exprs.size());
            exprs.push_back(call.filter);
        }
        for (const auto& key : call.order_by) {
            made.order_by.push_back({Slot(exprs.size()), key.descending, key.nulls_first});
            exprs.push_back(key.expr);
        }
        sink.calls.push_back(std::move(made));
    }
    sink.grouping_sets.assign(op->grouping_sets.begin(), op->grouping_sets.end());
    // Every stream must deliver the same kinds.
    std::vector<PhysicalKind> kinds;
    for (const Expr* expr : exprs) {
        PhysicalKind kind = PhysicalKind::kI8;
        for (const Stream& stream : streams) {
            const auto root = ExpressionCompiler(stream.slots, arena_).compile(expr).root;
            kind = isIntegerKind(root->kind) ? widerKind(kind, root->kind) : root->kind;
        }
        kinds.push_back(kind);
    }
    std::vector<std::vector<Slot>> slots;
    for (Stream& stream : streams) slots.push_back(slotsFor(stream, exprs, op->id, &kinds));
    std::vector<SlotInfo> output;
    for (u32 k = 0; k < op->keys.size(); ++k) {
        SlotInfo slot = streams[0].slots[slots[0][k]];
        for (u32 s = 1; s < streams.size(); ++s) {
            const SlotInfo& other = streams[s].slots[slots[s][k]];
            slot.nullable |= other.nullable;
            slot.has_range &= other.has_range;
            slot.min = std::min(slot.min, other.min);
            slot.max = std::max(slot.max, other.max);
        }
        slot.id = op->keys[k].id;
        slot.type = op->keys[k].expr->type;
        slot.nullable |= !op->grouping_sets.empty();
        output.push_back(slot);
    }
    for (const auto& call : op->aggregates) output.push_back(naturalSlot(call.id, call.type));
    if (sink.has_grouping_id) output.push_back(naturalSlot(op->grouping_id, SqlType::bigInt()));
    const u32 index = endStreams(streams, slots, std::move(sink), output, op->id);
    std::vector<u32> columns;
    for (u32 i = 0; i < output.size(); ++i) columns.push_back(i);
    Streams result;
    result.push_back(readSink(index, std::move(columns), std::move(output), op));
    return result;
}

PipelineBuilder::Streams PipelineBuilder::window(const optimize::WindowOp* op) {
    Streams streams;
    streams.push_back(single(produce(op->children[0]), op->children[0]));
    Stream& stream = streams[0];
    WindowSink sink;
    std::vector<SlotInfo> output;
    std::vector<Slot> slots;
    const auto take = [&](Slot slot) {
        slots.push_back(slot);
        return Slot(slots.size() - 1);
    };
    for (const auto& column : op->columns) {
        const bool computed =
            std::any_of(op->items.begin(), op->items.end(),
                        [&](const auto& item) { return item.column.id == column.id; });
        if (computed) continue;
        const Slot slot = slotOfColumn(stream, column.id);
        sink.columns.push_back(take(slot));
        output.push_back(stream.slots[slot]);
    }
    const auto slotsOf = [&](std::span<const Expr* const> exprs) {
        std::vector<Slot> numbers;
        for (Slot slot : slotsFor(stream, exprs, op->id)) numbers.push_back(take(slot));
        return numbers;
    };
    sink.partition_by = slotsOf(op->partition_by);
    for (const auto& key : op->order_by)
        sink.order_by.push_back(
            {slotsOf(std::span(&key.expr, 1))[0], key.descending, key.nulls_first});
    for (const auto& item : op->items) {
        WindowSink::Call call{.function = item.function,
                              .aggregate = item.aggregate,
                              .result = item.column.type,
                              .distinct = item.distinct,
                              .ignore_nulls = item.ignore_nulls,
                              .frame = item.frame};
        call.args = slotsOf(item.args);
        for (const Expr* arg : item.args) call.arg_types.push_back(arg->type);
        sink.calls.push_back(std::move(call));
        output.push_back(naturalSlot(item.column.id, item.column.type));
    }
    const u32 index = endStreams(streams, {slots}, std::move(sink), output, op->id);
    std::vector<u32> columns;
    for (u32 i = 0; i < output.size(); ++i) columns.push_back(i);
    Streams result;
    result.push_back(readSink(index, std::move(columns), std::move(output), op));
    return result;
}

PipelineBuilder::Streams PipelineBuilder::sort(const optimize::PhysicalOp* op,
                                               std::span<const bind::SortKey> keys, i64 limit,
                                               i64 offset) {
    Streams streams = produce(op->children[0]);
    std::vector<ColumnId> ids;
    for (const auto& column : op->children[0]->columns) ids.push_back(column.id);
    unify(streams, ids, op->id);
    if (streams.size() > 1) {
        Stream stream = single(std::move(streams), op->children[0]);
        streams.clear();
        streams.push_back(std::move(stream));
    }
    Stream& stream = streams[0];
    SortSink sink{.limit = limit, .offset = offset};
    std::vector<Slot> slots;
    std::vector<SlotInfo> output;
    for (const auto& column : op->columns) {
        const Slot slot = slotOfColumn(stream, column.id);
        sink.columns.push_back(Slot(slots.size()));
        slots.push_back(slot);
        output.push_back(stream.slots[slot]);
    }
    for (const auto& key : keys) {
        const Slot slot = slotsFor(stream, std::span(&key.expr, 1), op->id)[0];
        const auto known = std::find(slots.begin(), slots.end(), slot);
        sink.keys.push_back({Slot(known - slots.begin()), key.descending, key.nulls_first});
        if (known == slots.end()) slots.push_back(slot);
    }
    const u32 index = endStreams(streams, {slots}, std::move(sink), output, op->id);
    std::vector<u32> columns;
    for (u32 i = 0; i < output.size(); ++i) columns.push_back(i);
    Streams result;
    result.push_back(readSink(index, std::move(columns), std::move(output), op));
    result[0].pipeline.ordered = true;
    std::get<SinkSource>(result[0].pipeline.source).ordered = true;
    return result;
}

} // namespace blueshift::compile
