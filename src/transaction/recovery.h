// recovery.h: from the objects of a place to the newest state of its log.
//
// Place: Database::open, and the committer when another writer moved on.
// Errors: XX001 names the record that is missing, damaged or of another history.
#pragma once

#include "transaction/checkpoint.h"
#include "transaction/snapshot_editor.h"
#include "transaction/validation.h"

namespace blueshift::transaction {

/// The next record of a log, read and checked against the one before.
struct NextRecord {
    bool present = false;
    LogRecord record;
    Hash128 hash;
    u64 bytes = 0;
};
/// Delete vectors kept in objects are fetched.
Result<NextRecord> readNextRecord(objects::ObjectStore& store, Uuid database, u64 lsn,
                                  const Hash128& previous);

/// Folds records into a state.
class Replay {
public:
    explicit Replay(LogState state) : state_(std::move(state)), editor_(state_.snapshot) {}
    /// `history` may be nullptr.
    Status apply(const NextRecord& next, CommitHistory* history);
    u64 lsn() const { return state_.lsn; }
    const Hash128& tail() const { return state_.tail; }
    LogState finish();

private:
    LogState state_;
    SnapshotEditor editor_;
};

struct Recovered {
    LogState state;
    u64 records_replayed = 0;
    u64 bytes_replayed = 0;
};
Result<Recovered> recover(objects::ObjectStore& store, Uuid database, CommitHistory* history);

/// FORMAT, created when the place is empty. XX001 when it is missing beside a log.
Result<FormatRecord> openFormat(objects::ObjectStore& store, Random& random);

/// The newest position whose records may be gone; 0 while gc/boundary does not exist.
Result<u64> readBoundary(objects::ObjectStore& store);

/// Appends to the list of recent transactions, which forgets the oldest.
void remember(LogState& state, const Uuid& uuid, u64 lsn);

} // namespace blueshift::transaction
