#include "execute/sort/sort.h"

#include <algorithm>
#include <utility>

#include "execute/sort/merge_runs.h"
#include "execute/sort/spilled_runs.h"
#include "execute/sort/top_rows.h"

namespace blueshift::execute {
namespace {

constexpr std::string_view kWhat = "a sort";
/// Beyond this many rows a limit saves little: everything is sorted.
constexpr u64 kMostTopRows = 1 << 18;
/// Of a row: in its run, and in the merged order.
constexpr u64 kEntryBytes = 2 * sizeof(SortEntry);

struct SortState final : State {
    explicit SortState(const SortShape& shape) : columns(shape.slots.size()), top(shape) {}
    std::vector<Vector> columns;
    RowPages pages;
    TopRows top;
};

class SortSource final : public SourceOperator {
public:
    SortSource(const SortShape& shape, const std::unique_ptr<RunMerger>& merger,
               std::vector<u32> columns)
        : shape_(shape), merger_(merger), columns_(std::move(columns)) {}

    void open() override {
        rows_ = merger_ == nullptr ? 0 : merger_->merged().size();
        end_ = std::min<u64>(rows_, shape_.limit);
        begin_ = std::min<u64>(shape_.offset, end_);
    }
    u32 morselCount() const override {
        return u32((end_ - begin_ + kMorselRows - 1) / kMorselRows);
    }
    std::unique_ptr<State> makeState(WorkerContext&) override;
    void start(State& state, u32 morsel, WorkerContext& context) override;
    bool next(State& state, Batch& batch, WorkerContext& context) override;

private:
    static constexpr u64 kMorselRows = 64 << 10;
    struct Cursor final : State {
        u64 at = 0;
        u64 end = 0;
        std::vector<VectorBuffer> buffers;
        std::vector<Vector> vectors;
    };

    const SortShape& shape_;
    const std::unique_ptr<RunMerger>& merger_;
    std::vector<u32> columns_;
    u64 rows_ = 0;
    u64 begin_ = 0;
    u64 end_ = 0;
};

std::unique_ptr<State> SortSource::makeState(WorkerContext&) {
    auto cursor = std::make_unique<Cursor>();
    cursor->buffers.resize(columns_.size());
    cursor->vectors.resize(columns_.size());
    return cursor;
}

void SortSource::start(State& state, u32 morsel, WorkerContext&) {
    auto& cursor = static_cast<Cursor&>(state);
    cursor.at = begin_ + morsel * kMorselRows;
    cursor.end = std::min(end_, cursor.at + kMorselRows);
}

bool SortSource::next(State& state, Batch& batch, WorkerContext& context) {
    auto& cursor = static_cast<Cursor&>(state);
    if (cursor.at == cursor.end || context.failed()) return false;
    const u32 count = u32(std::min<u64>(cursor.end - cursor.at, context.vector_rows));
    const u8* rows[kVectorRows];
    for (u32 i = 0; i < count; ++i) rows[i] = merger_->merged()[cursor.at + i].row;
    for (size_t c = 0; c < columns_.size(); ++c)
        cursor.vectors[c] =
            gatherColumn(shape_.layout, columns_[c], rows, count, cursor.buffers[c]);
    cursor.at += count;
    batch = {.rows = count, .selected = count, .columns = cursor.vectors};
    return true;
}

class SortOperator final : public SinkOperator {
public:
    explicit SortOperator(const compile::SinkInfo& info)
        : shape_(info), keeps_top_(shape_.limit <= kMostTopRows), codec_(shape_.layout) {}

    std::unique_ptr<State> makeState(WorkerContext&) override {
        return std::make_unique<SortState>(shape_);
    }
    void consume(State& state, const Batch& batch, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    u32 finishTasks() override;
    void finishTask(u32 task, WorkerContext& context) override;
    bool finished(WorkerContext& context) override;
    void release(WorkerContext& context) override;
    u64 spilledBytes() const override { return file_.bytesSpilled(); }
    std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) override {
        if (!spilled_.empty())
            return std::make_unique<SpilledSortSource>(shape_, codec_, file_, spilled_, columns);
        return std::make_unique<SortSource>(shape_, merger_, columns);
    }
    u64 memoryBytes() const override { return pages_.memoryBytes() + entry_bytes_; }

private:
    // kStart -> kWrite -> kShorten ... -> kDone, or kStart -> kMerge -> kDone
    enum class Phase : u8 { kStart, kWrite, kShorten, kMerge, kDone };

    std::vector<SortEntry> sorted(const RowPages& pages, const StopToken& stop) const;
    /// Writes the rows as a sorted run and frees them.
    void spill(std::span<const SortEntry> run, WorkerContext& context);
    void makeRoomForTop(TopRows& top, u64 more, WorkerContext& context);
    /// With how many runs the workers may merge at once; holds memory for it.
    size_t chooseRunsAtOnce(WorkerContext& context);
    bool haveSpilled() {
        const std::lock_guard lock(mutex_);
        return !spilled_.empty();
    }

    SortShape shape_;
    const bool keeps_top_;
    const RowCodec codec_;
    Phase phase_ = Phase::kStart;
    std::mutex mutex_;
    RowPages pages_;
    u64 entry_bytes_ = 0;
    std::vector<std::vector<SortEntry>> runs_;
    std::unique_ptr<RunMerger> merger_;
    SpillFile file_;
    std::vector<SpilledRows> spilled_; // sorted runs
    std::vector<SpilledRows> merged_;  // by task of kShorten
    size_t runs_at_once_ = MergeOfRuns::kMostRuns;
    u64 held_to_merge_ = 0; // MemoryGrant::hold()
};

std::vector<SortEntry> SortOperator::sorted(const RowPages& pages, const StopToken& stop) const {
    std::vector<SortEntry> run;
    run.reserve(pages.rowCount());
    for (const RowPage& page : pages.pages()) {
        for (u32 i = 0; i < page.rows; ++i) run.push_back({.row = page.row(i)});
    }
    shape_.order.prepareAndSort(run, stop);
    return run;
}

void SortOperator::spill(std::span<const SortEntry> run, WorkerContext& context) {
    if (run.empty()) return;
    std::vector<u8*> rows(run.size());
    for (size_t i = 0; i < run.size(); ++i) rows[i] = run[i].row;
    SpilledRows written;
    if (!written.append(file_, codec_, rows.data(), rows.size(), context)) return;
    const std::lock_guard lock(mutex_);
    spilled_.push_back(std::move(written));
}

void SortOperator::consume(State& given, const Batch& batch, WorkerContext& context) {
    auto& state = static_cast<SortState&>(given);
    for (size_t c = 0; c < shape_.slots.size(); ++c)
        state.columns[c] = batch.columns[shape_.slots[c]];
    const u64 row_bytes =
        RowPages::bytesOf(shape_.layout, state.columns, batch.selection, batch.selected);
    if (keeps_top_) {
        makeRoomForTop(state.top, row_bytes, context);
        if (!context.failed())
            state.top.add(state.columns, batch.selection, batch.selected, context);
        return;
    }
    const u64 held = state.pages.memoryBytes() + state.pages.rowCount() * kEntryBytes;
    if (!context.hasRoom(held, row_bytes + batch.selected * kEntryBytes)) {
        spill(sorted(state.pages, *context.stop), context);
        state.pages.clear(context);
        if (context.failed()) return;
    }
    state.pages.append(shape_.layout, state.columns, batch.selection, batch.selected, nullptr,
                       nullptr, context, kWhat);
}

/// Drops rows that are not among the best; else those so far become a run on disk.
void SortOperator::makeRoomForTop(TopRows& top, u64 more, WorkerContext& context) {
    if (context.hasRoom(top.pages().memoryBytes(), more)) return;
    if (top.mayShrink() && !top.shrink(context)) return;
    if (context.hasRoom(top.pages().memoryBytes(), more)) return;
    spill(top.finish(context), context);
    top.clear(context);
}

void SortOperator::flush(State& given, WorkerContext& context) {
    if (context.failed()) return;
    auto& state = static_cast<SortState&>(given);
    RowPages& pages = keeps_top_ ? state.top.pages() : state.pages;
    std::vector<SortEntry> run;
    const u64 entry_bytes = keeps_top_ ? 0 : pages.rowCount() * kEntryBytes;
    run = keeps_top_ ? state.top.finish(context) : sorted(pages, *context.stop);
    // A run on disk makes a run of every worker's rows.
    if (haveSpilled() || !context.mayKeep(pages.memoryBytes(), entry_bytes)) {
        spill(run, context);
        pages.clear(context);
        return;
    }
    if (!context.take(entry_bytes, kWhat)) return;
    const std::lock_guard lock(mutex_);
    pages_.absorb(std::move(pages));
    entry_bytes_ += entry_bytes;
    runs_.push_back(std::move(run));
}

u32 SortOperator::finishTasks() {
    if (phase_ == Phase::kStart) phase_ = spilled_.empty() ? Phase::kMerge : Phase::kWrite;
    if (phase_ == Phase::kWrite) return u32(runs_.size());
    if (phase_ == Phase::kShorten) return u32(merged_.size());
    if (phase_ == Phase::kDone) return 0;
    constexpr size_t kPartRows = 64 << 10;
    constexpr size_t kMostParts = 64;
    size_t rows = 0;
    for (const auto& run : runs_) rows += run.size();
    const u32 parts = u32(std::clamp<size_t>(rows / kPartRows, 1, kMostParts));
    merger_ = std::make_unique<RunMerger>(shape_.order, std::move(runs_), parts);
    return merger_->parts();
}

void SortOperator::finishTask(u32 task, WorkerContext& context) {
    if (context.failed()) return;
    if (phase_ == Phase::kWrite) {
        spill(runs_[task], context);
    } else if (phase_ == Phase::kShorten) {
        const size_t begin = task * runs_at_once_;
        const size_t count = std::min(runs_at_once_, spilled_.size() - begin);
        merged_[task] =
            mergeToRun(shape_.order, codec_, file_, {&spilled_[begin], count}, file_, context);
    } else {
        merger_->mergePart(task, *context.stop);
    }
}

size_t SortOperator::chooseRunsAtOnce(WorkerContext& context) {
    MemoryGrant& grant = *context.memory;
    grant.unhold(std::exchange(held_to_merge_, 0));
    const u64 each = MergeOfRuns::bytesOfRun(spilled_);
    const u64 wanted = std::min(spilled_.size() + 1, MergeOfRuns::kMostRuns) * each;
    u64 bytes = grant.workerBytes();
    if (wanted > bytes) {
        const u64 more = std::min(wanted - bytes, grant.room() / 2 / grant.workers());
        if (grant.hold(more * grant.workers())) {
            held_to_merge_ = more * grant.workers();
            bytes += more;
        }
    }
    return MergeOfRuns::runsFor(bytes, each);
}

bool SortOperator::finished(WorkerContext& context) {
    if (phase_ == Phase::kMerge) {
        merger_->finish();
        phase_ = Phase::kDone;
        return false;
    }
    if (phase_ == Phase::kWrite) {
        runs_.clear();
        pages_.clear(context);
        context.give(entry_bytes_);
        entry_bytes_ = 0;
    } else {
        spilled_ = std::move(merged_);
    }
    merged_.clear();
    runs_at_once_ = chooseRunsAtOnce(context);
    const bool many = spilled_.size() > runs_at_once_;
    phase_ = many ? Phase::kShorten : Phase::kDone;
    if (many) merged_.resize((spilled_.size() + runs_at_once_ - 1) / runs_at_once_);
    return many;
}

void SortOperator::release(WorkerContext& context) {
    merger_.reset();
    pages_.clear(context);
    context.give(entry_bytes_);
    entry_bytes_ = 0;
    if (context.memory != nullptr) context.memory->unhold(std::exchange(held_to_merge_, 0));
}

} // namespace

std::unique_ptr<SinkOperator> makeSortSink(const compile::SinkInfo& info) {
    return std::make_unique<SortOperator>(info);
}

} // namespace blueshift::execute
