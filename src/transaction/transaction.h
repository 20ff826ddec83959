// transaction.h: a database's log, its snapshots, and transactions on them.
//
// Place: session/ (through statement.cpp) begins one per transaction block or statement; DDL and
// DML record changes in it; commit turns them into a record of the log. Life cycle of a
// Transaction:
//   begin -> [snapshot taken at the first use] -> change ... change -> commit | rollback
// Isolation: SNAPSHOT. Readers see `view()`: the committed snapshot under the transaction's own
// changes. Writers of the same rows conflict at commit: the first committer wins, the other gets
// 40001 naming the table and both transactions.
// Threads: a Transaction belongs to one session; a Database is shared by all and outlives them.
// Protocol: docs/design/commit.md.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/canceled.h"
#include "base/error.h"
#include "catalog/catalog.h"

namespace blueshift::objects {
class ObjectStore;
}
namespace blueshift {
class Clock;
class Random;
} // namespace blueshift

namespace blueshift::transaction {

/// Rows of `segment` of `table` to delete: a bit per row, 1 is deleted by this transaction.
struct RowDeletes {
    catalog::Oid table = 0;
    u64 segment_id = 0;
    std::vector<u64> bits;
};

class Database;
class SessionCatalog; // transaction/session_catalog.h

class Transaction {
public:
    ~Transaction(); // rolls back what was not committed
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    u64 id() const;
    /// The snapshot under this transaction's changes. The first call takes the snapshot.
    std::shared_ptr<const catalog::CatalogSnapshot> view();
    /// Forgets the snapshot when nothing was changed, so that the next view() is fresh
    /// (autocommit statements that waited for a lock).
    void refresh();
    bool hasChanges() const;

    // ---- Changes. Visible in view() at once. Names are checked against view() by the caller.
    catalog::Oid newOid();
    void putSchema(std::shared_ptr<const catalog::Schema> schema);
    void dropSchema(catalog::Oid oid);
    /// Creates or replaces the definition; segments and statistics of an existing table stay.
    void putTable(std::shared_ptr<const catalog::Table> table);
    void dropTable(catalog::Oid oid);
    void putView(std::shared_ptr<const catalog::View> view);
    void dropView(catalog::Oid oid);
    void putUser(std::shared_ptr<const catalog::User> user);
    void dropUser(const std::string& name);
    void putStatistics(catalog::Oid table,
                       std::shared_ptr<const catalog::TableStatistics> statistics);
    /// Appends segments whose objects are already stored (or that carry their rows inline). Their
    /// ids are assigned here. `width_classes`: (column id, bytes) to raise.
    void addSegments(catalog::Oid table, std::vector<std::shared_ptr<catalog::Segment>> segments,
                     const std::vector<std::pair<u32, u8>>& width_classes);
    void deleteRows(RowDeletes deletes);
    /// Removes every segment (TRUNCATE, DELETE without WHERE on what the snapshot shows).
    void removeAllRows(catalog::Oid table);

    /// A statement that failed inside a block leaves the transaction unusable, but a savepoint per
    /// statement lets DDL helpers undo half-done work: restores the changes as of `mark()`.
    u64 mark() const;
    void restore(u64 mark);

    /// Durable when it returns without error. 40001 on conflict; 08007 when the outcome is unknown.
    Status commit();
    void rollback();

private:
    friend class Database;
    struct State;
    explicit Transaction(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct DatabaseOptions {
    std::string database = "dev";
    /// Verifier fields of the first superuser, used when the place is empty.
    std::function<catalog::User()> first_user;
    u32 checkpoint_commits = 256;
    u64 checkpoint_bytes = 16 << 20;
    /// A commit whose outcome the storage does not confirm is answered 08007 after this long.
    u32 unknown_after_ms = 30'000;
};

/// One database in one place. Opening replays the newest checkpoint and the log behind it.
class Database {
public:
    static Result<std::unique_ptr<Database>> open(objects::ObjectStore& store, Clock& clock,
                                                  Random& random, DatabaseOptions options);
    ~Database();

    /// `session`: where the session's temporary objects live, nullptr when it can have none. It
    /// outlives the transaction.
    std::unique_ptr<Transaction> begin(SessionCatalog* session = nullptr);
    /// The newest committed snapshot; never blocks on a commit under way.
    std::shared_ptr<const catalog::CatalogSnapshot> committed() const;
    /// True when open() found an empty place and initialised it.
    bool createdNow() const;
    /// The store key under which a new data object of `table` is to be written, never used before.
    std::string newDataKey(catalog::Oid table);
    objects::ObjectStore& store();

    /// Lock taken by writers of one table for the length of their transaction, so that they queue
    /// instead of aborting. `cancelled` is polled; returns its error or 40P01 (deadlock).
    Status lockTable(Transaction& transaction, catalog::Oid table, const CancelCheck& cancelled);

    /// Writes a checkpoint now (clean shutdown, tests).
    Status checkpoint();

private:
    friend class Transaction;
    struct State;
    explicit Database(std::unique_ptr<State> state);
    Status initialize();
    std::unique_ptr<State> state_;
};

} // namespace blueshift::transaction
