// join_build.h: the hash table of a join: rows in pages, found through a tagged directory.
//
// Shape: unchained (Birler et al., DaMoN 2024): a directory entry holds, in its upper 48 bits, the
// end of its rows in one array of row pointers (the entry before it: their beginning), and in its
// lower 16 bits a Bloom tag of their hashes, so that most misses end after one load.
// Rows that find no room are written to 64 parts on disk; at the end as many parts as have room are
// loaded again (build_spill.cpp), probe rows of the others wait (spilled_join.h).
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
#include "execute/rows/page_source.h"
#include "kernels/pipeline.h"
#include "types/scan_predicate.h"

namespace blueshift::execute {

/// Beyond this many keys a Bloom filter leaves the cache and no longer pays.
inline constexpr u64 kMostBloomKeys = 8u << 20;

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
    void release(WorkerContext& context) override;
    u64 spilledBytes() const override { return file_.bytesSpilled(); }
    u64 memoryBytes() const override {
        return pages_.memoryBytes() + directory_.size() * 8 + rows_.size() * 8;
    }

    // ---- For probes.
    const RowLayout& layout() const { return layout_; }
    u32 keyCount() const { return u32(spec_.keys.size()); }
    u64 rowCount() const { return rows_.size(); }
    bool sawRows() const { return saw_rows_ || !rows_.empty() || saw_null_key_; }
    bool sawNullKey() const { return saw_null_key_; }
    bool uniqueKeys() const { return spec_.unique_keys; }
    bool keepsMatches() const { return spec_.keeps_matches; }
    static u64 tagOf(u64 hash) { return u64{1} << (hash & 15) | u64{1} << (hash >> 4 & 15); }
    u8* const* rows() const { return rows_.data(); }
    /// For bs_find_candidates and generated code; valid while the build lives.
    kernels::JoinTable table() const;
    /// How its rows lie in memory.
    static compile::BuildRowShape shapeOf(const compile::SinkInfo& info);
    void markMatched(u8* row) const {
        __atomic_store_n(row + layout_.extraOffset(), u8{1}, __ATOMIC_RELAXED);
    }

    // ---- Parts on disk, by the top bits of the hash.
    /// Bit p: part p is on disk, so that its probe rows have to wait.
    u64 spilledMask() const { return spilled_mask_; }
    const SpilledRows& spilledPart(u32 part) const { return parts_[part]; }
    /// Takes back the rows of a part with their match flags.
    void replacePart(u32 part, SpilledRows rows) { parts_[part] = std::move(rows); }
    SpillFile& file() { return file_; }
    const RowCodec& codec() const { return codec_; }

    /// A table for some of the rows of `whole`: refill(), probe, refill() ...
    explicit JoinBuild(const JoinBuild& whole, std::nullptr_t);
    /// Indexes `rows`, which agree in the first `skip` bits of their hashes.
    bool refill(RowPages rows, u32 skip, WorkerContext& context);
    const RowPages& pages() const { return pages_; }
    /// Memory for a row besides its page.
    static constexpr u64 kEntryBytes = 24;

private:
    struct Entry {
        u64 hash;
        u8* row;
    };
    struct BuildState;
    // kStart -> [kWrite -> kLoad] -> kIndex
    enum class Phase : u8 { kStart, kWrite, kLoad, kIndex };

    u64 slotIndex(u64 hash) const { return hash << skip_ >> shift_; }
    u32 listOf(u64 hash) const { return u32(hash << skip_ >> (64 - kPartitionBits)); }
    void spill(BuildState& state, WorkerContext& context);
    void writePart(u32 part, WorkerContext& context);
    void choosePartsToLoad(WorkerContext& context);
    void loadPart(u32 part, WorkerContext& context);
    void addToFilters(u32 list);
    /// `rows(add)` calls add(row) for each of some rows.
    template <class Rows> void addToFilters(Rows&& rows);
    void makeBloom(u64 keys);
    std::unique_ptr<PageSource> pageSource(const std::vector<u32>& columns,
                                           std::optional<bool> matched);

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
    u32 skip_ = 0;
    bool saw_null_key_ = false;
    bool saw_rows_ = false; // whether or not they are in this table

    Phase phase_ = Phase::kStart;
    const RowCodec codec_;
    SpillFile file_;
    SpilledParts parts_;
    SpilledRows unkeyed_;           // with a NULL key; delivered by match sources only
    std::vector<u8*> unkeyed_rows_; // the same in memory
    std::atomic<bool> spilled_{false};
    u64 spilled_mask_ = 0;
    u64 entry_bytes_ = 0;  // taken for entries
    u64 held_to_load_ = 0; // MemoryGrant::hold() while parts are loaded
    std::array<RowPages, kPartitions> loaded_;
};

template <class Rows> void JoinBuild::addToFilters(Rows&& rows) {
    for (size_t p = 0; p < published_.size(); ++p) {
        JoinFilter& filter = *published_[p];
        if (filter.bloom.empty()) continue;
        const u32 key = spec_.publishes[p].key;
        const u32 offset = layout_.offsetOf(key);
        dispatchKind(layout_.kindOf(key), [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            rows([&](const u8* row) {
                const T value = loadField<T>(row, offset);
                if constexpr (std::is_same_v<T, TextView>) filter.add(kernels::hashText(value));
                else if constexpr (std::is_floating_point_v<T>)
                    filter.add(kernels::hashFloat(value));
                else filter.add(kernels::hashInteger(value));
            });
        });
    }
}

} // namespace blueshift::execute
