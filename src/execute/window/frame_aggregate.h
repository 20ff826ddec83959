// frame_aggregate.h: an aggregate over the frames of a window, row after row.
//
// Three ways: frames that begin where the last one did are extended; others are put together from
// a tree of states of 16, 256, ... rows (Leis et al., PVLDB 2015); DISTINCT and order-dependent
// aggregates over such frames are computed anew. DISTINCT: a row counts when the previous row with
// its value lies before the frame.
// Memory: the tree and the previous rows go to disk when there is no room; a state stays.
// Threads: one at a time. Errors: recorded in the view's context.
#pragma once

#include <vector>

#include "execute/sort/ordered_rows.h"
#include "execute/window/window_call.h"

namespace blueshift::execute {

class FrameAggregate final : public WindowCall {
public:
    FrameAggregate(PartitionView& view, u32 index);

    void start() override;
    void evaluate(const RowRange& rows, u64 to, WindowColumn& out) override;
    void release() override;
    u64 bytesSpilled() const override { return spilled_bytes_ + previous_.bytesSpilled(); }

private:
    static constexpr u64 kFanOut = 16;

    void findPrevious();
    void findPreviousAmong(std::span<u8* const> rows);
    bool sortByValue(OrderedRows& by_value);
    i64 previousOf(u64 row);
    void buildTree();
    void fillLevel(OrderedRows& level, u64 states, u64 width);
    void reset();
    void move(const RowRange& frame);
    /// Adds rows [begin, end) to a state.
    void add(u8* state, u64 begin, u64 end, u64 frame_begin, functions::StateStore& store);
    void addByTree(const RowRange& frame);
    void finish();
    functions::AggregateCall callOver(std::span<const Vector> args, functions::StateStore& store);
    u8* state() { return reinterpret_cast<u8*>(state_.data()); }

    PartitionView& view_;
    WorkerContext& context_;
    const compile::WindowSink::Call& spec_;
    const std::vector<u32>& args_;
    const std::string name_; // for messages
    StateMemory memory_;
    std::vector<u64> state_;
    RowRange held_;  // what state_ has seen
    RowRange shown_; // the frame of result_
    bool tried_tree_ = false;
    const RowLayout state_layout_;
    const RowOrder as_built_;
    const RowCodec state_codec_;
    std::vector<std::unique_ptr<OrderedRows>> levels_; // states of 16, 256, ... rows
    // DISTINCT: by row of the partition, the last row before with its value; in previous_ behind
    // the row's own number.
    const RowOrder arguments_; // of the view's rows
    std::vector<u32> by_value_;
    std::vector<i64> few_previous_; // small partitions; else empty
    const RowLayout previous_layout_;
    const RowOrder by_number_;
    const RowCodec previous_codec_;
    OrderedRows previous_;
    std::vector<VectorBuffer> buffers_;
    std::vector<Vector> vectors_;
    VectorBuffer result_;
    functions::TextHeap heap_;
    u64 spilled_bytes_ = 0; // of levels and of sorting by value
};

} // namespace blueshift::execute
