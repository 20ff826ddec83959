#include "transaction/committer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace blueshift::transaction {
namespace {

using objects::WriteOutcome;
using objects::WriteResult;

bool onlyDrops(const PendingTransaction& transaction) {
    return std::ranges::all_of(transaction.operations,
                               [](const Operation& operation) { return isDrop(operation.kind); });
}

Error unknownOutcome(const PendingTransaction& transaction) {
    return Error(sqlstate::kTransactionResolutionUnknown,
                 fmt::format("the outcome of transaction {} is unknown", transaction.id))
        .withDetail(
            fmt::format("The storage did not confirm the commit of {}.", transaction.uuid.toText()))
        .withHint("Look at the data before you repeat the transaction.");
}

} // namespace

Committer::Committer(objects::ObjectStore& store, Clock& clock, Random& random, LogState state,
                     CommitHistory history, CommitterOptions options)
    : store_(store),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      history_(std::move(history)),
      state_(std::move(state)),
      thread_([this] { run(); }) {}

Committer::~Committer() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    thread_.join();
}

Status Committer::commit(std::shared_ptr<PendingTransaction> transaction) {
    std::unique_lock lock(mutex_);
    if (halted_) return failure(*halted_);
    transaction->handed_over_at = clock_.monotonicNanos();
    waiting_.push_back(transaction);
    work_.notify_one();
    answered_.wait(lock, [&] { return transaction->outcome.has_value(); });
    return *transaction->outcome;
}

Status Committer::initialize(std::string database,
                             std::shared_ptr<PendingTransaction> transaction) {
    {
        std::lock_guard lock(mutex_);
        initialize_ = std::move(database);
    }
    return commit(std::move(transaction));
}

std::shared_ptr<const catalog::CatalogSnapshot> Committer::snapshot() const {
    std::lock_guard lock(state_mutex_);
    return state_.snapshot;
}

LogState Committer::state() const {
    std::lock_guard lock(state_mutex_);
    return state_;
}

void Committer::publish(LogState state) {
    std::lock_guard lock(state_mutex_);
    state_ = std::move(state);
}

LogState Committer::position() const {
    std::lock_guard lock(state_mutex_);
    return {state_.lsn, state_.tail, state_.snapshot, state_.last_transaction_id, {}};
}

void Committer::run() {
    while (true) {
        Batch batch;
        {
            std::unique_lock lock(mutex_);
            work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            batch = takeBatch();
        }
        commitBatch(std::move(batch));
    }
}

Committer::Batch Committer::takeBatch() {
    Batch batch;
    u64 bytes = 0;
    while (!waiting_.empty()) {
        const u64 next = waiting_.front()->approximate_bytes;
        if (!batch.empty() && bytes + next > options_.record_bytes) break;
        bytes += next;
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return batch;
}

void Committer::answer(const std::shared_ptr<PendingTransaction>& transaction, Status status) {
    std::lock_guard lock(mutex_);
    if (!transaction->outcome) transaction->outcome = std::move(status);
    answered_.notify_all();
}

void Committer::answerAll(const Batch& batch, const Status& status) {
    std::lock_guard lock(mutex_);
    for (const auto& transaction : batch)
        if (!transaction->outcome) transaction->outcome = status;
    answered_.notify_all();
}

void Committer::commitBatch(Batch batch) {
    {
        std::lock_guard lock(mutex_);
        if (halted_) {
            for (const auto& transaction : batch) transaction->outcome = failure(*halted_);
            answered_.notify_all();
            return;
        }
    }
    while (true) {
        Proposal proposal;
        if (!propose(batch, proposal)) return;
        Owner owner = settle(proposal, batch);
        if (owner == Owner::kOurs) owner = confirm(proposal, batch);
        switch (owner) {
        case Owner::kOurs: return acknowledge(std::move(proposal), batch);
        case Owner::kOvertaken: {
            // Committed, and others went on since: serve their state before answering.
            i64 backoff = options_.first_backoff_nanos;
            while (!catchUp())
                if (!backOff(backoff, batch)) return halt(batch);
            return answerAll(batch, {});
        }
        case Owner::kRefused:
            if (!refuse(batch, proposal.error)) return;
            break;
        case Owner::kOther:
            // On failure nothing of the batch is in the log: its slot is another's.
            if (Status caught_up = catchUp(); !caught_up)
                return answerAll(batch, failure(caught_up.error()));
            break;
        case Owner::kGivenUp: return halt(batch);
        }
    }
}

void Committer::acknowledge(Proposal proposal, const Batch& batch) {
    for (const LoggedTransaction& transaction : proposal.transactions) history_.add(transaction);
    {
        std::lock_guard lock(state_mutex_);
        proposal.next.recent = std::move(state_.recent);
        for (const LoggedTransaction& transaction : proposal.transactions)
            remember(proposal.next, transaction.uuid, proposal.next.lsn);
        state_ = std::move(proposal.next);
    }
    answerAll(batch, {});
    if (options_.on_commit) options_.on_commit(proposal.bytes.size());
}

void Committer::halt(const Batch& batch) {
    std::lock_guard lock(mutex_);
    if (!halted_)
        halted_ =
            Error(sqlstate::kIoError, "the database takes no more commits: its storage failed")
                .withHint("Check the storage, then start the server again.");
    for (const auto& transaction : batch)
        if (!transaction->outcome) transaction->outcome = failure(unknownOutcome(*transaction));
    answered_.notify_all();
}

bool Committer::refuse(Batch& batch, const Error& error) {
    const bool full = error.sqlstate == sqlstate::kDiskFull;
    const bool all_drop =
        std::ranges::all_of(batch, [](const auto& pending) { return onlyDrops(*pending); });
    Batch drops;
    for (const auto& pending : batch) {
        if (full && !all_drop && onlyDrops(*pending)) drops.push_back(pending);
        else answer(pending, failure(error));
    }
    batch = std::move(drops);
    return !batch.empty();
}

Status Committer::catchUp() {
    const LogState before = state();
    BS_ASSIGN(const u64 boundary, readBoundary(store_));
    if (before.lsn + 1 <= boundary) {
        BS_ASSIGN(Recovered recovered, recover(store_, options_.database, &history_));
        publish(std::move(recovered.state));
        return {};
    }
    Replay replay(before);
    while (true) {
        BS_ASSIGN(const NextRecord next,
                  readNextRecord(store_, options_.database, replay.lsn() + 1, replay.tail()));
        if (!next.present) break;
        BS_TRY(replay.apply(next, &history_));
    }
    publish(replay.finish());
    return {};
}

Result<bool> Committer::checkpointHolds(const Proposal& proposal) {
    BS_ASSIGN(const FoundCheckpoint found, loadNewestCheckpoint(store_, options_.database));
    return std::ranges::all_of(proposal.transactions, [&](const LoggedTransaction& transaction) {
        return std::ranges::any_of(found.state.recent, [&](const CommittedTransaction& recent) {
            return recent.uuid == transaction.uuid;
        });
    });
}

void Committer::answerLate(const Batch& batch) {
    const i64 now = clock_.monotonicNanos();
    const auto late = [&](const auto& transaction) {
        return now - transaction->handed_over_at >= options_.answer_after_nanos;
    };
    std::lock_guard lock(mutex_);
    for (const auto& transaction : batch)
        if (late(transaction) && !transaction->outcome)
            transaction->outcome = failure(unknownOutcome(*transaction));
    // What was never sent is certainly not committed.
    while (!waiting_.empty() && late(waiting_.front())) {
        waiting_.front()->outcome =
            failure(Error(sqlstate::kIoError, "the storage of the database does not answer")
                        .withHint("Nothing was changed. Repeat the transaction later."));
        waiting_.pop_front();
    }
    answered_.notify_all();
}

bool Committer::backOff(i64& nanos, const Batch& batch) {
    answerLate(batch);
    std::unique_lock lock(mutex_);
    if (work_.wait_for(lock, std::chrono::nanoseconds(nanos), [&] { return stopping_; }))
        return false;
    nanos = std::min(nanos * 2, options_.last_backoff_nanos);
    return true;
}

bool Committer::propose(Batch& batch, Proposal& proposal) {
    const LogState before = position();
    SnapshotEditor editor(before.snapshot);
    proposal.next = before;
    LogRecord record;
    Batch accepted;
    for (const auto& pending : batch) {
        auto operations = rebase(*pending, editor.current(), history_);
        if (!operations) {
            answer(pending, failure(std::move(operations.error())));
            continue;
        }
        LogEntry entry;
        entry.kind = EntryKind::kTransaction;
        entry.transaction = {pending->uuid, pending->id, pending->base->lsn, pending->next_oid,
                             std::move(*operations)};
        // Validation leaves nothing that cannot be applied; were it otherwise, the record must
        // not be written, so the transaction fails and the draft is given up.
        if (Status applied = editor.apply(entry.transaction); !applied) {
            answer(pending, failure(std::move(applied.error())));
            std::erase(batch, pending);
            return propose(batch, proposal);
        }
        proposal.next.last_transaction_id =
            std::max(proposal.next.last_transaction_id, pending->id);
        record.entries.push_back(std::move(entry));
        accepted.push_back(pending);
    }
    batch = std::move(accepted);
    if (batch.empty()) return false;
    {
        std::lock_guard lock(mutex_);
        if (before.lsn == 0 && !initialize_.empty()) {
            record.entries.front().kind = EntryKind::kInitialize;
            record.entries.front().database = initialize_;
            editor.setDatabase(initialize_);
        }
    }
    proposal.attempt = Uuid::make(random_);
    record.header = {.lsn = before.lsn + 1,
                     .previous = before.tail,
                     .database = options_.database,
                     .writer = options_.writer,
                     .attempt = proposal.attempt,
                     .timestamp = clock_.nowMicros()};
    proposal.bytes = encodeRecord(record, storedRowsCodec());
    proposal.essential =
        std::ranges::all_of(batch, [](const auto& pending) { return onlyDrops(*pending); });
    editor.setLsn(before.lsn + 1);
    proposal.next.lsn = before.lsn + 1;
    proposal.next.tail = hashBytes128(proposal.bytes.data(), proposal.bytes.size());
    proposal.next.snapshot = editor.publish();
    proposal.transactions.reserve(record.entries.size());
    for (LogEntry& entry : record.entries)
        proposal.transactions.push_back(std::move(entry.transaction));
    return true;
}

Committer::Owner Committer::settle(Proposal& proposal, const Batch& batch) {
    const std::string key = logKey(proposal.next.lsn);
    i64 backoff = options_.first_backoff_nanos;
    for (bool first = true;; first = false) {
        WriteResult result = proposal.essential ? store_.createEssential(key, proposal.bytes)
                                                : store_.create(key, proposal.bytes);
        if (result.outcome == WriteOutcome::kDone) return Owner::kOurs;
        // Only the first send can be refused for certain: a copy of an earlier one may still land.
        if (result.outcome == WriteOutcome::kRefused && first) {
            proposal.error = std::move(result.error);
            return Owner::kRefused;
        }
        if (store_.poisoned()) return Owner::kGivenUp;
        if (auto stored = store_.get(key)) {
            if (auto record = decodeRecord(*stored, key, storedRowsCodec()))
                return record->header.attempt == proposal.attempt ? Owner::kOurs : Owner::kOther;
        } else if (objects::isMissing(stored.error())) {
            const Result<u64> boundary = readBoundary(store_);
            if (boundary && proposal.next.lsn <= *boundary)
                if (const Result<bool> held = checkpointHolds(proposal))
                    return *held ? Owner::kOvertaken : Owner::kOther;
        }
        if (!backOff(backoff, batch)) return Owner::kGivenUp;
    }
}

Committer::Owner Committer::confirm(const Proposal& proposal, const Batch& batch) {
    i64 backoff = options_.first_backoff_nanos;
    while (true) {
        if (const Result<u64> boundary = readBoundary(store_)) {
            if (proposal.next.lsn > *boundary) return Owner::kOurs;
            if (const Result<bool> held = checkpointHolds(proposal))
                return *held ? Owner::kOvertaken : Owner::kOther;
        }
        if (store_.poisoned() || !backOff(backoff, batch)) return Owner::kGivenUp;
    }
}

} // namespace blueshift::transaction
