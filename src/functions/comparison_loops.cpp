// Comparison at every physical kind, as a value and as a filter: kernels/scalar.h, kernels/text.h.
#include "functions/operators.h"
#include "kernels/scalar.h"
#include "kernels/text.h"

namespace blueshift::functions {

namespace {

using Op = Operator;

/// The meaning of an operator. kNotEqual and the inclusive ones are negations, so that NaN keeps
/// its place in the order.
template <Op op, class T> inline bool holds(const T& a, const T& b) {
    using kernels::equal;
    using kernels::less;
    if constexpr (op == Op::kEqual) return equal(a, b);
    else if constexpr (op == Op::kNotEqual) return !equal(a, b);
    else if constexpr (op == Op::kLess) return less(a, b);
    else if constexpr (op == Op::kLessEqual) return !less(b, a);
    else if constexpr (op == Op::kGreater) return less(b, a);
    else return !less(a, b);
}

/// NULL rows may hold any bytes; text must not be read there.
template <class T> constexpr bool kReadsPointers = std::is_same_v<T, TextView>;

template <Op op, class T> void compareLoop(const LoopCall& call) {
    const Vector& a = call.args[0];
    const Vector& b = call.args[1];
    const T* x = a.values<T>();
    const T* y = b.values<T>();
    i8* out = call.out.values<i8>();
    const bool constant_a = a.form == VectorForm::kConstant;
    const bool constant_b = b.form == VectorForm::kConstant;
    const bool nulls = kReadsPointers<T> && (a.validity != nullptr || b.validity != nullptr);
    if (call.selection != nullptr || nulls || constant_a) {
        const u32 step_a = constant_a ? 0 : 1;
        const u32 step_b = constant_b ? 0 : 1;
        for (u32 i = 0; i < call.count; ++i) {
            const u32 row = call.rowAt(i);
            if (nulls && (a.isNull(row) || b.isNull(row))) continue;
            out[row] = holds<op, T>(x[row * step_a], y[row * step_b]);
        }
    } else if (constant_b) {
        const T value = *y;
        for (u32 i = 0; i < call.count; ++i) out[i] = holds<op, T>(x[i], value);
    } else {
        for (u32 i = 0; i < call.count; ++i) out[i] = holds<op, T>(x[i], y[i]);
    }
}

/// Appends without a branch: the slot is written always and kept when the row passes. `out` may be
/// `selection`: the write position never passes the read position.
template <class Test> inline u32 keepRows(const u16* selection, u32 count, u16* out, Test test) {
    u32 kept = 0;
    if (selection == nullptr) {
        for (u32 row = 0; row < count; ++row) {
            const bool pass = test(row);
            out[kept] = u16(row);
            kept += pass;
        }
        return kept;
    }
    for (u32 i = 0; i < count; ++i) {
        const u16 row = selection[i];
        const bool pass = test(row);
        out[kept] = row;
        kept += pass;
    }
    return kept;
}

template <Op op, class T>
u32 filterRows(const Vector& a, const Vector& b, const u16* selection, u32 count, u16* out) {
    const T* x = a.values<T>();
    const T* y = b.values<T>();
    const bool constant_a = a.form == VectorForm::kConstant;
    const bool constant_b = b.form == VectorForm::kConstant;
    if ((constant_a && a.isNull(0)) || (constant_b && b.isNull(0))) return 0;
    const u64* valid_a = constant_a ? nullptr : a.validity;
    const u64* valid_b = constant_b ? nullptr : b.validity;
    if (valid_a == nullptr && valid_b == nullptr) {
        if (constant_b && !constant_a) {
            const T value = *y;
            return keepRows(selection, count, out,
                            [&](u32 row) { return holds<op, T>(x[row], value); });
        }
        if (!constant_b && !constant_a)
            return keepRows(selection, count, out,
                            [&](u32 row) { return holds<op, T>(x[row], y[row]); });
    }
    const u32 step_a = constant_a ? 0 : 1;
    const u32 step_b = constant_b ? 0 : 1;
    return keepRows(selection, count, out, [&](u32 row) {
        bool valid = valid_a == nullptr || bitAt(valid_a, row);
        valid &= valid_b == nullptr || bitAt(valid_b, row);
        if constexpr (kReadsPointers<T>)
            return valid && holds<op, T>(x[row * step_a], y[row * step_b]);
        else return bool(valid & holds<op, T>(x[row * step_a], y[row * step_b]));
    });
}

template <template <Op, class> class Pick, class T> auto pick(Op op) {
    switch (op) {
    case Op::kEqual: return Pick<Op::kEqual, T>::loop();
    case Op::kNotEqual: return Pick<Op::kNotEqual, T>::loop();
    case Op::kLess: return Pick<Op::kLess, T>::loop();
    case Op::kLessEqual: return Pick<Op::kLessEqual, T>::loop();
    case Op::kGreater: return Pick<Op::kGreater, T>::loop();
    case Op::kGreaterEqual: return Pick<Op::kGreaterEqual, T>::loop();
    default: return decltype(Pick<Op::kEqual, T>::loop())(nullptr);
    }
}
template <Op op, class T> struct Compare {
    static VectorLoop loop() { return compareLoop<op, T>; }
};
template <Op op, class T> struct Filter {
    static FilterLoop loop() { return filterRows<op, T>; }
};

} // namespace

VectorLoop comparisonLoop(Operator op, PhysicalKind kind) {
    return dispatchKind(kind, [&]<class T>(T*) -> VectorLoop { return pick<Compare, T>(op); });
}

FilterLoop filterLoop(Operator op, PhysicalKind kind) {
    return dispatchKind(kind, [&]<class T>(T*) -> FilterLoop { return pick<Filter, T>(op); });
}

} // namespace blueshift::functions
