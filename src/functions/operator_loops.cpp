// Arithmetic at every physical width: instantiations of kernels/scalar.h and kernels/decimal.h.
#include "functions/operators.h"
#include "functions/overflow.h"
#include "kernels/decimal.h"
#include "kernels/scalar.h"

namespace blueshift::functions {

namespace {

template <class T> constexpr bool kIsFloat = T(0.5) != T(0);

/// out[row] = f(a[row], b[row]); dense rows run as plain loops that the compiler vectorises.
template <class T, class F> void binaryRows(const LoopCall& call, F f) {
    const Vector& a = call.args[0];
    const Vector& b = call.args[1];
    const T* x = a.values<T>();
    const T* y = b.values<T>();
    T* out = call.out.values<T>();
    const bool constant_a = a.form == VectorForm::kConstant;
    const bool constant_b = b.form == VectorForm::kConstant;
    const u32 count = call.count;
    if (call.selection != nullptr) {
        const u32 step_a = constant_a ? 0 : 1;
        const u32 step_b = constant_b ? 0 : 1;
        for (u32 i = 0; i < count; ++i) {
            const u32 row = call.selection[i];
            out[row] = f(x[row * step_a], y[row * step_b]);
        }
    } else if (constant_a && constant_b) {
        if (count == 0) return;
        const T value = f(*x, *y);
        for (u32 i = 0; i < count; ++i) out[i] = value;
    } else if (constant_b) {
        const T value = *y;
        for (u32 i = 0; i < count; ++i) out[i] = f(x[i], value);
    } else if (constant_a) {
        const T value = *x;
        for (u32 i = 0; i < count; ++i) out[i] = f(value, y[i]);
    } else {
        for (u32 i = 0; i < count; ++i) out[i] = f(x[i], y[i]);
    }
}

template <Operator op, class T> T applyPlain(T a, T b) {
    if constexpr (op == Operator::kAdd) return kernels::add(a, b);
    else if constexpr (op == Operator::kSubtract) return kernels::subtract(a, b);
    else return kernels::multiply(a, b);
}

template <Operator op, class T> T applyChecked(T a, T b, u32& flags) {
    if constexpr (kIsFloat<T>) {
        f64 result;
        if constexpr (op == Operator::kAdd) result = kernels::addFloat(a, b, flags);
        else if constexpr (op == Operator::kSubtract) result = kernels::subtractFloat(a, b, flags);
        else if constexpr (op == Operator::kMultiply) result = kernels::multiplyFloat(a, b, flags);
        else result = kernels::divideFloat(a, b, flags);
        return T(result);
    } else if constexpr (op == Operator::kAdd) {
        return kernels::addChecked(a, b, flags);
    } else if constexpr (op == Operator::kSubtract) {
        return kernels::subtractChecked(a, b, flags);
    } else if constexpr (op == Operator::kMultiply) {
        return kernels::multiplyChecked(a, b, flags);
    } else if constexpr (op == Operator::kDivide) {
        return kernels::divideChecked(a, b, flags);
    } else {
        return kernels::moduloChecked(a, b, flags);
    }
}

template <Operator op, class T> void checkedLoop(const LoopCall& call) {
    u32 flags = 0;
    if (sizeof(T) == 16 && call.result_type.kind == TypeKind::kDecimal) {
        if constexpr (!kIsFloat<T>)
            binaryRows<T>(call, [&](T a, T b) {
                return kernels::checkDecimal(applyChecked<op, T>(a, b, flags), flags);
            });
    } else {
        binaryRows<T>(call, [&](T a, T b) { return applyChecked<op, T>(a, b, flags); });
    }
    raiseArithmetic(call, op, flags);
}

template <Operator op, class T> void plainLoop(const LoopCall& call) {
    binaryRows<T>(call, [](T a, T b) { return applyPlain<op, T>(a, b); });
}

/// Division of decimals: operands of kind T at their scales, the quotient at the result's scale.
template <class T, class Out> void divideDecimalRows(const LoopCall& call) {
    const int digits =
        int(call.result_type.scale) - int(call.arg_types[0].scale) + int(call.arg_types[1].scale);
    const i128 power = kernels::powerOfTen(digits < 0 ? -digits : digits > 38 ? 38 : digits);
    const Vector& a = call.args[0];
    const Vector& b = call.args[1];
    Out* out = call.out.values<Out>();
    u32 flags = 0;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        const i128 x = a.values<T>()[a.form == VectorForm::kConstant ? 0 : row];
        const i128 y = b.values<T>()[b.form == VectorForm::kConstant ? 0 : row];
        out[row] = kernels::divideScaled<Out>(x, y, digits, power, flags);
    }
    raiseArithmetic(call, Operator::kDivide, flags);
}

template <class T> void divideLoop(const LoopCall& call) {
    if (call.result_type.kind != TypeKind::kDecimal) return checkedLoop<Operator::kDivide, T>(call);
    if (call.out.kind() == PhysicalKind::kI128) return divideDecimalRows<T, i128>(call);
    if (call.out.kind() == PhysicalKind::kI64) return divideDecimalRows<T, i64>(call);
    return divideDecimalRows<T, i32>(call);
}

template <class T, bool checked> void negateLoop(const LoopCall& call) {
    const Vector& a = call.args[0];
    const u32 step = a.form == VectorForm::kConstant ? 0 : 1;
    const T* x = a.values<T>();
    T* out = call.out.values<T>();
    u32 flags = 0;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        if constexpr (kIsFloat<T>) out[row] = -x[row * step];
        else if constexpr (checked) out[row] = kernels::negateChecked(x[row * step], flags);
        else out[row] = kernels::subtract(T(0), x[row * step]);
    }
    if (checked) raiseArithmetic(call, Operator::kNegate, flags);
}

template <class T> VectorLoop integerLoop(Operator op, bool checked) {
    switch (op) {
    case Operator::kAdd:
        return checked ? checkedLoop<Operator::kAdd, T> : plainLoop<Operator::kAdd, T>;
    case Operator::kSubtract:
        return checked ? checkedLoop<Operator::kSubtract, T> : plainLoop<Operator::kSubtract, T>;
    case Operator::kMultiply:
        return checked ? checkedLoop<Operator::kMultiply, T> : plainLoop<Operator::kMultiply, T>;
    case Operator::kDivide: return divideLoop<T>;
    case Operator::kModulo: return checkedLoop<Operator::kModulo, T>;
    case Operator::kNegate: return checked ? negateLoop<T, true> : negateLoop<T, false>;
    default: return nullptr;
    }
}

template <class T> VectorLoop floatLoop(Operator op) {
    switch (op) {
    case Operator::kAdd: return checkedLoop<Operator::kAdd, T>;
    case Operator::kSubtract: return checkedLoop<Operator::kSubtract, T>;
    case Operator::kMultiply: return checkedLoop<Operator::kMultiply, T>;
    case Operator::kDivide: return checkedLoop<Operator::kDivide, T>;
    case Operator::kNegate: return negateLoop<T, false>;
    default: return nullptr;
    }
}

template <class From, class To> void widen(const LoopCall& call) {
    const Vector& a = call.args[0];
    const From* in = a.values<From>();
    To* out = call.out.values<To>();
    if (a.form == VectorForm::kConstant) {
        for (u32 i = 0; i < call.count; ++i) out[call.rowAt(i)] = To(*in);
    } else if (call.selection == nullptr) {
        for (u32 i = 0; i < call.count; ++i) out[i] = To(in[i]);
    } else {
        for (u32 i = 0; i < call.count; ++i) out[call.selection[i]] = To(in[call.selection[i]]);
    }
}

template <class From> VectorLoop widenFrom(PhysicalKind to) {
    switch (to) {
    case PhysicalKind::kI16:
        if constexpr (sizeof(From) < 2) return widen<From, i16>;
        break;
    case PhysicalKind::kI32:
        if constexpr (sizeof(From) < 4) return widen<From, i32>;
        break;
    case PhysicalKind::kI64:
        if constexpr (sizeof(From) < 8) return widen<From, i64>;
        break;
    case PhysicalKind::kI128:
        if constexpr (sizeof(From) < 16) return widen<From, i128>;
        break;
    default: break;
    }
    return nullptr;
}

} // namespace

VectorLoop arithmeticLoop(Operator op, PhysicalKind kind, bool checked) {
    switch (kind) {
    case PhysicalKind::kI16: return integerLoop<i16>(op, checked);
    case PhysicalKind::kI32: return integerLoop<i32>(op, checked);
    case PhysicalKind::kI64: return integerLoop<i64>(op, checked);
    case PhysicalKind::kI128: return integerLoop<i128>(op, checked);
    case PhysicalKind::kF32: return floatLoop<f32>(op);
    case PhysicalKind::kF64: return floatLoop<f64>(op);
    default: return nullptr;
    }
}

VectorLoop widenLoop(PhysicalKind from, PhysicalKind to) {
    switch (from) {
    case PhysicalKind::kI8: return widenFrom<i8>(to);
    case PhysicalKind::kI16: return widenFrom<i16>(to);
    case PhysicalKind::kI32: return widenFrom<i32>(to);
    case PhysicalKind::kI64: return widenFrom<i64>(to);
    default: return nullptr;
    }
}

} // namespace blueshift::functions
