// expression.h: typed scalar expressions, as the binder makes them and the optimiser moves them.
//
// Place: part of logical and physical plans. Columns are named by statement-wide ColumnIds, never
// by position, so that moving an operator rewrites no expression.
// Owns / borrows: nodes live in the statement's arena and are immutable once built; rewriting makes
// new nodes.
#pragma once

#include "base/arena.h"
#include "functions/function.h"
#include "types/value.h"

namespace blueshift {

/// A column of some operator's output; unique in the statement.
using ColumnId = u32;
inline constexpr ColumnId kNoColumn = ~ColumnId{0};

enum class ExprKind : u8 {
    kColumn,
    kConstant,
    kParameter, // $n of a prepared statement, 1-based; replaced by a constant before planning
    kCall,
    kAnd, // n-ary, three-valued
    kOr,
    kNot,
    kIsNull,  // one argument; `negated` for IS NOT NULL
    kIsTruth, // IS [NOT] TRUE / FALSE / UNKNOWN
    kCase,    // args: when, then, when, then, ..., [else]; searched form only
    kCoalesce,
    kInList,    // args[0] IN (constants args[1..]); three-valued; `negated` for NOT IN
    kSubquery,  // only between bind and unnesting; see bind/logical_plan.h
    kOuterMark, // only inside the optimiser: marker of an outer join's preserved side
};

struct Expr {
    ExprKind kind;
    SqlType type;
    bool nullable = true;
    /// Where it stands in the statement's text: byte offset, -1 unknown.
    i32 position = -1;

    template <class T> const T* as() const { return static_cast<const T*>(this); }
};

struct ColumnExpr : Expr {
    ColumnId id;
};
struct ConstantExpr : Expr {
    Value value;
};
struct ParameterExpr : Expr {
    u32 index;
};
/// A call of a function or operator; casts too. Arguments have exactly the types it takes.
struct CallExpr : Expr {
    const functions::Function* function;
    List<const Expr*> args;
};
/// kAnd, kOr, kNot, kIsNull, kIsTruth, kCase, kCoalesce, kInList.
struct LogicExpr : Expr {
    List<const Expr*> args;
    bool negated = false;
    i8 truth = 1;          // kIsTruth: 1 TRUE, 0 FALSE, -1 UNKNOWN
    bool has_else = false; // kCase
};

// ---- Builders. All nodes in `arena`.

const Expr* makeColumn(Arena& arena, ColumnId id, SqlType type, bool nullable);
const Expr* makeConstant(Arena& arena, const Value& value);
const Expr* makeCall(Arena& arena, const functions::Function* function, SqlType type,
                     std::span<const Expr* const> args);
/// Binds `name` for the arguments, casts them and folds constants.
const Expr* makeCallByName(Arena& arena, std::string_view name, std::span<const Expr* const> args);
/// `a op b` for an operator symbol, with casts; not folded.
const Expr* makeComparison(Arena& arena, std::string_view symbol, const Expr* a, const Expr* b);
/// Arms of CASE and COALESCE and the items of IN are cast to their common type.
const Expr* makeLogic(Arena& arena, ExprKind kind, std::span<const Expr* const> args,
                      bool negated = false, i8 truth = 1);
/// The conjunction; nullptr for none, the one for one; nested ANDs are flattened.
const Expr* makeAnd(Arena& arena, std::span<const Expr* const> terms);
/// The expression cast to `to`; the same when it has that type. Throws 42846 without such a cast.
const Expr* makeCast(Arena& arena, const Expr* expr, SqlType to, functions::CastContext context);

/// Replaces calls of immutable and stable functions on constants by their values; calls that fail
/// stay, because only a row that reaches them may raise.
const Expr* foldConstants(Arena& arena, const Expr* expr, const functions::SessionFacts& session);

// ---- Questions.

/// The terms of a conjunction, flattened; one term for anything else; none for nullptr.
void splitConjunction(const Expr* expr, std::vector<const Expr*>& terms);
/// Every column id read, appended; may repeat.
void collectColumns(const Expr* expr, std::vector<ColumnId>& ids);
bool sameExpr(const Expr* a, const Expr* b);
u64 hashExpr(const Expr* expr);
/// Some row may raise an error.
bool canFail(const Expr* expr);
functions::Volatility volatilityOf(const Expr* expr);
bool isConstantTrue(const Expr* expr);
bool isConstantFalseOrNull(const Expr* expr);
/// NULL in any of `ids` makes the predicate NULL or FALSE: it rejects the null-extended rows.
bool rejectsNulls(const Expr* predicate, std::span<const ColumnId> ids);

/// A copy with columns replaced: `replace(id, column)` returns the new node, or nullptr to keep it.
/// Subtrees without changes are shared.
template <class Replace>
const Expr* rewriteColumns(Arena& arena, const Expr* expr, Replace&& replace);
/// The node with other children (same number, in the order of its args).
const Expr* withArgs(Arena& arena, const Expr* expr, std::span<const Expr* const> args);
std::span<const Expr* const> argsOf(const Expr* expr);

/// SQL-like text for EXPLAIN and tests; `name(id)` gives a column's name.
class ColumnNames {
public:
    virtual ~ColumnNames() = default;
    virtual std::string nameOf(ColumnId id) const = 0;
};
std::string printExpr(const Expr* expr, const ColumnNames& names);

template <class Replace>
const Expr* rewriteColumns(Arena& arena, const Expr* expr, Replace&& replace) {
    if (expr->kind == ExprKind::kColumn) {
        const auto* column = expr->as<ColumnExpr>();
        const Expr* other = replace(column->id, column);
        return other == nullptr ? expr : other;
    }
    const auto args = argsOf(expr);
    if (args.empty()) return expr;
    std::vector<const Expr*> changed(args.begin(), args.end());
    bool any = false;
    for (auto& arg : changed) {
        const Expr* other = rewriteColumns(arena, arg, replace);
        any |= other != arg;
        arg = other;
    }
    return any ? withArgs(arena, expr, changed) : expr;
}

} // namespace blueshift
