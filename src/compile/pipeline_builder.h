// pipeline_builder.h: cuts a physical plan into pipelines.
//
// Place: inside compile/. A Stream is a pipeline under construction with its current slots; an
// operator extends the streams of its child, or ends them in a sink and opens a new one.
// Several streams reach one operator through UNION ALL and through outer joins that keep build
// rows; before they share a sink their slots are brought to the same kinds.
#pragma once

#include "compile/compile.h"
#include "compile/expression_compiler.h"

namespace blueshift::compile {

class PipelineBuilder {
public:
    PipelineBuilder(const optimize::PhysicalPlan& plan, Arena& arena,
                    const catalog::CatalogSnapshot& catalog)
        : plan_(plan), arena_(arena), catalog_(catalog) {}

    Program build();

private:
    struct Stream {
        Pipeline pipeline;
        std::vector<SlotInfo> slots;
        /// Begins with rows that the streams before it decide on (unmatched build rows): must not
        /// run at the same time.
        bool follows = false;
    };
    using Streams = std::vector<Stream>;

    Streams produce(const optimize::PhysicalOp* op);
    Streams tableScan(const optimize::TableScanOp* op);
    Streams sourceScan(const optimize::SourceScanOp* op);
    Streams values(const optimize::ValuesOp* op);
    Streams metadata(const optimize::MetadataOp* op);
    Streams filter(const optimize::FilterOp* op);
    Streams map(const optimize::MapOp* op);
    Streams hashJoin(const optimize::HashJoinOp* op);
    Streams nestedLoop(const optimize::NestedLoopJoinOp* op);
    Streams aggregate(const optimize::AggregateOp* op);
    Streams window(const optimize::WindowOp* op);
    Streams sort(const optimize::PhysicalOp* op, std::span<const bind::SortKey> keys, i64 limit,
                 i64 offset);
    Streams limit(const optimize::LimitOp* op);
    Streams unionAll(const optimize::UnionAllOp* op);
    Streams cteScan(const optimize::CteScanOp* op);
    Streams exchange(const optimize::ExchangeOp* op); // build_exchange.cpp
    Stream receive(const optimize::ExchangeOp* op, Streams& senders);

    Streams valuesStream(ValuesSource source, const optimize::PhysicalOp* op);
    void addFilter(Stream& stream, const Expr* predicate, u32 op);
    /// Slots that hold the expressions, computing those that are not plain columns. With `kinds`,
    /// each is widened to kinds[i].
    std::vector<Slot> slotsFor(Stream& stream, std::span<const Expr* const> exprs, u32 op,
                               const std::vector<PhysicalKind>* kinds = nullptr);
    Slot slotOfColumn(const Stream& stream, ColumnId id) const;
    Slot addSlot(Stream& stream, SlotInfo info);
    /// Makes slots of `ids` equal in kind across all streams.
    void unify(Streams& streams, std::span<const ColumnId> ids, u32 op);
    /// Ends every stream in a new sink whose input slot i is `slots[stream][i]`.
    u32 endStreams(Streams& streams, const std::vector<std::vector<Slot>>& slots, Sink sink,
                   std::vector<SlotInfo> output, u32 op);
    Stream readSink(u32 sink, std::vector<u32> columns, std::vector<SlotInfo> slots,
                    const optimize::PhysicalOp* op);
    /// One stream: several are materialised first.
    Stream single(Streams streams, const optimize::PhysicalOp* op);
    /// Ends the streams in a sink that keeps their rows, and reads it.
    Stream materialized(Streams streams, const optimize::PhysicalOp* op);
    /// Where pipelines run: after the operator whose rows they begin with.
    bool onLeader(const optimize::PhysicalOp* op) const {
        return op->distribution.kind == optimize::DistributionKind::kSingle;
    }
    void placeSinks();
    void buildRowsStream(Streams& streams, const optimize::PhysicalOp* op, u32 sink,
                         const std::vector<std::pair<u32, Slot>>& build_columns,
                         const std::vector<SlotInfo>& output);
    void probeStep(Stream& stream, const optimize::HashJoinOp* op, u32 sink,
                   const std::vector<Slot>& keys, std::span<const ColumnId> stored);

    const optimize::PhysicalPlan& plan_;
    Arena& arena_;
    const catalog::CatalogSnapshot& catalog_;
    Program program_;
    struct CteInfo {
        u32 sink;
        std::vector<SlotInfo> slots;
    };
    std::vector<CteInfo> ctes_;
    std::map<const optimize::ExchangeOp*, u32> settled_; // their numbers
};

} // namespace blueshift::compile
