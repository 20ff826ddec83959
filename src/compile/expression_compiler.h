// expression_compiler.h: resolves expressions to evaluation nodes with widths, ranges and loops.
//
// Place: used by pipeline building; one instance a step, so that nodes of one Expression number
// their scratch buffers from zero.
// Width rule: an integer-family node has the narrowest kind its producer delivers; consumers widen.
#pragma once

#include "compile/program.h"

namespace blueshift::compile {

class ExpressionCompiler {
public:
    ExpressionCompiler(std::span<const SlotInfo> slots, Arena& arena)
        : slots_(slots), arena_(arena) {}

    Expression compile(const Expr* expr);
    /// The same, widened to `kind` (integer families only; equal otherwise).
    Expression compileAs(const Expr* expr, PhysicalKind kind);

private:
    const EvalNode* node(const Expr* expr);
    const EvalNode* column(const ColumnExpr* expr);
    const EvalNode* constant(const Value& value);
    const EvalNode* call(const CallExpr* expr);
    const EvalNode* arithmetic(const CallExpr* expr);
    const EvalNode* comparison(const CallExpr* expr);
    const EvalNode* cast(const CallExpr* expr);
    const EvalNode* generic(const CallExpr* expr);
    const EvalNode* logic(const LogicExpr* expr);
    const EvalNode* inList(const LogicExpr* expr);
    /// The node with values of a wider integer kind; constants are re-typed, others get a loop.
    const EvalNode* widen(const EvalNode* from, PhysicalKind kind);
    const EvalNode* relabel(const EvalNode* from, SqlType type);
    const EvalNode* rescale(const EvalNode* from, SqlType type, int digits);
    EvalNode* make(EvalOp op, SqlType type, PhysicalKind kind);
    void finishCall(EvalNode* made);

    std::span<const SlotInfo> slots_;
    Arena& arena_;
    u32 next_scratch_ = 0;
};

SlotInfo slotOf(const EvalNode& node, ColumnId id);

} // namespace blueshift::compile
