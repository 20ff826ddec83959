// Calls that look at places and sums of the partition: ranks, NTILE, RATIO_TO_REPORT.
#include "execute/window/window_call.h"

#include <cmath>

#include "kernels/decimal.h"

namespace blueshift::execute {
namespace {

using bind::WindowFunction;

f64 asFloat(const RowLayout& layout, u32 column, const u8* row) {
    f64 value = 0;
    dispatchKind(layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        if constexpr (!std::is_same_v<T, TextView>)
            value = f64(loadField<T>(row, layout.offsetOf(column)));
    });
    return value;
}

class Rank final : public WindowCall {
public:
    Rank(PartitionView& view, u32 index)
        : view_(view), function_(view.shape.sink.calls[index].function) {}

    void start() override { dense_ = 0; }
    void evaluate(const RowRange& range, u64 to, WindowColumn& out) override {
        const RowRange& partition = view_.partition();
        const u64 rows = partition.end - partition.begin;
        for (u64 row = range.begin; row < range.end; ++row, ++to) {
            const RowRange& peers = view_.peersOf(row);
            dense_ += peers.begin == row;
            const i64 rank = i64(peers.begin - partition.begin) + 1;
            switch (function_) {
            case WindowFunction::kRowNumber:
                out.setInteger(to, i64(row - partition.begin) + 1);
                break;
            case WindowFunction::kRank: out.setInteger(to, rank); break;
            case WindowFunction::kDenseRank: out.setInteger(to, dense_); break;
            case WindowFunction::kPercentRank:
                out.setFloat(to, rows <= 1 ? 0 : f64(rank - 1) / f64(rows - 1));
                break;
            default: out.setFloat(to, f64(peers.end - partition.begin) / f64(rows)); break;
            }
        }
    }

private:
    PartitionView& view_;
    WindowFunction function_;
    i64 dense_ = 0;
};

class Tile final : public WindowCall {
public:
    Tile(PartitionView& view, u32 index) : view_(view), column_(view.shape.args[index][0]) {}

    void start() override {
        tiles_ = view_.integerAt(view_.partition().begin, column_);
        if (!tiles_ || *tiles_ > 0 || view_.context.failed()) return;
        view_.context.eval.fail(Error("22014", "argument of ntile must be greater than zero")
                                    .withHint("Give the number of groups as a positive integer."));
        tiles_.reset();
    }
    void evaluate(const RowRange& range, u64 to, WindowColumn& out) override {
        if (!tiles_) return;
        const RowRange& partition = view_.partition();
        const i128 rows = i128(partition.end - partition.begin);
        const i128 size = rows / *tiles_;
        const i128 larger = rows % *tiles_; // the first tiles have one row more
        const i128 in_larger = larger * (size + 1);
        for (u64 row = range.begin; row < range.end; ++row, ++to) {
            const i128 at = i128(row - partition.begin);
            out.setInteger(
                to, at < in_larger ? at / (size + 1) + 1 : larger + (at - in_larger) / size + 1);
        }
    }

private:
    PartitionView& view_;
    u32 column_;
    std::optional<i128> tiles_;
};

class Ratio final : public WindowCall {
public:
    Ratio(PartitionView& view, u32 index)
        : view_(view),
          column_(view.shape.args[index][0]),
          scale_(u32(view.shape.sink.calls[index].result.scale)) {}

    void start() override {
        const RowLayout& layout = view_.shape.layout;
        const auto [begin, end] = view_.partition();
        sum_ = 0;
        for (u64 at = begin; at < end && !view_.context.failed();) {
            const auto rows =
                view_.rows.from(at, std::min<u64>(end, at + kVectorRows), view_.context);
            for (const u8* row : rows)
                if (!layout.isNull(row, column_)) sum_ += asFloat(layout, column_, row);
            at += rows.size();
        }
    }
    void evaluate(const RowRange& range, u64 to, WindowColumn& out) override {
        if (sum_ == 0) return;
        const RowLayout& layout = view_.shape.layout;
        for (u64 number = range.begin; number < range.end; ++number, ++to) {
            const u8* row = view_.row(number);
            if (layout.isNull(row, column_)) continue;
            const f64 value = asFloat(layout, column_, row) / sum_;
            if (isIntegerKind(out.kind())) {
                const i128 power = kernels::powerOfTen(scale_);
                out.setInteger(to, i128(std::round(value * f64(power))));
            } else {
                out.setFloat(to, value);
            }
        }
    }

private:
    PartitionView& view_;
    u32 column_;
    u32 scale_;
    f64 sum_ = 0;
};

} // namespace

std::unique_ptr<WindowCall> makeWindowCall(PartitionView& view, u32 index) {
    switch (view.shape.sink.calls[index].function) {
    case WindowFunction::kRowNumber:
    case WindowFunction::kRank:
    case WindowFunction::kDenseRank:
    case WindowFunction::kPercentRank:
    case WindowFunction::kCumeDist: return std::make_unique<Rank>(view, index);
    case WindowFunction::kNtile: return std::make_unique<Tile>(view, index);
    case WindowFunction::kLag:
    case WindowFunction::kLead: return makeShift(view, index);
    case WindowFunction::kFirstValue:
    case WindowFunction::kLastValue:
    case WindowFunction::kNthValue: return makePick(view, index);
    case WindowFunction::kRatioToReport: return std::make_unique<Ratio>(view, index);
    case WindowFunction::kAggregate: return makeFramed(view, index);
    }
    BS_UNREACHABLE("a window function without a call");
}

} // namespace blueshift::execute
