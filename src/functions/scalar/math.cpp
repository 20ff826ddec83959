// Mathematics: rounding, powers, logarithms, trigonometry, bits, random numbers.
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/hash.h"
#include "functions/cast_rows.h"
#include "functions/overflow.h"
#include "functions/overload.h"
#include "functions/scalar/rows.h"
#include "kernels/decimal.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;

f64 finite(Scope& scope, f64 result, bool inputs_finite = true) {
    if (std::isinf(result) && inputs_finite)
        raiseOutOfRange(scope.call.context, SqlType::doublePrecision());
    return result;
}

// ---- Rounding of decimals, as integers at a scale.

enum class Rounding : u8 { kRound, kTruncate, kCeiling, kFloor };

i128 roundTo(i128 value, i128 power, Rounding rounding) {
    switch (rounding) {
    case Rounding::kRound: return kernels::divideRounded(value, power);
    case Rounding::kTruncate: return value / power;
    case Rounding::kCeiling: return value / power + (value % power > 0);
    default: return value / power - (value % power < 0);
    }
}

/// Rounds to `digits` behind the point (args[1], else 0) and brings the result to its own scale.
template <Rounding rounding> void roundDecimalLoop(const LoopCall& call) {
    const int from_scale = call.arg_types[0].scale;
    const int to_scale = call.result_type.scale;
    dispatchIntegers(call.args[0].kind, call.out.kind(), [&]<class From, class To>(From*, To*) {
        const From* values = call.args[0].values<From>();
        const u32 step = call.args[0].form == VectorForm::kConstant ? 0 : 1;
        for (u32 i = 0; i < call.count; ++i) {
            const u32 row = call.rowAt(i);
            if (call.args.size() > 1 && call.args[1].isNull(row)) continue;
            const i64 digits = call.args.size() > 1 ? i64(call.args[1].integerAt(row)) : 0;
            i128 value = values[row * step];
            int scale = from_scale;
            const i64 drop = from_scale - digits; // digits to take off
            if (drop > 38) {
                value = 0;
                scale = to_scale;
            } else if (drop > 0) {
                value = roundTo(value, kernels::powerOfTen(int(drop)), rounding);
                scale = int(digits);
            }
            bool overflow = false;
            if (scale < to_scale)
                overflow = __builtin_mul_overflow(
                    value, kernels::powerOfTen(std::min(38, to_scale - scale)), &value);
            else if (scale > to_scale)
                value = roundTo(value, kernels::powerOfTen(scale - to_scale), rounding);
            const i128 limit = kernels::powerOfTen(call.result_type.precision);
            if (overflow || value >= limit || value <= -limit)
                return raiseOutOfRange(call.context, call.result_type);
            call.out.values<To>()[row] = To(value);
        }
    });
}

/// ROUND(d, n) with a constant n gives n digits, else the scale of d. One digit more before the
/// point.
SqlType roundResult(std::span<const SqlType> arguments, std::span<const Value* const> constants) {
    const SqlType& type = arguments[0];
    int scale = arguments.size() == 1 ? 0 : type.scale;
    if (arguments.size() == 2 && constants.size() == 2 && constants[1] != nullptr &&
        !constants[1]->is_null)
        scale = int(std::clamp<i128>(constants[1]->integer, 0,
                                     std::max<int>(type.scale, 37 - type.precision + type.scale)));
    return SqlType::decimal(std::min(kMaxDecimalPrecision, type.precision - type.scale + 1 + scale),
                            scale);
}
SqlType wholeResult(std::span<const SqlType> arguments, std::span<const Value* const>) {
    const SqlType& type = arguments[0];
    return SqlType::decimal(std::min(kMaxDecimalPrecision, type.precision - type.scale + 1), 0);
}
SqlType sameResult(std::span<const SqlType> arguments, std::span<const Value* const>) {
    return arguments[0];
}
SqlType signResult(std::span<const SqlType>, std::span<const Value* const>) {
    return SqlType::decimal(1, 0);
}

void absDecimalLoop(const LoopCall& call) {
    dispatchIntegers(call.args[0].kind, call.out.kind(), [&]<class From, class To>(From*, To*) {
        castRows<From, To, OnFailure::kNever>(call, [](From value, u32&) {
            return To(value < 0 ? kernels::subtract(From(0), value) : value);
        });
    });
}
void signDecimalLoop(const LoopCall& call) {
    dispatchIntegers(call.args[0].kind, call.out.kind(), [&]<class From, class To>(From*, To*) {
        castRows<From, To, OnFailure::kNever>(
            call, [](From value, u32&) { return To(value < 0 ? -1 : value > 0); });
    });
}
template <class T> T absInteger(Scope& scope, T value) {
    u32 flags = 0;
    const T result = value < 0 ? kernels::negateChecked(value, flags) : value;
    if (flags != 0) raiseOutOfRange(scope.call.context, scope.call.result_type);
    return result;
}
template <class T> T identity(Scope&, T value) {
    return value;
}

// ---- Floats.

f64 absFloat(Scope&, f64 value) {
    return std::fabs(value);
}
f64 roundFloat(Scope&, f64 value) {
    return std::round(value);
}
f64 truncateFloat(Scope&, f64 value) {
    return std::trunc(value);
}
template <bool truncates> f64 roundDigits(Scope&, f64 value, i32 digits) {
    if (digits > 300 || digits < -300 || !std::isfinite(value)) return digits < -300 ? 0 : value;
    const f64 power = std::pow(10.0, std::abs(digits));
    const f64 scaled = digits >= 0 ? value * power : value / power;
    if (!std::isfinite(scaled)) return value;
    f64 rounded = truncates ? std::trunc(scaled) : std::round(scaled);
    // 1.005 * 100 is 100.49999: a neighbour that reads back the same counts.
    if (truncates) {
        const f64 nearest = std::round(scaled);
        if ((digits >= 0 ? nearest / power : nearest * power) == value) rounded = nearest;
    }
    return digits >= 0 ? rounded / power : rounded * power;
}
f64 ceilFloat(Scope&, f64 value) {
    return std::ceil(value);
}
f64 floorFloat(Scope&, f64 value) {
    return std::floor(value);
}
f64 signFloat(Scope&, f64 value) {
    return value > 0 ? 1 : value < 0 ? -1 : value;
}
f64 squareRoot(Scope& scope, f64 value) {
    if (value < 0)
        scope.fail(Error(sqlstate::kInvalidArgumentForPower,
                         "cannot take square root of a negative number")
                       .withHint("Use ABS or a condition on the argument."));
    return std::sqrt(value);
}
f64 cubeRoot(Scope&, f64 value) {
    return std::cbrt(value);
}
f64 exponential(Scope& scope, f64 value) {
    return finite(scope, std::exp(value), std::isfinite(value));
}
bool checkLogarithm(Scope& scope, f64 value) {
    if (value > 0 || std::isnan(value)) return true;
    scope.fail(Error(sqlstate::kInvalidArgumentForLogarithm,
                     value == 0 ? "cannot take logarithm of zero"
                                : "cannot take logarithm of a negative number")
                   .withHint("Use a condition that keeps the argument above zero."));
    return false;
}
f64 naturalLog(Scope& scope, f64 value) {
    return checkLogarithm(scope, value) ? std::log(value) : 0;
}
f64 decimalLog(Scope& scope, f64 value) {
    return checkLogarithm(scope, value) ? std::log10(value) : 0;
}
f64 baseLog(Scope& scope, f64 base, f64 value) {
    if (!checkLogarithm(scope, base) || !checkLogarithm(scope, value)) return 0;
    if (base == 1) {
        scope.fail(sqlstate::kDivisionByZero, "division by zero");
        return 0;
    }
    return std::log(value) / std::log(base);
}
f64 power(Scope& scope, f64 base, f64 exponent) {
    if (base < 0 && std::isfinite(exponent) && exponent != std::floor(exponent)) {
        scope.fail(sqlstate::kInvalidArgumentForPower,
                   "a negative number raised to a non-integer power yields a complex result");
        return 0;
    }
    if (base == 0 && exponent < 0) {
        scope.fail(sqlstate::kInvalidArgumentForPower,
                   "zero raised to a negative power is undefined");
        return 0;
    }
    return finite(scope, std::pow(base, exponent), std::isfinite(base) && std::isfinite(exponent));
}
f64 sine(Scope&, f64 value) {
    return std::sin(value);
}
f64 cosine(Scope&, f64 value) {
    return std::cos(value);
}
f64 tangent(Scope&, f64 value) {
    return std::tan(value);
}
f64 cotangent(Scope& scope, f64 value) {
    return finite(scope, 1 / std::tan(value));
}
f64 inUnit(Scope& scope, f64 value, f64 result) {
    if (value < -1 || value > 1)
        scope.fail(sqlstate::kNumericValueOutOfRange, "input is out of range");
    return result;
}
f64 arcSine(Scope& scope, f64 value) {
    return inUnit(scope, value, std::asin(value));
}
f64 arcCosine(Scope& scope, f64 value) {
    return inUnit(scope, value, std::acos(value));
}
f64 arcTangent(Scope&, f64 value) {
    return std::atan(value);
}
f64 arcTangent2(Scope&, f64 y, f64 x) {
    return std::atan2(y, x);
}
constexpr f64 kPi = 3.14159265358979323846;
f64 degrees(Scope& scope, f64 value) {
    return finite(scope, value * (180 / kPi), std::isfinite(value));
}
f64 radians(Scope&, f64 value) {
    return value * (kPi / 180);
}
f64 moduloFloat(Scope& scope, f64 a, f64 b) {
    if (b == 0) scope.fail(sqlstate::kDivisionByZero, "division by zero");
    return std::fmod(a, b);
}

void piLoop(const LoopCall& call) {
    for (u32 i = 0; i < call.count; ++i) call.out.values<f64>()[call.rowAt(i)] = kPi;
}
/// A Weyl sequence through the mixing function: uniform in [0, 1).
void randomLoop(const LoopCall& call) {
    for (u32 i = 0; i < call.count; ++i) {
        call.context.random_state += 0x9E3779B97F4A7C15ull;
        call.out.values<f64>()[call.rowAt(i)] =
            f64(mixHash(call.context.random_state) >> 11) * 0x1.0p-53;
    }
}

// ---- Bits.

template <class T> T bitAnd(Scope&, T a, T b) {
    return a & b;
}
template <class T> T bitOr(Scope&, T a, T b) {
    return a | b;
}
template <class T> T bitXor(Scope&, T a, T b) {
    return a ^ b;
}
template <class T> T bitNot(Scope&, T a) {
    return ~a;
}
template <class T> T shiftLeft(Scope&, T a, i32 count) {
    using U = typename kernels::UnsignedOf<T>::Type;
    return T(U(a) << (u32(count) % (sizeof(T) * 8)));
}
template <class T> T shiftRight(Scope&, T a, i32 count) {
    return T(a >> (u32(count) % (sizeof(T) * 8)));
}

Function failing(std::string_view name, VectorLoop loop) {
    return {.name = name, .can_fail = true, .loop = loop};
}
Function safe(std::string_view name, VectorLoop loop) {
    return {.name = name, .leak_proof = true, .loop = loop};
}

class Table {
public:
    std::vector<Overload> rows;

    void add(Function function, std::vector<K> parameters, K result, ResultRule rule = nullptr) {
        rows.push_back({function, std::move(parameters), result, rule});
    }
    void floats() {
        const auto one = [&](std::initializer_list<std::string_view> names, VectorLoop loop,
                             bool fails) {
            for (std::string_view name : names)
                add(fails ? failing(name, loop) : safe(name, loop), {K::kDouble}, K::kDouble);
        };
        one({"sqrt", "|/"}, rowLoop<squareRoot>, true);
        one({"cbrt", "||/"}, rowLoop<cubeRoot>, false);
        one({"exp", "dexp"}, rowLoop<exponential>, true);
        one({"ln", "dlog1"}, rowLoop<naturalLog>, true);
        one({"log", "dlog10", "log10"}, rowLoop<decimalLog>, true);
        one({"sin"}, rowLoop<sine>, false);
        one({"cos"}, rowLoop<cosine>, false);
        one({"tan"}, rowLoop<tangent>, false);
        one({"cot"}, rowLoop<cotangent>, true);
        one({"asin"}, rowLoop<arcSine>, true);
        one({"acos"}, rowLoop<arcCosine>, true);
        one({"atan"}, rowLoop<arcTangent>, false);
        one({"degrees"}, rowLoop<degrees>, true);
        one({"radians"}, rowLoop<radians>, false);
        add(safe("atan2", rowLoop<arcTangent2>), {K::kDouble, K::kDouble}, K::kDouble);
        add(failing("log", rowLoop<baseLog>), {K::kDouble, K::kDouble}, K::kDouble);
        for (std::string_view name : {"power", "pow", "^"})
            add(failing(name, rowLoop<power>), {K::kDouble, K::kDouble}, K::kDouble);
        add(safe("pi", piLoop), {}, K::kDouble);
        add({.name = "random", .volatility = Volatility::kVolatile, .loop = randomLoop}, {},
            K::kDouble);
        for (std::string_view name : {"mod", "%"})
            add(failing(name, rowLoop<moduloFloat>), {K::kDouble, K::kDouble}, K::kDouble);
    }
    void rounding() {
        integerIdentity("round");
        integerIdentity("trunc");
        for (std::string_view name : {"ceil", "ceiling", "floor"}) integerIdentity(name);
        add(failing("round", roundDecimalLoop<Rounding::kRound>), {K::kDecimal}, K::kDecimal,
            roundResult);
        add(safe("round", rowLoop<roundFloat>), {K::kDouble}, K::kDouble);
        add(failing("round", roundDecimalLoop<Rounding::kRound>), {K::kDecimal, K::kInteger},
            K::kDecimal, roundResult);
        add(safe("round", rowLoop<roundDigits<false>>), {K::kDouble, K::kInteger}, K::kDouble);
        add(failing("trunc", roundDecimalLoop<Rounding::kTruncate>), {K::kDecimal}, K::kDecimal,
            roundResult);
        add(safe("trunc", rowLoop<truncateFloat>), {K::kDouble}, K::kDouble);
        add(failing("trunc", roundDecimalLoop<Rounding::kTruncate>), {K::kDecimal, K::kInteger},
            K::kDecimal, roundResult);
        add(safe("trunc", rowLoop<roundDigits<true>>), {K::kDouble, K::kInteger}, K::kDouble);
        for (std::string_view name : {"ceil", "ceiling"}) {
            add(failing(name, roundDecimalLoop<Rounding::kCeiling>), {K::kDecimal}, K::kDecimal,
                wholeResult);
            add(safe(name, rowLoop<ceilFloat>), {K::kDouble}, K::kDouble);
        }
        add(failing("floor", roundDecimalLoop<Rounding::kFloor>), {K::kDecimal}, K::kDecimal,
            wholeResult);
        add(safe("floor", rowLoop<floorFloat>), {K::kDouble}, K::kDouble);
        for (std::string_view name : {"abs", "@"}) {
            add(failing(name, rowLoop<absInteger<i16>>), {K::kSmallInt}, K::kSmallInt);
            add(failing(name, rowLoop<absInteger<i32>>), {K::kInteger}, K::kInteger);
            add(failing(name, rowLoop<absInteger<i64>>), {K::kBigInt}, K::kBigInt);
            add(safe(name, absDecimalLoop), {K::kDecimal}, K::kDecimal, sameResult);
            add(safe(name, rowLoop<absFloat>), {K::kDouble}, K::kDouble);
        }
        add(safe("sign", signDecimalLoop), {K::kDecimal}, K::kDecimal, signResult);
        add(safe("sign", rowLoop<signFloat>), {K::kDouble}, K::kDouble);
    }
    void bits() {
        addBits<i16>(K::kSmallInt);
        addBits<i32>(K::kInteger);
        addBits<i64>(K::kBigInt);
    }

private:
    void integerIdentity(std::string_view name) {
        add(safe(name, rowLoop<identity<i16>>), {K::kSmallInt}, K::kSmallInt);
        add(safe(name, rowLoop<identity<i32>>), {K::kInteger}, K::kInteger);
        add(safe(name, rowLoop<identity<i64>>), {K::kBigInt}, K::kBigInt);
    }
    template <class T> void addBits(K kind) {
        add(safe("&", rowLoop<bitAnd<T>>), {kind, kind}, kind);
        add(safe("|", rowLoop<bitOr<T>>), {kind, kind}, kind);
        add(safe("#", rowLoop<bitXor<T>>), {kind, kind}, kind);
        add(safe("~", rowLoop<bitNot<T>>), {kind}, kind);
        add(safe("<<", rowLoop<shiftLeft<T>>), {kind, K::kInteger}, kind);
        add(safe(">>", rowLoop<shiftRight<T>>), {kind, K::kInteger}, kind);
    }
};

} // namespace

OverloadTable mathFunctions() {
    static const std::vector<Overload> kTable = [] {
        Table table;
        table.floats();
        table.rounding();
        table.bits();
        return std::move(table.rows);
    }();
    return kTable;
}

} // namespace blueshift::functions
