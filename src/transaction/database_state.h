// database_state.h: the inside of Database and Transaction; included by their two files only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "transaction/committer.h"
#include "transaction/session_catalog.h"
#include "transaction/table_locks.h"
#include "transaction/transaction.h"

namespace blueshift::transaction {

/// Delete vectors whose stored form is larger go to an object of their own.
inline constexpr size_t kInlineDeleteBytes = 64 << 10;

struct Database::State {
    State(objects::ObjectStore& store, Clock& clock, Random& random, DatabaseOptions options)
        : store(store), clock(clock), random(random), options(std::move(options)) {}
    ~State();

    void startMaintenance();
    void maintain();
    void noteCommit(u64 bytes);
    Status writeCheckpointNow();
    std::string newKey(std::string_view folder, catalog::Oid table);

    objects::ObjectStore& store;
    Clock& clock;
    Random& random;
    DatabaseOptions options;
    Uuid database;
    Uuid writer;
    bool created_now = false;
    TableLocks locks;
    std::atomic<u64> next_transaction_id{1};
    std::atomic<u32> next_oid{catalog::kFirstUserOid};
    std::atomic<u64> next_key{0};

    std::mutex checkpoint_mutex; // one checkpoint at a time
    u64 checkpoint_lsn = 0;

    std::mutex maintenance_mutex;
    std::condition_variable maintenance_due;
    u64 commits_since_checkpoint = 0;
    u64 bytes_since_checkpoint = 0;
    bool stopping = false;
    std::thread maintenance;

    std::unique_ptr<Committer> committer; // last: its thread uses what is above
};

struct Transaction::State {
    Database::State* database = nullptr;
    SessionCatalog* session = nullptr;
    u64 id = 0;
    bool finished = false;

    /// The committed snapshot that was read; nullptr before the first use.
    std::shared_ptr<const catalog::CatalogSnapshot> base;
    /// The base with the session's temporary objects and this transaction's changes.
    std::optional<SnapshotEditor> editor;
    struct Change {
        Operation operation;
        bool temporary = false; // of a temporary object: never logged
    };
    std::vector<Change> changes;
    Oid next_oid = 0;

    SnapshotEditor& edit();
    void record(Operation operation, bool temporary);
    bool isTemporaryTable(Oid oid);
    /// The table in this transaction's view; throws XX000 when there is none.
    const catalog::Table& table(Oid oid);
    void openEditor();
    Result<std::vector<Operation>> loggedOperations();
    void finish();
};

} // namespace blueshift::transaction
