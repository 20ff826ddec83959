// join_build.h: the hash table of a join: rows in pages, found through a tagged directory.
//
// Shape: unchained (Birler et al., DaMoN 2024): a directory entry holds, in its upper 48 bits, the
// end of its rows in one array of row pointers (the entry before it: their beginning), and in its
// lower 16 bits a Bloom tag of their hashes, so that most misses end after one load.
// Life cycle: consume (workers append rows and (hash, row) entries by partition) -> finish tasks,
// one a partition, count and scatter -> immutable while probed; match flags excepted. Publishes:
// min, max and a Bloom filter per key to scans below the probe side. Threads: states are per
// worker; after finished() any worker probes.
#pragma once

#include <array>
#include <mutex>

#include "compile/segment.h"
#include "execute/operator.h"
#include "execute/rows/hash_columns.h"
#include "execute/rows/row_pages.h"
#include "kernels/pipeline.h"
#include "types/scan_predicate.h"

namespace blueshift::execute {

class JoinBuild final : public SinkOperator {
public:
    /// `filters`: of the whole program, by filter index.
    JoinBuild(const compile::SinkInfo& info, std::span<JoinFilter* const> filters);

    std::unique_ptr<State> makeState(WorkerContext& context) override;
    void consume(State& state, const Batch& batch, WorkerContext& context) override;
    void flush(State& state, WorkerContext& context) override;
    u32 finishTasks() override;
    void finishTask(u32 task, WorkerContext& context) override;
    bool finished(WorkerContext& context) override;
    std::unique_ptr<SourceOperator> makeSource(const std::vector<u32>& columns) override;
    /// Rows with a partner, or without (build-outer, semi and anti output).
    std::unique_ptr<SourceOperator> makeMatchSource(const std::vector<u32>& columns, bool matched);
    u64 memoryBytes() const override {
        return pages_.memoryBytes() + directory_.size() * 8 + rows_.size() * 8;
    }

    // ---- For probes.
    const RowLayout& layout() const { return layout_; }
    u32 keyCount() const { return u32(spec_.keys.size()); }
    u64 rowCount() const { return rows_.size(); }
    bool sawRows() const { return !rows_.empty() || saw_null_key_; }
    bool sawNullKey() const { return saw_null_key_; }
    bool uniqueKeys() const { return spec_.unique_keys; }
    bool keepsMatches() const { return spec_.keeps_matches; }
    const u64* slotOf(u64 hash) const { return directory_.data() + 1 + (hash >> shift_); }
    static u64 tagOf(u64 hash) { return u64{1} << (hash & 15) | u64{1} << (hash >> 4 & 15); }
    u8* const* rows() const { return rows_.data(); }
    /// The same for generated code; valid while the build lives.
    kernels::JoinTable table() const;
    /// How its rows lie in memory.
    static compile::BuildRowShape shapeOf(const compile::SinkInfo& info);
    void markMatched(u8* row) const {
        __atomic_store_n(row + layout_.extraOffset(), u8{1}, __ATOMIC_RELAXED);
    }

private:
    struct Entry {
        u64 hash;
        u8* row;
    };
    static constexpr u32 kPartitionBits = 6;
    static constexpr u32 kPartitions = 1u << kPartitionBits;
    struct BuildState;

    void addFilterRange(BuildState& state, const Batch& batch, const u16* rows, u32 count);
    void prepareDirectory();
    void publish();

    const compile::BuildSink& spec_;
    RowLayout layout_;
    std::vector<JoinFilter*> published_; // parallel to spec_.publishes
    std::mutex mutex_;
    RowPages pages_;
    std::array<std::vector<std::vector<Entry>>, kPartitions> entries_;
    std::array<u64, kPartitions + 1> partition_begin_{};
    std::vector<u64> directory_;
    std::vector<u8*> rows_;
    std::vector<u64> null_row_; // a row whose nullable columns are NULL
    u32 shift_ = 63;
    bool saw_null_key_ = false;
};

} // namespace blueshift::execute
