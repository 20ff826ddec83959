#include "engine/engine.h"

#include <unistd.h>

#include <fstream>
#include <thread>

#include "catalog/system/system_sources.h"
#include "engine/connection.h"
#include "engine/memory_limit.h"

namespace blueshift::engine {

DeadlineWatch::DeadlineWatch() : thread_([this] { watch(); }) {}

DeadlineWatch::~DeadlineWatch() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

u64 DeadlineWatch::arm(i64 milliseconds, std::function<void()> action) {
    std::lock_guard lock(mutex_);
    const u64 ticket = next_ticket_++;
    entries_[ticket] = {std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds),
                        std::move(action)};
    changed_.notify_all();
    return ticket;
}

void DeadlineWatch::disarm(u64 ticket) {
    std::lock_guard lock(mutex_);
    entries_.erase(ticket);
}

void DeadlineWatch::watch() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
        auto next = std::chrono::steady_clock::time_point::max();
        const auto now = std::chrono::steady_clock::now();
        for (auto entry = entries_.begin(); entry != entries_.end();) {
            if (entry->second.due <= now) {
                entry->second.action();
                entry = entries_.erase(entry);
                continue;
            }
            next = std::min(next, entry->second.due);
            ++entry;
        }
        if (next == std::chrono::steady_clock::time_point::max()) changed_.wait(lock);
        else changed_.wait_until(lock, next);
    }
}

SharedEngine::SharedEngine(const EngineOptions& options)
    : options_(options),
      clock_(makeSystemClock()),
      random_(makeSystemRandom()),
      files_(objects::makeLocalFileSystem()),
      cluster_(std::max(1u, options.nodes)) {}

SharedEngine::~SharedEngine() {
    database_.reset();
    pool_.reset();
}

Status SharedEngine::start() {
    BS_ASSIGN(lock_, objects::PlaceLock::acquire(*files_, options_.place, options_.address));
    BS_ASSIGN(store_, objects::DirectoryStore::open(*files_, options_.place, *random_));
    const u64 memory = options_.memory_bytes != 0 ? options_.memory_bytes : defaultMemoryBytes();
    // A third keeps blocks warm, the rest is the queries'.
    cache_ = std::make_unique<storage::BlockCache>(memory / 3);
    memory_ = std::make_unique<execute::MemoryBroker>(memory - memory / 3);
    heap_ = std::make_unique<HeapTrimmer>(memory);
    spill_ = std::make_unique<execute::SpillSpace>(
        *files_, options_.temp.empty() ? options_.place + "/spill" : options_.temp,
        options_.force_spill);
    const u32 cores = std::max(1u, std::thread::hardware_concurrency());
    pool_ = std::make_unique<execute::WorkerPool>(options_.threads != 0 ? options_.threads : cores);
    std::unique_ptr<PerfMap> perf_map;
    if (options_.perf_map) {
        BS_ASSIGN(perf_map, PerfMap::create());
    }
    code_ = std::make_unique<CodeService>(*clock_, options_.crash_compiler, std::move(perf_map));
    facts_ = std::make_unique<EngineFacts>(*clock_, load_errors_, *code_, *memory_, *this,
                                           options_.place, pool_->threads());
    catalog::addSystemSources(sources_);
    std::string password = options_.admin_password;
    transaction::DatabaseOptions database{.database = database_name_};
    database.first_user = [&] {
        if (password.empty()) {
            static constexpr char kLetters[] =
                "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
            u8 bytes[20];
            random_->fill(bytes, sizeof bytes);
            for (u8 byte : bytes) password += kLetters[byte % (sizeof kLetters - 1)];
        }
        const PasswordVerifiers verifiers = makeVerifiers("admin", password);
        catalog::User user{.oid = catalog::kAdminUser,
                           .name = "admin",
                           .superuser = true,
                           .create_db = true,
                           .scram_verifier = verifiers.scram,
                           .md5_verifier = verifiers.md5,
                           .digest_verifier = verifiers.digest};
        return user;
    };
    BS_ASSIGN(database_,
              transaction::Database::open(*store_, *clock_, *random_, std::move(database)));
    if (database_->createdNow() && options_.admin_password.empty()) new_password_ = password;
    return {};
}

std::map<std::string, u64> SharedEngine::counters() const {
    const CodeCounts code = code_->counts();
    return {{"texts compiled", code.compiled},
            {"texts refused", code.failed},
            {"segments found in the cache", code.found},
            {"segments asked for", code.asked},
            {"pipelines generated", code.pipelines},
            {"rows generated", code.generated_rows},
            {"rows interpreted", code.interpreted_rows},
            {"tier switches", code.switches},
            {"bytes spilled", spill_->bytesSpilled()},
            {"spilled joins in stages", spill_->rests()},
            {"lanes of spilled joins", spill_->restLanes()},
            {"bytes granted now", memory_->used()},
            {"batches serialised", cluster_.totals().batches}};
}

Result<std::unique_ptr<Engine>> SharedEngine::open(const EngineOptions& options) {
    std::unique_ptr<SharedEngine> engine(new SharedEngine(options));
    BS_TRY(engine->start());
    return engine;
}

std::optional<UserCredentials> SharedEngine::findUser(std::string_view name) const {
    const auto snapshot = database_->committed();
    const catalog::User* user = snapshot->findUser(name);
    if (user == nullptr || user->is_role || user->is_group) return std::nullopt;
    return UserCredentials{.name = user->name,
                           .superuser = user->superuser,
                           .scram_verifier = user->scram_verifier,
                           .md5_verifier = user->md5_verifier,
                           .digest_verifier = user->digest_verifier,
                           .valid_until = user->valid_until,
                           .connection_limit = user->connection_limit};
}

bool SharedEngine::databaseExists(std::string_view name) const {
    return name == database_name_;
}

std::unique_ptr<Connection> SharedEngine::connect(const ConnectionOptions& options) {
    if (!databaseExists(options.database))
        throw SqlError(Error(sqlstate::kInvalidCatalogName,
                             "database \"" + options.database + "\" does not exist")
                           .withHint("Connect to the database \"" + database_name_ + "\"."));
    if (!findUser(options.user))
        throw SqlError(sqlstate::kInvalidAuthorization,
                       "user \"" + options.user + "\" does not exist");
    i32 process = 0;
    u32 key = u32(random_->next());
    std::unique_ptr<EngineConnection> connection;
    {
        std::lock_guard lock(mutex_);
        process = next_process_++;
    }
    connection = std::make_unique<EngineConnection>(*this, options, process, key);
    std::lock_guard lock(mutex_);
    connections_[process] = connection.get();
    return connection;
}

void SharedEngine::removeConnection(EngineConnection* connection) {
    std::lock_guard lock(mutex_);
    connections_.erase(connection->processId());
    terminated_.erase(connection->processId());
}

bool SharedEngine::cancel(i32 process_id, u32 key) {
    std::lock_guard lock(mutex_);
    const auto found = connections_.find(process_id);
    if (found == connections_.end() || found->second->cancelKey() != key) return false;
    found->second->cancel();
    return true;
}

bool SharedEngine::cancelProcess(i32 process_id) {
    std::lock_guard lock(mutex_);
    const auto found = connections_.find(process_id);
    if (found == connections_.end()) return false;
    found->second->cancel();
    return true;
}

bool SharedEngine::terminateProcess(i32 process_id) {
    std::lock_guard lock(mutex_);
    const auto found = connections_.find(process_id);
    if (found == connections_.end()) return false;
    terminated_.insert(process_id);
    found->second->cancel();
    return true;
}

bool SharedEngine::terminated(i32 process_id) const {
    std::lock_guard lock(mutex_);
    return terminated_.contains(process_id);
}

Status SharedEngine::shutdown() {
    return database_->checkpoint();
}

} // namespace blueshift::engine

namespace blueshift {

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
    return engine::SharedEngine::open(options);
}

} // namespace blueshift
