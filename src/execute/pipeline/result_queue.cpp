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
    if (abandoned_ || batches_.size() < kMostBatches) return true;
    parked_.push_back(&task);
    return false;
}

void ResultQueue::push(std::unique_ptr<OwnedBatch> batch) {
    std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
    changed_.notify_one();
}

void ResultQueue::writerEnded() {
    std::lock_guard lock(mutex_);
    --writers_;
    changed_.notify_one();
}

std::unique_ptr<OwnedBatch> ResultQueue::take(WorkerPool& pool) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !batches_.empty() || writers_ == 0; });
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
    for (Task* task : parked_) pool.submit(*task);
    parked_.clear();
}

void ResultQueue::waitForWriters() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return writers_ == 0; });
}

} // namespace blueshift::execute
