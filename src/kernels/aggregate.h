// aggregate.h: states of the simple aggregates and what adding a value does to them.
//
// Place: functions/aggregates instantiates them for the interpreter, generated C++ inlines them.
// Freestanding, see scalar.h. States are raw bytes in group rows, aligned to 8, movable by memcpy;
// a fresh state is all zero.
#pragma once

#include "kernels/scalar.h"

namespace blueshift::kernels {

struct Count {
    u64 count = 0;
};

/// Integers and decimals: exact in 128 bits, checked once at the end.
struct [[gnu::packed, gnu::aligned(8)]] ExactSum {
    static constexpr u64 kOverflowed = u64(1) << 63;
    i128 sum = 0;
    u64 count = 0; // and the bit kOverflowed

    void addWide(i128 value) {
        i128 total;
        if (__builtin_add_overflow(i128(sum), value, &total)) [[unlikely]]
            count |= kOverflowed;
        sum = total;
    }
    /// 2^63 rows of 2^63 each would be needed to overflow by values of 8 bytes.
    template <class T> void add(T value) {
        if constexpr (sizeof(T) == 16) addWide(value);
        else sum += value;
        ++count;
    }
    /// The sum of `rows` values, which did not overflow `partial`.
    template <class T> void addPartial(T partial, u64 rows) {
        sum += partial;
        count += rows;
    }
};

struct FloatSum {
    f64 sum = 0;
    u64 count = 0;

    void add(f64 value) {
        sum += value;
        ++count;
    }
};

/// MIN, MAX and ANY_VALUE of numbers. NaN is the greatest float, as in ORDER BY.
template <class T> struct [[gnu::packed, gnu::aligned(8)]] Kept {
    T value = 0;
    u64 present = 0;

    void keep(T candidate) {
        value = candidate;
        present = 1;
    }
    void keepLeast(T candidate) {
        if (present == 0 || less<T>(candidate, T(value))) keep(candidate);
    }
    void keepGreatest(T candidate) {
        if (present == 0 || less<T>(T(value), candidate)) keep(candidate);
    }
    void keepFirst(T candidate) {
        if (present == 0) keep(candidate);
    }
};

} // namespace blueshift::kernels
