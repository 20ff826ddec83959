// materialize.h: keeps rows so that they can be read several times: common tables, the inner side
// of nested loops, streams that meet.
//
// Rows that find no room are written out, and read back after those in memory. The match flag of a
// row in memory is its first extra byte; rows on disk have a bit each, by their number.
// Threads: filled by per-worker states; read by any number afterwards, which may set match flags.
#pragma once

#include <mutex>

#include "execute/rows/page_source.h"

namespace blueshift::execute {

class Materialized final : public SinkOperator {
public:
    explicit Materialized(const compile::SinkInfo& info);

    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void consume(State& state, const Batch& batch, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) override;
    /// Rows with a partner, or without; for nested loops that keep inner rows.
    std::unique_ptr<SourceOperator> makeMatchSource(const std::vector<u32>& columns, bool matched);
    void release(WorkerContext& context) override;
    u64 memoryBytes() const override { return pages_.memoryBytes() + flags_.size() * sizeof(u64); }
    u32 finishTasks() override { return keeps_matches_ && !spilled_.empty() ? 1 : 0; }
    void finishTask(u32 task, WorkerContext& context) override;
    u64 spilledBytes() const override { return file_.bytesSpilled(); }

    u64 rowCount() const { return pages_.rowCount() + spilled_.rowCount(); }
    const RowLayout& layout() const { return layout_; }
    const RowPages& pages() const { return pages_; }
    /// Rows on disk, after those of pages().
    size_t blockCount() const { return spilled_.blockCount(); }
    bool readBlock(size_t block, RowPages& into, WorkerContext& context) const {
        return spilled_.read(block, file_, codec_, into, context);
    }
    bool keepsMatches() const { return keeps_matches_; }
    /// Says that a row has a partner: one in memory, or number `row` of those on disk.
    void setMatched(u8* row) const {
        __atomic_store_n(row + layout_.extraOffset(), u8{1}, __ATOMIC_RELAXED);
    }
    void setSpilledMatched(u64 row) {
        u64& word = flags_[row / 64];
        const u64 bit = u64{1} << (row % 64);
        if ((__atomic_load_n(&word, __ATOMIC_RELAXED) & bit) == 0)
            __atomic_fetch_or(&word, bit, __ATOMIC_RELAXED);
    }

private:
    void spill(RowPages& pages, WorkerContext& context);

    RowLayout layout_;
    bool keeps_matches_;
    const RowCodec codec_;
    std::mutex mutex_;
    RowPages pages_;
    SpillFile file_;
    SpilledRows spilled_;
    std::vector<u64> flags_; // of rows on disk
};

std::unique_ptr<SinkOperator> makeMaterializeSink(const compile::SinkInfo& info);

} // namespace blueshift::execute
