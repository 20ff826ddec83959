// materialize.h: keeps rows so that they can be read several times: common tables, the inner side
// of nested loops, streams that meet.
//
// Rows that find no room are written out, and read back after those in memory.
// Threads: filled by per-worker states; read by any number afterwards.
#pragma once

#include <mutex>

#include "execute/rows/page_source.h"

namespace blueshift::execute {

class Materialized final : public SinkOperator {
public:
    /// `stays`: nested loops go through the rows in memory again and again.
    explicit Materialized(const compile::SinkInfo& info, bool stays = false);

    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void consume(State& state, const Batch& batch, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) override;
    /// Rows with a partner, or without; for nested loops that keep inner rows.
    std::unique_ptr<SourceOperator> makeMatchSource(const std::vector<u32>& columns, bool matched);
    void release(WorkerContext& context) override { pages_.clear(context); }
    u64 memoryBytes() const override { return pages_.memoryBytes(); }
    u64 spilledBytes() const override { return file_.bytesSpilled(); }

    u64 rowCount() const { return pages_.rowCount() + spilled_.rowCount(); }
    const RowLayout& layout() const { return layout_; }
    const RowPages& pages() const { return pages_; }
    bool keepsMatches() const { return keeps_matches_; }

private:
    void spill(RowPages& pages, WorkerContext& context);

    RowLayout layout_;
    bool keeps_matches_;
    bool stays_;
    const RowCodec codec_;
    std::mutex mutex_;
    RowPages pages_;
    SpillFile file_;
    SpilledRows spilled_;
};

std::unique_ptr<SinkOperator> makeMaterializeSink(const compile::SinkInfo& info,
                                                  bool stays = false);

} // namespace blueshift::execute
