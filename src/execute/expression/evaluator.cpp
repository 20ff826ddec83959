#include "execute/expression/evaluator.h"

#include <algorithm>
#include <cstring>

#include "execute/expression/evaluator_state.h"

namespace blueshift::execute {

using compile::EvalNode;
using compile::EvalOp;
using functions::NullPolicy;

namespace {

constexpr u64 kTrueWord = ~u64{0};
constexpr u64 kNullWord = 0;
constexpr u32 kMostArgs = 16;

Vector constantNull(PhysicalKind kind) {
    alignas(16) static constexpr char kZero[16] = {};
    return {.kind = kind, .form = VectorForm::kConstant, .data = kZero, .validity = &kNullWord};
}

/// Rows of `rows` that are valid in every argument.
u32 validRows(std::span<const Vector> args, const u16* selection, u32 count, u16* out) {
    u32 kept = 0;
    for (u32 i = 0; i < count; ++i) {
        const u32 row = selection == nullptr ? i : selection[i];
        bool valid = true;
        for (const Vector& arg : args) valid &= !arg.isNull(row);
        out[kept] = u16(row);
        kept += valid;
    }
    return kept;
}

} // namespace

Evaluator::Evaluator(const compile::Expression& expression) : expression_(expression) {
    states_.resize(expression.scratch_count);
}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;

Evaluator::NodeState& Evaluator::stateOf(const EvalNode& node) {
    auto& state = states_[node.scratch];
    if (!state) state = std::make_unique<NodeState>();
    return *state;
}

Vector Evaluator::evaluate(const Batch& batch, functions::EvalContext& context) {
    heap_.clear();
    context_ = &context;
    return run(*expression_.root, batch, {batch.selection, batch.selected});
}

u32 Evaluator::filter(const Batch& batch, u16* out, functions::EvalContext& context) {
    heap_.clear();
    context_ = &context;
    return filterNode(*expression_.root, batch, {batch.selection, batch.selected}, out);
}

Vector Evaluator::run(const EvalNode& node, const Batch& batch, Rows rows) {
    switch (node.op) {
    case EvalOp::kSlot: return batch.columns[node.slot];
    case EvalOp::kConstant: {
        if (node.constant.is_null) return constantNull(node.kind);
        NodeState& state = stateOf(node);
        char* to = state.constant_bytes;
        const Value& value = node.constant;
        switch (node.kind) {
        case PhysicalKind::kF32: {
            const f32 number = f32(value.floating);
            std::memcpy(to, &number, 4);
            break;
        }
        case PhysicalKind::kF64: std::memcpy(to, &value.floating, 8); break;
        case PhysicalKind::kText: {
            const TextView text = makeTextView(value.text);
            std::memcpy(to, &text, 16);
            break;
        }
        default: std::memcpy(to, &value.integer, widthOf(node.kind)); break;
        }
        return {.kind = node.kind, .form = VectorForm::kConstant, .data = to};
    }
    case EvalOp::kCall: return runCall(node, batch, rows);
    case EvalOp::kAnd:
    case EvalOp::kOr: return runLogic(node, batch, rows);
    case EvalOp::kNot: return runNot(node, batch, rows);
    case EvalOp::kIsNull:
    case EvalOp::kIsTruth: return runTruth(node, batch, rows);
    case EvalOp::kCase: return runCase(node, batch, rows);
    case EvalOp::kCoalesce: return runCoalesce(node, batch, rows);
    case EvalOp::kInList: return runInList(node, batch, rows);
    }
    BS_UNREACHABLE("evaluator");
}

Vector Evaluator::callPerEntry(const EvalNode& node, std::span<const Vector> args,
                               NodeState& state) {
    const Vector& coded = args[node.varying_arg];
    const u32 entries = coded.dictionary_size;
    Vector result = coded;
    result.kind = node.kind;
    if (coded.dictionary_id == 0 || state.dictionary_id != coded.dictionary_id) {
        state.entry_heap.clear();
        state.entries.reset(node.kind, entries);
        std::vector<Vector> entry_args(args.begin(), args.end());
        const u32 from_width = widthOf(coded.kind);
        const u32 to_width = widthOf(node.kind);
        for (u32 first = 0; first < entries; first += kVectorRows) {
            const u32 rows = std::min(entries - first, kVectorRows);
            entry_args[node.varying_arg] = {
                .kind = coded.kind, .data = coded.values<char>() + size_t(first) * from_width};
            state.result.reset(node.kind);
            node.loop({entry_args, node.arg_types.span(), node.type, state.result, nullptr, rows,
                       state.entry_heap, *context_});
            std::memcpy(state.entries.values<char>() + size_t(first) * to_width,
                        state.result.data(), size_t(rows) * to_width);
        }
        state.dictionary_id = coded.dictionary_id;
    }
    result.data = state.entries.data();
    result.dictionary_id = 0;
    return result;
}

Vector Evaluator::callConstant(const EvalNode& node, std::span<const Vector> args,
                               NodeState& state) {
    state.result.reset(node.kind);
    if (node.null_policy != NullPolicy::kStrict) state.result.validity()[0] = kTrueWord;
    node.loop({args, node.arg_types.span(), node.type, state.result, nullptr, 1, heap_, *context_});
    Vector result = state.result.view(node.null_policy != NullPolicy::kStrict);
    result.form = VectorForm::kConstant;
    return result;
}

Vector Evaluator::runCall(const EvalNode& node, const Batch& batch, Rows rows) {
    NodeState& state = stateOf(node);
    // Recursion may use this node's argument list only after its own arguments are done.
    Vector held[kMostArgs];
    std::vector<Vector> many;
    const u32 count = node.args.size();
    std::span<Vector> args(held, std::min(count, kMostArgs));
    if (count > kMostArgs) {
        many.resize(count);
        args = many;
    }
    bool all_constant = true;
    bool text = false;
    for (u32 i = 0; i < count; ++i) {
        args[i] = run(*node.args[i], batch, rows);
        if (context_->failed()) return constantNull(node.kind);
        all_constant &= args[i].form == VectorForm::kConstant;
        text |= args[i].kind == PhysicalKind::kText;
    }
    const bool strict = node.null_policy != NullPolicy::kCalled;
    if (strict)
        for (const Vector& arg : args)
            if (arg.form == VectorForm::kConstant && arg.isNull(0)) return constantNull(node.kind);
    const bool is_volatile =
        node.function != nullptr && node.function->volatility == functions::Volatility::kVolatile;
    if (all_constant && !is_volatile && rows.count > 0) return callConstant(node, args, state);
    if (node.per_entry && args[node.varying_arg].form == VectorForm::kDictionary &&
        (args[node.varying_arg].dictionary_id != 0 ||
         args[node.varying_arg].dictionary_size <= rows.count)) {
        bool others_constant = true;
        for (u32 i = 0; i < count; ++i)
            others_constant &= i == node.varying_arg || args[i].form == VectorForm::kConstant;
        if (others_constant) return callPerEntry(node, args, state);
    }
    bool nulls = false;
    for (u32 i = 0; i < count; ++i) {
        if (args[i].form == VectorForm::kDictionary)
            args[i] = flatten(args[i], rows.selection, rows.count, state.flatBuffer(i));
        nulls |= args[i].validity != nullptr && args[i].form != VectorForm::kConstant;
    }
    state.result.reset(node.kind);
    VectorBuffer& out = state.result;
    if (!strict) {
        node.loop({args, node.arg_types.span(), node.type, out, rows.selection, rows.count, heap_,
                   *context_});
        return out.view(true);
    }
    const bool may_null = node.null_policy == NullPolicy::kStrictMayNull;
    if (nulls || may_null) {
        out.setAllValid();
        for (const Vector& arg : args)
            if (arg.validity != nullptr && arg.form != VectorForm::kConstant)
                for (u32 word = 0; word < kValidityWords; ++word)
                    if (word * 64 < batch.rows) out.validity()[word] &= arg.validity[word];
    }
    u16 valid[kVectorRows + 64];
    if (nulls && (node.can_fail || text || may_null)) {
        rows.count = validRows(args, rows.selection, rows.count, valid);
        rows.selection = valid;
    }
    node.loop({args, node.arg_types.span(), node.type, out, rows.selection, rows.count, heap_,
               *context_});
    return out.view(nulls || may_null);
}

u32 Evaluator::filterOr(const EvalNode& node, const Batch& batch, Rows rows, u16* out) {
    u64 passed[kValidityWords] = {};
    u16 rest[kVectorRows + 64];
    u16 hits[kVectorRows + 64];
    u32 left = rows.count;
    for (u32 i = 0; i < left; ++i) rest[i] = u16(rows.selection == nullptr ? i : rows.selection[i]);
    for (const EvalNode* arm : node.args) {
        const u32 found = filterNode(*arm, batch, {rest, left}, hits);
        if (context_->failed()) return 0;
        for (u32 i = 0; i < found; ++i) setBit(passed, hits[i]);
        u32 kept = 0;
        for (u32 i = 0; i < left; ++i) {
            const u16 row = rest[i];
            rest[kept] = row;
            kept += !bitAt(passed, row);
        }
        left = kept;
        if (left == 0) break;
    }
    u32 kept = 0;
    for (u32 i = 0; i < rows.count; ++i) {
        const u16 row = u16(rows.selection == nullptr ? i : rows.selection[i]);
        out[kept] = row;
        kept += bitAt(passed, row);
    }
    return kept;
}

u32 Evaluator::filterNode(const EvalNode& node, const Batch& batch, Rows rows, u16* out) {
    if (rows.count == 0) return 0;
    if (node.op == EvalOp::kAnd) {
        for (const EvalNode* arm : node.args) {
            rows.count = filterNode(*arm, batch, rows, out);
            rows.selection = out;
            if (rows.count == 0 || context_->failed()) return 0;
        }
        return rows.count;
    }
    if (node.op == EvalOp::kOr) return filterOr(node, batch, rows, out);
    if (node.op == EvalOp::kCall && node.filter != nullptr) {
        const Vector a = run(*node.args[0], batch, rows);
        const Vector b = run(*node.args[1], batch, rows);
        if (context_->failed()) return 0;
        if (a.form != VectorForm::kDictionary && b.form != VectorForm::kDictionary) {
            if (a.form == VectorForm::kConstant && a.isNull(0)) return 0;
            if (b.form == VectorForm::kConstant && b.isNull(0)) return 0;
            return node.filter(a, b, rows.selection, rows.count, out);
        }
    }
    const Vector value = run(node, batch, rows);
    if (context_->failed()) return 0;
    u32 kept = 0;
    const i8* values = value.values<i8>();
    if (value.form == VectorForm::kConstant) {
        if (value.isNull(0) || values[0] == 0) return 0;
        for (u32 i = 0; i < rows.count; ++i)
            out[i] = u16(rows.selection == nullptr ? i : rows.selection[i]);
        return rows.count;
    }
    for (u32 i = 0; i < rows.count; ++i) {
        const u32 row = rows.selection == nullptr ? i : rows.selection[i];
        out[kept] = u16(row);
        kept += values[value.indexOf(row)] != 0 && !value.isNull(row);
    }
    return kept;
}

} // namespace blueshift::execute
