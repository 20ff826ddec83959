// operators.h: the loops of arithmetic and comparison for every physical width, and of filters.
//
// Place: compile/ chooses a loop by the operand width that value ranges prove sufficient; both
// operands then have that physical kind. Results of comparisons are kI8 (0 or 1).
// Source of meaning: kernels/scalar.h and kernels/text.h; these are their instantiations.
#pragma once

#include "functions/function.h"

namespace blueshift::functions {

/// Arithmetic at kI16..kI128, kF32 (as double, rounded), kF64. `checked`: overflow raises 22003;
/// unchecked loops may only be used where ranges prove that no live row overflows. Division and
/// modulo are always checked. nullptr where the combination does not exist.
VectorLoop arithmeticLoop(Operator op, PhysicalKind kind, bool checked);

/// Comparison of two operands of `kind`.
VectorLoop comparisonLoop(Operator op, PhysicalKind kind);

/// The same as a filter: keeps the rows that are TRUE. Reads rows `selection[0..count)` (nullptr:
/// 0..count-1), writes the survivors to `out` (may be `selection` itself), returns how many.
/// NULLs are not TRUE. Arguments flat or constant.
using FilterLoop = u32 (*)(const Vector& a, const Vector& b, const u16* selection, u32 count,
                           u16* out);
FilterLoop filterLoop(Operator op, PhysicalKind kind);

/// Widens integers between kinds (never narrows): out[row] = in[row].
VectorLoop widenLoop(PhysicalKind from, PhysicalKind to);

} // namespace blueshift::functions
