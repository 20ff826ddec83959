// convert.h: conversions between number types, one row at a time.
//
// Place: casts in loops and in generated code. Freestanding, see scalar.h.
// A value that does not fit sets kOverflow. Floats become integers by rounding half to even.
#pragma once

#include "kernels/decimal.h"
#include "kernels/scalar.h"

namespace blueshift::kernels {

template <class To, class From> inline To narrowInteger(From value, u32& flags) {
    const To result = To(value);
    flags |= From(result) == value ? kNoFlag : kOverflow;
    return result;
}

inline f64 roundHalfEven(f64 value) {
    return __builtin_rint(value);
}

template <class To> inline To floatToInteger(f64 value, u32& flags) {
    const f64 rounded = roundHalfEven(value);
    // The bounds are powers of two, exact as doubles; a NaN fails both tests.
    const f64 bound = sizeof(To) == 2   ? 32768.0
                      : sizeof(To) == 4 ? 2147483648.0
                                        : 9223372036854775808.0;
    if (!(rounded >= -bound && rounded < bound)) {
        flags |= kOverflow;
        return 0;
    }
    return To(rounded);
}

/// To a scaled integer: value * 10^scale, rounded half away from zero, below `limit`.
template <class T> inline T floatToDecimal(f64 value, f64 power, T limit, u32& flags) {
    const f64 scaled = value * power;
    const f64 rounded = scaled < 0 ? __builtin_ceil(scaled - 0.5) : __builtin_floor(scaled + 0.5);
    if (!(rounded > -f64(limit) && rounded < f64(limit))) {
        flags |= kOverflow;
        return 0;
    }
    return T(rounded);
}
/// Exact division for scales whose power of ten is exact as a double (up to 22).
template <class T> inline f64 decimalToFloat(T value, f64 power) {
    return f64(value) / power;
}

inline f32 doubleToReal(f64 value, u32& flags) {
    const f32 result = f32(value);
    flags |= (__builtin_isinf(result) && !__builtin_isinf(value)) ? kOverflow : kNoFlag;
    return result;
}

} // namespace blueshift::kernels
