// MEDIAN, PERCENTILE_CONT and PERCENTILE_DISC: values are kept, then the wanted ranks selected.
//
// Values that arrived in descending order (WITHIN GROUP (ORDER BY x DESC)) keep that order; all
// others are put in ascending order first. So the order of arrival matters only to calls with DESC.
#include <algorithm>
#include <cmath>

#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"
#include "kernels/decimal.h"

namespace blueshift::functions::aggregates {
namespace {

template <class T> struct ValueList {
    T* values = nullptr;
    u64 count = 0;
    u64 capacity = 0;
    f64 fraction = 0.5;

    void push(const T& value, StateStore& store) {
        if (count == capacity) {
            capacity = capacity == 0 ? 4 : capacity * 2;
            T* grown = static_cast<T*>(store.allocate(capacity * sizeof(T)));
            if (count > 0) std::memcpy(grown, values, count * sizeof(T));
            values = grown;
        }
        std::memcpy(values + count, &value, sizeof(T));
        ++count;
    }
};

/// Values of 16 bytes are aligned to 8 in the store.
struct [[gnu::packed, gnu::aligned(8)]] WideInteger {
    i128 value;
    WideInteger() = default;
    WideInteger(i128 given) : value(given) {}
    operator i128() const { return value; }
};

template <class T> bool precedes(const T& a, const T& b) {
    if constexpr (std::is_same_v<T, f64>) return a < b || (b != b && a == a);
    else if constexpr (std::is_same_v<T, WideInteger>) return i128(a) < i128(b);
    else return a < b;
}

template <class T, Quantile Which> struct QuantileFamily {
    using State = ValueList<T>;
    using Result = std::conditional_t<std::is_same_v<T, f64>, f64, i128>;
    static constexpr u32 kArgumentIndex = Which == Quantile::kMedian ? 0 : 1;
    static constexpr ArgumentKinds kArgument =
        std::is_same_v<T, f64> ? ArgumentKinds::kFloats : ArgumentKinds::kIntegers;
    static constexpr ArgumentKinds kResult = kArgument;

    template <class V> static void add(State& state, const V& value, const AggregateCall& call) {
        if constexpr (Which != Quantile::kMedian) {
            if (state.count == 0) readFraction(state, call);
        }
        state.push(T(value), call.store);
    }
    static void readFraction(State& state, const AggregateCall& call) {
        state.fraction = call.args[0].valueAt<f64>(0);
        if (!(state.fraction >= 0 && state.fraction <= 1))
            call.context.fail(
                Error(sqlstate::kInvalidParameterValue, "percentile value is not between 0 and 1")
                    .withHint("Give a fraction such as 0.5 as the first argument."));
    }
    static void combine(State& into, const State& from, const AggregateCall& call) {
        if (into.count == 0) into.fraction = from.fraction;
        for (u64 i = 0; i < from.count; ++i) into.push(from.values[i], call.store);
    }

    static u64 storedBytes(const State& state) { return state.count * sizeof(T); }
    static void store(const State& state, u8* out) {
        if (state.count > 0) std::memcpy(out, state.values, state.count * sizeof(T));
    }
    static void restore(State& state, u8* at) {
        state.values = reinterpret_cast<T*>(at);
        state.capacity = state.count;
    }

    /// Puts the values of these ranks, `above` below + 1 at most, where sorting would put them.
    static void select(const State& state, u64 below, u64 above) {
        T* end = state.values + state.count;
        const auto after = [](const T& a, const T& b) { return precedes<T>(b, a); };
        if (std::is_sorted(state.values, end, after)) return;
        std::nth_element(state.values, state.values + below, end, precedes<T>);
        if (above != below) {
            T* least = std::min_element(state.values + above, end, precedes<T>);
            std::swap(state.values[above], *least);
        }
    }
    static bool result(const AggregateCall& call, const State& state, Result& value, TextHeap&) {
        if (state.count == 0 || call.context.failed()) return false;
        if constexpr (Which == Quantile::kDiscrete) {
            const f64 rank = std::ceil(state.fraction * f64(state.count));
            const u64 at = rank < 1 ? 0 : u64(rank) - 1;
            select(state, at, at);
            value = state.values[at];
            return true;
        }
        const f64 position = state.fraction * f64(state.count - 1);
        const u64 below = u64(position);
        const u64 above = std::min(below + 1, state.count - 1);
        select(state, below, above);
        value = between(call, state.values[below], state.values[above], position - f64(below));
        return true;
    }
    static Result between(const AggregateCall& call, const T& low, const T& high, f64 part) {
        if constexpr (std::is_same_v<T, f64>) {
            return part == 0 ? low : low + (high - low) * part;
        } else {
            const SqlType& argument = call.arg_types[kArgumentIndex];
            const int digits = call.result_type.kind == TypeKind::kDecimal
                                   ? call.result_type.scale - argument.scale
                                   : 0;
            const i128 power = kernels::powerOfTen(digits);
            i128 base;
            if (__builtin_mul_overflow(i128(low), power, &base) ||
                !kernels::fitsDecimal(base, kernels::kMaxDecimal + 1)) {
                call.context.fail(sqlstate::kNumericValueOutOfRange,
                                  "128 bit numeric data overflow (percentile)");
                return 0;
            }
            const i128 span = (i128(high) - i128(low)) * power;
            if (part == 0.5) return base + kernels::divideRounded<i128>(span, 2);
            return base + i128(std::round(static_cast<long double>(span) * part));
        }
    }
};

template <Quantile Which> const Aggregate* pick(PhysicalKind kind) {
    constexpr std::string_view kName = Which == Quantile::kMedian       ? "median"
                                       : Which == Quantile::kContinuous ? "percentile_cont"
                                                                        : "percentile_disc";
    static constexpr Aggregate kNarrow = StateLoops<QuantileFamily<i64, Which>>::entry(kName);
    static constexpr Aggregate kWide = StateLoops<QuantileFamily<WideInteger, Which>>::entry(kName);
    static constexpr Aggregate kFloat = StateLoops<QuantileFamily<f64, Which>>::entry(kName);
    if (kind == PhysicalKind::kI128) return &kWide;
    return isIntegerKind(kind) ? &kNarrow : &kFloat;
}

} // namespace

const Aggregate* quantileOf(Quantile which, const SqlType& argument) {
    const TypeKind kind = argument.kind;
    if (!isNumeric(kind) && !isDateTime(kind) && !isInterval(kind)) return nullptr;
    const PhysicalKind physical = naturalKind(argument);
    switch (which) {
    case Quantile::kMedian: return pick<Quantile::kMedian>(physical);
    case Quantile::kContinuous: return pick<Quantile::kContinuous>(physical);
    default: return pick<Quantile::kDiscrete>(physical);
    }
}

} // namespace blueshift::functions::aggregates
