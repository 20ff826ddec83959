#include "functions/overflow.h"

#include "kernels/scalar.h"

namespace blueshift::functions {

namespace {

std::string_view operationName(Operator op) {
    switch (op) {
    case Operator::kAdd: return "addition";
    case Operator::kSubtract: return "subtraction";
    case Operator::kMultiply: return "multiplication";
    case Operator::kDivide: return "division";
    case Operator::kModulo: return "modulo";
    default: return "negation";
    }
}

} // namespace

void raiseOutOfRange(EvalContext& context, const SqlType& type) {
    std::string message;
    switch (type.kind) {
    case TypeKind::kSmallInt: message = "smallint out of range"; break;
    case TypeKind::kInteger: message = "integer out of range"; break;
    case TypeKind::kBigInt: message = "bigint out of range"; break;
    case TypeKind::kReal:
    case TypeKind::kDouble: message = "value out of range: overflow"; break;
    case TypeKind::kDecimal:
        context.fail(
            Error(sqlstate::kNumericValueOutOfRange, "Numeric data overflow (result precision)")
                .withDetail("A value does not fit " + formatType(type) + ".")
                .withHint("Use a type with more digits before the decimal point."));
        return;
    case TypeKind::kDate:
        context.fail(sqlstate::kDatetimeFieldOverflow, "date out of range");
        return;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
        context.fail(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
        return;
    case TypeKind::kIntervalMonths:
    case TypeKind::kIntervalMicros:
        context.fail(sqlstate::kDatetimeFieldOverflow, "interval out of range");
        return;
    default: message = formatType(type) + " out of range"; break;
    }
    context.fail(Error(sqlstate::kNumericValueOutOfRange, std::move(message))
                     .withHint("Cast an operand to a wider type first."));
}

void raiseArithmetic(EvalContext& context, const SqlType& result, Operator op, u32 flags) {
    if (flags & kernels::kDivisionByZero) {
        context.fail(Error(sqlstate::kDivisionByZero, "division by zero")
                         .withHint("Guard the divisor with NULLIF(divisor, 0)."));
        return;
    }
    if (result.kind == TypeKind::kDecimal) {
        context.fail(
            Error(sqlstate::kNumericValueOutOfRange,
                  "128 bit numeric data overflow (" + std::string(operationName(op)) + ")")
                .withHint("Cast an operand to a smaller precision or to DOUBLE PRECISION."));
        return;
    }
    raiseOutOfRange(context, result);
}

void raiseArithmetic(const LoopCall& call, Operator op, u32 flags) {
    if (flags != 0) [[unlikely]]
        raiseArithmetic(call.context, call.result_type, op, flags);
}

} // namespace blueshift::functions
