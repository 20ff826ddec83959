// table_locks.h: writers of one table wait for each other instead of aborting at commit.
//
// Place: Database::lockTable; released when the transaction ends.
// A transaction waits for at most one table, so who-waits-for-whom is a set of chains: a lock whose
// chain leads back to its requester is refused with 40P01.
// Not needed for safety: validation at commit is the net below.
// Threads: any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "base/canceled.h"
#include "base/error.h"
#include "catalog/catalog.h"

namespace blueshift::transaction {

class TableLocks {
public:
    /// Waits in order of arrival. The error of `cancelled` (polled every 10 ms), 40P01 on a
    /// deadlock. A lock already held is granted at once.
    Status lock(u64 transaction, catalog::Oid table, const CancelCheck& cancelled);
    void releaseAll(u64 transaction);

private:
    struct Entry {
        u64 holder = 0;
        std::deque<u64> queue;
    };
    bool wouldDeadlock(u64 transaction, catalog::Oid table) const;
    void leaveQueue(u64 transaction, catalog::Oid table);

    std::mutex mutex_;
    std::condition_variable released_;
    std::unordered_map<catalog::Oid, Entry> tables_;
    std::unordered_map<u64, catalog::Oid> waits_for_;
};

} // namespace blueshift::transaction
