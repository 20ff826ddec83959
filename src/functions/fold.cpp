// The value of a call whose arguments are constants: the loop itself, over one row.
#include <cstring>

#include "functions/function.h"

namespace blueshift::functions {

namespace {

/// A constant as a vector of one value; `storage` holds its bytes.
Vector constantVector(const Value& value, char* storage, u64* validity) {
    const PhysicalKind kind = naturalKind(value.type);
    const auto put = [&](auto number) { std::memcpy(storage, &number, sizeof number); };
    std::memset(storage, 0, 16);
    switch (kind) {
    case PhysicalKind::kI8: put(i8(value.integer)); break;
    case PhysicalKind::kI16: put(i16(value.integer)); break;
    case PhysicalKind::kI32: put(i32(value.integer)); break;
    case PhysicalKind::kI64: put(i64(value.integer)); break;
    case PhysicalKind::kI128: put(value.integer); break;
    case PhysicalKind::kF32: put(f32(value.floating)); break;
    case PhysicalKind::kF64: put(value.floating); break;
    default: put(makeTextView(value.text)); break;
    }
    *validity = value.is_null ? 0 : ~u64{0};
    return {.kind = kind,
            .form = VectorForm::kConstant,
            .data = storage,
            .validity = value.is_null ? validity : nullptr};
}

Value readValue(const VectorBuffer& buffer, const SqlType& type, Arena& arena) {
    const Vector vector = buffer.view(false);
    switch (buffer.kind()) {
    case PhysicalKind::kText:
        return Value::ofText(arena.copyText(asStringView(vector.valueAt<TextView>(0))), type);
    case PhysicalKind::kF32: return Value::ofFloat(vector.valueAt<f32>(0), type);
    case PhysicalKind::kF64: return Value::ofFloat(vector.valueAt<f64>(0), type);
    default: return Value::ofInteger(vector.integerAt(0), type);
    }
}

} // namespace

std::optional<Value> foldCall(const Function& function, std::span<const Value> arguments,
                              const SqlType& result, const SessionFacts& session, Arena& arena) {
    if (function.volatility == Volatility::kVolatile || function.loop == nullptr) return {};
    const bool strict = function.null_policy != NullPolicy::kCalled;
    struct alignas(16) Slot {
        char bytes[16];
    };
    std::vector<Slot> slots(arguments.size());
    std::vector<u64> validities(arguments.size());
    std::vector<Vector> vectors;
    std::vector<SqlType> types;
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (strict && arguments[i].is_null) return Value::null(result);
        vectors.push_back(constantVector(arguments[i], slots[i].bytes, &validities[i]));
        types.push_back(arguments[i].type);
    }
    // Constants are cast as the leader casts them: decimals round.
    SessionFacts facts = session;
    facts.numeric_rounding = true;
    EvalContext context{.session = &facts};
    TextHeap heap;
    VectorBuffer out;
    out.reset(naturalKind(result), 1);
    out.setAllValid();
    function.loop({.args = vectors,
                   .arg_types = types,
                   .result_type = result,
                   .out = out,
                   .selection = nullptr,
                   .count = 1,
                   .heap = heap,
                   .context = context});
    if (context.failed()) return {};
    if (!bitAt(out.validity(), 0)) return Value::null(result);
    return readValue(out, result, arena);
}

} // namespace blueshift::functions
