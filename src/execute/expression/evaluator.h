// evaluator.h: runs a compiled expression over batches: the interpreter.
//
// Place: used by filter and compute steps, join residuals and nested loops.
// Owns: one buffer per expression node and a text heap, reused for every batch; results live until
// the next call. One worker's.
// Dictionaries: a call whose only varying argument is dictionary-coded runs once per entry and
// yields a dictionary again; such results are kept while the dictionary stays the same.
// Errors: only rows named by the selection, with non-NULL arguments, in a taken CASE arm, may
// raise.
#pragma once

#include <memory>
#include <vector>

#include "compile/program.h"
#include "execute/operator.h"

namespace blueshift::execute {

class Evaluator {
public:
    explicit Evaluator(const compile::Expression& expression);
    ~Evaluator();
    Evaluator(Evaluator&&) noexcept;

    /// The value of every selected row of `batch`. Other rows are undefined.
    Vector evaluate(const Batch& batch, functions::EvalContext& context);

    /// Writes the selected rows for which the expression is TRUE to `out` (room for kVectorRows +
    /// 64) in ascending order; returns how many.
    u32 filter(const Batch& batch, u16* out, functions::EvalContext& context);

private:
    struct NodeState;
    struct Rows {
        const u16* selection; // nullptr: 0 .. count-1
        u32 count;
    };

    Vector run(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector runCall(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector callPerEntry(const compile::EvalNode& node, std::span<const Vector> args,
                        NodeState& state);
    Vector callConstant(const compile::EvalNode& node, std::span<const Vector> args,
                        NodeState& state);
    Vector runLogic(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector runNot(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector runTruth(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector runCase(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector runCoalesce(const compile::EvalNode& node, const Batch& batch, Rows rows);
    Vector runInList(const compile::EvalNode& node, const Batch& batch, Rows rows);
    u32 filterNode(const compile::EvalNode& node, const Batch& batch, Rows rows, u16* out);
    u32 filterOr(const compile::EvalNode& node, const Batch& batch, Rows rows, u16* out);
    NodeState& stateOf(const compile::EvalNode& node);

    compile::Expression expression_;
    std::vector<std::unique_ptr<NodeState>> states_;
    functions::TextHeap heap_;
    functions::EvalContext* context_ = nullptr;
};

/// Flattens a vector's selected rows into `buffer` (values and validity).
Vector flatten(const Vector& vector, const u16* selection, u32 count, VectorBuffer& buffer);
/// Copies the selected rows of `from` to the same rows of `into`, values and validity.
void copyRows(const Vector& from, const u16* selection, u32 count, VectorBuffer& into);

} // namespace blueshift::execute
