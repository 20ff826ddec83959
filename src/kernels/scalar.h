// scalar.h: the number types and arithmetic of SQL, one row at a time; the one meaning of each.
//
// Place: instantiated at build time by the interpreter (functions/), inlined by generated C++.
// Freestanding: includes nothing, allocates nothing, throws nothing; compiles with the flags of the
// in-process compiler (see test/unit/kernels). Failures set a bit of `flags`, tested once a vector.
#pragma once

namespace blueshift::kernels {

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned;
using i64 = long;
using u64 = unsigned long;
using i128 = __int128;
using u128 = unsigned __int128;
using f32 = float;
using f64 = double;

/// What went wrong in a row. A bit each, so that a loop can collect them without a branch.
enum Flag : u32 {
    kNoFlag = 0,
    kOverflow = 1,        // 22003
    kDivisionByZero = 2,  // 22012
    kInvalidArgument = 4, // 22023 and kin: the operation says which
};

template <class T> struct UnsignedOf;
template <> struct UnsignedOf<i8> {
    using Type = u8;
};
template <> struct UnsignedOf<i16> {
    using Type = u16;
};
template <> struct UnsignedOf<i32> {
    using Type = u32;
};
template <> struct UnsignedOf<i64> {
    using Type = u64;
};
template <> struct UnsignedOf<i128> {
    using Type = u128;
};

// ---- Arithmetic. The checked forms are exact or raise; the plain forms are used where the
// ranges of the inputs prove that the result fits.

// The plain forms wrap, because they also run over dead lanes whose result nobody reads.
template <class T> inline T add(T a, T b) {
    using U = typename UnsignedOf<T>::Type;
    return T(U(a) + U(b));
}
template <class T> inline T subtract(T a, T b) {
    using U = typename UnsignedOf<T>::Type;
    return T(U(a) - U(b));
}
template <class T> inline T multiply(T a, T b) {
    if constexpr (sizeof(T) <= 2) return T(i32(a) * i32(b));
    using U = typename UnsignedOf<T>::Type;
    return T(U(a) * U(b));
}

// Overflow of sums is read from the sign bits, without a branch, so that loops over it vectorise.
template <class T> inline T addChecked(T a, T b, u32& flags) {
    if constexpr (sizeof(T) >= 4 && sizeof(T) <= 8) {
        using U = typename UnsignedOf<T>::Type;
        const U result = U(a) + U(b);
        flags |= u32(((U(a) ^ result) & (U(b) ^ result)) >> (sizeof(T) * 8 - 1));
        return T(result);
    }
    T result;
    flags |= __builtin_add_overflow(a, b, &result) ? kOverflow : kNoFlag;
    return result;
}
template <class T> inline T subtractChecked(T a, T b, u32& flags) {
    if constexpr (sizeof(T) >= 4 && sizeof(T) <= 8) {
        using U = typename UnsignedOf<T>::Type;
        const U result = U(a) - U(b);
        flags |= u32(((U(a) ^ U(b)) & (U(a) ^ result)) >> (sizeof(T) * 8 - 1));
        return T(result);
    }
    T result;
    flags |= __builtin_sub_overflow(a, b, &result) ? kOverflow : kNoFlag;
    return result;
}
template <class T> inline T multiplyChecked(T a, T b, u32& flags) {
    if constexpr (sizeof(T) == 4) {
        const i64 product = i64(a) * i64(b);
        flags |= product != i64(T(product)) ? kOverflow : kNoFlag;
        return T(product);
    }
    T result;
    flags |= __builtin_mul_overflow(a, b, &result) ? kOverflow : kNoFlag;
    return result;
}
/// Integer division truncates toward zero; the one quotient that does not fit raises.
template <class T> inline T divideChecked(T a, T b, u32& flags) {
    if (b == 0) {
        flags |= kDivisionByZero;
        return 0;
    }
    if (b == T(-1)) return subtractChecked<T>(0, a, flags);
    return a / b;
}
/// Remainder with the sign of the dividend.
template <class T> inline T moduloChecked(T a, T b, u32& flags) {
    if (b == 0) {
        flags |= kDivisionByZero;
        return 0;
    }
    return b == T(-1) ? T(0) : a % b;
}
template <class T> inline T negateChecked(T a, u32& flags) {
    return subtractChecked<T>(0, a, flags);
}

inline f64 floatCheck(f64 result, bool inputs_finite, u32& flags) {
    flags |= (inputs_finite && __builtin_isinf(result)) ? kOverflow : kNoFlag;
    return result;
}
inline f64 addFloat(f64 a, f64 b, u32& flags) {
    return floatCheck(a + b, !__builtin_isinf(a) && !__builtin_isinf(b), flags);
}
inline f64 subtractFloat(f64 a, f64 b, u32& flags) {
    return floatCheck(a - b, !__builtin_isinf(a) && !__builtin_isinf(b), flags);
}
inline f64 multiplyFloat(f64 a, f64 b, u32& flags) {
    return floatCheck(a * b, !__builtin_isinf(a) && !__builtin_isinf(b), flags);
}
inline f64 divideFloat(f64 a, f64 b, u32& flags) {
    if (b == 0) {
        flags |= kDivisionByZero;
        return 0;
    }
    return floatCheck(a / b, !__builtin_isinf(a), flags);
}

// ---- Comparison. NaN equals NaN and is greater than every number, as in PostgreSQL.

template <class T> inline bool equal(T a, T b) {
    if constexpr (T(0.5) != T(0)) return a == b || (a != a && b != b);
    else return a == b;
}
template <class T> inline bool less(T a, T b) {
    if constexpr (T(0.5) != T(0)) return a < b || (b != b && a == a);
    else return a < b;
}
template <class T> inline bool lessEqual(T a, T b) {
    return !less(b, a);
}

} // namespace blueshift::kernels
