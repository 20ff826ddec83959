// Result types and entries of arithmetic, comparison and date arithmetic.
//
// Decimals follow Redshift's rules of precision and scale; both operands of + and - are brought to
// one scale by casts, so that the loops are plain integer loops.
#include <algorithm>
#include <array>

#include "functions/casts.h"
#include "functions/operators.h"
#include "functions/overload.h"
#include "functions/scalar/date_arithmetic.h"

namespace blueshift::functions {

namespace {

using Op = Operator;

constexpr std::string_view symbolOf(Op op) {
    switch (op) {
    case Op::kAdd: return "+";
    case Op::kSubtract:
    case Op::kNegate: return "-";
    case Op::kMultiply: return "*";
    case Op::kDivide: return "/";
    case Op::kModulo: return "%";
    case Op::kEqual: return "=";
    case Op::kNotEqual: return "<>";
    case Op::kLess: return "<";
    case Op::kLessEqual: return "<=";
    case Op::kGreater: return ">";
    default: return ">=";
    }
}

constexpr size_t kKinds = 8;

/// [op][kind][can fail]
struct ArithmeticEntries {
    std::array<std::array<std::array<Function, 2>, kKinds>, 6> rows{};
    ArithmeticEntries() {
        for (u8 op = u8(Op::kAdd); op <= u8(Op::kNegate); ++op) {
            for (u8 kind = 0; kind < kKinds; ++kind) {
                for (int checked = 0; checked < 2; ++checked) {
                    const VectorLoop loop =
                        arithmeticLoop(Op(op), PhysicalKind(kind), checked == 1);
                    const bool fails =
                        checked == 1 || Op(op) == Op::kDivide || Op(op) == Op::kModulo;
                    rows[op - u8(Op::kAdd)][kind][checked] = {.name = symbolOf(Op(op)),
                                                              .op = Op(op),
                                                              .can_fail = fails,
                                                              .leak_proof = !fails,
                                                              .loop = loop};
                }
            }
        }
    }
};

const Function* arithmeticFunction(Op op, PhysicalKind kind, bool checked) {
    static const ArithmeticEntries kEntries;
    return &kEntries.rows[u8(op) - u8(Op::kAdd)][u8(kind)][checked];
}

struct ComparisonEntries {
    std::array<std::array<Function, kKinds>, 6> rows{};
    ComparisonEntries() {
        for (u8 op = u8(Op::kEqual); op <= u8(Op::kGreaterEqual); ++op)
            for (u8 kind = 0; kind < kKinds; ++kind)
                rows[op - u8(Op::kEqual)][kind] = {
                    .name = symbolOf(Op(op)),
                    .op = Op(op),
                    .leak_proof = true,
                    .loop = comparisonLoop(Op(op), PhysicalKind(kind))};
    }
};

std::optional<Op> arithmeticOperator(std::string_view symbol) {
    if (symbol == "+") return Op::kAdd;
    if (symbol == "-") return Op::kSubtract;
    if (symbol == "*") return Op::kMultiply;
    if (symbol == "/") return Op::kDivide;
    if (symbol == "%" || symbol == "mod") return Op::kModulo;
    return {};
}

SqlType asDecimal(const SqlType& type) {
    switch (type.kind) {
    case TypeKind::kSmallInt: return SqlType::decimal(5, 0);
    case TypeKind::kInteger: return SqlType::decimal(10, 0);
    case TypeKind::kBigInt: return SqlType::decimal(19, 0);
    default: return type;
    }
}

/// The same scale, with a precision whose physical kind is that of `kind`.
SqlType atKind(const SqlType& type, PhysicalKind kind) {
    if (naturalKind(type) == kind) return type;
    return SqlType::decimal(kind == PhysicalKind::kI128 ? std::max<int>(19, type.precision)
                                                        : std::min<int>(18, type.precision),
                            type.scale);
}

BoundFunction bindDecimal(Op op, SqlType a, SqlType b) {
    const int p1 = a.precision, s1 = a.scale, p2 = b.precision;
    int s2 = b.scale;
    int scale = 0;
    int precision = 0;
    switch (op) {
    case Op::kAdd:
    case Op::kSubtract:
        scale = std::max(s1, s2);
        precision = std::max(p1 - s1, p2 - s2) + 1 + scale;
        break;
    case Op::kModulo:
        scale = std::max(s1, s2);
        precision = std::max(p1 - s1, p2 - s2) + scale;
        break;
    case Op::kMultiply:
        if (s1 + s2 > kMaxDecimalPrecision) {
            s2 = kMaxDecimalPrecision - s1;
            b = SqlType::decimal(std::max(1, std::max<int>(p2 - (b.scale - s2), s2)), s2);
        }
        scale = s1 + s2;
        precision = p1 + p2 + 1;
        break;
    default:
        scale = std::max(4, s1 + p2 - s2 + 1);
        precision = p1 - s1 + s2 + scale;
        if (scale > 100) {
            precision -= scale - 100;
            scale = 100;
        }
        if (precision > kMaxDecimalPrecision)
            scale = std::max(kMaxDecimalPrecision + scale - precision, 4);
        scale = std::min(scale, kMaxDecimalPrecision);
        break;
    }
    const bool capped = precision > kMaxDecimalPrecision;
    const SqlType result = SqlType::decimal(std::min(precision, kMaxDecimalPrecision), scale);
    const PhysicalKind kind = naturalKind(result);
    if (op == Op::kMultiply)
        return {arithmeticFunction(op, kind, capped), result, {atKind(a, kind), atKind(b, kind)}};
    if (op == Op::kDivide) {
        const PhysicalKind wide = PhysicalKind::kI128;
        return {arithmeticFunction(op, wide, true), result, {atKind(a, wide), atKind(b, wide)}};
    }
    return {arithmeticFunction(op, kind, capped), result, {result, result}};
}

std::optional<BoundFunction> bindNumeric(Op op, const SqlType& a, const SqlType& b) {
    if (isFloat(a.kind) || isFloat(b.kind)) {
        if (op == Op::kModulo) return {};
        const SqlType type = SqlType::doublePrecision();
        return BoundFunction{arithmeticFunction(op, PhysicalKind::kF64, true), type, {type, type}};
    }
    if (a.kind == TypeKind::kDecimal || b.kind == TypeKind::kDecimal)
        return bindDecimal(op, asDecimal(a), asDecimal(b));
    const SqlType type = a.kind > b.kind ? a : b;
    return BoundFunction{arithmeticFunction(op, naturalKind(type), true), type, {type, type}};
}

std::optional<BoundFunction> bindNegation(SqlType type) {
    if (type.kind == TypeKind::kUnknown) type = SqlType::doublePrecision();
    if (!isNumeric(type.kind) && !isInterval(type.kind)) return {};
    // Decimals are symmetric around zero: their negation always fits.
    const bool checked = isInteger(type.kind) || isInterval(type.kind);
    return BoundFunction{arithmeticFunction(Op::kNegate, naturalKind(type), checked), type, {type}};
}

std::optional<BoundFunction> bindComparison(Op op, const SqlType& a, const SqlType& b) {
    const SqlType type = comparisonType(a, b, symbolOf(op));
    const auto argument = [&](const SqlType& own) {
        return isSameRepresentation(own, type) && own.kind != TypeKind::kUnknown ? own : type;
    };
    return BoundFunction{
        comparisonFunction(op, naturalKind(type)), SqlType::boolean(), {argument(a), argument(b)}};
}

} // namespace

const Function* comparisonFunction(Operator op, PhysicalKind kind) {
    static const ComparisonEntries kEntries;
    return &kEntries.rows[u8(op) - u8(Op::kEqual)][u8(kind)];
}

std::optional<Operator> comparisonOperator(std::string_view symbol) {
    if (symbol == "=") return Op::kEqual;
    if (symbol == "<>" || symbol == "!=") return Op::kNotEqual;
    if (symbol == "<") return Op::kLess;
    if (symbol == "<=") return Op::kLessEqual;
    if (symbol == ">") return Op::kGreater;
    if (symbol == ">=") return Op::kGreaterEqual;
    return {};
}

std::optional<BoundFunction> bindOperator(std::string_view symbol,
                                          std::span<const SqlType> arguments,
                                          std::span<const Value* const> constants) {
    if (arguments.size() == 1) {
        if (symbol == "-") return bindNegation(arguments[0]);
        return {};
    }
    if (arguments.size() != 2) return {};
    SqlType a = arguments[0];
    SqlType b = arguments[1];
    if (const auto op = comparisonOperator(symbol)) return bindComparison(*op, a, b);
    const auto op = arithmeticOperator(symbol);
    if (!op) return {};
    if (const auto bound = bindDateArithmetic(*op, a, b, constants)) return bound;
    // An untyped operand takes the type of the other.
    if (a.kind == TypeKind::kUnknown && isNumeric(b.kind)) a = b;
    if (b.kind == TypeKind::kUnknown && isNumeric(a.kind)) b = a;
    if (a.kind == TypeKind::kUnknown && b.kind == TypeKind::kUnknown)
        a = b = SqlType::doublePrecision();
    if (!isNumeric(a.kind) || !isNumeric(b.kind)) return {};
    return bindNumeric(*op, a, b);
}

} // namespace blueshift::functions
