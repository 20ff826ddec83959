// program.h: how a physical plan runs: pipelines of a source, steps and a sink, with every column
// in a numbered slot of the pipeline's batches and every expression resolved to loops.
//
// Place: product of compile/; execute/ makes operators from these descriptions.
// Owns / borrows: descriptions live in the Program; constants' text in the statement's arena,
// tables in the catalog snapshot: both must outlive the run. Invariant: specs hold no state of a
// run. See docs/design/execution.md.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "functions/operators.h"
#include "optimize/physical_plan.h"

namespace blueshift::compile {

/// Index of a column in the batches of one pipeline.
using Slot = u16;
inline constexpr Slot kNoSlot = 0xFFFF;

struct SlotInfo {
    ColumnId id = kNoColumn;
    SqlType type;
    PhysicalKind kind = PhysicalKind::kI64; // of the vectors that arrive here
    bool nullable = true;
    /// Proved bounds of the non-NULL values; integer kinds.
    bool has_range = false;
    i128 min = 0;
    i128 max = 0;
};

enum class EvalOp : u8 {
    kSlot,
    kConstant,
    kCall,
    kAnd,
    kOr,
    kNot,
    kIsNull,
    kIsTruth,
    kCase,
    kCoalesce,
    kInList,
};

/// An expression over slots, ready to run. Nodes lie in the statement's arena.
struct EvalNode {
    EvalOp op;
    SqlType type;
    PhysicalKind kind;
    bool nullable = true;
    bool can_fail = false;      // this call itself
    bool subtree_fails = false; // it or a descendant
    bool has_range = false;
    i128 min = 0;
    i128 max = 0;
    u32 scratch = 0; // index of this node's buffer in an evaluator; unique in one Expression

    Slot slot = kNoSlot;                           // kSlot
    Value constant;                                // kConstant, of `kind`
    const functions::Function* function = nullptr; // kCall
    functions::VectorLoop loop = nullptr;          // kCall
    functions::FilterLoop filter = nullptr;        // comparisons
    functions::NullPolicy null_policy = functions::NullPolicy::kStrict;
    /// One argument varies and the result depends on nothing else: over a dictionary the call runs
    /// once per entry.
    bool per_entry = false;
    u8 varying_arg = 0;
    bool negated = false; // kIsNull, kInList, kIsTruth
    i8 truth = 1;
    bool has_else = false;
    List<const EvalNode*> args;
    List<SqlType> arg_types;
};
struct Expression {
    const EvalNode* root = nullptr;
    u32 scratch_count = 0;
};

struct SortKeySpec {
    Slot slot = kNoSlot;
    bool descending = false;
    bool nulls_first = false;
};

// ---- Sources.

struct ScanSource {
    const optimize::TableScanOp* op = nullptr;
    std::shared_ptr<const catalog::Table> table;
    /// Slots 0 .. column_ids.size()-1 are these columns.
    std::vector<u32> column_ids;
    std::vector<ScanPredicate> predicates;
    std::vector<optimize::JoinFilterTarget> join_filters;
    bool whole = false; // every node reads every row
};
struct SystemSource { // a TableSource
    const catalog::TableSource* source = nullptr;
    std::vector<u32> columns;
    std::vector<Value> arguments;
};
struct ValuesSource {
    std::vector<std::vector<Expression>> rows; // no slots read
};
/// Reads what another pipeline's sink produced: groups, sorted rows, windows, a materialised CTE,
/// or the unmatched (matched) build rows of a hash join.
struct SinkSource {
    u32 sink = 0; // Program::sinks
    /// Columns of the sink's output that are delivered, in slot order.
    std::vector<u32> columns;
    bool ordered = false; // one worker, rows in the sink's order
    /// Sinks that keep matches: rows with (else without) a partner.
    bool matched = false;
};
/// Rows that the lanes of a SendSink sent here; merged by `merge` when each sender's are sorted.
struct ReceiveSource {
    u32 exchange = 0; // Program::exchanges
    std::vector<SortKeySpec> merge;
};
using Source = std::variant<ScanSource, SystemSource, ValuesSource, SinkSource, ReceiveSource>;

// ---- Steps: from batch to batch. Each names the slots that it adds.

struct FilterStep {
    Expression predicate;
};
struct ComputeStep {
    std::vector<Expression> expressions;
    std::vector<Slot> targets;
};
/// Probe of a hash join; the build side is a sink.
struct ProbeStep {
    u32 sink = 0; // Program::sinks: a BuildSink
    optimize::JoinOutput output = optimize::JoinOutput::kInner;
    std::vector<Slot> keys; // of the same kinds as the build's keys
    /// Columns of the build side that are delivered: index in the build row, target slot.
    std::vector<std::pair<u32, Slot>> build_columns;
    /// Over slots of the probe batch extended by `residual_columns`.
    Expression residual;
    std::vector<std::pair<u32, Slot>> residual_columns;
    Slot mark = kNoSlot;
    bool null_aware = false;
    bool null_aware_anti = false;
};
struct NestedLoopStep {
    u32 sink = 0; // a MaterializeSink
    optimize::JoinOutput output = optimize::JoinOutput::kInner;
    std::vector<std::pair<u32, Slot>> build_columns;
    Expression condition; // empty root: TRUE
    Slot mark = kNoSlot;
    bool null_aware = false;
};
struct LimitStep {
    i64 limit = -1;
    i64 offset = 0;
};
/// Renumbers slots: new slot i takes old slot `from[i]`.
struct SelectStep {
    std::vector<Slot> from;
};
using Step =
    std::variant<FilterStep, ComputeStep, ProbeStep, NestedLoopStep, LimitStep, SelectStep>;

// ---- Sinks: where a pipeline ends. Each stores rows of `columns`.

struct BuildSink { // hash table of a join's build side
    std::vector<Slot> keys;
    std::vector<Slot> columns; // stored besides the keys; numbering: keys first, then these
    bool unique_keys = false;
    bool keeps_matches = false; // a bit per row for build-outer, semi and anti output
    bool nulls_match = false;
    bool keeps_null_keys = false; // null-aware mark or anti: notes whether a NULL key came
    std::vector<optimize::HashJoinOp::Published> publishes;
};
struct MaterializeSink {
    std::vector<Slot> columns;
    bool keeps_matches = false;
};
struct GroupSink {
    struct Key {
        Slot slot;
        bool dependent = false;
    };
    struct Call {
        const functions::Aggregate* aggregate;
        std::vector<Slot> args;
        std::vector<SqlType> arg_types;
        SqlType result;
        bool distinct = false;
        Slot filter = kNoSlot; // boolean slot
        std::vector<SortKeySpec> order_by;
    };
    std::vector<Key> keys;
    std::vector<Call> calls;
    std::vector<u64> grouping_sets;
    bool has_grouping_id = false;
    f64 estimated_groups = 0;
    // Output columns: keys, then calls, then the grouping id (BIGINT) when asked for: bit i is 1
    // when key i is not in the row's set, as GROUPING(key) = 1.
};
struct SortSink {
    std::vector<Slot> columns; // stored; output columns in this order
    std::vector<SortKeySpec> keys;
    i64 limit = -1; // with a limit: top-n
    i64 offset = 0;
};
struct WindowSink {
    struct Call {
        bind::WindowFunction function;
        const functions::Aggregate* aggregate = nullptr;
        std::vector<Slot> args;
        std::vector<SqlType> arg_types;
        SqlType result;
        bool distinct = false;
        bool ignore_nulls = false;
        bind::WindowFrame frame;
    };
    std::vector<Slot> columns; // stored and passed on
    std::vector<Slot> partition_by;
    std::vector<SortKeySpec> order_by;
    std::vector<Call> calls;
    // Output columns: `columns`, then one per call.
};
struct ResultSink { // the client, or the writer of an INSERT
    std::vector<Slot> columns;
    bool ordered = false;
};
struct SendSink { // all input slots travel, in order
    u32 exchange = 0;
    std::vector<Slot> keys; // kHash: the row goes to the owner of their bucket
};
using Sink =
    std::variant<BuildSink, MaterializeSink, GroupSink, SortSink, WindowSink, ResultSink, SendSink>;

struct SinkInfo {
    Sink sink;
    u32 op = 0; // PhysicalOp::id, for EXPLAIN ANALYZE
    /// What arrives: the slots of the pipeline that feeds it.
    std::vector<SlotInfo> input;
    /// What its readers get, in the order of its output columns.
    std::vector<SlotInfo> output;
    /// Groups of several pipelines may feed one sink (UNION ALL): all must end first.
    bool everywhere = false; // every node has its own; else the leader
};

struct StepInfo {
    Step step;
    u32 op = 0;
    std::vector<SlotInfo> output; // slots after this step
};

struct Pipeline {
    u32 id = 0;
    Source source;
    u32 source_op = 0;
    std::vector<SlotInfo> source_slots;
    std::vector<StepInfo> steps;
    u32 sink = 0;                 // Program::sinks
    std::vector<Slot> sink_slots; // input slot i of the sink is this slot of the last step
    /// Sinks that must be finished before this pipeline starts.
    std::vector<u32> needs;
    bool ordered = false;     // run by one worker, morsels in order
    bool leader_only = false; // its rows lie on the leader; else every node runs it
};

/// One exchange: where fragments meet. Pipelines that end in its SendSink run together with the one
/// that begins with its ReceiveSource.
struct ExchangeInfo {
    optimize::ExchangeKind kind = optimize::ExchangeKind::kGather;
    u32 op = 0;
    std::vector<SlotInfo> slots; // what travels
    bool merges = false;
    u32 materialized = 0; // kSettledBuild: the sink whose rows settle it
    f64 row_bytes = 0;    // their width
    f64 probe_bytes = 0;  // the estimate that they are held against
    u32 build = 0;        // kSettledProbe: the exchange that it follows
};

struct Program {
    std::vector<SinkInfo> sinks;
    /// Run in this order: a pipeline comes after those whose sinks it reads or probes.
    std::vector<Pipeline> pipelines;
    std::vector<ExchangeInfo> exchanges;
    u32 nodes = 1;
    u32 result_sink = 0;
    u32 join_filters = 0;
    u32 operators = 0;
    std::vector<bind::ResultColumn> columns;
};

std::string printProgram(const Program& program);

} // namespace blueshift::compile
