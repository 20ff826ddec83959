// cluster.h: the nodes of this process: how many, what they own, whether they stand, what moved
// between them.
//
// Place: one per engine; runs borrow it. The leader is node 0 and computes as the others do.
// Threads: everything is atomic or immutable.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "cluster/bucket_map.h"

namespace blueshift::cluster {

/// SQLSTATE (connection_failure) of a statement whose node stopped: it may be run again.
inline constexpr std::string_view kNodeStopped = "08006";

/// What all exchanges moved so far.
struct ExchangeTotals {
    std::atomic<u64> batches{0};
    std::atomic<u64> rows{0};
    std::atomic<u64> bytes{0};
    std::atomic<u64> moved_bytes{0}; // between two different nodes
};

class Cluster {
public:
    explicit Cluster(u32 nodes)
        : buckets_(BucketMap::ofNodes(nodes)), stopped_(new std::atomic<bool>[nodes]()) {}

    u32 nodes() const { return buckets_.nodes(); }
    const BucketMap& buckets() const { return buckets_; }

    /// A stopped node does no work: statements that need it fail. From any thread.
    void stop(u32 node) { stopped_[node].store(true, std::memory_order_relaxed); }
    void start(u32 node) { stopped_[node].store(false, std::memory_order_relaxed); }
    bool stands(u32 node) const { return !stopped_[node].load(std::memory_order_relaxed); }

    ExchangeTotals& totals() { return totals_; }

private:
    BucketMap buckets_;
    std::unique_ptr<std::atomic<bool>[]> stopped_;
    ExchangeTotals totals_;
};

} // namespace blueshift::cluster
