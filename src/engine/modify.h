// modify.h: writes the rows of a running query into a table: INSERT, CTAS, COPY, UPDATE, DELETE.
//
// Place: statement.cpp plans the source query; here its batches become segments and deletes of the
// connection's transaction.
// Threads: one table writer per worker.
#pragma once

#include "bind/bind.h"
#include "engine/executions.h"

namespace blueshift::engine {

/// Rows appended by parallel table writers; finish() hands the segments to the transaction.
class TableAppend final : public execute::BatchConsumer {
public:
    TableAppend(EngineConnection& connection, std::shared_ptr<const catalog::Table> table);

    /// Rows that wait for their segment are taken from the grant: a writer that holds more than
    /// a worker's least memory, or setLeast(), and finds no room writes a smaller segment.
    void prepare(u32 workers, execute::MemoryGrant& grant) override;
    /// Before prepare(): more than a worker's least memory was reserved for each writer.
    void setLeast(u64 least) { least_ = least; }
    Status consume(u32 worker, const Batch& batch) override;
    /// Flushes all writers and records their segments and statistics. Returns the rows appended.
    u64 finish();

private:
    Status account(u32 worker);

    EngineConnection& connection_;
    std::shared_ptr<const catalog::Table> table_;
    std::vector<std::unique_ptr<storage::TableWriter>> writers_;
    std::vector<u64> taken_; // by worker
    execute::MemoryGrant* grant_ = nullptr;
    u64 least_ = 0;
};

/// Runs a planned source into `table`; returns the rows inserted.
u64 insertRows(EngineConnection& connection, PlannedQuery& planned, catalog::Oid table);

/// Runs a planned UPDATE or DELETE source (row id first, then the new row); returns the rows
/// changed.
u64 modifyRows(EngineConnection& connection, PlannedQuery& planned, catalog::Oid table,
               bool update);

/// Takes the writers' lock of a table; a statement that stands alone reads afresh afterwards.
void lockForWrite(EngineConnection& connection, catalog::Oid table);

} // namespace blueshift::engine
