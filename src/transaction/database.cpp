#include <fmt/format.h>

#include <algorithm>

#include "transaction/database_state.h"

namespace blueshift::transaction {

Database::State::~State() {
    {
        std::lock_guard lock(maintenance_mutex);
        stopping = true;
    }
    maintenance_due.notify_all();
    if (maintenance.joinable()) maintenance.join();
    committer.reset();
}

void Database::State::startMaintenance() {
    maintenance = std::thread([this] { maintain(); });
}

void Database::State::maintain() {
    std::unique_lock lock(maintenance_mutex);
    while (true) {
        maintenance_due.wait(lock, [&] {
            return stopping || commits_since_checkpoint >= options.checkpoint_commits ||
                   bytes_since_checkpoint >= options.checkpoint_bytes;
        });
        if (stopping) return;
        commits_since_checkpoint = 0;
        bytes_since_checkpoint = 0;
        lock.unlock();
        // A failure costs only a longer replay; the next one is due after as many commits again.
        (void)writeCheckpointNow();
        lock.lock();
    }
}

void Database::State::noteCommit(u64 bytes) {
    std::lock_guard lock(maintenance_mutex);
    ++commits_since_checkpoint;
    bytes_since_checkpoint += bytes;
    if (commits_since_checkpoint >= options.checkpoint_commits ||
        bytes_since_checkpoint >= options.checkpoint_bytes)
        maintenance_due.notify_one();
}

Status Database::State::writeCheckpointNow() {
    std::lock_guard lock(checkpoint_mutex);
    const LogState state = committer->state();
    if (state.lsn == checkpoint_lsn) return {};
    BS_TRY(writeCheckpoint(store, state, database, Uuid::make(random)));
    checkpoint_lsn = state.lsn;
    return {};
}

std::string Database::State::newKey(std::string_view folder, catalog::Oid table) {
    return fmt::format("{}/{}/{}/{}", folder, table, writer.toText(), next_key.fetch_add(1));
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(objects::ObjectStore& store, Clock& clock,
                                                 Random& random, DatabaseOptions options) {
    auto state = std::make_unique<State>(store, clock, random, std::move(options));
    BS_ASSIGN(const FormatRecord format, openFormat(store, random));
    state->database = format.database;
    state->writer = Uuid::make(random);
    CommitHistory history;
    BS_ASSIGN(Recovered recovered, recover(store, format.database, &history));
    const u64 lsn = recovered.state.lsn;
    state->checkpoint_lsn = lsn - recovered.records_replayed;
    state->commits_since_checkpoint = recovered.records_replayed;
    state->bytes_since_checkpoint = recovered.bytes_replayed;
    state->next_transaction_id = recovered.state.last_transaction_id + 1;
    state->next_oid = recovered.state.snapshot->next_oid;
    CommitterOptions committer_options;
    committer_options.database = format.database;
    committer_options.writer = state->writer;
    committer_options.answer_after_nanos = i64(state->options.unknown_after_ms) * 1'000'000;
    committer_options.on_commit = [inner = state.get()](u64 bytes) { inner->noteCommit(bytes); };
    state->committer =
        std::make_unique<Committer>(store, clock, random, std::move(recovered.state),
                                    std::move(history), std::move(committer_options));
    auto database = std::unique_ptr<Database>(new Database(std::move(state)));
    if (lsn == 0) BS_TRY(database->initialize());
    database->state_->startMaintenance();
    return database;
}

Status Database::initialize() {
    auto first = std::make_shared<PendingTransaction>();
    first->uuid = Uuid::make(state_->random);
    first->id = state_->next_transaction_id.fetch_add(1);
    first->base = committed();
    first->next_oid = state_->next_oid;
    if (state_->options.first_user) {
        auto user = std::make_shared<catalog::User>(state_->options.first_user());
        if (user->oid == 0) user->oid = catalog::kAdminUser;
        Operation operation;
        operation.kind = OperationKind::kPutUser;
        operation.user = std::move(user);
        first->operations.push_back(std::move(operation));
    }
    BS_TRY(state_->committer->initialize(state_->options.database, std::move(first)));
    state_->created_now = true;
    return {};
}

std::unique_ptr<Transaction> Database::begin(SessionCatalog* session) {
    auto state = std::make_unique<Transaction::State>();
    state->database = state_.get();
    state->session = session;
    state->id = state_->next_transaction_id.fetch_add(1);
    return std::unique_ptr<Transaction>(new Transaction(std::move(state)));
}

std::shared_ptr<const catalog::CatalogSnapshot> Database::committed() const {
    return state_->committer->snapshot();
}

bool Database::createdNow() const {
    return state_->created_now;
}

std::string Database::newDataKey(catalog::Oid table) {
    return state_->newKey("data", table);
}

objects::ObjectStore& Database::store() {
    return state_->store;
}

Status Database::lockTable(Transaction& transaction, catalog::Oid table,
                           const CancelCheck& cancelled) {
    return state_->locks.lock(transaction.id(), table, cancelled);
}

Status Database::checkpoint() {
    return state_->writeCheckpointNow();
}

} // namespace blueshift::transaction
