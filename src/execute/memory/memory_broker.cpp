#include "execute/memory/memory_broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace blueshift::execute {
namespace {

constexpr u64 kMostWorkerMinimum = 1 << 20;
constexpr u64 kLeastWorkerMinimum = 256 << 10;
constexpr u64 kMostStep = 1 << 20;
constexpr u64 kMostPageGrowth = 1 << 20; // within a batch
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

u64 MemoryBroker::leastOf(const GrantRequest& request) const {
    return u64(request.operators) * request.workers * workerMinimum(request.workers) +
           request.more_bytes;
}

std::vector<GrantReport> MemoryBroker::report() const {
    std::vector<GrantReport> reports;
    const std::lock_guard lock(mutex_);
    for (const QueryGrant* grant : grants_) reports.push_back(grant->report());
    for (const GrantRequest* request : queue_)
        reports.push_back(
            {.query_id = request->query_id, .waiting = true, .least = leastOf(*request)});
    return reports;
}

std::unique_ptr<QueryGrant> MemoryBroker::admit(const GrantRequest& request,
                                                const StopToken& stop) {
    const u64 minimum = leastOf(request);
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
        throw SqlError(stop.error());
    }
    leave();
    lock.unlock();
    return std::make_unique<QueryGrant>(*this, request, minimum);
}

QueryGrant::QueryGrant(MemoryBroker& broker, const GrantRequest& request, u64 minimum)
    : broker_(broker),
      minimum_(minimum),
      worker_minimum_(broker.workerMinimum(request.workers)),
      step_(std::min(broker.limit() / 64, kMostStep)),
      workers_(request.workers),
      operators_(request.operators),
      forced_(request.forced),
      query_id_(request.query_id),
      reserved_(minimum) {
    const std::lock_guard lock(broker_.mutex_);
    broker_.grants_.push_back(this);
}

QueryGrant::~QueryGrant() {
    {
        const std::lock_guard lock(broker_.mutex_);
        std::erase(broker_.grants_, this);
    }
    broker_.give(reserved_.load());
}

GrantReport QueryGrant::report() const {
    return {.query_id = query_id_, .least = minimum_, .reserved = reserved(), .used = used()};
}

bool QueryGrant::grow(u64 bytes) {
    const u64 now = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (now <= reserved()) return true;
    const std::lock_guard lock(mutex_);
    const u64 used = used_.load(std::memory_order_relaxed);
    const u64 reserved = reserved_.load(std::memory_order_relaxed);
    if (used <= reserved) return true;
    if (broker_.take(used - reserved)) {
        reserved_.store(used, std::memory_order_relaxed);
        return true;
    }
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
}

void QueryGrant::shrink(u64 bytes) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    if (reserved() <= promised() + large_.load() + step_) return;
    const std::lock_guard lock(mutex_);
    const u64 reserved = reserved_.load(std::memory_order_relaxed);
    const u64 wanted = promised() + large_.load();
    if (reserved <= wanted + step_) return;
    reserved_.store(wanted, std::memory_order_relaxed);
    broker_.give(reserved - wanted);
}

/// True: what is promised, and `more`, is reserved.
bool QueryGrant::reserveBeyond(u64 more) {
    if (reserved() >= promised() + more) return true;
    const std::lock_guard lock(mutex_);
    const u64 reserved = reserved_.load(std::memory_order_relaxed);
    const u64 wanted = promised() + more;
    if (reserved >= wanted) return true;
    const u64 missing = wanted - reserved;
    const u64 taken = broker_.used() + later_.load(std::memory_order_relaxed);
    const u64 free = broker_.limit() - std::min(taken, broker_.limit());
    if (missing > free) return false;
    // A step at once where there is plenty.
    u64 take = missing + step_ <= free ? missing + step_ : missing;
    if (!broker_.take(take)) {
        if (take == missing || !broker_.take(missing)) return false;
        take = missing;
    }
    reserved_.store(reserved + take, std::memory_order_relaxed);
    return true;
}

/// Pages grow by a quarter of what is there, those of rows and those of text.
bool QueryGrant::hasRoom(u64 held, u64 more) {
    if (forced_) return held == 0;
    if (more == 0) more = worker_minimum_ / 2;
    more += std::min(held / 2, kMostPageGrowth);
    if (held + more <= worker_minimum_) return true;
    // All workers may be told so before any of them takes it: what they hold beyond their least
    // memory makes up for the others, unless it is more than that.
    const u64 large = more > worker_minimum_ ? (more - worker_minimum_) * (workers_ - 1) : 0;
    if (!reserveBeyond(more + large)) return false;
    // Until it is taken, shrink() of another worker must not give it back.
    u64 most = large_.load(std::memory_order_relaxed);
    while (large > 0 && more + large > most && !large_.compare_exchange_weak(most, more + large)) {}
    return large == 0 || reserveBeyond(more + large);
}

bool QueryGrant::mayKeep(u64 held, u64 more) {
    return forced_ ? held == 0 : reserveBeyond(more);
}

bool QueryGrant::hold(u64 bytes) {
    if (forced_ && bytes > 0) return false;
    held_.fetch_add(bytes);
    if (reserveBeyond(0)) return true;
    held_.fetch_sub(bytes);
    return false;
}

u64 QueryGrant::room() const {
    if (forced_) return 0;
    const u64 own = reserved() - std::min(reserved(), promised());
    const u64 taken = broker_.used() + later_.load(std::memory_order_relaxed);
    return broker_.limit() + own - std::min(taken, broker_.limit());
}

void QueryGrant::keepForLater(u32 operators) {
    large_.store(0); // of the pipeline before
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
