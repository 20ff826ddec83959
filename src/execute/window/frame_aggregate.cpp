#include "execute/window/frame_aggregate.h"

#include <algorithm>

namespace blueshift::execute {

FrameAggregate::FrameAggregate(const WindowShape& shape, u32 index, const std::vector<u8*>& rows,
                               const WindowPartition& partition, WorkerContext& context)
    : shape_(shape),
      spec_(shape.sink.calls[index]),
      args_(shape.args[index]),
      rows_(rows),
      partition_(partition),
      context_(context),
      state_(spec_.aggregate->state_bytes / 8 + 1),
      buffers_(args_.size()),
      vectors_(args_.size()) {
    tree_memory_.bind(context);
    memory_.bind(context);
    result_.reset(shape.info.output[shape.sink.columns.size() + index].kind);
    held_ = {partition.begin, partition.begin};
    reset();
    if (spec_.distinct) findPrevious();
}

FrameAggregate::~FrameAggregate() {
    memory_.release();
    tree_memory_.release();
}

void FrameAggregate::reset() {
    memory_.release();
    spec_.aggregate->init(reinterpret_cast<u8*>(state_.data()));
}

functions::AggregateCall FrameAggregate::callOver(std::span<const Vector> args) {
    return {args, spec_.arg_types, spec_.result, memory_, context_.eval};
}

/// By sorting the rows' numbers by their arguments.
void FrameAggregate::findPrevious() {
    std::vector<RowSortKey> keys;
    for (const u32 column : args_) keys.push_back({column, false, false});
    const RowOrder order(shape_.layout, keys);
    const size_t count = partition_.end - partition_.begin;
    std::vector<size_t> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = partition_.begin + i;
    std::sort(numbers.begin(), numbers.end(), [&](size_t a, size_t b) {
        const i32 compared = order.compare(rows_[a], rows_[b]);
        return compared != 0 ? compared < 0 : a < b;
    });
    previous_.assign(count, kNoRow);
    for (size_t i = 1; i < count; ++i) {
        if (order.compare(rows_[numbers[i - 1]], rows_[numbers[i]]) == 0)
            previous_[numbers[i] - partition_.begin] = numbers[i - 1];
    }
}

void FrameAggregate::add(u8* state, size_t begin, size_t end, size_t frame_begin) {
    u8* living[kVectorRows];
    while (begin < end && !context_.failed()) {
        u32 count = 0;
        for (; begin < end && count < kVectorRows; ++begin) {
            u8* row = rows_[begin];
            bool counts = true;
            if (!spec_.aggregate->sees_nulls) {
                for (const u32 column : args_) counts &= !shape_.layout.isNull(row, column);
            }
            if (spec_.distinct) {
                const size_t previous = previous_[begin - partition_.begin];
                counts &= previous == kNoRow || previous < frame_begin;
            }
            living[count] = row;
            count += counts;
        }
        if (count == 0) continue;
        for (size_t a = 0; a < args_.size(); ++a)
            vectors_[a] = gatherColumn(shape_.layout, args_[a], living, count, buffers_[a]);
        spec_.aggregate->update_one(callOver(vectors_), nullptr, count, state);
    }
}

void FrameAggregate::buildTree() {
    tried_tree_ = true;
    const u32 bytes = spec_.aggregate->state_bytes;
    const size_t count = partition_.end - partition_.begin;
    size_t blocks = count / kFanOut;
    if (!context_.take(blocks * bytes * 2, "a window's tree of states")) return;
    const functions::AggregateCall call{
        {}, spec_.arg_types, spec_.result, tree_memory_, context_.eval};
    for (size_t width = kFanOut; blocks > 0; width *= kFanOut, blocks /= kFanOut) {
        std::vector<u64>& states = levels_.emplace_back(blocks * bytes / 8 + 1);
        for (size_t b = 0; b < blocks && !context_.failed(); ++b) {
            u8* state = stateAt(states, b);
            spec_.aggregate->init(state);
            if (width == kFanOut) {
                const size_t begin = partition_.begin + b * kFanOut;
                // What the leaves keep must outlive the frames.
                std::swap(memory_, tree_memory_);
                add(state, begin, begin + kFanOut, partition_.begin);
                std::swap(memory_, tree_memory_);
                continue;
            }
            for (size_t child = 0; child < kFanOut; ++child)
                spec_.aggregate->combine(call, state,
                                         stateAt(levels_[levels_.size() - 2], b * kFanOut + child));
        }
    }
    has_tree_ = true;
}

/// Rows up to the next whole block, then blocks as wide as fit, then what is left.
void FrameAggregate::addByTree(const FrameRows& frame) {
    u8* state = reinterpret_cast<u8*>(state_.data());
    size_t at = frame.begin - partition_.begin;
    const size_t end = frame.end - partition_.begin;
    while (at < end) {
        size_t width = 1;
        size_t level = 0;
        while (level < levels_.size() && at % (width * kFanOut) == 0 &&
               at + width * kFanOut <= end) {
            width *= kFanOut;
            ++level;
        }
        if (level == 0) {
            const size_t next = std::min(end, (at / kFanOut + 1) * kFanOut);
            add(state, partition_.begin + at, partition_.begin + next, frame.begin);
            at = next;
            continue;
        }
        spec_.aggregate->combine(callOver({}), state, stateAt(levels_[level - 1], at / width));
        at += width;
    }
}

void FrameAggregate::evaluate(const FrameRows& frame, size_t to, WindowColumn& out) {
    u8* state = reinterpret_cast<u8*>(state_.data());
    if (frame.begin == held_.begin && frame.end >= held_.end) {
        add(state, held_.end, frame.end, frame.begin);
    } else {
        constexpr size_t kShort = 2 * kFanOut;
        const bool may_combine = !spec_.distinct && !spec_.aggregate->ordered;
        if (may_combine && !tried_tree_ && frame.end - frame.begin > kShort) buildTree();
        reset();
        if (has_tree_ && may_combine) addByTree(frame);
        else add(state, frame.begin, frame.end, frame.begin);
    }
    held_ = frame;
    finish(to, out);
}

void FrameAggregate::finish(size_t to, WindowColumn& out) {
    if (context_.failed()) return;
    heap_.clear();
    u8* state = reinterpret_cast<u8*>(state_.data());
    spec_.aggregate->finalize(callOver({}), &state, 1, result_, heap_);
    out.set(to, result_.view(true), 0);
}

} // namespace blueshift::execute
