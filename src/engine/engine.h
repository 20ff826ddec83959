// engine.h: what all connections of one open place share.
//
// Place: made by Engine::open; connections borrow it.
// Owns: store, log, block cache, worker pool, memory broker, system views, registry of connections.
// Threads: members are thread-safe by themselves; the registry has its own lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/clock.h"
#include "catalog/table_source.h"
#include "cluster/cluster.h"
#include "engine/code_service.h"
#include "engine/heap_trimmer.h"
#include "engine/load_errors.h"
#include "engine/server_facts.h"
#include "execute/execute.h"
#include "execute/pipeline/worker_pool.h"
#include "execute/spill/spill_space.h"
#include "objects/directory_store.h"
#include "objects/place_lock.h"
#include "statement.h"
#include "storage/storage.h"
#include "transaction/transaction.h"

namespace blueshift::engine {

class EngineConnection;

/// Fires a stop token when its time has come; one thread for all statements.
class DeadlineWatch {
public:
    DeadlineWatch();
    ~DeadlineWatch();
    /// Returns a ticket for disarm().
    u64 arm(i64 milliseconds, std::function<void()> action);
    void disarm(u64 ticket);

private:
    void watch();

    struct Entry {
        std::chrono::steady_clock::time_point due;
        std::function<void()> action;
    };
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<u64, Entry> entries_;
    u64 next_ticket_ = 1;
    bool stop_ = false;
    std::thread thread_;
};

class SharedEngine final : public Engine {
public:
    static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);
    ~SharedEngine() override;

    std::optional<UserCredentials> findUser(std::string_view name) const override;
    bool databaseExists(std::string_view name) const override;
    std::unique_ptr<Connection> connect(const ConnectionOptions& options) override;
    bool cancel(i32 process_id, u32 key) override;
    bool terminated(i32 process_id) const override;
    std::string newAdminPassword() const override { return new_password_; }
    std::map<std::string, u64> counters() const override;
    Status shutdown() override;

    // ---- For connections.
    CodeService& code() { return *code_; }
    const EngineOptions& options() const { return options_; }
    Clock& clock() { return *clock_; }
    Random& random() { return *random_; }
    objects::ObjectStore& store() { return *store_; }
    transaction::Database& database() { return *database_; }
    storage::BlockCache& cache() { return *cache_; }
    execute::MemoryBroker& memory() { return *memory_; }
    execute::SpillSpace& spill() { return *spill_; }
    execute::WorkerPool& pool() { return *pool_; }
    cluster::Cluster& cluster() { return cluster_; }
    const catalog::SourceRegistry& sources() const { return sources_; }
    DeadlineWatch& deadlines() { return deadlines_; }
    LoadErrors& loadErrors() { return load_errors_; }
    EngineFacts& facts() { return *facts_; }
    const std::string& databaseName() const { return database_name_; }
    void removeConnection(EngineConnection* connection);
    /// pg_cancel_backend and pg_terminate_backend; false for unknown processes.
    bool cancelProcess(i32 process_id);
    bool terminateProcess(i32 process_id);

private:
    explicit SharedEngine(const EngineOptions& options);
    Status start();

    EngineOptions options_;
    std::string database_name_ = "dev";
    std::string new_password_;
    std::unique_ptr<Clock> clock_;
    std::unique_ptr<Random> random_;
    std::unique_ptr<objects::FileSystem> files_;
    std::unique_ptr<objects::PlaceLock> lock_;
    std::unique_ptr<objects::DirectoryStore> store_;
    std::unique_ptr<CodeService> code_;
    std::unique_ptr<storage::BlockCache> cache_;
    std::unique_ptr<execute::MemoryBroker> memory_;
    std::unique_ptr<HeapTrimmer> heap_;
    std::unique_ptr<execute::SpillSpace> spill_;
    std::unique_ptr<execute::WorkerPool> pool_;
    mutable cluster::Cluster cluster_;
    std::unique_ptr<EngineFacts> facts_;
    catalog::SourceRegistry sources_;
    DeadlineWatch deadlines_;
    LoadErrors load_errors_;
    std::unique_ptr<transaction::Database> database_;
    mutable std::mutex mutex_;
    std::map<i32, EngineConnection*> connections_;
    std::set<i32> terminated_;
    i32 next_process_ = 1000;
};

} // namespace blueshift::engine
