// memory_broker.h: the node's memory for queries, and each query's share of it.
//
// Place: one broker an engine; every operator's pages come out of its query's grant. The block
// cache is limited apart from it.
// Life cycle: admit (least memory, in order of arrival) -> grow / shrink / hasRoom -> the
// destructor gives everything back.
// A promise: reserved bytes are never fewer than what the query uses and its least memory besides,
// once a worker was told that there is room. So whoever stays within the least memory is never
// refused, whatever other queries take; grow() asks the broker only for what nobody foresaw.
// Threads: admit() waits on the connection's thread, never on a worker; the rest from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "execute/operator.h"

namespace blueshift::execute {

class QueryGrant;

struct GrantRequest {
    u32 operators = 0;   // that hold rows
    u32 workers = 1;     // that may hold some for an operator at once
    u64 more_bytes = 0;  // that operators need beyond a worker's least memory
    bool forced = false; // tests: no worker may hold anything longer than it must
    i64 query_id = 0;    // for reports
};

/// What a query has, or waits for.
struct GrantReport {
    i64 query_id = 0;
    bool waiting = false;
    u64 least = 0;
    u64 reserved = 0;
    u64 used = 0;
};

class MemoryBroker {
public:
    explicit MemoryBroker(u64 limit_bytes) : limit_(limit_bytes) {}

    u64 limit() const { return limit_; }
    u64 used() const { return used_.load(std::memory_order_relaxed); }
    /// Queries that wait for their least memory.
    u32 waiting() const { return waiting_.load(); }
    /// What a worker may always hold for one operator.
    u64 workerMinimum(u32 workers) const;
    /// Takes the least memory that such a query needs, waiting behind those that came before.
    /// Throws SqlError: 53200 when the broker's limit is lower, 57014 when `stop` says so.
    std::unique_ptr<QueryGrant> admit(const GrantRequest& request, const StopToken& stop);
    u64 leastOf(const GrantRequest& request) const;
    /// Those that were admitted, then those that wait, in order of arrival.
    std::vector<GrantReport> report() const;

private:
    friend class QueryGrant;
    bool take(u64 bytes);
    void give(u64 bytes);

    u64 limit_;
    std::atomic<u64> used_{0};
    std::atomic<u32> waiting_{0};
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::deque<const GrantRequest*> queue_; // in order of arrival
    std::vector<const QueryGrant*> grants_;
};

class QueryGrant final : public MemoryGrant {
public:
    QueryGrant(MemoryBroker& broker, const GrantRequest& request, u64 minimum);
    ~QueryGrant() override;

    bool grow(u64 bytes) override;
    void shrink(u64 bytes) override;
    bool hasRoom(u64 held, u64 more) override;
    bool mayKeep(u64 held, u64 more) override;
    bool hold(u64 bytes) override;
    void unhold(u64 bytes) override { held_.fetch_sub(bytes); }
    u64 room() const override;
    u64 workerBytes() const override { return worker_minimum_; }
    u32 workers() const override { return workers_; }
    u32 mostLevels() const override { return forced_ ? 2 : 8; }

    /// Bytes used now, and taken from the broker: never less.
    u64 used() const { return used_.load(std::memory_order_relaxed); }
    u64 reserved() const { return reserved_.load(std::memory_order_relaxed); }
    u64 minimum() const { return minimum_; }
    /// This many of the query's operators have not started yet: memory is kept for them.
    void keepForLater(u32 operators);
    GrantReport report() const;

private:
    /// What the query uses, holds and is promised.
    u64 promised() const {
        return used_.load(std::memory_order_relaxed) + held_.load(std::memory_order_relaxed) +
               minimum_;
    }
    bool reserveBeyond(u64 more);

    MemoryBroker& broker_;
    const u64 minimum_;
    const u64 worker_minimum_;
    const u64 step_; // by which it reserves
    const u32 workers_;
    const u32 operators_;
    const bool forced_;
    const i64 query_id_;
    std::mutex mutex_; // of changes of reserved_
    std::atomic<u64> reserved_;
    std::atomic<u64> used_{0};
    std::atomic<u64> held_{0};
    std::atomic<u64> large_{0}; // largest promise beyond a worker's least memory
    std::atomic<u64> later_{0};
};

} // namespace blueshift::execute
