// Calls that pick the value of another row: LAG and LEAD, FIRST_, LAST_ and NTH_VALUE.
#include "execute/sort/ordered_rows.h"
#include "execute/window/window_call.h"

namespace blueshift::execute {
namespace {

using bind::WindowFunction;

/// The numbers of a partition's rows whose argument is not NULL, for IGNORE NULLS.
class ValuedRows {
public:
    ValuedRows(PartitionView& view, u32 column)
        : view_(view),
          column_(column),
          layout_({}, false, sizeof(u64)),
          order_(layout_, {}),
          codec_(layout_),
          numbers_(order_, codec_, "IGNORE NULLS in a window", OrderedRows::kSmallBlockBytes) {}

    void collect() {
        release();
        u64 found[kVectorRows];
        u8* rows[kVectorRows];
        const auto [begin, end] = view_.partition();
        for (u64 at = begin; at < end && !view_.context.failed();) {
            u32 count = 0;
            const auto run =
                view_.rows.from(at, std::min<u64>(end, at + kVectorRows), view_.context);
            for (const u8* row : run) {
                found[count] = at++;
                count += !view_.shape.layout.isNull(row, column_);
            }
            for (u32 i = 0; i < count; ++i) rows[i] = reinterpret_cast<u8*>(&found[i]);
            if (!numbers_.append(rows, count, view_.context)) return;
            numbers_.settle(view_.context);
        }
        numbers_.finish(view_.context);
    }
    void release() { numbers_.release(view_.context); }
    u64 count() { return numbers_.reader().size(); }
    u64 at(u64 index) { return loadField<u64>(numbers_.reader().at(index, view_.context), 0); }
    /// How many lie before `row`; `hint` is the last answer for a row nearby.
    u64 before(u64 row, u64& hint) {
        while (hint < count() && at(hint) < row) ++hint;
        while (hint > 0 && at(hint - 1) >= row) --hint;
        return hint;
    }
    u64 bytesSpilled() const { return numbers_.bytesSpilled(); }

private:
    PartitionView& view_;
    u32 column_;
    RowLayout layout_;
    RowOrder order_;
    RowCodec codec_;
    OrderedRows numbers_;
};

/// What both families have in common: the argument, and where it is not NULL.
class ValueCall : public WindowCall {
public:
    ValueCall(PartitionView& view, u32 index)
        : view_(view),
          call_(view.shape.sink.calls[index]),
          args_(view.shape.args[index]),
          valued_(view, args_[0]) {}

    void start() override {
        hint_begin_ = hint_end_ = 0;
        if (call_.ignore_nulls) valued_.collect();
    }
    void release() override { valued_.release(); }
    u64 bytesSpilled() const override { return valued_.bytesSpilled(); }

protected:
    PartitionView& view_;
    const compile::WindowSink::Call& call_;
    const std::vector<u32>& args_;
    ValuedRows valued_;
    u64 hint_begin_ = 0;
    u64 hint_end_ = 0;
};

class Shift final : public ValueCall {
public:
    using ValueCall::ValueCall;

    void evaluate(const RowRange& range, u64 to, WindowColumn& out) override {
        const auto [begin, end] = view_.partition();
        for (u64 row = range.begin; row < range.end && !view_.context.failed(); ++row, ++to) {
            std::optional<i128> distance = 1;
            if (args_.size() > 1) distance = view_.integerAt(row, args_[1]);
            if (!distance) continue;
            const i128 step = call_.function == WindowFunction::kLag ? -*distance : *distance;
            i128 from = i128(row) + step;
            if (call_.ignore_nulls && step != 0) {
                const i128 place = step < 0 ? i128(valued_.before(row, hint_begin_)) + step
                                            : i128(valued_.before(row + 1, hint_begin_)) - 1 + step;
                from =
                    place >= 0 && place < i128(valued_.count()) ? i128(valued_.at(u64(place))) : -1;
            }
            if (from >= i128(begin) && from < i128(end)) view_.copy(u64(from), args_[0], to, out);
            else if (args_.size() > 2) view_.copy(row, args_[2], to, out);
        }
    }
};

class Pick final : public ValueCall {
public:
    using ValueCall::ValueCall;

    void evaluate(const RowRange& range, u64 to, WindowColumn& out) override {
        for (u64 row = range.begin; row < range.end && !view_.context.failed(); ++row, ++to) {
            const RowRange frame = view_.frameOf(call_, row);
            std::optional<i128> wanted = 1;
            if (call_.function == WindowFunction::kNthValue) {
                wanted = view_.integerAt(row, args_[1]);
                if (wanted && *wanted <= 0) return refuse();
            }
            if (!wanted || frame.begin >= frame.end) continue;
            const bool last = call_.function == WindowFunction::kLastValue;
            if (!call_.ignore_nulls) {
                const i128 from = last ? i128(frame.end) - 1 : i128(frame.begin) + *wanted - 1;
                if (from < i128(frame.end)) view_.copy(u64(from), args_[0], to, out);
                continue;
            }
            const u64 begin = valued_.before(frame.begin, hint_begin_);
            const u64 end = valued_.before(frame.end, hint_end_);
            if (*wanted <= i128(end - begin))
                view_.copy(valued_.at(last ? end - 1 : begin + u64(*wanted) - 1), args_[0], to,
                           out);
        }
    }

private:
    void refuse() {
        if (view_.context.failed()) return; // the row was not read
        view_.context.eval.fail(Error("22016", "argument of nth_value must be greater than zero")
                                    .withHint("Rows of a frame are counted from 1."));
    }
};

} // namespace

std::unique_ptr<WindowCall> makeShift(PartitionView& view, u32 index) {
    return std::make_unique<Shift>(view, index);
}

std::unique_ptr<WindowCall> makePick(PartitionView& view, u32 index) {
    return std::make_unique<Pick>(view, index);
}

} // namespace blueshift::execute
