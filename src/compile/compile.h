// compile.h: front door: from a physical plan to a program of pipelines.
//
// Place: optimize -> compile -> execute.
// Chooses the physical width of every integer expression by interval arithmetic over proved ranges
// (design.md section 5): arithmetic runs at 4, 8 or 16 bytes, unchecked where no live row can
// overflow its SQL type, checked elsewhere.
// Errors: SqlError 0A000 for what has no loop.
#pragma once

#include "compile/program.h"

namespace blueshift::compile {

/// All of `plan`, its arena and `catalog` must outlive the program.
Program compile(const optimize::PhysicalPlan& plan, Arena& arena,
                const catalog::CatalogSnapshot& catalog);

/// One expression over given slots (samples, defaults, tests).
Expression compileExpression(const Expr* expr, std::span<const SlotInfo> slots, Arena& arena);

/// The slot in which a scan delivers a column: its width class for integer families.
SlotInfo scanSlot(const catalog::Column& column, ColumnId id);

} // namespace blueshift::compile
