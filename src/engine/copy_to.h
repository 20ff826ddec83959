// copy_to.h: COPY table or (query) TO STDOUT: rows as text, CSV or PostgreSQL's binary copy format.
//
// Place: copy.cpp makes it; runs a planned query and formats its batches, about 64 KiB a piece.
// Threads: the connection's.
#pragma once

#include "engine/copy_options.h"
#include "engine/executions.h"
#include "session/row_encoder.h"

namespace blueshift::engine {

class CopyTo {
public:
    CopyTo(EngineConnection& connection, const parse::Copy& copy, std::string_view text);
    ~CopyTo();

    std::span<const ResultField> fields() const { return planned_->fields; }
    bool binary() const { return options_.layout == CopyLayout::kBinary; }
    /// The next piece, empty at the end; valid until the next call.
    std::string_view nextBytes();
    /// As Execution::rowEnds().
    std::span<const size_t> rowEnds() const { return row_ends_; }
    u64 rows() const { return rows_; }

private:
    void bindQuery(const parse::Query& query, std::string_view text, bind::BindContext& context);
    void bindTable(const parse::Copy& copy, std::string_view text, bind::BindContext& context);
    void findQuoted();
    void appendHeader();
    void endRow(std::string_view last);
    void appendRow(const Batch& batch, u32 row);
    void appendText(std::string_view value);
    void appendCsv(std::string_view value, bool quote);

    EngineConnection& connection_;
    CopyOptions options_;
    std::shared_ptr<PlannedQuery> planned_;
    std::unique_ptr<execute::QueryRun> run_;
    std::unique_ptr<session::RowEncoder> encoder_;
    std::vector<bool> quoted_;
    std::string out_;
    std::vector<size_t> row_ends_;
    std::string cell_;
    u64 rows_ = 0;
    bool begun_ = false;
    bool ended_ = false;
};

} // namespace blueshift::engine
