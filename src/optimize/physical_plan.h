// physical_plan.h: how a query runs: operators with their algorithm, distribution and estimates.
//
// Place: product of optimize/; compile/ cuts it into pipelines, EXPLAIN prints it.
// Every operator lists exactly the columns that its parent needs, in the order of its batches.
// Build sides are children[1] ("inner" in EXPLAIN), probe sides children[0] ("outer").
// Owns / borrows: statement arena; immutable once optimize() returns.
#pragma once

#include "base/arena.h"
#include "bind/logical_plan.h"
#include "types/scan_predicate.h"

namespace blueshift::optimize {

enum class OpKind : u8 {
    kTableScan,
    kSourceScan,
    kValues,
    kFilter,
    kMap,
    kHashJoin,
    kNestedLoopJoin,
    kAggregate,
    kWindow,
    kSort,
    kTopN,
    kLimit,
    kUnionAll,
    kCteScan,
    kExchange,
    kMetadata, // COUNT/MIN/MAX without filter, answered from catalog ranges: one row of constants
};

/// Where the rows of an operator's output lie.
enum class DistributionKind : u8 {
    kSingle,     // all on the leader
    kHash,       // by the bucket hash of `keys`
    kReplicated, // all rows on every node
    kSpread,     // somewhere (EVEN, after a round-robin exchange)
};
struct Distribution {
    DistributionKind kind = DistributionKind::kSingle;
    List<ColumnId> keys; // kHash
};

struct PhysicalColumn {
    ColumnId id = kNoColumn;
    std::string_view name;
    SqlType type;
    bool nullable = true;
    /// Proved bounds of the non-NULL values (integer kinds), from width classes and catalog ranges:
    /// compile/ chooses widths and drops overflow checks by them.
    bool has_range = false;
    i128 min = 0;
    i128 max = 0;
    /// Integer kinds: the width (1..16 bytes) in which batches carry the column. Scans: the
    /// column's width class; computed columns: chosen by compile/, 0 here.
    u8 width = 0;
};

struct PhysicalOp {
    OpKind kind;
    u32 id = 0; // unique in the plan, preorder; shown by EXPLAIN ANALYZE
    List<PhysicalOp*> children;
    List<PhysicalColumn> columns;
    Distribution distribution;
    f64 rows = 0;       // estimate
    f64 upper_rows = 0; // proved upper bound; infinity when unknown
    f64 width_bytes = 0;
    f64 startup_cost = 0; // Redshift's unitless cost
    f64 total_cost = 0;

    template <class T> T* as() { return static_cast<T*>(this); }
    template <class T> const T* as() const { return static_cast<const T*>(this); }
    const PhysicalColumn* find(ColumnId id) const;
};

/// A hash join's build side filters a scan below its probe side.
struct JoinFilterTarget {
    u32 filter = 0;    // index, unique in the plan: PhysicalPlan::join_filters
    u32 column_id = 0; // catalog column of the scanned table
    /// An exchange lies between: the filter must hold what all nodes built.
    bool united = false;
};

struct TableScanOp : PhysicalOp {
    const catalog::Table* table;
    std::string_view alias;
    List<u32> column_ids; // parallel to columns; kRowIdColumn for the row id
    /// Conjuncts that storage tests: `column OP constant(s)`.
    struct Test {
        u32 column_id;
        ScanPredicate::Op op;
        List<const Value*> values;
        const Expr* source; // for EXPLAIN
    };
    List<Test> tests;
    /// The other conjuncts, over ids of scan_columns; run on the batches, cheapest first.
    List<const Expr*> filters;
    /// Columns that filters need besides the output: read, then not passed on.
    List<PhysicalColumn> filter_columns;
    List<u32> filter_column_ids; // parallel
    List<JoinFilterTarget> join_filters;
    /// Every node reads every row; else, each its share.
    bool whole = false;
};
struct SourceScanOp : PhysicalOp {
    const catalog::TableSource* source;
    std::string_view alias;
    List<u32> source_columns; // parallel to columns
    List<const Expr*> arguments;
};
struct ValuesOp : PhysicalOp {
    List<List<const Expr*>> value_rows; // parallel to columns
};
struct FilterOp : PhysicalOp {
    const Expr* predicate;
};
struct MapItem {
    ColumnId id;
    const Expr* expr;
};
struct MapOp : PhysicalOp {
    List<MapItem> items; // only what the parent needs; columns = passed-through and items
};

struct JoinKey {
    const Expr* probe;
    const Expr* build;
};
/// What the join yields, seen from the probe side.
enum class JoinOutput : u8 {
    kInner,
    kProbeOuter, // every probe row; unmatched ones with NULL build columns (left join)
    kBuildOuter, // every build row; unmatched ones with NULL probe columns (right join)
    kFullOuter,
    kProbeSemi,   // probe rows with a partner
    kProbeAnti,   // probe rows without a partner
    kBuildSemi,   // build rows with a partner
    kBuildAnti,   // build rows without a partner
    kProbeMark,   // every probe row and the mark column
    kProbeSingle, // every probe row with its only partner or NULLs; two partners: 21000
};
struct HashJoinOp : PhysicalOp {
    JoinOutput output;
    List<JoinKey> keys;
    /// Further condition over columns of both sides; part of the match. nullptr: none.
    const Expr* residual = nullptr;
    ColumnId mark = kNoColumn;
    bool null_aware = false; // mark: NULLs among keys give NULL
    /// NOT IN as a plain anti join: a NULL key on either side rejects (with an empty build,
    /// nothing).
    bool null_aware_anti = false;
    bool unique_build_keys = false; // proved
    /// Filters it publishes when the build is done: key index -> filter index.
    struct Published {
        u32 key;
        u32 filter;
    };
    List<Published> publishes;
    std::string_view label; // DS_DIST_NONE, DS_BCAST_INNER ...
};
struct NestedLoopJoinOp : PhysicalOp {
    JoinOutput output;
    const Expr* condition = nullptr; // nullptr: cross join
    ColumnId mark = kNoColumn;
    bool null_aware = false;
    std::string_view label;
};

struct AggregateCall {
    ColumnId id;
    const functions::Aggregate* aggregate;
    SqlType type;
    List<const Expr*> args; // columns or constants after planning
    bool distinct = false;
    const Expr* filter = nullptr;
    List<bind::SortKey> order_by;
};
enum class AggregatePhase : u8 { kComplete, kPartial, kFinal };
struct AggregateOp : PhysicalOp {
    AggregatePhase phase = AggregatePhase::kComplete;
    struct Key {
        ColumnId id;      // in the output
        const Expr* expr; // over the child's columns, usually a column
        /// Determined by the other keys: stored with the group, not hashed or compared.
        bool dependent = false;
    };
    List<Key> keys;
    List<AggregateCall> aggregates; // empty: DISTINCT
    List<u64> grouping_sets;        // masks over keys; empty: all keys
    ColumnId grouping_id = kNoColumn;
    f64 estimated_groups = 0;
};
struct WindowOp : PhysicalOp {
    List<const Expr*> partition_by;
    List<bind::SortKey> order_by;
    List<bind::WindowItem> items;
};
struct SortOp : PhysicalOp {
    List<bind::SortKey> keys;
};
struct TopNOp : PhysicalOp {
    List<bind::SortKey> keys;
    i64 limit = 0;
    i64 offset = 0;
};
struct LimitOp : PhysicalOp {
    i64 limit = -1;
    i64 offset = 0;
};
struct UnionAllOp : PhysicalOp {
    List<List<ColumnId>> inputs; // inputs[child][column]
};
struct CteScanOp : PhysicalOp {
    u32 cte = 0;
    std::string_view name;
    List<ColumnId> inputs; // parallel to columns
};
enum class ExchangeKind : u8 {
    kGather,
    kGatherMerge,
    kHash,
    kBroadcast,
    kRoundRobin,
    kKeep, // each node keeps its rows; only as what kSettledProbe becomes
    // The two sides of a join of which neither lies by its keys, and whose sizes are close to where
    // one way becomes better than the other: settled while the query runs, once the build side is
    // there.
    kSettledBuild, // kBroadcast or kHash
    kSettledProbe, // kKeep or kHash
};
struct ExchangeOp : PhysicalOp {
    ExchangeKind exchange;
    List<ColumnId> keys;
    List<bind::SortKey> merge_keys;    // kGatherMerge
    const ExchangeOp* build = nullptr; // kSettledProbe: that of the build side
    f64 probe_bytes = 0;               // kSettledBuild: estimate of the other side
};
struct MetadataOp : PhysicalOp {
    const catalog::Table* table;
    List<const Value*> values; // parallel to columns
};

/// Notes of the optimiser for EXPLAIN and for tests: which rules fired.
struct PlanNote {
    std::string_view rule;
    std::string_view text;
};

struct PhysicalPlan {
    PhysicalOp* root = nullptr;
    /// Materialised once before their scans, in this order.
    List<PhysicalOp*> ctes;
    List<std::string_view> cte_names;
    List<bind::ResultColumn> result; // ids among root->columns
    u32 join_filters = 0;            // number of filters
    u32 nodes = 1;                   // that it was made for
    u32 operators = 0;               // ids are below this
    List<PlanNote> notes;
};

} // namespace blueshift::optimize
