// Where fragments meet: the pipelines below an exchange end in a send sink, and one that receives
// begins. On one node an exchange is nothing: the rows are handed over.
#include <algorithm>

#include "compile/pipeline_builder.h"

namespace blueshift::compile {

PipelineBuilder::Streams PipelineBuilder::exchange(const optimize::ExchangeOp* op) {
    Streams streams = produce(op->children[0]);
    if (plan_.nodes <= 1) return streams;
    if (op->exchange == optimize::ExchangeKind::kSettledBuild) {
        Stream kept = materialized(std::move(streams), op->children[0]);
        streams.clear();
        streams.push_back(std::move(kept));
    }
    std::vector<ColumnId> ids;
    for (const auto& column : op->columns) ids.push_back(column.id);
    unify(streams, ids, op->id);
    // Senders of one exchange run at the same time: streams that follow others get their own.
    Streams received;
    Streams together;
    for (size_t s = 0; s < streams.size(); ++s) {
        together.push_back(std::move(streams[s]));
        const bool last = s + 1 == streams.size() || streams[s + 1].follows;
        if (!last) continue;
        const bool follows = together[0].follows;
        received.push_back(receive(op, together));
        received.back().follows = follows;
        together.clear();
    }
    return received;
}

/// Ends the streams in a send sink; the stream of what they send.
PipelineBuilder::Stream PipelineBuilder::receive(const optimize::ExchangeOp* op, Streams& senders) {
    std::vector<ColumnId> ids;
    for (const auto& column : op->columns) ids.push_back(column.id);
    ExchangeInfo info{.kind = op->exchange, .op = op->id};
    info.merges = op->exchange == optimize::ExchangeKind::kGatherMerge;
    if (op->exchange == optimize::ExchangeKind::kSettledBuild) {
        info.materialized = std::get<SinkSource>(senders[0].pipeline.source).sink;
        info.row_bytes = std::max(8.0, op->width_bytes);
        info.probe_bytes = op->probe_bytes;
        settled_[op] = u32(program_.exchanges.size());
    }
    if (op->exchange == optimize::ExchangeKind::kSettledProbe) info.build = settled_.at(op->build);
    std::vector<std::vector<Slot>> slots;
    for (const Stream& stream : senders) {
        slots.emplace_back();
        for (const ColumnId id : ids) slots.back().push_back(slotOfColumn(stream, id));
    }
    for (u32 i = 0; i < ids.size(); ++i) {
        info.slots.push_back(senders[0].slots[slots[0][i]]);
        for (size_t s = 1; s < senders.size(); ++s)
            info.slots.back().nullable |= senders[s].slots[slots[s][i]].nullable;
    }
    const auto position = [&](ColumnId id) {
        return Slot(std::find(ids.begin(), ids.end(), id) - ids.begin());
    };
    SendSink send{.exchange = u32(program_.exchanges.size())};
    ReceiveSource source{.exchange = send.exchange};
    for (const ColumnId id : op->keys) send.keys.push_back(position(id));
    for (const auto& key : op->merge_keys)
        source.merge.push_back(
            {position(key.expr->as<ColumnExpr>()->id), key.descending, key.nulls_first});
    Stream stream;
    stream.slots = info.slots;
    stream.pipeline.source = std::move(source);
    stream.pipeline.source_op = op->id;
    stream.pipeline.source_slots = info.slots;
    stream.pipeline.leader_only = onLeader(op);
    stream.pipeline.ordered = info.merges;
    endStreams(senders, slots, std::move(send), info.slots, op->children[0]->id);
    program_.exchanges.push_back(std::move(info));
    return stream;
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
