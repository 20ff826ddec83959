// copy_from.h: COPY table FROM: one load, from its sources to the table's segments.
//
// Place: copy.cpp makes it; storage/ingest reads, TableAppend writes.
// Life cycle: construct (checks rights, columns, options, files) -> run() -> rows loaded.
// Threads: run() spreads over the engine's workers, a lane each, in slices; only the caller's
// thread reads from the client, so that a slow client holds no worker. All or nothing: rows become
// visible with the transaction; a failed load throws before anything is handed to it.
#pragma once

#include <mutex>

#include "engine/copy_options.h"
#include "engine/executions.h"
#include "engine/modify.h"
#include "storage/ingest/text_rows.h"

namespace blueshift::engine {

class CopyFrom {
public:
    CopyFrom(EngineConnection& connection, const parse::Copy& copy, std::string_view text,
             CopySource* client);
    ~CopyFrom();

    std::span<const ResultField> fields() const { return fields_; }
    /// Loads everything; throws SqlError. Returns the rows loaded.
    u64 run();

private:
    struct Lane;

    void resolveTarget(const parse::Copy& copy, std::string_view text);
    void fillDefaults(PlannedQuery& planned);
    void keepDefaults(const Batch& batch);
    void forceColumns(const std::vector<std::string>& names, std::vector<bool>& flags);
    functions::InputOptions inputOptions() const;
    storage::RecordChunks makeChunks();
    void runText();
    void runParquet();
    void slice(storage::RecordChunks& chunks, Lane& lane);
    bool take(storage::RecordChunks& chunks, Lane& lane);
    void load(Lane& lane);
    void append(Lane& lane, const Batch& batch);
    bool wanted(u64 number);
    void addErrors(u64 number, std::vector<storage::RowError>& errors);
    void stopWith(Error error);
    void rethrow();
    void recordErrors();
    [[noreturn]] void fail();
    /// Waits for the least memory of a load; says how many lanes that is for.
    u32 admit();

    EngineConnection& connection_;
    CopyOptions options_;
    CopySource* client_;
    functions::SessionFacts facts_;
    std::shared_ptr<const catalog::Table> table_;
    std::vector<std::string> files_;
    std::vector<storage::TargetField> targets_;
    std::vector<ResultField> fields_;
    /// By live column: its field, or -1 and a constant.
    std::vector<i32> sources_;
    std::vector<Vector> constants_;
    std::vector<VectorBuffer> constant_values_;
    Arena constant_text_;
    std::unique_ptr<execute::QueryGrant> grant_;
    std::unique_ptr<TableAppend> append_;
    std::vector<std::unique_ptr<Lane>> lanes_;

    std::mutex mutex_; // guards what follows while lanes run
    std::vector<storage::RowError> errors_;
    u64 error_count_ = 0;
    u64 last_wanted_ = ~u64{0}; // chunks behind it no longer matter
    std::optional<Error> broken_;
    bool exhausted_ = false;
    std::atomic<u64> rows_{0};
};

} // namespace blueshift::engine
