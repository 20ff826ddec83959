// frame_aggregate.h: an aggregate over the frames of one partition, row after row.
//
// Three ways: frames that begin where the last one did are extended; others are put together from
// a tree of states of 16, 256, ... rows; DISTINCT and order-dependent aggregates over such frames
// are computed anew. DISTINCT: a row counts when the previous row with its value lies before the
// frame.
// Threads: one task's. Errors: recorded in the context.
#pragma once

#include <vector>

#include "execute/rows/state_memory.h"
#include "execute/window/window_part.h"

namespace blueshift::execute {

class FrameAggregate {
public:
    FrameAggregate(const WindowShape& shape, u32 index, const std::vector<u8*>& rows,
                   const WindowPartition& partition, WorkerContext& context);
    ~FrameAggregate();
    FrameAggregate(const FrameAggregate&) = delete;

    /// The result over `frame` goes to row `to`.
    void evaluate(const FrameRows& frame, size_t to, WindowColumn& out);
    /// The last result again.
    void repeat(size_t to, WindowColumn& out) { out.set(to, result_.view(true), 0); }

private:
    static constexpr size_t kFanOut = 16;
    static constexpr size_t kNoRow = ~size_t{0};

    void findPrevious();
    void buildTree();
    void reset();
    /// Adds rows [begin, end) to a state.
    void add(u8* state, size_t begin, size_t end, size_t frame_begin);
    void addByTree(const FrameRows& frame);
    void finish(size_t to, WindowColumn& out);
    functions::AggregateCall callOver(std::span<const Vector> args);
    u8* stateAt(std::vector<u64>& states, size_t index) const {
        return reinterpret_cast<u8*>(states.data()) + index * spec_.aggregate->state_bytes;
    }

    const WindowShape& shape_;
    const compile::WindowSink::Call& spec_;
    const std::vector<u32>& args_;
    const std::vector<u8*>& rows_;
    const WindowPartition& partition_;
    WorkerContext& context_;
    StateMemory tree_memory_;
    StateMemory memory_;
    std::vector<u64> state_;
    FrameRows held_{0, 0}; // what state_ has seen
    bool has_tree_ = false;
    bool tried_tree_ = false;
    std::vector<std::vector<u64>> levels_; // states of 16, 256, ... rows
    std::vector<size_t> previous_; // DISTINCT: by row of the partition, the last one with its value
    std::vector<VectorBuffer> buffers_;
    std::vector<Vector> vectors_;
    VectorBuffer result_;
    functions::TextHeap heap_;
};

} // namespace blueshift::execute
