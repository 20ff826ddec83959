// storage.h: front door of storage: scan, append, statistics.
//
// Place: execute/ reads tables through TableScan and writes rows through TableWriter; transaction/
// commits the segments that a writer returns. Object formats: docs/formats/segment.md.
// Geometry: vector 1,024 values, block 65,536 values of one column, segment up to kSegmentRows.
// Threads: TableScan and BlockCache are shared by workers; ScanState and TableWriter are one
// worker's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/canceled.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "types/scan_predicate.h"
#include "types/vector.h"

namespace blueshift::objects {
class ObjectStore;
}

namespace blueshift::storage {

inline constexpr u32 kBlockRows = 65536;
inline constexpr u32 kSegmentRows = 1u << 20;
/// Row ids (kRowIdColumn): segment id << kRowIdShift | row in the segment.
inline constexpr u32 kRowIdShift = 24;

/// Decoded ("hot") blocks in memory: integers byte-aligned at the block's narrowest width, text as
/// views or as codes with a dictionary. Evicted least recently used above the limit; pinned blocks
/// stay. Losing it loses nothing.
class BlockCache {
public:
    explicit BlockCache(u64 byte_limit);
    ~BlockCache();
    u64 bytes() const;
    void setLimit(u64 byte_limit);
    void clear();
    struct State;
    State& state() { return *state_; }

private:
    std::unique_ptr<State> state_;
};

/// The rows of a table that one of several nodes reads: those whose bucket it owns, or its ranges
/// of each segment's rows.
struct ScanShare {
    static constexpr u32 kRanges = ~u32{0};

    u32 node = 0;
    u32 nodes = 1;                // 1: every row
    u32 key_column = kRanges;     // column id of the distribution key
    std::span<const u16> owners;  // by bucket; with a key
    u32 least_rows = kVectorRows; // of a range; fewer in tests
};

struct ScanOptions {
    /// Columns to deliver, in batch order: column ids or kRowIdColumn.
    std::vector<u32> columns;
    std::vector<ScanPredicate> predicates;
    std::vector<ScanJoinFilter> join_filters;
    /// Rows a batch may have: kVectorRows, fewer in tests.
    u32 vector_rows = kVectorRows;
    ScanShare share;
};

/// What a scan skipped and read; summed over workers.
struct ScanCounters {
    std::atomic<u64> rows_read{0};      // rows looked at
    std::atomic<u64> rows_delivered{0}; // after predicates, join filters and deletes
    std::atomic<u64> blocks_read{0};
    std::atomic<u64> blocks_skipped{0}; // by zone maps or join filter ranges
    std::atomic<u64> bytes_read{0};     // from the object store
};

/// One worker's place in a scan, with what it pins; storage/scan derives its own.
class ScanState {
public:
    virtual ~ScanState() = default;
};

/// One scan of one table version, shared by its workers. A morsel is one block's range of rows.
class TableScan {
public:
    TableScan(objects::ObjectStore& store, BlockCache& cache,
              std::shared_ptr<const catalog::Table> table, ScanOptions options);
    ~TableScan();

    u32 morselCount() const;
    /// Rows of all morsels before predicates, for progress.
    u64 rowCount() const;
    const ScanCounters& counters() const;

    std::unique_ptr<ScanState> makeState() const;
    /// Starts morsel `index`; the blocks of an earlier one are unpinned.
    void start(ScanState& state, u32 morsel) const;
    /// The next batch of the morsel: at least one selected row, or false at its end. Vectors are in
    /// the columns' width class (integers), pinned until the next call of start. Dates, booleans
    /// and decimals count as integers. Vectors carry validity only where the rows may hold NULLs.
    Result<bool> next(ScanState& state, Batch& batch) const;

    struct Shared;

private:
    std::unique_ptr<Shared> shared_;
};

/// The physical kind in which a scan delivers a column: its width class for integer families.
PhysicalKind scanKind(const catalog::Column& column);

/// Appends rows to a table: buffers up to a segment, sorts it by the table's sort key, chooses
/// encodings, writes one object. Totals below kInlineBytes stay in memory and travel in the log.
class TableWriter {
public:
    static constexpr u64 kInlineBytes = 64 << 10;
    static constexpr u32 kSplitRows = kBlockRows / 2;

    /// `new_key` gives fresh object keys. `cancelled`, asked once a block, ends append() and
    /// finish() with its error.
    TableWriter(objects::ObjectStore& store, std::shared_ptr<const catalog::Table> table,
                std::function<std::string()> new_key, CancelCheck cancelled = {});
    ~TableWriter();

    /// Segments of a table with a distribution key hold one hash prefix each, of as many bits as
    /// leave them kSplitRows rows: before the first append, when several nodes share the table.
    void splitByBucket();

    /// Columns in the order of table->liveColumns(), any integer width, any vector form. NOT NULL
    /// is checked: 23502 names the column.
    Status append(const Batch& batch);
    /// Writes what is buffered as segments of their own, however few the rows, and gives the
    /// buffers back.
    Status flush();
    /// Bytes of the buffers, with what they keep for rows to come.
    u64 bufferedBytes() const;

    struct Output {
        std::vector<std::shared_ptr<catalog::Segment>> segments;
        std::vector<std::pair<u32, u8>> width_classes;
        u64 rows = 0;
        /// Sketches and a sample of the appended rows, to be merged into the table's statistics.
        std::shared_ptr<catalog::TableStatistics> statistics;
    };
    Result<Output> finish();

    struct State;

private:
    std::unique_ptr<State> state_;
};

/// Statistics of the union: sketches merged, samples reservoir-merged with `seed`.
std::shared_ptr<catalog::TableStatistics> mergeStatistics(const catalog::TableStatistics* a,
                                                          const catalog::TableStatistics& b,
                                                          u64 seed);
/// Statistics that also know the columns which `table` got since they were made: every row counted
/// has the column's value for older rows. The same when there are none.
std::shared_ptr<const catalog::TableStatistics> withAddedColumns(
    std::shared_ptr<const catalog::TableStatistics> statistics, const catalog::Table& table);
/// Reads a whole table (ANALYZE).
Result<std::shared_ptr<catalog::TableStatistics>> analyzeTable(
    objects::ObjectStore& store, BlockCache& cache, std::shared_ptr<const catalog::Table> table,
    const CancelCheck& cancelled);

/// Exact answers from metadata alone, where the table version has them (no filter): COUNT(*), and
/// per column NULL count, MIN and MAX when every segment has exact bounds and no deletes.
struct MetadataAnswer {
    bool exact = false;
    u64 rows = 0;
    u64 nulls = 0;
    bool has_range = false;
    i128 min = 0;
    i128 max = 0;
};
MetadataAnswer metadataAnswer(const catalog::Table& table, u32 column_id);

/// Sketch with 2^11 registers over kernels hashes of values; 2 % standard error.
class HyperLogLog {
public:
    static constexpr u32 kIndexBits = 11;
    HyperLogLog() : registers_(1u << kIndexBits) {}
    explicit HyperLogLog(std::vector<u8> registers) : registers_(std::move(registers)) {}
    void add(u64 hash);
    void merge(std::span<const u8> other);
    f64 estimate() const;
    const std::vector<u8>& registers() const { return registers_; }

private:
    std::vector<u8> registers_;
};

} // namespace blueshift::storage
