// overflow.h: turns the flags that a loop collected into the error a user reads.
//
// Place: called once a vector, after the loop; the first error of the context wins.
#pragma once

#include "functions/function.h"

namespace blueshift::functions {

/// 22003 or 22012 for arithmetic, worded by the type of the result; nothing without flags.
void raiseArithmetic(const LoopCall& call, Operator op, u32 flags);
void raiseArithmetic(EvalContext& context, const SqlType& result, Operator op, u32 flags);
/// 22003 "integer out of range" and its kin for a value that does not fit `type`.
void raiseOutOfRange(EvalContext& context, const SqlType& type);

} // namespace blueshift::functions
