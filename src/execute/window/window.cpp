#include "execute/window/window.h"

#include <algorithm>

#include "execute/rows/hash_columns.h"
#include "execute/rows/partitioned_rows.h"
#include "execute/window/spilled_window.h"

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
    u64 reserved = 0; // bytes taken for computing these rows
};
/// flush() takes the rows away from it.
struct WindowState final : State {
    std::unique_ptr<WindowRows> rows;
};

class WindowSource final : public SourceOperator {
public:
    WindowSource(const std::vector<std::unique_ptr<WindowPart>>& parts, std::vector<u32> columns)
        : parts_(parts), columns_(std::move(columns)) {}

    void open() override {
        constexpr size_t kMorselRows = 32 << 10;
        for (u32 p = 0; p < parts_.size(); ++p) {
            const size_t rows = parts_[p]->rowCount();
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

    const std::vector<std::unique_ptr<WindowPart>>& parts_;
    std::vector<u32> columns_;
    std::vector<Morsel> morsels_;
};

bool WindowSource::next(State& state, Batch& batch, WorkerContext& context) {
    auto& cursor = static_cast<Cursor&>(state);
    Morsel& left = cursor.left;
    if (left.begin == left.end || context.failed()) return false;
    const u32 count = u32(std::min<size_t>(left.end - left.begin, context.vector_rows));
    parts_[left.part]->read(columns_, left.begin, count, cursor.buffers, cursor.vectors);
    left.begin += count;
    batch = {.rows = count, .selected = count, .columns = cursor.vectors};
    return true;
}

class WindowOperator final : public SinkOperator {
public:
    explicit WindowOperator(const compile::SinkInfo& info) : shape_(info), spill_(shape_) {}

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
        if (spill_.any()) return std::make_unique<SpilledWindowSource>(shape_, spill_, columns);
        return std::make_unique<WindowSource>(parts_, columns);
    }
    void release(WorkerContext& context) override {
        for (const auto& worker : workers_) worker->rows.clear(context);
        for (const auto& part : parts_) part->release(context);
        workers_.clear();
        parts_.clear();
    }
    u64 spilledBytes() const override { return spill_.bytesSpilled(); }
    u64 memoryBytes() const override {
        u64 bytes = 0;
        for (const auto& worker : workers_) bytes += worker->rows.memoryBytes();
        for (const auto& part : parts_) bytes += part->memoryBytes();
        return bytes;
    }

private:
    // kStart -> [kSplit] -> kCompute, or kStart -> kWrite
    enum class Phase : u8 { kStart, kWrite, kSplit, kCompute };

    void write(WindowRows& from, WorkerContext& context) {
        std::vector<u8*> rows;
        from.rows.collectRows(rows);
        spill_.write(std::move(rows), context);
        from.rows.clear(context);
        context.give(std::exchange(from.reserved, 0));
    }

    void beginCompute(u32 parts) {
        phase_ = Phase::kCompute;
        for (const auto& worker : workers_) worker->reserved = 0; // the parts' now
        for (u32 p = 0; p < parts; ++p) parts_.push_back(std::make_unique<WindowPart>(shape_));
    }

    WindowShape shape_;
    WindowSpill spill_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<WindowRows>> workers_;
    std::vector<std::unique_ptr<WindowPart>> parts_;
    Phase phase_ = Phase::kStart;
    const u64 row_bytes_ = WindowPart::rowBytes(shape_); // that computing takes
};

void WindowOperator::consume(State& state, const Batch& batch, WorkerContext& context) {
    WindowRows& into = *static_cast<WindowState&>(state).rows;
    if (!context.hasRoom(into.rows.memoryBytes() + into.reserved)) write(into, context);
    if (context.failed()) return;
    for (size_t c = 0; c < shape_.slots.size(); ++c)
        into.columns[c] = batch.columns[shape_.slots[c]];
    for (size_t k = 0; k < into.keys.size(); ++k)
        into.keys[k] = batch.columns[shape_.sink.partition_by[k]];
    u64 hashes[kVectorRows];
    into.hasher.hash(into.keys, batch.selection, batch.selected, hashes);
    if (!into.keys.empty() && into.rows.rowCount() > kMostUnsplit &&
        !into.rows.split(context, kWhat))
        return;
    if (!into.rows.append(into.columns, batch.selection, batch.selected, hashes, nullptr, context,
                          kWhat))
        return;
    // Rows that are kept can be computed, whatever other queries take meanwhile.
    const u64 bytes = batch.selected * row_bytes_;
    if (context.take(bytes, kWhat)) into.reserved += bytes;
}

void WindowOperator::flush(State& state, WorkerContext& context) {
    auto rows = std::move(static_cast<WindowState&>(state).rows);
    if (rows == nullptr) return;
    if (!context.mayKeep(rows->rows.memoryBytes() + rows->reserved)) write(*rows, context);
    const std::lock_guard lock(mutex_);
    workers_.push_back(std::move(rows));
}

u32 WindowOperator::finishTasks() {
    if (phase_ == Phase::kStart) {
        const bool split = std::any_of(workers_.begin(), workers_.end(),
                                       [](const auto& worker) { return worker->rows.isSplit(); });
        if (spill_.any()) phase_ = Phase::kWrite;
        else if (split) phase_ = Phase::kSplit;
        else beginCompute(1);
    }
    return phase_ == Phase::kSplit || phase_ == Phase::kWrite ? u32(workers_.size())
                                                              : u32(parts_.size());
}

void WindowOperator::finishTask(u32 task, WorkerContext& context) {
    if (context.failed()) return;
    if (phase_ == Phase::kWrite) return write(*workers_[task], context);
    if (phase_ == Phase::kSplit) {
        workers_[task]->rows.split(context, kWhat);
        return;
    }
    std::vector<RowPages*> sources;
    for (const auto& worker : workers_) sources.push_back(&worker->rows.part(task));
    parts_[task]->compute(sources, context);
    spill_.further_bytes.fetch_add(parts_[task]->bytesSpilled());
}

} // namespace

std::unique_ptr<SinkOperator> makeWindowSink(const compile::SinkInfo& info) {
    return std::make_unique<WindowOperator>(info);
}

} // namespace blueshift::execute
