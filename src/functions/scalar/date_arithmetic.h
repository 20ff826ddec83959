// date_arithmetic.h: + - * / among dates, times, timestamps, intervals and numbers.
//
// Place: asked by the binding of operators before the numeric rules.
#pragma once

#include "functions/function.h"

namespace blueshift::functions {

/// Nothing when neither operand is a date, time or interval, or when there is no such operator.
std::optional<BoundFunction> bindDateArithmetic(Operator op, const SqlType& a, const SqlType& b,
                                                std::span<const Value* const> constants);

} // namespace blueshift::functions
