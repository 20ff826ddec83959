// pending_transaction.h: a transaction on its way into the log, and the recent ones that got there.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "transaction/operation.h"

namespace blueshift::transaction {

/// What a session hands to the committer. Immutable once handed over, but for its outcome.
struct PendingTransaction {
    Uuid uuid;
    u64 id = 0;
    std::shared_ptr<const catalog::CatalogSnapshot> base; // what it read
    std::vector<Operation> operations;
    Oid next_oid = 0;
    u64 approximate_bytes = 0; // in a log record
    i64 handed_over_at = 0;    // monotonic nanoseconds

    // Guarded by the committer's mutex.
    std::optional<Status> outcome;
};

/// What recent commits touched, newest last: only to name the other transaction in a conflict.
class CommitHistory {
public:
    void add(const LoggedTransaction& transaction);
    /// The newest transaction that touched this object (and this segment, unless 0); 0 unknown.
    u64 lastToTouch(Oid oid, u64 segment_id = 0) const;

private:
    struct Touch {
        u64 transaction_id;
        Oid oid;
        std::vector<u64> segment_ids;
    };
    static constexpr size_t kTouches = 4096;
    std::deque<Touch> touches_;
};

} // namespace blueshift::transaction
