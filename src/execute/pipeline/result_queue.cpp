#include "execute/pipeline/result_queue.h"

#include "execute/join/scatter.h"

namespace blueshift::execute {

OwnedBatch::OwnedBatch(const Batch& batch) {
    u16 rows[kVectorRows];
    for (u32 i = 0; i < batch.selected; ++i) rows[i] = u16(batch.rowAt(i));
    buffers_.resize(batch.columns.size());
    columns_.resize(batch.columns.size());
    for (size_t c = 0; c < batch.columns.size(); ++c) {
        Vector vector = batch.columns[c];
        if (vector.form == VectorForm::kConstant) {
            // The value may lie in a worker's scratch: spread it.
            const bool null = vector.isNull(0);
            buffers_[c].reset(vector.kind, batch.selected);
            if (null) {
                buffers_[c].setAllNull();
                columns_[c] = buffers_[c].view(true);
                continue;
            }
            dispatchKind(vector.kind, [&](auto* tag) {
                using T = std::remove_pointer_t<decltype(tag)>;
                std::fill_n(buffers_[c].values<T>(), batch.selected, vector.values<T>()[0]);
            });
            columns_[c] = buffers_[c].view(false);
        } else {
            columns_[c] = takeRows(vector, rows, batch.selected, buffers_[c]);
        }
        if (vector.kind != PhysicalKind::kText) continue;
        auto* texts = buffers_[c].values<TextView>();
        for (u32 i = 0; i < batch.selected; ++i) {
            if (columns_[c].isNull(i) || texts[i].isInline()) continue;
            texts[i] = heap_.store(asStringView(texts[i]));
        }
    }
    batch_ = {.rows = batch.selected, .selected = batch.selected, .columns = columns_};
}

bool ResultQueue::roomOrPark(Task& task) {
    std::lock_guard lock(mutex_);
    if (abandoned_ || spills_ || batches_.size() < kMostBatches) return true;
    parked_.push_back(&task);
    return false;
}

void ResultQueue::push(std::unique_ptr<OwnedBatch> batch) {
    std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
    changed_.notify_one();
}

void ResultQueue::push(const Batch& batch, WorkerContext& context) {
    if (spills_) {
        std::unique_lock lock(mutex_);
        const bool full =
            !abandoned_ && (batches_.size() >= kMostBatches || !context.hasRoom(kMostBatches));
        lock.unlock();
        if (full) {
            SpilledRows written;
            if (!write(batch, written, context)) return;
            lock.lock();
            spilled_.push_back(std::move(written));
            changed_.notify_one();
            return;
        }
    }
    push(std::make_unique<OwnedBatch>(batch));
}

namespace {

/// Batches in flight are not counted; those that are written and read back are some of them.
class Uncounted {
public:
    explicit Uncounted(WorkerContext& context) : context_(context), memory_(context.memory) {
        context.memory = nullptr;
    }
    ~Uncounted() { context_.memory = memory_; }

private:
    WorkerContext& context_;
    MemoryGrant* memory_;
};

} // namespace

bool ResultQueue::write(const Batch& batch, SpilledRows& written, WorkerContext& context) {
    const Uncounted uncounted(context);
    RowPages pages;
    if (!pages.append(layout_, batch.columns, batch.selection, batch.selected, nullptr, nullptr,
                      context, "a result"))
        return false;
    std::vector<u8*> rows;
    pages.collectRows(rows);
    return written.append(file_, codec_, rows.data(), rows.size(), context);
}

std::unique_ptr<OwnedBatch> ResultQueue::readBack(const SpilledRows& rows, WorkerContext& context) {
    const Uncounted uncounted(context);
    RowPages pages;
    for (size_t b = 0; b < rows.blockCount(); ++b)
        if (!rows.read(b, file_, codec_, pages, context)) return nullptr;
    std::vector<u8*> addresses;
    pages.collectRows(addresses);
    std::vector<VectorBuffer> buffers(layout_.columnCount());
    std::vector<Vector> columns(layout_.columnCount());
    const u32 count = u32(addresses.size());
    for (u32 c = 0; c < columns.size(); ++c)
        columns[c] = gatherColumn(layout_, c, addresses.data(), count, buffers[c]);
    return std::make_unique<OwnedBatch>(
        Batch{.rows = count, .selected = count, .columns = columns});
}

void ResultQueue::writerEnded() {
    std::lock_guard lock(mutex_);
    --writers_;
    changed_.notify_one();
}

std::unique_ptr<OwnedBatch> ResultQueue::take(WorkerPool& pool, WorkerContext& context) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !batches_.empty() || !spilled_.empty() || writers_ == 0; });
    if (batches_.empty() && !spilled_.empty()) {
        const SpilledRows rows = std::move(spilled_.front());
        spilled_.pop_front();
        lock.unlock();
        return readBack(rows, context);
    }
    if (batches_.empty()) return nullptr;
    auto batch = std::move(batches_.front());
    batches_.pop_front();
    if (batches_.size() <= kMostBatches / 2) {
        for (Task* task : parked_) pool.submit(*task);
        parked_.clear();
    }
    return batch;
}

void ResultQueue::abandon(WorkerPool& pool) {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
    batches_.clear();
    spilled_.clear();
    for (Task* task : parked_) pool.submit(*task);
    parked_.clear();
}

void ResultQueue::waitForWriters() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return writers_ == 0; });
}

} // namespace blueshift::execute
