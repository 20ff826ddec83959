// committer.h: turns transactions into records of the log, several at a time, one record in flight.
//
// Place: Transaction::commit hands over and waits; one thread of the committer does the rest.
//   waiting -> [validated, rebased] -> in a record -> settled: ours | another's | refused | unknown
// While a record is under way, transactions gather and go together into the next one.
// The outcome of a create is settled by reading the slot: an attempt id in each record tells our
// own late success from another writer's. An unsettled slot is sent again, byte for byte; no other
// slot is tried and no abort is reported before it is settled.
// Owns: its thread, the newest state; borrows store, clock and random.
// Threads: every public method may be called from any thread.
// Why so: docs/design/commit.md.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "transaction/recovery.h"

namespace blueshift::transaction {

struct CommitterOptions {
    Uuid database;
    Uuid writer;
    /// A waiting client is answered 08007 after this long; settling goes on behind it.
    i64 answer_after_nanos = 30'000'000'000;
    i64 first_backoff_nanos = 1'000'000;
    i64 last_backoff_nanos = 500'000'000;
    /// A record takes transactions up to this size, always at least one.
    u64 record_bytes = 4 << 20;
    /// Called by the committer's thread after a commit was answered, with the record's size.
    std::function<void(u64 bytes)> on_commit;
};

class Committer {
public:
    Committer(objects::ObjectStore& store, Clock& clock, Random& random, LogState state,
              CommitHistory history, CommitterOptions options);
    /// Answers what waits, then stops.
    ~Committer();

    /// Returns when the transaction is durable (or will never be, or nobody knows: 08007).
    Status commit(std::shared_ptr<PendingTransaction> transaction);
    /// The first record of a new database.
    Status initialize(std::string database, std::shared_ptr<PendingTransaction> transaction);

    std::shared_ptr<const catalog::CatalogSnapshot> snapshot() const;
    LogState state() const;

private:
    using Batch = std::vector<std::shared_ptr<PendingTransaction>>;
    enum class Owner : u8 {
        kOurs,      // committed
        kOther,     // the slot is another's: validate again, take the next one
        kOvertaken, // committed, and a checkpoint and the boundary moved past it meanwhile
        kRefused,   // nothing was evaluated
        kGivenUp,   // unknown, and no way to find out
    };

    /// A record that is ready to be sent to its slot, and the state that follows from it.
    struct Proposal {
        std::vector<u8> bytes;
        std::vector<LoggedTransaction> transactions;
        LogState next;
        Uuid attempt;
        bool essential = false; // may use the space held back
        Error error;
    };

    void run();
    /// With mutex_ held.
    Batch takeBatch();
    void commitBatch(Batch batch);
    bool propose(Batch& batch, Proposal& proposal);
    Owner settle(Proposal& proposal, const Batch& batch);
    /// After a success: is the slot above the boundary, or did a checkpoint take it in?
    Owner confirm(const Proposal& proposal, const Batch& batch);
    void acknowledge(Proposal proposal, const Batch& batch);
    void halt(const Batch& batch);
    /// Whether the newest checkpoint knows all transactions of the batch.
    Result<bool> checkpointHolds(const Proposal& proposal);
    /// Takes in what another writer committed, or reloads from a checkpoint.
    Status catchUp();
    /// Answers whom the refusal concerns; true when drops are left that may use the reserve.
    bool refuse(Batch& batch, const Error& error);
    void answer(const std::shared_ptr<PendingTransaction>& transaction, Status status);
    void answerAll(const Batch& batch, const Status& status);
    /// Answers clients that waited too long, sleeps, lengthens the pause; false: stop trying.
    bool backOff(i64& nanos, const Batch& batch);
    void answerLate(const Batch& batch);
    void publish(LogState state);
    /// The newest state without its list of recent transactions, which is long.
    LogState position() const;

    objects::ObjectStore& store_;
    Clock& clock_;
    Random& random_;
    CommitterOptions options_;
    CommitHistory history_; // the committer's thread only

    mutable std::mutex state_mutex_;
    LogState state_;

    std::mutex mutex_;
    std::condition_variable work_;     // for the committer's thread
    std::condition_variable answered_; // for clients
    std::deque<std::shared_ptr<PendingTransaction>> waiting_;
    std::string initialize_; // the database name of the first record
    bool stopping_ = false;
    std::optional<Error> halted_; // nothing can be committed any more
    std::thread thread_;
};

} // namespace blueshift::transaction
