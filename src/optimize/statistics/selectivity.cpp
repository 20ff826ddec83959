// What part of the rows a predicate keeps, by column facts.
#include <algorithm>
#include <cmath>

#include "optimize/statistics/cardinality.h"

namespace blueshift::optimize {

namespace {

// Fractions for what facts cannot tell, as PostgreSQL and System R chose them.
constexpr f64 kDefaultRange = 1.0 / 3;
constexpr f64 kDefaultEqual = 0.005;
constexpr f64 kDefaultMatch = 0.05;
constexpr f64 kDefaultUnknown = 0.25;

/// The column behind casts and COALESCE, for its facts.
const ColumnExpr* columnBehind(const Expr* expr) {
    while (expr != nullptr) {
        if (expr->kind == ExprKind::kColumn) return expr->as<ColumnExpr>();
        const bool cast = expr->kind == ExprKind::kCall &&
                          expr->as<CallExpr>()->function->op == functions::Operator::kCast;
        if (!cast && expr->kind != ExprKind::kCoalesce) return nullptr;
        const auto args = argsOf(expr);
        expr = args.empty() ? nullptr : args[0];
    }
    return nullptr;
}

/// An integer constant on the scale of `type`; false when it has none.
bool constantOn(const SqlType& type, const Expr* expr, f64& value) {
    if (expr->kind != ExprKind::kConstant) return false;
    const Value& constant = expr->as<ConstantExpr>()->value;
    if (constant.is_null || !isIntegerKind(naturalKind(type)) ||
        !isIntegerKind(naturalKind(constant.type)))
        return false;
    const int from = constant.type.kind == TypeKind::kDecimal ? constant.type.scale : 0;
    const int to = type.kind == TypeKind::kDecimal ? type.scale : 0;
    value = f64(constant.integer) * std::pow(10.0, to - from);
    if (type.kind == TypeKind::kDate && constant.type.kind == TypeKind::kTimestamp)
        value /= 86400e6;
    return true;
}

bool isConstant(const Expr* expr) {
    return expr->kind == ExprKind::kConstant;
}

functions::Operator mirrored(functions::Operator op) {
    using functions::Operator;
    switch (op) {
    case Operator::kLess: return Operator::kGreater;
    case Operator::kLessEqual: return Operator::kGreaterEqual;
    case Operator::kGreater: return Operator::kLess;
    case Operator::kGreaterEqual: return Operator::kLessEqual;
    default: return op;
    }
}

} // namespace

f64 Cardinality::distinct(const Expr* expr, f64 rows) const {
    rows = std::max(rows, 1.0);
    if (isConstant(expr)) return 1;
    if (const ColumnExpr* column = columnBehind(expr)) {
        const f64 known = context_.facts(column->id).distinct;
        return known > 0 ? std::min(known, rows) : rows;
    }
    if (expr->type.kind == TypeKind::kBoolean) return 2;
    // A function of columns has at most as many values as the combinations of its inputs.
    f64 product = 1;
    std::vector<ColumnId> ids;
    collectColumns(expr, ids);
    for (const ColumnId id : ids) {
        const f64 known = context_.facts(id).distinct;
        product *= known > 0 ? known : rows;
    }
    f64 guess = std::sqrt(rows) * 4;
    if (expr->kind == ExprKind::kCall) {
        // Date parts: the number of years in a warehouse is small.
        const std::string_view name = expr->as<CallExpr>()->function->name;
        if (name == "date_part" || name == "extract" || name == "date_trunc" ||
            name == "pgdate_part")
            guess = 12;
    }
    return std::clamp(std::min(product, guess), 1.0, rows);
}

f64 Cardinality::comparisonSelectivity(const CallExpr& call) const {
    using functions::Operator;
    Operator op = call.function->op;
    const Expr* left = call.args[0];
    const Expr* right = call.args[1];
    if (isConstant(left) && !isConstant(right)) {
        std::swap(left, right);
        op = mirrored(op);
    }
    const ColumnExpr* column = columnBehind(left);
    const ColumnFacts* about = column == nullptr ? nullptr : &context_.facts(column->id);
    const f64 present = about == nullptr ? 1 : 1 - about->null_fraction;
    if (op == Operator::kEqual || op == Operator::kNotEqual) {
        f64 equal = kDefaultEqual;
        const ColumnExpr* other = columnBehind(right);
        if (about != nullptr && about->distinct > 0) equal = 1 / about->distinct;
        else if (left->kind == ExprKind::kCall) equal = 1.0 / 12;
        if (other != nullptr && context_.facts(other->id).distinct > 0)
            equal = std::min(equal, 1 / context_.facts(other->id).distinct);
        return present * (op == Operator::kEqual ? equal : 1 - equal);
    }
    f64 value = 0;
    if (about == nullptr || !about->has_range || about->table == nullptr ||
        !constantOn(about->type, right, value))
        return present * kDefaultRange;
    const f64 min = f64(about->min);
    const f64 span = std::max(1.0, f64(about->max) - min + 1);
    const bool below = op == Operator::kLess || op == Operator::kLessEqual;
    const f64 edge = op == Operator::kLessEqual || op == Operator::kGreater ? 1 : 0;
    const f64 part = std::clamp((value - min + edge) / span, 0.0, 1.0);
    return present * std::clamp(below ? part : 1 - part, 0.0001, 1.0);
}

f64 Cardinality::selectivity(const Expr* predicate) const {
    if (predicate == nullptr || isConstantTrue(predicate)) return 1;
    if (isConstantFalseOrNull(predicate)) return 0;
    const auto args = argsOf(predicate);
    switch (predicate->kind) {
    case ExprKind::kAnd: {
        f64 product = 1;
        for (const Expr* arg : args) product *= selectivity(arg);
        // Two bounds on one column overlap: x >= a AND x < b.
        if (args.size() == 2) {
            const ColumnExpr* a =
                argsOf(args[0]).empty() ? nullptr : columnBehind(argsOf(args[0])[0]);
            const ColumnExpr* b =
                argsOf(args[1]).empty() ? nullptr : columnBehind(argsOf(args[1])[0]);
            if (a != nullptr && b != nullptr && a->id == b->id) {
                const f64 overlap = selectivity(args[0]) + selectivity(args[1]) - 1;
                if (overlap > 0.0001) return std::min(product, overlap);
            }
        }
        return product;
    }
    case ExprKind::kOr: {
        f64 none = 1;
        for (const Expr* arg : args) none *= 1 - selectivity(arg);
        return 1 - none;
    }
    case ExprKind::kNot: return 1 - selectivity(args[0]);
    case ExprKind::kIsNull: {
        const bool negated = predicate->as<LogicExpr>()->negated;
        const ColumnExpr* column = columnBehind(args[0]);
        f64 nulls = column == nullptr ? 0.01 : context_.facts(column->id).null_fraction;
        nulls = std::max(nulls, 0.001);
        return negated ? 1 - nulls : nulls;
    }
    case ExprKind::kIsTruth: {
        const auto* test = predicate->as<LogicExpr>();
        const f64 part = test->truth == -1  ? 0.01
                         : test->truth == 1 ? selectivity(args[0])
                                            : 1 - selectivity(args[0]);
        return test->negated ? 1 - part : part;
    }
    case ExprKind::kInList: {
        const f64 values = f64(args.size()) - 1;
        const f64 distinct_values = distinct(args[0], 1e9);
        const f64 part = std::clamp(values / std::max(distinct_values, 1.0), 0.0, 1.0);
        return predicate->as<LogicExpr>()->negated ? 1 - part : part;
    }
    case ExprKind::kColumn: return 0.5;
    case ExprKind::kCall: {
        const auto* call = predicate->as<CallExpr>();
        using functions::Operator;
        if (call->function->op == Operator::kLike) return kDefaultMatch;
        if (call->function->op >= Operator::kEqual && call->function->op <= Operator::kGreaterEqual)
            return comparisonSelectivity(*call);
        return kDefaultUnknown;
    }
    default: return kDefaultUnknown;
    }
}

} // namespace blueshift::optimize
