// morsel_cursor.h: the inside of a TableScan: what its workers share, and where one worker stands.
//
// Place: table_scan.cpp (morsels, pruning, the row loop), scan_columns.cpp (blocks, delivery).
// Life of a state: start() enters a morsel, prunes it, and forgets the blocks of the one before;
// next() walks its vectors, loads a column's block when the first row needs it, and delivers.
#pragma once

#include <optional>
#include <vector>

#include "storage/absent_column.h"
#include "storage/block_cache_state.h"
#include "storage/memory_segment.h"
#include "storage/scan/block_filter.h"
#include "storage/scan/join_filter_probe.h"
#include "storage/scan/share_rows.h"
#include "storage/storage.h"

namespace blueshift::storage {

/// One block's range of rows of one segment.
struct Morsel {
    u32 segment = 0; // index in the table's segments
    u32 block = 0;
    u32 rows = 0;
};

/// A column that the scan delivers or tests.
struct ScanColumn {
    u32 column_id = 0;
    PhysicalKind natural = PhysicalKind::kI64;
    PhysicalKind delivered = PhysicalKind::kI64;
    const catalog::Column* column = nullptr;    // of the table; nullptr: it has no such column
    std::unique_ptr<const AbsentColumn> absent; // for segments that do not have it
};

struct TableScan::Shared {
    objects::ObjectStore& store;
    BlockCache& cache;
    std::shared_ptr<const catalog::Table> table;
    ScanOptions options;
    const kernels::BlockSteps& steps;
    std::vector<ScanColumn> columns;      // each column once
    std::vector<u32> delivered;           // options.columns -> index; kRowIdColumn stays
    std::vector<u32> predicate_columns;   // options.predicates -> index
    std::vector<u32> join_filter_columns; // options.join_filters -> index
    u32 share_column = 0;                 // of the share's key
    std::vector<SegmentShare> shares;     // by segment; empty: every row
    std::vector<Morsel> morsels;
    u64 row_count = 0;
    mutable ScanCounters counters;

    void planMorsels();
    u32 indexOf(u32 column_id);
};

class MorselCursor final : public ScanState {
public:
    explicit MorselCursor(const TableScan::Shared& shared);
    ~MorselCursor() override;

    void start(u32 morsel);
    Result<bool> next(Batch& batch);

private:
    /// A column's block of the current morsel.
    struct ColumnState {
        const ColumnEntry* entry = nullptr;            // in an object
        const MemorySegment::Column* memory = nullptr; // in memory; neither: absent
        bool loaded = false;
        bool constant_ready = false;
        std::shared_ptr<const HotBlock> pin;
        std::shared_ptr<const std::vector<VectorZone>> zones; // of the segment, once asked for
        Vector block;                                         // all rows of the morsel
        VectorBuffer scratch;
        u64 validity[kValidityWords] = {};
    };
    struct PredicateState {
        BlockFilter filter;
        bool active = false;
        bool prepared = false;
        u64 rows_in = 0;
        u64 rows_out = 0;
        f64 passRate() const { return rows_in == 0 ? 0.5 : f64(rows_out) / f64(rows_in); }
    };

    Status enter(const Morsel& morsel);
    bool prune();
    catalog::ColumnRange blockRange(u32 column) const;
    Status markLiveVectors();
    Result<const VectorZone*> zonesOf(u32 column);
    void rankPredicates();
    Result<bool> filterVector(u32 rows, u64* mask);
    void prefetch(u32 begin) const;
    Status load(u32 column);
    Status loadMemory(u32 column);
    Result<Vector> deliver(u32 column, u32 rows);
    Vector deliverConstant(u32 column, u32 rows);
    const u64* sliceValidity(ColumnState& state, u32 rows);
    void fillRowIds(u32 rows);
    void publishCounts();

    const TableScan::Shared& shared_;
    std::optional<Error> error_;
    std::shared_ptr<const SegmentFile> file_;
    const catalog::SegmentEntry* segment_ = nullptr;
    const SegmentShare* share_ = nullptr; // nullptr: every row
    Morsel morsel_;
    u32 position_ = 0;     // next row of the morsel
    u64 live_vectors_ = 0; // a bit per vector of the block
    std::vector<ColumnState> columns_;
    std::vector<PredicateState> predicates_;
    std::vector<u32> order_; // of the predicates
    std::vector<JoinFilterProbe> join_filters_;
    VectorBuffer row_ids_;
    std::vector<Vector> vectors_;
    u16 selection_[kVectorRows + 64];
    u64 rows_read_ = 0;
    u64 rows_delivered_ = 0;
};

} // namespace blueshift::storage
