// casts.h: how values go from one type to another; the choice of a cast by its two types.
//
// Place: behind castFunction, tryCastFunction, canCast and commonType of function.h.
// Three forms of one conversion: explicit (cuts text, truncates decimals), assignment (refuses text
// that is too long, rounds decimals) and try (a failing row becomes NULL).
#pragma once

#include "functions/function.h"

namespace blueshift::functions {

enum class CastForm : u8 { kExplicit, kAssignment, kTry };

/// nullptr where no such cast exists.
const Function* castFunctionOf(const SqlType& from, const SqlType& to, CastForm form);

/// From a function's name to its OID. Fails with 42883, or 42725 where several have the name.
const Function* regprocToOid();

/// For the wire: 0 where the text names no function, the first of several.
u32 oidOfRegproc(std::string_view text);

/// From an OID to the function's name; - for 0, and the number where it is no function's.
const Function* oidToRegproc();

/// Values of `from` are values of `to` as they lie in memory, whatever they are.
bool isSameRepresentation(const SqlType& from, const SqlType& to);

/// The type that both sides of a comparison are cast to. Throws 42883 naming the operator.
SqlType comparisonType(const SqlType& a, const SqlType& b, std::string_view symbol);

} // namespace blueshift::functions
