#include "execute/window/window.h"

#include <algorithm>

#include "execute/rows/hash_columns.h"
#include "execute/rows/partitioned_rows.h"
#include "execute/window/window_part.h"

namespace blueshift::execute {
namespace {

constexpr std::string_view kWhat = "a window";
constexpr u64 kMostUnsplit = 16 << 10;

struct WindowRows {
    explicit WindowRows(const WindowShape& shape)
        : columns(shape.slots.size()),
          rows(shape.layout),
          hasher(u32(shape.sink.partition_by.size())),
          keys(shape.sink.partition_by.size()) {}
    std::vector<Vector> columns;
    PartitionedRows rows;
    ColumnHasher hasher;
    std::vector<Vector> keys;
};
/// flush() takes the rows away from it.
struct WindowState final : State {
    std::unique_ptr<WindowRows> rows;
};

class WindowSource final : public SourceOperator {
public:
    WindowSource(const WindowShape& shape, const std::vector<std::unique_ptr<WindowPart>>& parts,
                 std::vector<u32> columns)
        : shape_(shape), parts_(parts), columns_(std::move(columns)) {}

    void open() override {
        constexpr size_t kMorselRows = 32 << 10;
        for (u32 p = 0; p < parts_.size(); ++p) {
            const size_t rows = parts_[p]->rows().size();
            for (size_t begin = 0; begin < rows; begin += kMorselRows)
                morsels_.push_back({p, begin, std::min(rows, begin + kMorselRows)});
        }
    }
    u32 morselCount() const override { return u32(morsels_.size()); }
    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto cursor = std::make_unique<Cursor>();
        cursor->buffers.resize(columns_.size());
        cursor->vectors.resize(columns_.size());
        return cursor;
    }
    void start(State& state, u32 morsel, WorkerContext&) override {
        static_cast<Cursor&>(state).left = morsels_[morsel];
    }
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    struct Morsel {
        u32 part = 0;
        size_t begin = 0;
        size_t end = 0;
    };
    struct Cursor final : State {
        Morsel left;
        std::vector<VectorBuffer> buffers;
        std::vector<Vector> vectors;
    };

    const WindowShape& shape_;
    const std::vector<std::unique_ptr<WindowPart>>& parts_;
    std::vector<u32> columns_;
    std::vector<Morsel> morsels_;
};

bool WindowSource::next(State& state, Batch& batch, WorkerContext& context) {
    auto& cursor = static_cast<Cursor&>(state);
    Morsel& left = cursor.left;
    if (left.begin == left.end || context.failed()) return false;
    const WindowPart& part = *parts_[left.part];
    const u32 count = u32(std::min<size_t>(left.end - left.begin, context.vector_rows));
    const u32 passed = u32(shape_.sink.columns.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
        const u32 column = columns_[c];
        VectorBuffer& out = cursor.buffers[c];
        cursor.vectors[c] =
            column < passed
                ? gatherColumn(shape_.layout, column, part.rows().data() + left.begin, count, out)
                : part.result(column - passed).read(left.begin, count, out);
    }
    left.begin += count;
    batch = {.rows = count, .selected = count, .columns = cursor.vectors};
    return true;
}

class WindowOperator final : public SinkOperator {
public:
    explicit WindowOperator(const compile::SinkInfo& info) : shape_(info) {}

    std::unique_ptr<State> makeState(WorkerContext&) override {
        auto state = std::make_unique<WindowState>();
        state->rows = std::make_unique<WindowRows>(shape_);
        return state;
    }
    void consume(State& state, const Batch& batch, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    u32 finishTasks() override;
    void finishTask(u32 task, WorkerContext& context) override;
    bool finished(WorkerContext&) override {
        if (phase_ != Phase::kSplit) return false;
        beginCompute(kPartitions);
        return true;
    }
    std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) override {
        return std::make_unique<WindowSource>(shape_, parts_, columns);
    }
    u64 memoryBytes() const override {
        u64 bytes = 0;
        for (const auto& worker : workers_) bytes += worker->rows.memoryBytes();
        for (const auto& part : parts_) bytes += part->memoryBytes();
        return bytes;
    }

private:
    // kStart -> [kSplit] -> kCompute
    enum class Phase : u8 { kStart, kSplit, kCompute };

    void beginCompute(u32 parts) {
        phase_ = Phase::kCompute;
        for (u32 p = 0; p < parts; ++p) parts_.push_back(std::make_unique<WindowPart>(shape_));
    }

    WindowShape shape_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<WindowRows>> workers_;
    std::vector<std::unique_ptr<WindowPart>> parts_;
    Phase phase_ = Phase::kStart;
};

void WindowOperator::consume(State& state, const Batch& batch, WorkerContext& context) {
    WindowRows& into = *static_cast<WindowState&>(state).rows;
    for (size_t c = 0; c < shape_.slots.size(); ++c)
        into.columns[c] = batch.columns[shape_.slots[c]];
    for (size_t k = 0; k < into.keys.size(); ++k)
        into.keys[k] = batch.columns[shape_.sink.partition_by[k]];
    u64 hashes[kVectorRows];
    into.hasher.hash(into.keys, batch.selection, batch.selected, hashes);
    if (!into.keys.empty() && into.rows.rowCount() > kMostUnsplit &&
        !into.rows.split(context, kWhat))
        return;
    into.rows.append(into.columns, batch.selection, batch.selected, hashes, nullptr, context,
                     kWhat);
}

void WindowOperator::flush(State& state, WorkerContext&) {
    auto rows = std::move(static_cast<WindowState&>(state).rows);
    if (rows == nullptr) return;
    const std::lock_guard lock(mutex_);
    workers_.push_back(std::move(rows));
}

u32 WindowOperator::finishTasks() {
    if (phase_ == Phase::kStart) {
        const bool split = std::any_of(workers_.begin(), workers_.end(),
                                       [](const auto& worker) { return worker->rows.isSplit(); });
        if (split) phase_ = Phase::kSplit;
        else beginCompute(1);
    }
    return phase_ == Phase::kSplit ? u32(workers_.size()) : u32(parts_.size());
}

void WindowOperator::finishTask(u32 task, WorkerContext& context) {
    if (context.failed()) return;
    if (phase_ == Phase::kSplit) {
        workers_[task]->rows.split(context, kWhat);
        return;
    }
    std::vector<RowPages*> sources;
    for (const auto& worker : workers_) sources.push_back(&worker->rows.part(task));
    parts_[task]->compute(sources, context);
}

} // namespace

std::unique_ptr<SinkOperator> makeWindowSink(const compile::SinkInfo& info) {
    return std::make_unique<WindowOperator>(info);
}

} // namespace blueshift::execute
