// logical_shape.h: questions about the form of a logical plan: which columns an operator makes,
// reads and passes on, its expressions, its keys; and copies of trees.
//
// Place: below every pass. Pure functions over the tree.
#pragma once

#include <unordered_map>

#include "bind/logical_plan.h"
#include "optimize/column_set.h"
#include "optimize/plan_context.h"

namespace blueshift::optimize {

/// Columns that a parent may read.
ColumnSet outputsOf(const bind::LogicalOp* op);
/// Columns that the expressions of the whole tree read although nothing in it makes them: outer
/// references. Looks into subqueries.
ColumnSet freeColumns(const bind::LogicalOp* op);
/// Columns that this operator's own expressions and lists read.
ColumnSet ownColumns(const bind::LogicalOp* op);
/// Outputs that may be NULL, outer joins considered.
ColumnSet nullableOutputs(const bind::LogicalOp* op);
/// Declared PRIMARY KEY and UNIQUE constraints are not enforced: estimates and rewrites that
/// Redshift does trust them, results that must not change (21000, unique hash tables) need a proof.
enum class KeyTrust : u8 { kProved, kDeclared };
/// The rows of `op` are distinct in `columns`, or there is at most one row.
bool isUnique(const PlanContext& context, const bind::LogicalOp* op, const ColumnSet& columns,
              KeyTrust trust = KeyTrust::kDeclared);
bool atMostOneRow(const bind::LogicalOp* op);
bool exactlyOneRow(const bind::LogicalOp* op);
bool isScalarAggregate(const bind::LogicalOp* op);

/// Columns read by an expression, subqueries' free columns included.
ColumnSet columnsWithSubqueries(const Expr* expr);
bool hasSubquery(const Expr* expr);

/// Calls visit(const Expr*&) for every expression slot of the operator that is not nullptr.
template <class F> void visitExprs(bind::LogicalOp* op, F&& visit) {
    using bind::LogicalKind;
    const auto slot = [&](const Expr*& expr) {
        if (expr != nullptr) visit(expr);
    };
    const auto each = [&](auto& list) {
        for (auto& expr : list) slot(expr);
    };
    const auto sort_keys = [&](List<bind::SortKey>& keys) {
        for (auto& key : keys) slot(key.expr);
    };
    switch (op->kind) {
    case LogicalKind::kSource: each(op->as<bind::SourceOp>()->arguments); break;
    case LogicalKind::kValues:
        for (auto& row : op->as<bind::ValuesOp>()->rows) each(row);
        break;
    case LogicalKind::kFilter: slot(op->as<bind::FilterOp>()->predicate); break;
    case LogicalKind::kMap:
        for (auto& item : op->as<bind::MapOp>()->items) slot(item.expr);
        break;
    case LogicalKind::kJoin: slot(op->as<bind::JoinOp>()->condition); break;
    case LogicalKind::kAggregate: {
        auto* aggregate = op->as<bind::AggregateOp>();
        for (auto& key : aggregate->keys) slot(key.expr);
        for (auto& item : aggregate->aggregates) {
            each(item.args);
            slot(item.filter);
            sort_keys(item.order_by);
        }
        break;
    }
    case LogicalKind::kWindow: {
        auto* window = op->as<bind::WindowOp>();
        each(window->partition_by);
        sort_keys(window->order_by);
        for (auto& item : window->items) each(item.args);
        break;
    }
    case LogicalKind::kSort: sort_keys(op->as<bind::SortOp>()->keys); break;
    default: break;
    }
}

/// A deep copy whose lists may be changed. `renamed` empty pointer: same ids; else every column
/// that the tree makes gets a fresh id, entered there.
using ColumnMap = std::unordered_map<ColumnId, ColumnId>;
bind::LogicalOp* cloneTree(PlanContext& context, const bind::LogicalOp* op, ColumnMap* renamed);

/// Replaces columns in every expression and list of the tree (free columns, usually).
void replaceColumns(PlanContext& context, bind::LogicalOp* op, const ColumnMap& map);
const Expr* replaceColumns(PlanContext& context, const Expr* expr, const ColumnMap& map);

/// `a = b` with NULLs equal, as a conjunction of equalities that hash joins can use as keys.
void addNullSafeEqual(PlanContext& context, const Expr* a, const Expr* b, bool nullable,
                      std::vector<const Expr*>& terms);

/// An equality `left = right` of two expressions; nullptrs when it is something else.
struct Equality {
    const Expr* left = nullptr;
    const Expr* right = nullptr;
    explicit operator bool() const { return left != nullptr; }
};
Equality equalityOf(const Expr* expr);
bool isColumn(const Expr* expr);
/// canFail(), less what constants prove safe: LIKE with a whole pattern, parts of dates, substrings
/// of a constant length.
bool mayRaise(const Expr* expr);
/// Values that compare equal are the same value: no text with trailing blanks, no -0.0.
bool equalMeansSame(const SqlType& type);

} // namespace blueshift::optimize
