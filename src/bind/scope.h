// scope.h: which names a query block sees, and what they mean.
//
// Place: private to bind/. FROM fills a FromScope; a Block is one SELECT while it is bound, linked
// to the block around it, so that a name not found inside is looked for outside (correlation).
// Owns / borrows: names are borrowed from the tree, the catalog snapshot and the sources.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bind/logical_plan.h"
#include "parse/ast.h"

namespace blueshift::bind {

struct VisibleColumn {
    std::string_view name;
    const Expr* expr = nullptr; // a column, or the merged value of a FULL JOIN .. USING
    catalog::Oid table = 0;
    i16 attribute = 0;
    bool hidden = false; // a system column: not in *
};

/// What `alias.column` can refer to.
struct NamedTable {
    std::string_view schema; // empty for aliases and subqueries
    std::string_view name;
    std::vector<VisibleColumn> columns;
};

struct FromScope {
    std::vector<NamedTable> tables;
    /// What bare names and `*` mean, in order; columns merged by USING stand once.
    std::vector<VisibleColumn> visible;
};

/// The part of a statement that an expression stands in, for what is allowed there.
enum class Clause : u8 {
    kConstant, // no columns at all: LIMIT, VALUES, defaults
    kFrom,
    kOn,
    kWhere,
    kGroupBy,
    kHaving,
    kSelect,
    kQualify,
    kOrderBy,
    kAggregate,
    kWindow,
    kSet,
};
std::string_view clauseName(Clause clause);

/// One item of a select list after the stars are expanded. Bound when first needed.
struct SelectOutput {
    const parse::Expression* source = nullptr; // nullptr for a column of a star
    std::string_view name;
    bool has_alias = false;
    bool busy = false; // being bound: guards against an alias that means itself
    const Expr* expr = nullptr;
    catalog::Oid table = 0;
    i16 attribute = 0;
};

/// The window calls that share a partitioning and an order.
struct WindowGroup {
    List<const Expr*> partition_by;
    List<SortKey> order_by;
    List<WindowItem> items;
};

/// One SELECT while it is bound.
struct Block {
    Block* outer = nullptr;
    FromScope from;
    /// Columns made by FROM have ids in [first_column, end_column).
    ColumnId first_column = 0;
    ColumnId end_column = 0;
    Clause clause = Clause::kConstant;
    const parse::SelectQuery* select = nullptr;
    std::vector<SelectOutput> outputs;
    /// Outputs before this one may be named by their alias.
    size_t aliases = 0;
    std::vector<GroupKey> keys;
    std::vector<AggregateItem> aggregates;
    std::vector<WindowGroup> windows;
    OutputColumn grouping_id;

    bool owns(ColumnId id) const { return id >= first_column && id < end_column; }
};

/// Sets a block's clause for as long as it lives.
class ClauseGuard {
public:
    ClauseGuard(Block& block, Clause clause) : block_(block), before_(block.clause) {
        block.clause = clause;
    }
    ~ClauseGuard() { block_.clause = before_; }
    ClauseGuard(const ClauseGuard&) = delete;
    ClauseGuard& operator=(const ClauseGuard&) = delete;

private:
    Block& block_;
    Clause before_;
};

/// Number of single-character changes between two words; stops counting beyond `limit`.
u32 editDistance(std::string_view a, std::string_view b, u32 limit);

/// Keeps the candidate that is nearest to a word that was not found.
class NearestName {
public:
    explicit NearestName(std::string_view wanted);
    void offer(std::string_view candidate);
    std::string_view best() const { return best_; } // empty: nothing near enough

private:
    std::string_view wanted_;
    std::string_view best_;
    u32 distance_;
};

} // namespace blueshift::bind
