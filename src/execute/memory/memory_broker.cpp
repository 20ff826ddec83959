#include "execute/memory/memory_broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace blueshift::execute {
namespace {

constexpr u64 kMostWorkerMinimum = 1 << 20;
constexpr u64 kLeastWorkerMinimum = 64 << 10;
/// What a worker may take between two looks at hasRoom().
constexpr u64 kWorkerMargin = 4 << 20;
constexpr auto kLookForStop = std::chrono::milliseconds(5);

constexpr std::string_view kHint =
    "Start the server with a larger --memory, or make the query smaller.";

} // namespace

bool MemoryBroker::take(u64 bytes) {
    u64 before = used_.load(std::memory_order_relaxed);
    do {
        if (bytes > limit_ || before > limit_ - bytes) return false;
    } while (!used_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
    return true;
}

void MemoryBroker::give(u64 bytes) {
    used_.fetch_sub(bytes);
    if (waiting_.load() == 0) return;
    const std::lock_guard lock(mutex_);
    freed_.notify_all();
}

u64 MemoryBroker::workerMinimum(u32 workers) const {
    return std::clamp(limit_ / (64 * std::max(1u, workers)), kLeastWorkerMinimum,
                      kMostWorkerMinimum);
}

std::unique_ptr<QueryGrant> MemoryBroker::admit(const GrantRequest& request,
                                                const StopToken& stop) {
    const u64 minimum = u64(request.operators) * request.workers * workerMinimum(request.workers);
    if (minimum > limit_)
        throw SqlError(
            Error(sqlstate::kOutOfMemory,
                  fmt::format("out of memory: the query needs at least {} bytes, this server's "
                              "limit for queries is {}",
                              minimum, limit_))
                .withHint(std::string(kHint)));
    if (minimum == 0) return std::make_unique<QueryGrant>(*this, request, 0);
    std::unique_lock lock(mutex_);
    queue_.push_back(&request);
    waiting_.fetch_add(1);
    const auto leave = [&] {
        std::erase(queue_, &request);
        waiting_.fetch_sub(1);
        freed_.notify_all();
    };
    while (queue_.front() != &request || !take(minimum)) {
        freed_.wait_for(lock, kLookForStop);
        if (!stop.requested()) continue;
        leave();
        throw SqlError(sqlstate::kQueryCanceled,
                       stop.timedOut() ? "canceling statement due to statement timeout"
                                       : "canceling statement due to user request");
    }
    leave();
    return std::make_unique<QueryGrant>(*this, request, minimum);
}

QueryGrant::QueryGrant(MemoryBroker& broker, const GrantRequest& request, u64 minimum)
    : broker_(broker),
      minimum_(minimum),
      worker_minimum_(broker.workerMinimum(request.workers)),
      margin_(std::min(broker.limit() / 4, request.workers * kWorkerMargin)),
      operators_(request.operators),
      forced_(request.forced) {}

QueryGrant::~QueryGrant() {
    broker_.give(std::max(minimum_, used_.load()));
}

bool QueryGrant::grow(u64 bytes) {
    const u64 before = used_.fetch_add(bytes, std::memory_order_relaxed);
    const u64 beyond = std::max(before + bytes, minimum_) - std::max(before, minimum_);
    if (beyond == 0 || broker_.take(beyond)) return true;
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
}

void QueryGrant::shrink(u64 bytes) {
    const u64 before = used_.fetch_sub(bytes, std::memory_order_relaxed);
    const u64 beyond = std::max(before, minimum_) - std::max(before - bytes, minimum_);
    if (beyond > 0) broker_.give(beyond);
}

bool QueryGrant::hasRoom(u64 held) const {
    if (forced_) return held == 0;
    return held <= worker_minimum_ || room() > 0;
}

u64 QueryGrant::room() const {
    if (forced_) return 0;
    // What admission reserved and is not used yet is this query's own.
    const u64 used = used_.load(std::memory_order_relaxed);
    const u64 own = used < minimum_ ? minimum_ - used : 0;
    const u64 taken = broker_.used() + later_.load(std::memory_order_relaxed) + margin_;
    return broker_.limit() + own - std::min(taken, broker_.limit() + own);
}

void QueryGrant::keepForLater(u32 operators) {
    later_.store(operators_ == 0 ? 0 : broker_.limit() / (2 * operators_) * operators);
}

bool WorkerContext::take(u64 bytes, std::string_view what) {
    if (bytes == 0 || memory == nullptr || memory->grow(bytes)) return true;
    eval.fail(
        Error(sqlstate::kOutOfMemory, fmt::format("out of memory: {} needs {} bytes more than "
                                                  "this server's limit allows",
                                                  what, bytes))
            .withHint(std::string(kHint)));
    return false;
}

} // namespace blueshift::execute
