// What the optimiser asks of expressions; see expression.h.
#include <algorithm>

#include "base/hash.h"
#include "functions/expression.h"

namespace blueshift {

using functions::NullPolicy;
using functions::Volatility;

void splitConjunction(const Expr* expr, std::vector<const Expr*>& terms) {
    if (expr == nullptr) return;
    if (expr->kind != ExprKind::kAnd) {
        terms.push_back(expr);
        return;
    }
    for (const Expr* arg : argsOf(expr)) splitConjunction(arg, terms);
}

void collectColumns(const Expr* expr, std::vector<ColumnId>& ids) {
    if (expr->kind == ExprKind::kColumn) ids.push_back(expr->as<ColumnExpr>()->id);
    for (const Expr* arg : argsOf(expr)) collectColumns(arg, ids);
}

bool sameExpr(const Expr* a, const Expr* b) {
    if (a == b) return true;
    if (a->kind != b->kind || a->type != b->type) return false;
    switch (a->kind) {
    case ExprKind::kColumn: return a->as<ColumnExpr>()->id == b->as<ColumnExpr>()->id;
    case ExprKind::kConstant:
        return sameValue(a->as<ConstantExpr>()->value, b->as<ConstantExpr>()->value);
    case ExprKind::kParameter:
        return a->as<ParameterExpr>()->index == b->as<ParameterExpr>()->index;
    case ExprKind::kSubquery:
    case ExprKind::kOuterMark: return false;
    case ExprKind::kCall: {
        const auto* function = a->as<CallExpr>()->function;
        if (function != b->as<CallExpr>()->function ||
            function->volatility == Volatility::kVolatile)
            return false;
        break;
    }
    default: {
        const auto* x = a->as<LogicExpr>();
        const auto* y = b->as<LogicExpr>();
        if (x->negated != y->negated || x->truth != y->truth || x->has_else != y->has_else)
            return false;
        break;
    }
    }
    const auto x = argsOf(a);
    const auto y = argsOf(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), sameExpr);
}

u64 hashExpr(const Expr* expr) {
    u64 hash = mixHash(u64(expr->kind) << 8 | u64(expr->type.kind));
    switch (expr->kind) {
    case ExprKind::kColumn: return combineHash(hash, expr->as<ColumnExpr>()->id);
    case ExprKind::kParameter: return combineHash(hash, expr->as<ParameterExpr>()->index);
    case ExprKind::kConstant: {
        const Value& value = expr->as<ConstantExpr>()->value;
        if (value.is_null) return combineHash(hash, 1);
        hash = combineHash(hash, u64(value.integer) ^ u64(value.integer >> 64));
        hash = combineHash(hash, kernels::hashFloat(value.floating));
        return combineHash(hash, hashBytes(value.text));
    }
    case ExprKind::kCall:
        hash = combineHash(hash, reinterpret_cast<u64>(expr->as<CallExpr>()->function));
        break;
    case ExprKind::kSubquery:
    case ExprKind::kOuterMark: return combineHash(hash, reinterpret_cast<u64>(expr));
    default:
        hash = combineHash(
            hash, u64(expr->as<LogicExpr>()->negated) << 8 | u8(expr->as<LogicExpr>()->truth));
        break;
    }
    for (const Expr* arg : argsOf(expr)) hash = combineHash(hash, hashExpr(arg));
    return hash;
}

bool canFail(const Expr* expr) {
    if (expr->kind == ExprKind::kCall && expr->as<CallExpr>()->function->can_fail) return true;
    if (expr->kind == ExprKind::kSubquery) return true;
    const auto args = argsOf(expr);
    return std::any_of(args.begin(), args.end(), canFail);
}

Volatility volatilityOf(const Expr* expr) {
    Volatility worst = Volatility::kImmutable;
    if (expr->kind == ExprKind::kCall) worst = expr->as<CallExpr>()->function->volatility;
    for (const Expr* arg : argsOf(expr)) worst = std::max(worst, volatilityOf(arg));
    return worst;
}

bool isConstantTrue(const Expr* expr) {
    if (expr->kind != ExprKind::kConstant) return false;
    const Value& value = expr->as<ConstantExpr>()->value;
    return value.type.kind == TypeKind::kBoolean && !value.is_null && value.integer != 0;
}

bool isConstantFalseOrNull(const Expr* expr) {
    if (expr->kind != ExprKind::kConstant) return false;
    const Value& value = expr->as<ConstantExpr>()->value;
    return value.is_null || (value.type.kind == TypeKind::kBoolean && value.integer == 0);
}

namespace {

/// Claims about an expression while every column of `ids` is NULL. Each is a proof: false means
/// "not known".
class NullProof {
public:
    explicit NullProof(std::span<const ColumnId> ids) : ids_(ids) {}

    bool isNull(const Expr* expr) const {
        const auto args = argsOf(expr);
        const auto null = [&](const Expr* arg) { return isNull(arg); };
        switch (expr->kind) {
        case ExprKind::kColumn:
            return std::find(ids_.begin(), ids_.end(), expr->as<ColumnExpr>()->id) != ids_.end();
        case ExprKind::kConstant: return expr->as<ConstantExpr>()->value.is_null;
        case ExprKind::kCall:
            return expr->as<CallExpr>()->function->null_policy != NullPolicy::kCalled &&
                   std::any_of(args.begin(), args.end(), null);
        case ExprKind::kNot:
        case ExprKind::kInList: return isNull(args[0]);
        case ExprKind::kAnd:
        case ExprKind::kOr:
        case ExprKind::kCoalesce: return std::all_of(args.begin(), args.end(), null);
        default: return false;
        }
    }

    /// FALSE or NULL.
    bool isNotTrue(const Expr* expr) const {
        if (isNull(expr) || isConstantFalseOrNull(expr)) return true;
        const auto args = argsOf(expr);
        const auto not_true = [&](const Expr* arg) { return isNotTrue(arg); };
        switch (expr->kind) {
        case ExprKind::kAnd: return std::any_of(args.begin(), args.end(), not_true);
        case ExprKind::kOr: return std::all_of(args.begin(), args.end(), not_true);
        case ExprKind::kNot: return isNotFalse(args[0]);
        case ExprKind::kIsNull: return expr->as<LogicExpr>()->negated && isNull(args[0]);
        case ExprKind::kIsTruth: {
            const auto* test = expr->as<LogicExpr>();
            if (test->truth < 0) return test->negated && isNull(args[0]);
            if (test->negated) return false;
            return test->truth == 1 ? isNotTrue(args[0]) : isNotFalse(args[0]);
        }
        default: return false;
        }
    }

    /// TRUE or NULL.
    bool isNotFalse(const Expr* expr) const {
        if (isNull(expr) || isConstantTrue(expr)) return true;
        const auto args = argsOf(expr);
        const auto not_false = [&](const Expr* arg) { return isNotFalse(arg); };
        switch (expr->kind) {
        case ExprKind::kAnd: return std::all_of(args.begin(), args.end(), not_false);
        case ExprKind::kOr: return std::any_of(args.begin(), args.end(), not_false);
        case ExprKind::kNot: return isNotTrue(args[0]);
        case ExprKind::kIsNull: return !expr->as<LogicExpr>()->negated && isNull(args[0]);
        default: return false;
        }
    }

private:
    std::span<const ColumnId> ids_;
};

} // namespace

bool rejectsNulls(const Expr* predicate, std::span<const ColumnId> ids) {
    return NullProof(ids).isNotTrue(predicate);
}

} // namespace blueshift
