// compiler_fixture.h: columns in slots and expressions over them, by name of function or operator.
//
// Place: unit tests of the expression compiler. Everything lies in the fixture's arena.
#pragma once

#include <vector>

#include "compile/compile.h"
#include "compile/range.h"
#include "functions/expression.h"

namespace blueshift::compile::test {

class Columns {
public:
    /// A column of `type` that arrives as `kind`; integers may have any value of that kind.
    const Expr* add(SqlType type, PhysicalKind kind, bool nullable = false) {
        SlotInfo slot{
            .id = ColumnId(slots.size() + 100), .type = type, .kind = kind, .nullable = nullable};
        if (isIntegerKind(kind)) {
            const Range range = rangeOfKind(kind);
            slot.has_range = true;
            slot.min = range.min;
            slot.max = range.max;
        }
        slots.push_back(slot);
        return makeColumn(arena, slot.id, type, nullable);
    }
    const Expr* add(SqlType type) { return add(type, naturalKind(type)); }
    const Expr* add(SqlType type, PhysicalKind kind, i128 min, i128 max) {
        const Expr* column = add(type, kind);
        slots.back().min = min;
        slots.back().max = max;
        return column;
    }
    const Expr* integer(i128 value, SqlType type = SqlType::integer()) {
        return makeConstant(arena, Value::ofInteger(value, type));
    }
    const Expr* call(std::string_view name, std::vector<const Expr*> args) {
        return makeCallByName(arena, name, args);
    }
    const Expr* cast(const Expr* expr, SqlType to) {
        return makeCast(arena, expr, to, functions::CastContext::kExplicit);
    }
    const Expr* logic(ExprKind kind, std::vector<const Expr*> args) {
        return makeLogic(arena, kind, args);
    }
    const EvalNode* compile(const Expr* expr) { return compileExpression(expr, slots, arena).root; }

    Arena arena;
    std::vector<SlotInfo> slots;
};

} // namespace blueshift::compile::test
