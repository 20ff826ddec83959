// logical_plan.h: the typed algebra that the binder makes and the optimiser rewrites.
//
// Place: product of bind/. Columns are named by ColumnIds: an operator's output is its children's
// columns plus those it makes; nothing is projected away (optimize/ prunes). Only kUnion, kSetOp,
// kAggregate, kCteScan and semi/anti joins hide their children's columns.
// Owns / borrows: nodes live in the statement's arena. Tables are borrowed from the catalog
// snapshot that the statement holds.
#pragma once

#include "base/arena.h"
#include "catalog/catalog.h"
#include "catalog/table_source.h"
#include "functions/aggregate.h"
#include "functions/expression.h"

namespace blueshift::bind {

enum class LogicalKind : u8 {
    kScan,   // table of segments
    kSource, // TableSource: system view or table function
    kValues, // rows of expressions; one row without columns for SELECT without FROM
    kFilter,
    kMap, // adds computed columns
    kJoin,
    kAggregate,
    kWindow,
    kSort,
    kLimit,
    kDistinct,
    kUnion,   // UNION ALL
    kSetOp,   // INTERSECT, EXCEPT (distinct rows)
    kCteScan, // reads a plan of QueryPlan::ctes
};

struct LogicalOp {
    LogicalKind kind;
    List<LogicalOp*> children;

    template <class T> T* as() { return static_cast<T*>(this); }
    template <class T> const T* as() const { return static_cast<const T*>(this); }
};

/// A column that an operator brings into being.
struct OutputColumn {
    ColumnId id = kNoColumn;
    std::string_view name;
    SqlType type;
    bool nullable = true;
};

struct ScanOp : LogicalOp {
    const catalog::Table* table;
    std::string_view alias;
    /// One per live column of the table, in order, plus `row_id` where asked for.
    List<OutputColumn> columns;
    List<u32> column_ids;        // parallel: catalog column ids
    ColumnId row_id = kNoColumn; // BIGINT column with the row's address, for UPDATE and DELETE
};

struct SourceOp : LogicalOp {
    const catalog::TableSource* source;
    std::string_view alias;
    List<OutputColumn> columns;  // parallel to source->columns()
    List<const Expr*> arguments; // constants, for table functions
};

struct ValuesOp : LogicalOp {
    List<OutputColumn> columns;
    List<List<const Expr*>> rows; // constants after folding, or expressions without columns
};

struct FilterOp : LogicalOp {
    const Expr* predicate;
};

struct MapItem {
    OutputColumn column;
    const Expr* expr;
};
struct MapOp : LogicalOp {
    List<MapItem> items; // may not refer to one another
};

enum class JoinType : u8 {
    kInner,
    kLeft, // keeps every row of children[0]
    kRight,
    kFull,
    kSemi,   // rows of children[0] with a partner
    kAnti,   // rows of children[0] without a partner (NOT EXISTS semantics)
    kMark,   // every row of children[0] and a three-valued `mark` column: IN, EXISTS under OR
    kSingle, // left join whose right side has at most one partner, else 21000 (scalar subqueries)
};
struct JoinOp : LogicalOp {
    JoinType type = JoinType::kInner;
    const Expr* condition = nullptr; // nullptr: TRUE
    OutputColumn mark;               // kMark
    /// kMark: TRUE with a match; else NULL when some compared value was NULL, else FALSE. Without
    /// it (EXISTS) never NULL.
    bool null_aware = false;
    /// children[1] may refer to columns of children[0] (LATERAL, correlated subqueries). None is
    /// left after unnesting.
    bool dependent = false;
};

struct SortKey {
    const Expr* expr;
    bool descending = false;
    bool nulls_first = false;
};

struct AggregateItem {
    OutputColumn column;
    const functions::Aggregate* aggregate = nullptr;
    List<const Expr*> args; // cast to what the aggregate takes
    bool distinct = false;
    const Expr* filter = nullptr;
    List<SortKey> order_by; // WITHIN GROUP or inside the call
};
struct GroupKey {
    OutputColumn column; // new id, so that grouping sets may null it
    const Expr* expr;
};
struct AggregateOp : LogicalOp {
    List<GroupKey> keys;
    List<AggregateItem> aggregates;
    /// Grouping sets as bit masks over keys (bit i: key i is grouped); empty: one set of all keys.
    List<u64> grouping_sets;
    OutputColumn grouping_id; // id kNoColumn unless GROUPING() or several sets need it
};

enum class WindowFunction : u8 {
    kRowNumber,
    kRank,
    kDenseRank,
    kPercentRank,
    kCumeDist,
    kNtile,
    kLag,
    kLead,
    kFirstValue,
    kLastValue,
    kNthValue,
    kRatioToReport,
    kAggregate,
};
enum class FrameBound : u8 {
    kUnboundedPreceding,
    kPreceding,
    kCurrentRow,
    kFollowing,
    kUnboundedFollowing
};
struct WindowFrame {
    bool rows = true; // false: RANGE (default frame of aggregates with ORDER BY in PostgreSQL)
    FrameBound start = FrameBound::kUnboundedPreceding;
    FrameBound end = FrameBound::kUnboundedFollowing;
    i64 start_offset = 0;
    i64 end_offset = 0;
};
struct WindowItem {
    OutputColumn column;
    WindowFunction function;
    const functions::Aggregate* aggregate = nullptr; // kAggregate
    List<const Expr*> args;
    bool distinct = false;
    bool ignore_nulls = false;
    WindowFrame frame;
};
/// Window functions over one partitioning and order; several windows are several operators.
struct WindowOp : LogicalOp {
    List<const Expr*> partition_by;
    List<SortKey> order_by;
    List<WindowItem> items;
};

struct SortOp : LogicalOp {
    List<SortKey> keys;
};
struct LimitOp : LogicalOp {
    i64 limit = -1; // -1: none
    i64 offset = 0;
};
struct DistinctOp : LogicalOp {
    List<ColumnId> columns; // of the child
};

/// Column i of the result takes children[k]'s column inputs[k][i]; types agree already.
struct UnionOp : LogicalOp {
    List<OutputColumn> columns;
    List<List<ColumnId>> inputs;
};
enum class SetOpKind : u8 { kIntersect, kExcept };
struct SetOpOp : LogicalOp {
    SetOpKind operation;
    bool all = false;
    List<OutputColumn> columns;
    List<List<ColumnId>> inputs; // two
};

struct CteScanOp : LogicalOp {
    u32 cte = 0; // index into QueryPlan::ctes
    List<OutputColumn> columns;
    List<ColumnId> inputs; // parallel: columns of the CTE's plan
};

/// A subquery inside an expression: only between bind and unnesting.
enum class SubqueryKind : u8 {
    kScalar,
    kExists,
    kCompareAny, // tests op ANY (plan); IN is "=" ANY
    kCompareAll, // tests op ALL (plan); NOT IN is "<>" ALL
};
struct SubqueryExpr : Expr {
    SubqueryKind subquery;
    LogicalOp* plan;
    List<ColumnId> outputs;      // of the plan, as many as tests (kScalar: one)
    List<const Expr*> tests;     // left side of IN / ANY / ALL, of the outputs' types
    std::string_view comparison; // "=", "<", ...
};

struct ResultColumn {
    ColumnId id = kNoColumn;
    std::string_view name;
    SqlType type;
    bool nullable = true;
    catalog::Oid table = 0; // origin, for RowDescription
    i16 attribute = 0;
};
struct Cte {
    std::string_view name;
    LogicalOp* plan = nullptr;
    List<OutputColumn> columns;
    u32 references = 0;
};

/// A bound query: SELECT, or the source of an INSERT, CTAS, COPY TO, UPDATE or DELETE.
struct QueryPlan {
    LogicalOp* root = nullptr;
    List<ResultColumn> columns;
    List<Cte> ctes;
    ColumnId next_column = 0; // first free id
    /// Tables and views read, for privileges, invalidation and caches.
    List<catalog::Oid> objects;
    bool volatile_functions = false;
};

/// Indented text of a plan, for tests and EXPLAIN (LOGICAL).
std::string printLogical(const QueryPlan& plan);

} // namespace blueshift::bind
