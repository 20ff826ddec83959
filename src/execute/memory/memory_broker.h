// memory_broker.h: the node's memory for queries, and each query's share of it.
//
// Place: one broker an engine; every operator's pages come out of its query's grant. The block
// cache is limited apart from it.
// Life cycle: makeGrant -> grow / shrink -> the destructor gives everything back.
// Threads: all calls from any thread; counting is per grant in pieces, so that workers rarely meet.
#pragma once

#include <atomic>
#include <memory>

#include "execute/operator.h"

namespace blueshift::execute {

class MemoryBroker {
public:
    explicit MemoryBroker(u64 limit_bytes) : limit_(limit_bytes) {}

    u64 limit() const { return limit_; }
    u64 used() const { return used_.load(std::memory_order_relaxed); }
    std::unique_ptr<MemoryGrant> makeGrant();

private:
    friend class QueryGrant;
    bool take(u64 bytes);
    void give(u64 bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    u64 limit_;
    std::atomic<u64> used_{0};
};

} // namespace blueshift::execute
