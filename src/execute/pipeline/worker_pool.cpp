#include "execute/pipeline/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <memory>

namespace blueshift::execute {

WorkerPool::WorkerPool(u32 threads) {
    for (u32 i = 0; i < threads; ++i) {
        threads_.emplace_back([this, i] { work(i); });
        pthread_setname_np(threads_.back().native_handle(), "worker");
    }
}

WorkerPool::~WorkerPool() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void WorkerPool::submit(Task& task) {
    {
        std::lock_guard lock(mutex_);
        queue_.push_back(&task);
        waiting_.store(u32(queue_.size()), std::memory_order_relaxed);
    }
    wake_.notify_one();
}

void WorkerPool::work(u32 worker) {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Task* task = queue_.front();
        queue_.pop_front();
        waiting_.store(u32(queue_.size()), std::memory_order_relaxed);
        lock.unlock();
        const TaskResult result = task->run(worker);
        lock.lock();
        if (result != TaskResult::kAgain) continue;
        queue_.push_back(task);
        waiting_.store(u32(queue_.size()), std::memory_order_relaxed);
    }
}

namespace {

/// Shared by the tasks of one parallelFor; lives until the last of them ended.
struct Loop {
    const std::function<void(u32, u32)>* function;
    u32 count;
    std::atomic<u32> next{0};
    std::mutex mutex;
    std::condition_variable ended;
    u32 running = 0;

    void run(u32 worker) {
        for (u32 index; (index = next.fetch_add(1)) < count;) (*function)(index, worker);
    }
};

class LoopTask final : public Task {
public:
    explicit LoopTask(Loop& loop) : loop_(loop) {}
    TaskResult run(u32 worker) override {
        loop_.run(worker);
        std::lock_guard lock(loop_.mutex);
        if (--loop_.running == 0) loop_.ended.notify_all();
        return TaskResult::kDone;
    }

private:
    Loop& loop_;
};

} // namespace

void WorkerPool::parallelFor(u32 count, const std::function<void(u32, u32)>& function) {
    if (count == 0) return;
    Loop loop{.function = &function, .count = count};
    const u32 others = std::min(count - 1, threads() > 0 ? threads() - 1 : 0);
    std::vector<LoopTask> tasks(others, LoopTask(loop));
    loop.running = others;
    for (LoopTask& task : tasks) submit(task);
    loop.run(threads());
    // Tasks that no worker has begun have nothing to do: do not wait behind other queries for them.
    u32 withdrawn = 0;
    {
        std::lock_guard queue_lock(mutex_);
        const auto own = [&](const Task* task) {
            return std::any_of(tasks.begin(), tasks.end(),
                               [&](const LoopTask& mine) { return &mine == task; });
        };
        withdrawn = u32(std::erase_if(queue_, own));
        waiting_.store(u32(queue_.size()), std::memory_order_relaxed);
    }
    std::unique_lock lock(loop.mutex);
    loop.running -= withdrawn;
    loop.ended.wait(lock, [&] { return loop.running == 0; });
}

} // namespace blueshift::execute
