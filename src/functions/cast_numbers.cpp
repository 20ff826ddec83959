// Casts between numbers; the meaning of each is in kernels/convert.h and kernels/decimal.h.
#include <limits>

#include "functions/cast_rows.h"
#include "kernels/convert.h"
#include "kernels/decimal.h"

namespace blueshift::functions {

namespace {

template <class T> constexpr bool kIsFloat = T(0.5) != T(0);

/// The bounds of the values of an integer type; of the kind for other types.
struct Bounds {
    i128 min;
    i128 max;
};
Bounds boundsOf(const SqlType& type) {
    switch (type.kind) {
    case TypeKind::kBoolean: return {0, 1};
    case TypeKind::kSmallInt: return {-32768, 32767};
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype: return {std::numeric_limits<i32>::min(), 4294967295};
    case TypeKind::kBigInt:
        return {std::numeric_limits<i64>::min(), std::numeric_limits<i64>::max()};
    default: return {std::numeric_limits<i32>::min(), std::numeric_limits<i32>::max()};
    }
}
bool isOidLike(TypeKind kind) {
    return kind == TypeKind::kOid || kind == TypeKind::kRegclass || kind == TypeKind::kRegtype;
}

int scaleOf(const SqlType& type) {
    return type.kind == TypeKind::kDecimal ? type.scale : 0;
}

/// 10^precision of a decimal, one above the largest value of an integer type.
i128 limitOf(const SqlType& type) {
    return type.kind == TypeKind::kDecimal ? kernels::powerOfTen(type.precision)
                                           : boundsOf(type).max + 1;
}

template <class To> To narrowTo(i128 value, i128 min, i128 max, u32& flags) {
    flags |= (value < min || value > max) ? kernels::kOverflow : kernels::kNoFlag;
    return kernels::narrowInteger<To>(value, flags);
}

template <OnFailure on_failure> void rescale(const LoopCall& call, bool rounds) {
    const int from_scale = scaleOf(call.arg_types[0]);
    const int to_scale = scaleOf(call.result_type);
    const i128 limit = limitOf(call.result_type);
    const bool to_decimal = call.result_type.kind == TypeKind::kDecimal;
    const i128 min = to_decimal ? 1 - limit : boundsOf(call.result_type).min;
    const int shift = to_scale - from_scale;
    const i128 power = kernels::powerOfTen(shift < 0 ? -shift : shift);
    dispatchIntegers(call.args[0].kind, call.out.kind(), [&]<class From, class To>(From*, To*) {
        if constexpr (sizeof(From) <= 8 && sizeof(To) <= 8) {
            // Both sides and every power in question fit eight bytes.
            if (shift >= 0 && shift <= 18 && limit <= kernels::powerOfTen(18)) {
                castRows<From, To, on_failure>(call, [&](From value, u32& flags) {
                    const i64 scaled = kernels::scaleUp<i64>(value, i64(power), i64(limit), flags);
                    return kernels::narrowInteger<To>(scaled, flags);
                });
                return;
            }
        }
        castRows<From, To, on_failure>(call, [&](From value, u32& flags) {
            i128 result;
            if (shift >= 0) {
                if (__builtin_mul_overflow(i128(value), power, &result))
                    flags |= kernels::kOverflow;
            } else {
                result = rounds ? kernels::divideRounded<i128>(value, power) : i128(value) / power;
            }
            return narrowTo<To>(result, min, limit - 1, flags);
        });
    });
}

} // namespace

template <OnFailure on_failure> void castIntegerLoop(const LoopCall& call) {
    const Bounds bounds = boundsOf(call.result_type);
    const bool oid = isOidLike(call.result_type.kind);
    const bool from_oid = isOidLike(call.arg_types[0].kind);
    dispatchIntegers(call.args[0].kind, call.out.kind(), [&]<class From, class To>(From*, To*) {
        if (from_oid && sizeof(From) == 4 && sizeof(To) > 4) {
            castRows<From, To, on_failure>(call, [](From value, u32&) { return To(u32(value)); });
        } else if (oid || (from_oid && sizeof(To) == 4)) {
            castRows<From, To, on_failure>(call, [&](From value, u32& flags) {
                flags |= (value < bounds.min || value > bounds.max) ? kernels::kOverflow : 0u;
                return To(value);
            });
        } else if (i128(std::numeric_limits<From>::min()) >= bounds.min &&
                   i128(std::numeric_limits<From>::max()) <= bounds.max &&
                   sizeof(From) <= sizeof(To)) {
            castRows<From, To, on_failure>(call, [](From value, u32&) { return To(value); });
        } else if constexpr (sizeof(From) <= 8) {
            castRows<From, To, on_failure>(call, [&](From value, u32& flags) {
                flags |=
                    (value < i64(bounds.min) || value > i64(bounds.max)) ? kernels::kOverflow : 0u;
                return kernels::narrowInteger<To>(value, flags);
            });
        } else {
            castRows<From, To, on_failure>(call, [&](From value, u32& flags) {
                return narrowTo<To>(value, bounds.min, bounds.max, flags);
            });
        }
    });
}

template <OnFailure on_failure> void castRescaleRoundLoop(const LoopCall& call) {
    rescale<on_failure>(call, true);
}

template <OnFailure on_failure> void castRescaleLoop(const LoopCall& call) {
    rescale<on_failure>(call,
                        call.context.session != nullptr && call.context.session->numeric_rounding);
}

void castIntegerToFloatLoop(const LoopCall& call) {
    const int scale = scaleOf(call.arg_types[0]);
    const i128 power = kernels::powerOfTen(scale);
    dispatchInteger(call.args[0].kind, [&]<class From>(From*) {
        const auto convert = [&](From value, u32&) {
            // Beyond 10^22 the power is not exact: split off the whole part first.
            if (scale > 22) return f64(value / From(power)) + f64(value % From(power)) / f64(power);
            return scale == 0 ? f64(value) : kernels::decimalToFloat(value, f64(power));
        };
        if (call.out.kind() == PhysicalKind::kF64)
            castRows<From, f64, OnFailure::kNever>(call, convert);
        else
            castRows<From, f32, OnFailure::kNever>(
                call, [&](From value, u32& flags) { return f32(convert(value, flags)); });
    });
}

template <OnFailure on_failure> void castFloatToIntegerLoop(const LoopCall& call) {
    const bool decimal = call.result_type.kind == TypeKind::kDecimal;
    const i128 limit = limitOf(call.result_type);
    const f64 power = f64(kernels::powerOfTen(scaleOf(call.result_type)));
    const Bounds bounds = boundsOf(call.result_type);
    dispatchInteger(call.out.kind(), [&]<class To>(To*) {
        const auto convert = [&](f64 value, u32& flags) {
            if (decimal) {
                const i128 scaled = kernels::floatToDecimal<i128>(value, power, limit, flags);
                return kernels::narrowInteger<To>(scaled, flags);
            }
            const i64 whole = kernels::floatToInteger<i64>(value, flags);
            return narrowTo<To>(whole, bounds.min, bounds.max, flags);
        };
        if (call.args[0].kind == PhysicalKind::kF64) castRows<f64, To, on_failure>(call, convert);
        else castRows<f32, To, on_failure>(call, convert);
    });
}

template <OnFailure on_failure> void castFloatToFloatLoop(const LoopCall& call) {
    const bool to_double = call.out.kind() == PhysicalKind::kF64;
    if (call.args[0].kind == PhysicalKind::kF32) {
        if (to_double)
            castRows<f32, f64, on_failure>(call, [](f32 value, u32&) { return f64(value); });
        else castRows<f32, f32, on_failure>(call, [](f32 value, u32&) { return value; });
    } else if (to_double) {
        castRows<f64, f64, on_failure>(call, [](f64 value, u32&) { return value; });
    } else {
        castRows<f64, f32, on_failure>(
            call, [](f64 value, u32& flags) { return kernels::doubleToReal(value, flags); });
    }
}

void castToBooleanLoop(const LoopCall& call) {
    dispatchInteger(call.args[0].kind, [&]<class From>(From*) {
        castRows<From, i8, OnFailure::kNever>(call,
                                              [](From value, u32&) { return i8(value != 0); });
    });
}

template void castIntegerLoop<OnFailure::kNever>(const LoopCall&);
template void castIntegerLoop<OnFailure::kRaise>(const LoopCall&);
template void castIntegerLoop<OnFailure::kNull>(const LoopCall&);
template void castRescaleRoundLoop<OnFailure::kNever>(const LoopCall&);
template void castRescaleRoundLoop<OnFailure::kRaise>(const LoopCall&);
template void castRescaleRoundLoop<OnFailure::kNull>(const LoopCall&);
template void castRescaleLoop<OnFailure::kRaise>(const LoopCall&);
template void castRescaleLoop<OnFailure::kNull>(const LoopCall&);
template void castFloatToIntegerLoop<OnFailure::kRaise>(const LoopCall&);
template void castFloatToIntegerLoop<OnFailure::kNull>(const LoopCall&);
template void castFloatToFloatLoop<OnFailure::kNever>(const LoopCall&);
template void castFloatToFloatLoop<OnFailure::kRaise>(const LoopCall&);
template void castFloatToFloatLoop<OnFailure::kNull>(const LoopCall&);

} // namespace blueshift::functions
