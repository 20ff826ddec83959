#include "transaction/table_locks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace blueshift::transaction {

namespace {
constexpr auto kPoll = std::chrono::milliseconds(10);
}

bool TableLocks::wouldDeadlock(u64 transaction, catalog::Oid table) const {
    // Whoever queues before us ends up waiting for the holder too, so the holder's chain is enough.
    catalog::Oid next = table;
    for (size_t step = 0; step <= waits_for_.size(); ++step) {
        const auto entry = tables_.find(next);
        if (entry == tables_.end()) return false;
        const u64 holder = entry->second.holder;
        if (holder == transaction) return true;
        const auto waits = waits_for_.find(holder);
        if (waits == waits_for_.end()) return false;
        next = waits->second;
    }
    return false;
}

void TableLocks::leaveQueue(u64 transaction, catalog::Oid table) {
    waits_for_.erase(transaction);
    const auto entry = tables_.find(table);
    if (entry == tables_.end()) return;
    std::erase(entry->second.queue, transaction);
    if (entry->second.holder == 0 && entry->second.queue.empty()) tables_.erase(entry);
    released_.notify_all();
}

Status TableLocks::lock(u64 transaction, catalog::Oid table, const CancelCheck& cancelled) {
    std::unique_lock lock(mutex_);
    {
        Entry& entry = tables_[table];
        if (entry.holder == transaction) return {};
        if (entry.holder == 0 && entry.queue.empty()) {
            entry.holder = transaction;
            return {};
        }
        if (wouldDeadlock(transaction, table))
            return failure(Error(sqlstate::kDeadlockDetected, "deadlock detected")
                               .withDetail(fmt::format("Transaction {} waits for table {}, which "
                                                       "transaction {} has locked.",
                                                       transaction, table, entry.holder))
                               .withHint("Repeat the transaction. Lock tables in one order."));
        entry.queue.push_back(transaction);
        waits_for_[transaction] = table;
    }
    while (true) {
        Entry& entry = tables_[table];
        if (entry.holder == 0 && entry.queue.front() == transaction) {
            entry.queue.pop_front();
            entry.holder = transaction;
            waits_for_.erase(transaction);
            return {};
        }
        if (auto error = cancelled ? cancelled() : std::nullopt) {
            leaveQueue(transaction, table);
            error->message += " while waiting for a lock";
            return failure(std::move(*error));
        }
        released_.wait_for(lock, kPoll);
    }
}

void TableLocks::releaseAll(u64 transaction) {
    std::lock_guard lock(mutex_);
    for (auto entry = tables_.begin(); entry != tables_.end();) {
        if (entry->second.holder == transaction) entry->second.holder = 0;
        if (entry->second.holder == 0 && entry->second.queue.empty()) entry = tables_.erase(entry);
        else ++entry;
    }
    released_.notify_all();
}

} // namespace blueshift::transaction
