#include "execute/sort/ordered_rows.h"

#include "execute/sort/spilled_runs.h"

namespace blueshift::execute {

bool OrderedRows::reserve(u64 rows, WorkerContext& context) {
    const u64 bytes = rows * (sizeof(u8*) + (order_.hasKeys() ? sizeof(SortEntry) : 0));
    if (!context.take(bytes, what_)) return false;
    reserved_ += bytes;
    return true;
}

bool OrderedRows::append(u8* const* rows, u32 count, WorkerContext& context) {
    return reserve(count, context) &&
           pages_.appendRows(codec_.layout(), rows, count, nullptr, context, what_);
}

bool OrderedRows::append(std::span<const Vector> columns, u32 count, WorkerContext& context) {
    return reserve(count, context) && pages_.append(codec_.layout(), columns, nullptr, count,
                                                    nullptr, nullptr, context, what_);
}

bool OrderedRows::absorb(RowPages&& pages, WorkerContext& context) {
    const u64 rows = pages.rowCount();
    pages_.absorb(std::move(pages));
    return reserve(rows, context);
}

void OrderedRows::absorbRuns(std::vector<SpilledRows> runs, const SpillFile& file) {
    for (SpilledRows& run : runs) addRun(std::move(run));
    runs_file_ = &file;
}

void OrderedRows::settle(WorkerContext& context) {
    if (!context.hasRoom(pages_.memoryBytes() + outside_.memoryBytes() + reserved_))
        writeRun(context);
}

void OrderedRows::sortRows(std::vector<u8*>& rows, WorkerContext& context) const {
    pages_.collectRows(rows);
    if (order_.hasKeys()) order_.sortRows(rows, *context.stop);
}

/// Without keys all runs are one.
void OrderedRows::addRun(SpilledRows&& run) {
    if (order_.hasKeys() || runs_.empty()) runs_.push_back(std::move(run));
    else runs_[0].absorb(std::move(run));
}

void OrderedRows::writeRun(WorkerContext& context) {
    if (pages_.rowCount() == 0 || context.failed()) return;
    std::vector<u8*> rows;
    sortRows(rows, context);
    if (file_ == nullptr) {
        file_ = std::make_unique<SpillFile>();
        runs_file_ = file_.get();
    }
    SpilledRows run;
    if (!run.append(*file_, codec_, rows.data(), rows.size(), context, block_bytes_)) return;
    spilled_bytes_ += run.bytes();
    addRun(std::move(run));
    pages_.clear(context);
    outside_.release();
    context.give(std::exchange(reserved_, 0));
}

bool OrderedRows::mergeRuns(WorkerContext& context) {
    while (runs_.size() > 1 && !context.failed()) {
        const u64 each = MergeOfRuns::bytesOfRun(runs_);
        u64 more = std::min(each * MergeOfRuns::kMostRuns, context.room() / 2);
        if (context.memory != nullptr && !context.memory->hold(more)) more = 0;
        const u64 least = context.memory == nullptr ? 0 : context.memory->workerBytes();
        const size_t at_once = MergeOfRuns::runsFor(least + more, each);
        auto into = std::make_unique<SpillFile>();
        std::vector<SpilledRows> merged;
        for (size_t begin = 0; begin < runs_.size(); begin += at_once) {
            const size_t count = std::min(at_once, runs_.size() - begin);
            merged.push_back(
                mergeToRun(order_, codec_, *runs_file_, {&runs_[begin], count}, *into, context));
            spilled_bytes_ += merged.back().bytes();
        }
        if (context.memory != nullptr) context.memory->unhold(more);
        runs_ = std::move(merged);
        file_ = std::move(into);
        runs_file_ = file_.get();
    }
    return !context.failed();
}

bool OrderedRows::finish(WorkerContext& context) {
    if (context.failed()) return false;
    if (runs_.empty()) {
        sortRows(rows_, context);
        reader_.open(rows_);
        return !context.failed();
    }
    writeRun(context);
    if (!mergeRuns(context)) return false;
    reader_.open(runs_[0], *runs_file_, codec_);
    return true;
}

void OrderedRows::release(WorkerContext& context) {
    reader_.close(context);
    rows_ = {};
    pages_.clear(context);
    outside_.release();
    context.give(std::exchange(reserved_, 0));
    runs_.clear();
    file_.reset();
    runs_file_ = nullptr;
}

} // namespace blueshift::execute
