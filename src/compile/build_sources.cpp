// Pipelines' beginnings: scans, system views, values; and the operators that add steps only.
#include "compile/pipeline_builder.h"
#include "compile/range.h"

namespace blueshift::compile {

namespace {

void applyRange(SlotInfo& slot, const optimize::PhysicalColumn& column) {
    slot.nullable = column.nullable;
    if (!isIntegerKind(slot.kind)) return;
    const Range width = rangeOfKind(slot.kind);
    slot.has_range = true;
    slot.min = column.has_range ? std::max(column.min, width.min) : width.min;
    slot.max = column.has_range ? std::min(column.max, width.max) : width.max;
}

} // namespace

SlotInfo scanSlot(const catalog::Column& column, ColumnId id) {
    SlotInfo slot{.id = id,
                  .type = column.type,
                  .kind = naturalKind(column.type),
                  .nullable = !column.not_null};
    if (isIntegerKind(slot.kind)) {
        slot.kind = integerKindOfWidth(std::min<u32>(column.width_class, widthOf(slot.kind)));
        const Range range = rangeOfKind(slot.kind);
        slot.has_range = true;
        slot.min = range.min;
        slot.max = range.max;
    }
    return slot;
}

PipelineBuilder::Streams PipelineBuilder::tableScan(const optimize::TableScanOp* op) {
    ScanSource source{.op = op};
    const auto found = catalog_.tables.find(op->table->oid);
    BS_CHECK(found != catalog_.tables.end(), "a scanned table left its snapshot");
    source.table = found->second;
    Stream stream;
    const auto add = [&](const optimize::PhysicalColumn& column, u32 column_id) {
        SlotInfo slot{
            .id = column.id, .type = column.type, .kind = PhysicalKind::kI64, .nullable = false};
        if (const auto* stored = source.table->findColumn(column_id)) {
            slot = scanSlot(*stored, column.id);
            applyRange(slot, column);
        }
        source.column_ids.push_back(column_id);
        stream.slots.push_back(slot);
    };
    for (u32 i = 0; i < op->columns.size(); ++i) add(op->columns[i], op->column_ids[i]);
    for (u32 i = 0; i < op->filter_columns.size(); ++i)
        add(op->filter_columns[i], op->filter_column_ids[i]);
    for (const auto& test : op->tests) {
        ScanPredicate predicate{.column_id = test.column_id, .op = test.op};
        for (const Value* value : test.values) predicate.values.push_back(*value);
        source.predicates.push_back(std::move(predicate));
    }
    source.join_filters.assign(op->join_filters.begin(), op->join_filters.end());
    source.whole = op->whole;
    stream.pipeline.source = std::move(source);
    stream.pipeline.source_op = op->id;
    stream.pipeline.leader_only = onLeader(op);
    stream.pipeline.source_slots = stream.slots;
    for (const Expr* predicate : op->filters) addFilter(stream, predicate, op->id);
    Streams streams;
    streams.push_back(std::move(stream));
    return streams;
}

PipelineBuilder::Streams PipelineBuilder::sourceScan(const optimize::SourceScanOp* op) {
    SystemSource source{.source = op->source};
    source.columns.assign(op->source_columns.begin(), op->source_columns.end());
    for (const Expr* argument : op->arguments) {
        if (argument->kind != ExprKind::kConstant)
            throw SqlError(sqlstate::kFeatureNotSupported,
                           "arguments of table functions must be constants");
        source.arguments.push_back(argument->as<ConstantExpr>()->value);
    }
    Stream stream;
    for (const auto& column : op->columns) {
        SlotInfo slot{.id = column.id, .type = column.type, .kind = naturalKind(column.type)};
        if (isIntegerKind(slot.kind)) {
            const Range range = rangeOfKind(slot.kind);
            slot.has_range = true;
            slot.min = range.min;
            slot.max = range.max;
        }
        stream.slots.push_back(slot);
    }
    stream.pipeline.source = std::move(source);
    stream.pipeline.source_op = op->id;
    stream.pipeline.leader_only = onLeader(op);
    stream.pipeline.source_slots = stream.slots;
    Streams streams;
    streams.push_back(std::move(stream));
    return streams;
}

PipelineBuilder::Streams PipelineBuilder::valuesStream(ValuesSource source,
                                                       const optimize::PhysicalOp* op) {
    Stream stream;
    for (const auto& column : op->columns) {
        SlotInfo slot{.id = column.id, .type = column.type, .kind = naturalKind(column.type)};
        if (isIntegerKind(slot.kind)) {
            const Range range = rangeOfKind(slot.kind);
            slot.has_range = true;
            slot.min = range.min;
            slot.max = range.max;
        }
        stream.slots.push_back(slot);
    }
    stream.pipeline.source = std::move(source);
    stream.pipeline.source_op = op->id;
    stream.pipeline.leader_only = onLeader(op);
    stream.pipeline.source_slots = stream.slots;
    Streams streams;
    streams.push_back(std::move(stream));
    return streams;
}

PipelineBuilder::Streams PipelineBuilder::values(const optimize::ValuesOp* op) {
    ValuesSource source;
    for (const auto& row : op->value_rows) {
        source.rows.emplace_back();
        for (u32 i = 0; i < op->columns.size(); ++i)
            source.rows.back().push_back(
                ExpressionCompiler({}, arena_).compileAs(row[i], naturalKind(op->columns[i].type)));
    }
    return valuesStream(std::move(source), op);
}

PipelineBuilder::Streams PipelineBuilder::metadata(const optimize::MetadataOp* op) {
    ValuesSource source;
    source.rows.emplace_back();
    for (u32 i = 0; i < op->columns.size(); ++i)
        source.rows.back().push_back(
            ExpressionCompiler({}, arena_)
                .compileAs(makeConstant(arena_, *op->values[i]), naturalKind(op->columns[i].type)));
    return valuesStream(std::move(source), op);
}

PipelineBuilder::Streams PipelineBuilder::filter(const optimize::FilterOp* op) {
    Streams streams = produce(op->children[0]);
    for (Stream& stream : streams) addFilter(stream, op->predicate, op->id);
    return streams;
}

PipelineBuilder::Streams PipelineBuilder::map(const optimize::MapOp* op) {
    Streams streams = produce(op->children[0]);
    for (Stream& stream : streams) {
        ComputeStep compute;
        const std::vector<SlotInfo> before = stream.slots;
        for (const auto& item : op->items) {
            Expression expression = ExpressionCompiler(before, arena_).compile(item.expr);
            compute.targets.push_back(addSlot(stream, slotOf(*expression.root, item.id)));
            compute.expressions.push_back(expression);
        }
        if (!compute.expressions.empty())
            stream.pipeline.steps.push_back({std::move(compute), op->id, stream.slots});
    }
    return streams;
}

PipelineBuilder::Streams PipelineBuilder::limit(const optimize::LimitOp* op) {
    Streams streams;
    streams.push_back(single(produce(op->children[0]), op->children[0]));
    Stream& stream = streams[0];
    stream.pipeline.steps.push_back({LimitStep{op->limit, op->offset}, op->id, stream.slots});
    return streams;
}

PipelineBuilder::Streams PipelineBuilder::unionAll(const optimize::UnionAllOp* op) {
    Streams all;
    for (u32 c = 0; c < op->children.size(); ++c) {
        Streams streams = produce(op->children[c]);
        for (Stream& stream : streams) {
            // Outputs are new names for the child's slots; a slot may get several.
            SelectStep select;
            std::vector<SlotInfo> slots;
            for (u32 i = 0; i < op->columns.size(); ++i) {
                const Slot from = slotOfColumn(stream, op->inputs[c][i]);
                select.from.push_back(from);
                slots.push_back(stream.slots[from]);
                slots.back().id = op->columns[i].id;
                slots.back().type = op->columns[i].type;
            }
            stream.slots = std::move(slots);
            stream.pipeline.steps.push_back({std::move(select), op->id, stream.slots});
            stream.pipeline.ordered = false;
            all.push_back(std::move(stream));
        }
    }
    std::vector<ColumnId> ids;
    for (const auto& column : op->columns) ids.push_back(column.id);
    unify(all, ids, op->id);
    return all;
}

PipelineBuilder::Streams PipelineBuilder::cteScan(const optimize::CteScanOp* op) {
    const CteInfo& cte = ctes_.at(op->cte);
    std::vector<u32> columns;
    std::vector<SlotInfo> slots;
    for (u32 i = 0; i < op->columns.size(); ++i) {
        for (u32 c = 0; c < cte.slots.size(); ++c) {
            if (cte.slots[c].id != op->inputs[i]) continue;
            columns.push_back(c);
            slots.push_back(cte.slots[c]);
            slots.back().id = op->columns[i].id;
            break;
        }
    }
    BS_CHECK(columns.size() == op->columns.size(), "a common table lost a column");
    Streams streams;
    streams.push_back(readSink(cte.sink, std::move(columns), std::move(slots), op));
    return streams;
}

} // namespace blueshift::compile
