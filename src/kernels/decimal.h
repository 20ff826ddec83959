// decimal.h: scaled integers: powers of ten, change of scale, multiplication and division.
//
// Place: decimals are 8- or 16-byte integers; the scale is known when code is made, so loops get
// the power of ten as a constant. Freestanding, see scalar.h.
// Rounding: half away from zero, or toward zero where SQL truncates.
#pragma once

#include "kernels/scalar.h"

namespace blueshift::kernels {

/// 10^n for 0 <= n <= 38.
inline constexpr i128 powerOfTen(int n) {
    i128 power = 1;
    for (int i = 0; i < n; ++i) power *= 10;
    return power;
}
/// The largest value of 38 digits.
inline constexpr i128 kMaxDecimal = powerOfTen(38) - 1;

template <class T> inline bool fitsDecimal(T value, T limit) {
    return value < limit && value > -limit;
}

/// Decimals of 16 bytes hold more than 38 digits: a sum or product is tested against the limit.
template <class T> inline T checkDecimal(T result, u32& flags) {
    if constexpr (sizeof(T) == 16)
        flags |= fitsDecimal<i128>(result, kMaxDecimal + 1) ? kNoFlag : kOverflow;
    return result;
}

/// Raises the scale: value * power, which must stay below `limit` (10^precision).
template <class T> inline T scaleUp(T value, T power, T limit, u32& flags) {
    T result;
    const bool overflow = __builtin_mul_overflow(value, power, &result);
    flags |= (overflow || !fitsDecimal(result, limit)) ? kOverflow : kNoFlag;
    return result;
}
/// Lowers the scale by `power`, rounding half away from zero.
template <class T> inline T divideRounded(T value, T power) {
    const T quotient = value / power;
    const T rest = value % power;
    const T size = rest < 0 ? -rest : rest;
    if (size >= power - size) return value < 0 ? quotient - 1 : quotient + 1;
    return quotient;
}

/// a * 10^digits / b, truncated; exact for all |a|, |b| < 10^38. The quotient must fit 38 digits.
inline i128 divideDecimal(i128 a, i128 b, int digits, i128 power, u32& flags) {
    if (b == 0) {
        flags |= kDivisionByZero;
        return 0;
    }
    i128 scaled;
    if (!__builtin_mul_overflow(a, power, &scaled)) [[likely]] {
        if (scaled == i64(scaled) && b == i64(b) && i64(b) != -1) return i64(scaled) / i64(b);
        const i128 quotient = scaled / b;
        flags |= fitsDecimal(quotient, kMaxDecimal + 1) ? kNoFlag : kOverflow;
        return quotient;
    }
    const bool negative = (a < 0) != (b < 0);
    const u128 divisor = b < 0 ? -u128(b) : u128(b);
    const u128 dividend = a < 0 ? -u128(a) : u128(a);
    u128 quotient = dividend / divisor;
    u128 rest = dividend % divisor;
    for (int i = 0; i < digits; ++i) {
        // rest * 10 may not fit: add it ten times, taking the divisor out as it goes.
        u128 sum = 0;
        u32 digit = 0;
        for (int step = 0; step < 10; ++step) {
            sum += rest;
            if (sum >= divisor) {
                sum -= divisor;
                ++digit;
            }
        }
        if (quotient > u128(kMaxDecimal) / 10) {
            flags |= kOverflow;
            return 0;
        }
        quotient = quotient * 10 + digit;
        rest = sum;
    }
    flags |= quotient > u128(kMaxDecimal) ? kOverflow : kNoFlag;
    return negative ? -i128(quotient) : i128(quotient);
}

/// The quotient of decimals at the result's scale: a * 10^digits / b; `power` is 10^|digits|.
template <class Out> inline Out divideScaled(i128 a, i128 b, int digits, i128 power, u32& flags) {
    const i128 quotient = digits >= 0 ? divideDecimal(a, b, digits, power, flags)
                                      : divideDecimal(a, b, 0, 1, flags) / power;
    const Out result = Out(quotient);
    flags |= i128(result) == quotient ? kNoFlag : kOverflow;
    return result;
}

} // namespace blueshift::kernels
