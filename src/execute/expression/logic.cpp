// Three-valued logic, CASE, COALESCE and IN lists: the operations whose arguments are not all
// evaluated for all rows.
#include <algorithm>
#include <cstring>

#include "execute/expression/evaluator.h"
#include "execute/expression/evaluator_state.h"

namespace blueshift::execute {

using compile::EvalNode;
using compile::EvalOp;

namespace {

u32 listRows(const u16* selection, u32 count, u16* out) {
    for (u32 i = 0; i < count; ++i) out[i] = u16(selection == nullptr ? i : selection[i]);
    return count;
}

/// Removes the ascending `taken` from the ascending `rows`.
u32 removeRows(u16* rows, u32 count, const u16* taken, u32 taken_count) {
    u32 kept = 0;
    u32 next = 0;
    for (u32 i = 0; i < count; ++i) {
        if (next < taken_count && taken[next] == rows[i]) {
            ++next;
            continue;
        }
        rows[kept++] = rows[i];
    }
    return kept;
}

} // namespace

Vector Evaluator::runLogic(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    state.result.reset(PhysicalKind::kI8);
    i8* out = state.result.values<i8>();
    u64* validity = state.result.validity();
    // AND is decided by FALSE, OR by TRUE; until then NULL wins over the neutral value.
    const i8 decisive = node.op == EvalOp::kOr;
    u16 open[kVectorRows + 64];
    u32 left = listRows(rows.selection, rows.count, open);
    state.result.setAllValid();
    for (u32 i = 0; i < left; ++i) out[open[i]] = i8(1 - decisive);
    for (const EvalNode* arm : node.args) {
        const Vector value = run(*arm, batch, {open, left});
        if (context_->failed()) break;
        const i8* values = value.values<i8>();
        u32 kept = 0;
        for (u32 i = 0; i < left; ++i) {
            const u16 row = open[i];
            if (value.isNull(row)) {
                clearBit(validity, row);
                open[kept++] = row;
            } else if ((values[value.indexOf(row)] != 0) == (decisive != 0)) {
                out[row] = decisive;
                setBit(validity, row);
            } else {
                open[kept++] = row;
            }
        }
        left = kept;
        if (left == 0) break;
    }
    return state.result.view(true);
}

Vector Evaluator::runNot(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    const Vector value = run(*node.args[0], batch, rows);
    state.result.reset(PhysicalKind::kI8);
    i8* out = state.result.values<i8>();
    const i8* values = value.values<i8>();
    if (value.form == VectorForm::kConstant) {
        out[0] = values[0] == 0;
        Vector result = state.result.view(false);
        result.form = VectorForm::kConstant;
        result.validity = value.validity;
        return result;
    }
    for (u32 i = 0; i < rows.count; ++i) {
        const u32 row = rows.selection == nullptr ? i : rows.selection[i];
        out[row] = values[value.indexOf(row)] == 0;
    }
    Vector result = state.result.view(false);
    result.validity = value.validity;
    return result;
}

Vector Evaluator::runTruth(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    const Vector value = run(*node.args[0], batch, rows);
    state.result.reset(PhysicalKind::kI8);
    i8* out = state.result.values<i8>();
    const i8* values = node.op == EvalOp::kIsTruth ? value.values<i8>() : nullptr;
    for (u32 i = 0; i < rows.count; ++i) {
        const u32 row = rows.selection == nullptr ? i : rows.selection[i];
        const bool null = value.isNull(row);
        bool is;
        if (node.op == EvalOp::kIsNull || node.truth < 0) is = null;
        else is = !null && (values[value.indexOf(row)] != 0) == (node.truth == 1);
        out[row] = is != node.negated;
    }
    return state.result.view(false);
}

Vector Evaluator::runCase(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    u16 open[kVectorRows + 64];
    u16 taken[kVectorRows + 64];
    u32 left = listRows(rows.selection, rows.count, open);
    state.result.reset(node.kind);
    state.result.setAllValid();
    const u32 arms = node.args.size() / 2;
    for (u32 arm = 0; arm < arms && left > 0; ++arm) {
        const u32 hits = filterNode(*node.args[arm * 2], batch, {open, left}, taken);
        if (context_->failed()) break;
        if (hits == 0) continue;
        const Vector value = run(*node.args[arm * 2 + 1], batch, {taken, hits});
        if (context_->failed()) break;
        copyRows(value, taken, hits, state.result);
        left = removeRows(open, left, taken, hits);
    }
    if (left > 0 && !context_->failed()) {
        if (node.has_else) {
            const Vector value = run(*node.args[node.args.size() - 1], batch, {open, left});
            if (!context_->failed()) copyRows(value, open, left, state.result);
        } else {
            for (u32 i = 0; i < left; ++i) clearBit(state.result.validity(), open[i]);
        }
    }
    return state.result.view(true);
}

Vector Evaluator::runCoalesce(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    u16 open[kVectorRows + 64];
    u16 taken[kVectorRows + 64];
    u32 left = listRows(rows.selection, rows.count, open);
    state.result.reset(node.kind);
    state.result.setAllValid();
    for (const EvalNode* arm : node.args) {
        if (left == 0) break;
        const Vector value = run(*arm, batch, {open, left});
        if (context_->failed()) break;
        u32 hits = 0;
        u32 kept = 0;
        for (u32 i = 0; i < left; ++i) {
            const u16 row = open[i];
            if (value.isNull(row)) open[kept++] = row;
            else taken[hits++] = row;
        }
        copyRows(value, taken, hits, state.result);
        left = kept;
    }
    for (u32 i = 0; i < left; ++i) clearBit(state.result.validity(), open[i]);
    return state.result.view(true);
}

Vector Evaluator::runInList(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    const Vector value = run(*node.args[0], batch, rows);
    if (!state.in_list)
        state.in_list = std::make_unique<InListSet>(node.args.span().subspan(1), value.kind);
    const InListSet& set = *state.in_list;
    state.result.reset(PhysicalKind::kI8, std::max(kVectorRows, value.dictionary_size));
    i8* out = state.result.values<i8>();
    if (value.form == VectorForm::kDictionary && !set.hasNull() &&
        (value.dictionary_id != 0 || value.dictionary_size <= rows.count)) {
        if (value.dictionary_id == 0 || state.dictionary_id != value.dictionary_id) {
            for (u32 entry = 0; entry < value.dictionary_size; ++entry)
                out[entry] = set.contains(value, entry) != node.negated;
            state.dictionary_id = value.dictionary_id;
        }
        Vector result = value;
        result.kind = PhysicalKind::kI8;
        result.data = out;
        result.dictionary_id = 0;
        return result;
    }
    state.dictionary_id = 0;
    state.result.setAllValid();
    for (u32 i = 0; i < rows.count; ++i) {
        const u32 row = rows.selection == nullptr ? i : rows.selection[i];
        if (value.isNull(row)) {
            clearBit(state.result.validity(), row);
            continue;
        }
        const bool found = set.contains(value, value.indexOf(row));
        out[row] = found != node.negated;
        if (!found && set.hasNull()) clearBit(state.result.validity(), row);
    }
    return state.result.view(true);
}

} // namespace blueshift::execute
