// Where fragments meet: the pipelines below an exchange end in a send sink, and one that receives
// begins. On one node an exchange is nothing: the rows are handed over.
#include <algorithm>

#include "compile/pipeline_builder.h"

namespace blueshift::compile {

PipelineBuilder::Streams PipelineBuilder::exchange(const optimize::ExchangeOp* op) {
    Streams streams = produce(op->children[0]);
    if (plan_.nodes <= 1) return streams;
    std::vector<ColumnId> ids;
    for (const auto& column : op->columns) ids.push_back(column.id);
    unify(streams, ids, op->id);
    ExchangeInfo info{.kind = op->exchange, .op = op->id};
    info.merges = op->exchange == optimize::ExchangeKind::kGatherMerge;
    std::vector<std::vector<Slot>> slots;
    for (const Stream& stream : streams) {
        slots.emplace_back();
        for (const ColumnId id : ids) slots.back().push_back(slotOfColumn(stream, id));
    }
    for (u32 i = 0; i < ids.size(); ++i) {
        info.slots.push_back(streams[0].slots[slots[0][i]]);
        for (size_t s = 1; s < streams.size(); ++s)
            info.slots.back().nullable |= streams[s].slots[slots[s][i]].nullable;
    }
    const auto position = [&](ColumnId id) {
        return Slot(std::find(ids.begin(), ids.end(), id) - ids.begin());
    };
    SendSink send{.exchange = u32(program_.exchanges.size())};
    ReceiveSource receive{.exchange = send.exchange};
    for (const ColumnId id : op->keys) send.keys.push_back(position(id));
    for (const auto& key : op->merge_keys)
        receive.merge.push_back(
            {position(key.expr->as<ColumnExpr>()->id), key.descending, key.nulls_first});
    Stream stream;
    stream.slots = info.slots;
    stream.pipeline.source = std::move(receive);
    stream.pipeline.source_op = op->id;
    stream.pipeline.source_slots = info.slots;
    stream.pipeline.leader_only = onLeader(op);
    stream.pipeline.ordered = info.merges;
    endStreams(streams, slots, std::move(send), info.slots, op->children[0]->id);
    program_.exchanges.push_back(std::move(info));
    streams.clear();
    streams.push_back(std::move(stream));
    return streams;
}

/// A sink is where its pipelines run: those that feed it, and those that need it.
void PipelineBuilder::placeSinks() {
    for (const Pipeline& pipeline : program_.pipelines) {
        if (pipeline.leader_only) continue;
        program_.sinks[pipeline.sink].everywhere = true;
        for (const u32 sink : pipeline.needs) program_.sinks[sink].everywhere = true;
    }
}

} // namespace blueshift::compile
