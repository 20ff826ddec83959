#include "compile/pipeline_builder.h"

#include <algorithm>

#include "compile/range.h"

namespace blueshift::compile {

using optimize::OpKind;
using optimize::PhysicalOp;

Slot PipelineBuilder::addSlot(Stream& stream, SlotInfo info) {
    stream.slots.push_back(info);
    return Slot(stream.slots.size() - 1);
}

Slot PipelineBuilder::slotOfColumn(const Stream& stream, ColumnId id) const {
    // The newest slot of an id wins: a widened copy stands after the original.
    for (size_t i = stream.slots.size(); i-- > 0;)
        if (stream.slots[i].id == id) return Slot(i);
    throw SqlError(sqlstate::kInternalError, "a column is missing between two operators");
}

std::vector<Slot> PipelineBuilder::slotsFor(Stream& stream, std::span<const Expr* const> exprs,
                                            u32 op, const std::vector<PhysicalKind>* kinds) {
    std::vector<Slot> found;
    ComputeStep compute;
    const std::vector<SlotInfo> before = stream.slots;
    for (size_t i = 0; i < exprs.size(); ++i) {
        if (exprs[i]->kind == ExprKind::kColumn) {
            const Slot slot = slotOfColumn(stream, exprs[i]->as<ColumnExpr>()->id);
            if (kinds == nullptr || stream.slots[slot].kind == (*kinds)[i]) {
                found.push_back(slot);
                continue;
            }
        }
        ExpressionCompiler compiler(before, arena_);
        Expression expression = kinds == nullptr ? compiler.compile(exprs[i])
                                                 : compiler.compileAs(exprs[i], (*kinds)[i]);
        found.push_back(addSlot(stream, slotOf(*expression.root, kNoColumn)));
        compute.expressions.push_back(expression);
        compute.targets.push_back(found.back());
    }
    if (!compute.expressions.empty())
        stream.pipeline.steps.push_back({std::move(compute), op, stream.slots});
    return found;
}

void PipelineBuilder::addFilter(Stream& stream, const Expr* predicate, u32 op) {
    ExpressionCompiler compiler(stream.slots, arena_);
    stream.pipeline.steps.push_back({FilterStep{compiler.compile(predicate)}, op, stream.slots});
}

void PipelineBuilder::unify(Streams& streams, std::span<const ColumnId> ids, u32 op) {
    if (streams.size() < 2) return;
    for (ColumnId id : ids) {
        SlotInfo merged = streams[0].slots[slotOfColumn(streams[0], id)];
        for (const Stream& stream : streams) {
            const SlotInfo& info = stream.slots[slotOfColumn(stream, id)];
            if (isIntegerKind(merged.kind)) merged.kind = widerKind(merged.kind, info.kind);
            merged.nullable |= info.nullable;
            merged.has_range &= info.has_range;
            merged.min = std::min(merged.min, info.min);
            merged.max = std::max(merged.max, info.max);
        }
        for (Stream& stream : streams) {
            const Slot slot = slotOfColumn(stream, id);
            if (stream.slots[slot].kind != merged.kind) {
                const Expr* column = makeColumn(arena_, id, merged.type, merged.nullable);
                const std::vector<PhysicalKind> kinds{merged.kind};
                const Slot widened = slotsFor(stream, std::span(&column, 1), op, &kinds)[0];
                stream.slots[widened] = merged;
            } else {
                stream.slots[slot] = merged;
            }
        }
    }
}

u32 PipelineBuilder::endStreams(Streams& streams, const std::vector<std::vector<Slot>>& slots,
                                Sink sink, std::vector<SlotInfo> output, u32 op) {
    const u32 index = u32(program_.sinks.size());
    SinkInfo info{.sink = std::move(sink), .op = op, .output = std::move(output)};
    for (Slot slot : slots[0]) info.input.push_back(streams[0].slots[slot]);
    for (size_t s = 1; s < streams.size(); ++s)
        for (size_t i = 0; i < slots[s].size(); ++i)
            info.input[i].nullable |= streams[s].slots[slots[s][i]].nullable;
    program_.sinks.push_back(std::move(info));
    for (size_t s = 0; s < streams.size(); ++s) {
        Pipeline pipeline = std::move(streams[s].pipeline);
        pipeline.sink = index;
        pipeline.sink_slots = slots[s];
        program_.pipelines.push_back(std::move(pipeline));
    }
    return index;
}

PipelineBuilder::Stream PipelineBuilder::readSink(u32 sink, std::vector<u32> columns,
                                                  std::vector<SlotInfo> slots,
                                                  const PhysicalOp* op) {
    Stream stream;
    stream.pipeline.source = SinkSource{.sink = sink, .columns = std::move(columns)};
    stream.pipeline.source_op = op->id;
    stream.pipeline.leader_only = onLeader(op);
    stream.pipeline.source_slots = slots;
    stream.pipeline.needs.push_back(sink);
    stream.slots = std::move(slots);
    return stream;
}

PipelineBuilder::Stream PipelineBuilder::single(Streams streams, const PhysicalOp* op) {
    if (streams.size() == 1) return std::move(streams[0]);
    return materialized(std::move(streams), op);
}

PipelineBuilder::Stream PipelineBuilder::materialized(Streams streams, const PhysicalOp* op) {
    std::vector<ColumnId> ids;
    for (const auto& column : op->columns) ids.push_back(column.id);
    unify(streams, ids, op->id);
    std::vector<std::vector<Slot>> slots;
    std::vector<SlotInfo> output;
    for (const Stream& stream : streams) {
        slots.emplace_back();
        for (ColumnId id : ids) slots.back().push_back(slotOfColumn(stream, id));
    }
    MaterializeSink sink;
    std::vector<u32> columns;
    for (u32 i = 0; i < ids.size(); ++i) {
        output.push_back(streams[0].slots[slots[0][i]]);
        sink.columns.push_back(Slot(i));
        columns.push_back(i);
    }
    const u32 index = endStreams(streams, slots, std::move(sink), output, op->id);
    return readSink(index, std::move(columns), std::move(output), op);
}

PipelineBuilder::Streams PipelineBuilder::produce(const PhysicalOp* op) {
    switch (op->kind) {
    case OpKind::kTableScan: return tableScan(op->as<optimize::TableScanOp>());
    case OpKind::kSourceScan: return sourceScan(op->as<optimize::SourceScanOp>());
    case OpKind::kValues: return values(op->as<optimize::ValuesOp>());
    case OpKind::kMetadata: return metadata(op->as<optimize::MetadataOp>());
    case OpKind::kFilter: return filter(op->as<optimize::FilterOp>());
    case OpKind::kMap: return map(op->as<optimize::MapOp>());
    case OpKind::kHashJoin: return hashJoin(op->as<optimize::HashJoinOp>());
    case OpKind::kNestedLoopJoin: return nestedLoop(op->as<optimize::NestedLoopJoinOp>());
    case OpKind::kAggregate: return aggregate(op->as<optimize::AggregateOp>());
    case OpKind::kWindow: return window(op->as<optimize::WindowOp>());
    case OpKind::kSort: return sort(op, op->as<optimize::SortOp>()->keys, -1, 0);
    case OpKind::kTopN: {
        const auto* top = op->as<optimize::TopNOp>();
        return sort(op, top->keys, top->limit, top->offset);
    }
    case OpKind::kLimit: return limit(op->as<optimize::LimitOp>());
    case OpKind::kUnionAll: return unionAll(op->as<optimize::UnionAllOp>());
    case OpKind::kCteScan: return cteScan(op->as<optimize::CteScanOp>());
    case OpKind::kExchange: return exchange(op->as<optimize::ExchangeOp>());
    }
    BS_UNREACHABLE("physical operator");
}

Program PipelineBuilder::build() {
    for (const PhysicalOp* cte : plan_.ctes) {
        Streams streams = produce(cte);
        std::vector<ColumnId> ids;
        for (const auto& column : cte->columns) ids.push_back(column.id);
        unify(streams, ids, cte->id);
        std::vector<std::vector<Slot>> slots;
        for (const Stream& stream : streams) {
            slots.emplace_back();
            for (ColumnId id : ids) slots.back().push_back(slotOfColumn(stream, id));
        }
        MaterializeSink sink;
        std::vector<SlotInfo> output;
        for (u32 i = 0; i < ids.size(); ++i) {
            output.push_back(streams[0].slots[slots[0][i]]);
            sink.columns.push_back(Slot(i));
        }
        const u32 index = endStreams(streams, slots, std::move(sink), output, cte->id);
        ctes_.push_back({index, std::move(output)});
    }
    Streams streams = produce(plan_.root);
    std::vector<ColumnId> ids;
    for (const auto& column : plan_.result) ids.push_back(column.id);
    std::vector<std::vector<Slot>> slots;
    ResultSink sink;
    for (Stream& stream : streams) {
        sink.ordered |= stream.pipeline.ordered;
        slots.emplace_back();
        for (ColumnId id : ids) slots.back().push_back(slotOfColumn(stream, id));
    }
    std::vector<SlotInfo> output;
    for (u32 i = 0; i < ids.size(); ++i) {
        output.push_back(streams[0].slots[slots[0][i]]);
        sink.columns.push_back(Slot(i));
    }
    program_.result_sink =
        endStreams(streams, slots, std::move(sink), std::move(output), plan_.root->id);
    for (u32 i = 0; i < program_.pipelines.size(); ++i) program_.pipelines[i].id = i;
    program_.nodes = plan_.nodes;
    placeSinks();
    program_.join_filters = plan_.join_filters;
    program_.operators = plan_.operators;
    program_.columns.assign(plan_.result.begin(), plan_.result.end());
    return std::move(program_);
}

Program compile(const optimize::PhysicalPlan& plan, Arena& arena,
                const catalog::CatalogSnapshot& catalog) {
    return PipelineBuilder(plan, arena, catalog).build();
}

} // namespace blueshift::compile
