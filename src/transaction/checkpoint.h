// checkpoint.h: the folded state of the log at one position, so that opening reads little.
//
// Place: written behind the commits (Database), read by recovery.
// A checkpoint is an immutable object ckpt/<lsn>-<uuid>; ckpt/HINT names the newest one and is only
// a hint. It is written, read back and verified before HINT names it; the last three are kept.
// It carries the hash of the record at its position, which anchors the chain of those behind it,
// and the ids of recent transactions, which settle a commit that a checkpoint overtook.
// Format: docs/formats/log.md.
#pragma once

#include <deque>
#include <string>

#include "base/error.h"
#include "objects/object_store.h"
#include "transaction/log_record.h"

namespace blueshift::transaction {

struct CommittedTransaction {
    Uuid uuid;
    u64 lsn = 0;
};

/// A position of the log with all that follows from it.
struct LogState {
    u64 lsn = 0;
    Hash128 tail; // of record lsn
    std::shared_ptr<const catalog::CatalogSnapshot> snapshot;
    u64 last_transaction_id = 0;
    std::deque<CommittedTransaction> recent; // ascending by lsn
};

/// How many transactions a state remembers. While no log record is ever deleted, the log itself
/// answers for older ones.
inline constexpr size_t kRecentTransactions = 8192;

std::vector<u8> encodeCheckpoint(const LogState& state, Uuid database);
Result<LogState> decodeCheckpoint(std::span<const u8> bytes, std::string_view name, Uuid database);

Status writeCheckpoint(objects::ObjectStore& store, const LogState& state, Uuid database,
                       Uuid name);
/// The newest checkpoint that verifies; lsn 0 when there is none. `damaged_seen`: some did not.
struct FoundCheckpoint {
    LogState state;
    bool damaged_seen = false;
};
Result<FoundCheckpoint> loadNewestCheckpoint(objects::ObjectStore& store, Uuid database);

} // namespace blueshift::transaction
