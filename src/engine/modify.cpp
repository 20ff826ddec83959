#include "engine/modify.h"

#include <algorithm>
#include <unordered_map>

namespace blueshift::engine {

namespace {

/// Statistics are merged after loads that change the picture, not after every small insert.
constexpr u64 kLeastRowsForStatistics = 1000;

/// Takes the row ids of an UPDATE or DELETE; for an UPDATE also appends the new rows.
class RowChanges final : public execute::BatchConsumer {
public:
    RowChanges(EngineConnection& connection, std::shared_ptr<const catalog::Table> table,
               bool update)
        : table_(table), update_(update), append_(connection, table) {}

    void prepare(u32 workers, execute::MemoryGrant& grant) override {
        append_.prepare(workers, grant);
    }

    Status consume(u32 worker, const Batch& batch) override {
        const Vector& ids = batch.columns[0];
        {
            std::lock_guard lock(mutex_);
            for (u32 i = 0; i < batch.selected; ++i) {
                const u64 id = u64(i64(ids.integerAt(batch.rowAt(i))));
                const u64 segment = id >> storage::kRowIdShift;
                const u32 row = u32(id & ((u64{1} << storage::kRowIdShift) - 1));
                auto& bits = deletes_[segment];
                if (bits.size() <= row / 64) bits.resize(row / 64 + 1);
                if (bitAt(bits.data(), row))
                    return failure(
                        Error(sqlstate::kCardinalityViolation,
                              "a row of \"" + table_->name +
                                  "\" would be changed twice by one statement")
                            .withHint("Make the join condition find one partner a row."));
                setBit(bits.data(), row);
                ++rows_;
            }
        }
        if (!update_) return {};
        Batch rows = batch;
        rows.columns = batch.columns.subspan(1);
        return append_.consume(worker, rows);
    }

    u64 finish(transaction::Transaction& transaction) {
        for (auto& [segment, bits] : deletes_) {
            for (const auto& entry : *table_->segments)
                if (entry.segment->id == segment) bits.resize((entry.segment->rows + 63) / 64);
            transaction.deleteRows({table_->oid, segment, std::move(bits)});
        }
        if (update_) append_.finish();
        return rows_;
    }

private:
    std::shared_ptr<const catalog::Table> table_;
    bool update_;
    TableAppend append_;
    std::mutex mutex_;
    std::unordered_map<u64, std::vector<u64>> deletes_;
    u64 rows_ = 0;
};

std::shared_ptr<const catalog::Table> currentTable(EngineConnection& connection, catalog::Oid oid) {
    const auto view = connection.transaction().view();
    const auto found = view->tables.find(oid);
    if (found == view->tables.end())
        throw SqlError(sqlstate::kUndefinedTable, "the table was dropped while the statement ran");
    return found->second;
}

/// False where all rows stand in the statement: INSERT .. VALUES waits for nobody's memory.
bool readsTables(const compile::Program& program) {
    return !std::ranges::all_of(program.pipelines, [](const compile::Pipeline& pipeline) {
        return std::holds_alternative<compile::ValuesSource>(pipeline.source);
    });
}

void runInto(EngineConnection& connection, execute::QueryRun& run,
             execute::BatchConsumer& consumer) {
    connection.setRun(&run);
    try {
        run.consume(consumer);
        connection.recordExchanges(run);
    } catch (...) {
        connection.setRun(nullptr);
        throw;
    }
    connection.setRun(nullptr);
}

} // namespace

TableAppend::TableAppend(EngineConnection& connection, std::shared_ptr<const catalog::Table> table)
    : connection_(connection), table_(std::move(table)) {}

void TableAppend::prepare(u32 workers, execute::MemoryGrant& grant) {
    grant_ = &grant;
    least_ = std::max(least_, grant.workerBytes());
    writers_.resize(workers);
    taken_.resize(workers);
}

Status TableAppend::consume(u32 worker, const Batch& batch) {
    auto& writer = writers_[worker];
    if (!writer) {
        SharedEngine& engine = connection_.engine();
        writer = std::make_unique<storage::TableWriter>(
            engine.store(), table_,
            [&engine, oid = table_->oid] { return engine.database().newDataKey(oid); },
            connection_.stop().check());
        if (engine.cluster().nodes() > 1) writer->splitByBucket();
    }
    BS_TRY(writer->append(batch));
    return account(worker);
}

Status TableAppend::account(u32 worker) {
    storage::TableWriter& writer = *writers_[worker];
    u64& taken = taken_[worker];
    const u64 held = writer.bufferedBytes();
    const u64 more = held - std::min(held, taken);
    const bool room = held <= least_ || grant_->mayKeep(held, more);
    if (room && grant_->grow(more)) {
        taken += more;
    } else {
        BS_TRY(writer.flush());
    }
    // After a segment was written.
    const u64 left = writer.bufferedBytes();
    if (left < taken) {
        grant_->shrink(taken - left);
        taken = left;
    }
    return {};
}

u64 TableAppend::finish() {
    u64 rows = 0;
    std::vector<std::shared_ptr<catalog::Segment>> segments;
    std::vector<std::pair<u32, u8>> widths;
    std::shared_ptr<catalog::TableStatistics> statistics;
    for (auto& writer : writers_) {
        if (!writer) continue;
        auto output = orThrow(writer->finish());
        writer.reset();
        rows += output.rows;
        segments.insert(segments.end(), output.segments.begin(), output.segments.end());
        widths.insert(widths.end(), output.width_classes.begin(), output.width_classes.end());
        if (!output.statistics) continue;
        statistics = statistics
                         ? storage::mergeStatistics(statistics.get(), *output.statistics, rows)
                         : output.statistics;
    }
    if (rows == 0) return 0;
    transaction::Transaction& transaction = connection_.transaction();
    transaction.addSegments(table_->oid, std::move(segments), widths);
    const f64 known = table_->statistics ? table_->statistics->rows : 0;
    if (statistics && rows >= kLeastRowsForStatistics && f64(rows) * 10 >= known) {
        const auto before = storage::withAddedColumns(table_->statistics, *table_);
        transaction.putStatistics(table_->oid,
                                  storage::mergeStatistics(before.get(), *statistics,
                                                           connection_.engine().random().next()));
    }
    return rows;
}

u64 insertRows(EngineConnection& connection, PlannedQuery& planned, catalog::Oid oid) {
    TableAppend append(connection, currentTable(connection, oid));
    execute::RunEnvironment environment = connection.environment();
    environment.consumer_holds = readsTables(planned.program);
    execute::QueryRun run(planned.program, environment);
    runInto(connection, run, append);
    return append.finish();
}

u64 modifyRows(EngineConnection& connection, PlannedQuery& planned, catalog::Oid oid, bool update) {
    RowChanges changes(connection, currentTable(connection, oid), update);
    execute::RunEnvironment environment = connection.environment();
    environment.consumer_holds = update;
    execute::QueryRun run(planned.program, environment);
    runInto(connection, run, changes);
    return changes.finish(connection.transaction());
}

void lockForWrite(EngineConnection& connection, catalog::Oid table) {
    transaction::Transaction& transaction = connection.transaction();
    auto status =
        connection.engine().database().lockTable(transaction, table, connection.stop().check());
    if (!status) throw SqlError(std::move(status.error()));
    if (!connection.inBlock() && !transaction.hasChanges()) transaction.refresh();
}

} // namespace blueshift::engine
