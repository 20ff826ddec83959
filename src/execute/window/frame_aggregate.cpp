#include "execute/window/frame_aggregate.h"

#include <algorithm>
#include <cctype>

namespace blueshift::execute {
namespace {

constexpr i64 kNoRow = -1;
constexpr RowColumn kNumber{PhysicalKind::kI64, false};
constexpr RowColumn kNumberAndPrevious[] = {kNumber, kNumber};
constexpr RowSortKey kByNumber[] = {{0, false, false}};

std::string nameFor(const functions::Aggregate& aggregate) {
    std::string name(aggregate.name);
    for (char& c : name) c = char(std::toupper(c));
    return name + " over the rows of a window frame";
}

std::vector<RowSortKey> keysOf(const std::vector<u32>& columns) {
    std::vector<RowSortKey> keys;
    for (const u32 column : columns) keys.push_back({column, false, false});
    return keys;
}

} // namespace

FrameAggregate::FrameAggregate(PartitionView& view, u32 index)
    : view_(view),
      context_(view.context),
      spec_(view.shape.sink.calls[index]),
      args_(view.shape.args[index]),
      name_(nameFor(*spec_.aggregate)),
      state_(spec_.aggregate->state_bytes / 8 + 1),
      state_layout_({}, false, spec_.aggregate->state_bytes),
      as_built_(state_layout_, {}),
      state_codec_(state_layout_, {{0, spec_.aggregate}}),
      arguments_(view.shape.layout, keysOf(args_)),
      previous_layout_(kNumberAndPrevious, false),
      by_number_(previous_layout_, kByNumber),
      previous_codec_(previous_layout_),
      previous_(by_number_, previous_codec_, name_, OrderedRows::kSmallBlockBytes),
      buffers_(args_.size()),
      vectors_(args_.size()) {
    memory_.bind(context_, name_);
    result_.reset(view.shape.info.output[view.shape.sink.columns.size() + index].kind);
}

void FrameAggregate::release() {
    memory_.release();
    for (const auto& level : levels_) level->release(context_);
    levels_.clear();
    previous_.release(context_);
}

void FrameAggregate::start() {
    release();
    tried_tree_ = false;
    held_ = {view_.partition().begin, view_.partition().begin};
    shown_ = {1, 0};
    reset();
    if (spec_.distinct) findPrevious();
}

void FrameAggregate::reset() {
    memory_.release();
    spec_.aggregate->init(state());
}

functions::AggregateCall FrameAggregate::callOver(std::span<const Vector> args,
                                                  functions::StateStore& store) {
    return {args, spec_.arg_types, spec_.result, store, context_.eval};
}

/// The partition's arguments and row numbers.
bool FrameAggregate::sortByValue(OrderedRows& by_value) {
    VectorBuffer numbers;
    std::vector<Vector> columns(args_.size() + 1);
    const auto [begin, end] = view_.partition();
    for (u64 at = begin; at < end && !context_.failed();) {
        const auto run = view_.rows.from(at, std::min<u64>(end, at + kVectorRows), context_);
        const u32 count = u32(run.size());
        for (size_t a = 0; a < args_.size(); ++a)
            columns[a] = gatherColumn(view_.shape.layout, args_[a], run.data(), count, buffers_[a]);
        numbers.reset(PhysicalKind::kI64);
        for (u32 i = 0; i < count; ++i) numbers.values<i64>()[i] = i64(at++);
        columns.back() = numbers.view(false);
        if (!by_value.append(columns, count, context_)) return false;
        by_value.settle(context_);
    }
    return by_value.finish(context_);
}

/// By sorting row numbers, which small partitions in one place are done with at once.
void FrameAggregate::findPreviousAmong(std::span<u8* const> rows) {
    by_value_.resize(rows.size());
    for (u32 i = 0; i < rows.size(); ++i) by_value_[i] = i;
    std::sort(by_value_.begin(), by_value_.end(), [&](u32 a, u32 b) {
        const i32 compared = arguments_.compare(rows[a], rows[b]);
        return compared != 0 ? compared < 0 : a < b;
    });
    few_previous_.assign(rows.size(), kNoRow);
    for (size_t i = 1; i < rows.size(); ++i)
        if (arguments_.compare(rows[by_value_[i - 1]], rows[by_value_[i]]) == 0)
            few_previous_[by_value_[i]] = i64(view_.partition().begin + by_value_[i - 1]);
}

void FrameAggregate::findPrevious() {
    const auto [begin, end] = view_.partition();
    few_previous_.clear();
    const auto all = view_.rows.from(begin, std::min(end, begin + kVectorRows), context_);
    if (all.size() == end - begin) return findPreviousAmong(all);
    std::vector<RowColumn> columns;
    std::vector<RowSortKey> keys;
    for (const u32 column : args_) {
        keys.push_back({u32(columns.size()), false, false});
        columns.push_back({view_.shape.layout.kindOf(column), true});
    }
    const u32 number = u32(columns.size());
    columns.push_back(kNumber);
    const RowLayout layout(columns, false);
    const RowCodec codec(layout);
    const RowOrder same_value(layout, keys);
    keys.push_back({number, false, false});
    const RowOrder order(layout, keys);
    OrderedRows by_value(order, codec, name_);
    u64 row[2]; // of previous_layout_
    u8* const at = reinterpret_cast<u8*>(row);
    if (sortByValue(by_value)) {
        RowReader& sorted = by_value.reader();
        for (u64 i = 0; i < sorted.size() && !context_.failed(); ++i) {
            const u8* before = i == 0 ? nullptr : sorted.at(i - 1, context_);
            const u8* now = sorted.at(i, context_);
            const bool repeats = before != nullptr && same_value.compare(before, now) == 0;
            const u32 offset = layout.offsetOf(number);
            storeField(at, previous_layout_.offsetOf(0), loadField<i64>(now, offset));
            storeField(at, previous_layout_.offsetOf(1),
                       repeats ? loadField<i64>(before, offset) : kNoRow);
            if (!previous_.append(&at, 1, context_)) break;
            if (i % kVectorRows == kVectorRows - 1) previous_.settle(context_);
        }
        previous_.finish(context_);
        spilled_bytes_ += by_value.bytesSpilled();
    }
    by_value.release(context_);
}

/// kNoRow: before every row.
i64 FrameAggregate::previousOf(u64 row) {
    if (!few_previous_.empty()) return few_previous_[row - view_.partition().begin];
    const u8* found = previous_.reader().at(row - view_.partition().begin, context_);
    return loadField<i64>(found, previous_layout_.offsetOf(1));
}

void FrameAggregate::add(u8* state, u64 begin, u64 end, u64 frame_begin,
                         functions::StateStore& store) {
    const RowLayout& layout = view_.shape.layout;
    u8* living[kVectorRows];
    while (begin < end && !context_.failed()) {
        const auto run = view_.rows.from(begin, std::min<u64>(end, begin + kVectorRows), context_);
        u32 count = 0;
        for (u8* row : run) {
            bool counts = true;
            if (!spec_.aggregate->sees_nulls) {
                for (const u32 column : args_) counts &= !layout.isNull(row, column);
            }
            if (spec_.distinct) counts &= previousOf(begin) < i64(frame_begin);
            living[count] = row;
            count += counts;
            ++begin;
        }
        if (count == 0) continue;
        for (size_t a = 0; a < args_.size(); ++a)
            vectors_[a] = gatherColumn(layout, args_[a], living, count, buffers_[a]);
        spec_.aggregate->update_one(callOver(vectors_, store), nullptr, count, state);
    }
}

void FrameAggregate::fillLevel(OrderedRows& level, u64 states, u64 width) {
    std::vector<u64> made(spec_.aggregate->state_bytes / 8 + 1);
    u8* const state = reinterpret_cast<u8*>(made.data());
    level.outside().bind(context_, name_);
    const u64 first = view_.partition().begin;
    for (u64 s = 0; s < states && !context_.failed(); ++s) {
        spec_.aggregate->init(state);
        if (width == kFanOut) {
            const u64 begin = first + s * kFanOut;
            add(state, begin, begin + kFanOut, first, level.outside());
        } else {
            RowReader& below = levels_.back()->reader();
            for (u64 child = 0; child < kFanOut; ++child) {
                const u8* from = below.at(s * kFanOut + child, context_);
                if (context_.failed()) return;
                spec_.aggregate->combine(callOver({}, level.outside()), state, from);
            }
        }
        if (!level.append(&state, 1, context_)) return;
        if (s % kFanOut == kFanOut - 1) level.settle(context_);
    }
    level.finish(context_);
}

void FrameAggregate::buildTree() {
    const auto [begin, end] = view_.partition();
    u64 states = (end - begin) / kFanOut;
    for (u64 width = kFanOut; states > 0; width *= kFanOut, states /= kFanOut) {
        auto level = std::make_unique<OrderedRows>(as_built_, state_codec_, name_,
                                                   OrderedRows::kSmallBlockBytes);
        fillLevel(*level, states, width);
        spilled_bytes_ += level->bytesSpilled();
        levels_.push_back(std::move(level));
        if (context_.failed()) return;
    }
}

/// Rows up to the next whole block, then blocks as wide as fit, then what is left.
void FrameAggregate::addByTree(const RowRange& frame) {
    const u64 first = view_.partition().begin;
    u64 at = frame.begin - first;
    const u64 end = frame.end - first;
    const functions::AggregateCall call = callOver({}, memory_);
    while (at < end && !context_.failed()) {
        u64 width = 1;
        size_t level = 0;
        while (level < levels_.size() && at % (width * kFanOut) == 0 &&
               at + width * kFanOut <= end) {
            width *= kFanOut;
            ++level;
        }
        if (level == 0) {
            const u64 next = std::min(end, (at / kFanOut + 1) * kFanOut);
            add(state(), first + at, first + next, frame.begin, memory_);
            at = next;
            continue;
        }
        // As far as the next wider block begins, or no more of this width fit.
        RowReader& states = levels_[level - 1]->reader();
        const u64 wider = width * kFanOut;
        const u64 until = std::min((at / wider + 1) * wider, at + (end - at) / width * width);
        while (at < until) {
            const auto run = states.from(at / width, until / width, context_);
            if (context_.failed()) return;
            for (const u8* part : run) spec_.aggregate->combine(call, state(), part);
            at += run.size() * width;
        }
    }
}

/// Makes state_ that of the frame.
void FrameAggregate::move(const RowRange& frame) {
    if (frame.begin == held_.begin && frame.end >= held_.end) {
        add(state(), held_.end, frame.end, frame.begin, memory_);
    } else {
        constexpr u64 kShort = 2 * kFanOut;
        const bool may_combine = !spec_.distinct && !spec_.aggregate->ordered;
        if (may_combine && !tried_tree_ && frame.end - frame.begin > kShort) {
            tried_tree_ = true;
            buildTree();
        }
        reset();
        if (!levels_.empty()) addByTree(frame);
        else add(state(), frame.begin, frame.end, frame.begin, memory_);
    }
    held_ = frame;
}

void FrameAggregate::evaluate(const RowRange& rows, u64 to, WindowColumn& out) {
    const RowRange& partition = view_.partition();
    for (u64 row = rows.begin; row < rows.end; ++row, ++to) {
        RowRange frame = view_.frameOf(spec_, row);
        if (frame.begin >= frame.end) frame = {partition.begin, partition.begin};
        if (frame != shown_) {
            move(frame);
            if (context_.failed()) return;
            finish();
            shown_ = frame;
        }
        out.set(to, result_.view(true), 0);
    }
}

void FrameAggregate::finish() {
    heap_.clear();
    u8* const states[] = {state()};
    spec_.aggregate->finalize(callOver({}, memory_), states, 1, result_, heap_);
}

std::unique_ptr<WindowCall> makeFramed(PartitionView& view, u32 index) {
    return std::make_unique<FrameAggregate>(view, index);
}

} // namespace blueshift::execute
