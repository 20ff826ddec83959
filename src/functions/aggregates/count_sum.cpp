// COUNT, SUM and AVG. Integer and decimal sums accumulate in 128 bits and are checked once.
#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"
#include "kernels/aggregate.h"
#include "kernels/decimal.h"

namespace blueshift::functions::aggregates {
namespace {

// ---- COUNT: the caller has dropped the rows whose argument is NULL.

void initCount(u8* state) {
    *reinterpret_cast<u64*>(state) = 0;
}
void countEach(const AggregateCall&, const u16*, u8* const* states, u32 count) {
    for (u32 i = 0; i < count; ++i) ++*reinterpret_cast<u64*>(states[i]);
}
void countMany(const AggregateCall&, const u16*, u32 count, u8* state) {
    *reinterpret_cast<u64*>(state) += count;
}
void combineCounts(const AggregateCall&, u8* into, const u8* from) {
    *reinterpret_cast<u64*>(into) += *reinterpret_cast<const u64*>(from);
}
void finalizeCount(const AggregateCall&, u8* const* states, u32 count, VectorBuffer& out,
                   TextHeap&) {
    std::memset(out.validity(), 0xFF, (count + 63) / 64 * 8);
    dispatchInteger(out.kind(), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        for (u32 i = 0; i < count; ++i)
            out.values<T>()[i] = T(*reinterpret_cast<const u64*>(states[i]));
    });
}
constexpr Aggregate countEntry() {
    return {.name = "count",
            .state_bytes = sizeof(kernels::Count),
            .fused = FusedState::kCount,
            .init = initCount,
            .update = countEach,
            .update_one = countMany,
            .combine = combineCounts,
            .finalize = finalizeCount,
            .two_phase = TwoPhase::kCount};
}

// ---- Exact sums.

using kernels::ExactSum;

/// Reports a sum that the result type cannot hold; false then.
bool fitsResult(const AggregateCall& call, const ExactSum& state, i128 value) {
    bool fits = (state.count & ExactSum::kOverflowed) == 0;
    if (call.result_type.kind == TypeKind::kDecimal) {
        fits = fits && kernels::fitsDecimal(value, kernels::kMaxDecimal + 1);
        if (!fits)
            call.context.fail(sqlstate::kNumericValueOutOfRange,
                              "128 bit numeric data overflow (SUM)");
        return fits;
    }
    const bool narrow = naturalKind(call.result_type) == PhysicalKind::kI32;
    fits = fits && (narrow ? value == i32(value) : value == i64(value));
    if (!fits)
        call.context.fail(Error(sqlstate::kNumericValueOutOfRange,
                                formatType(call.result_type) + " out of range in SUM")
                              .withHint("Cast the argument to DECIMAL(38,0) to sum it exactly."));
    return fits;
}

struct ExactSumFamily {
    using State = ExactSum;
    using Result = i128;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument = ArgumentKinds::kIntegers;
    static constexpr ArgumentKinds kResult = ArgumentKinds::kIntegers;

    template <class T> static void add(State& state, const T& value, const AggregateCall&) {
        state.add(value);
    }
    /// A batch of values of 32 bits cannot overflow 64 bits, nor one of 64 bits 128.
    template <class T, class Value, class RowOf>
    static void addMany(Value&& value, RowOf&& row_of, u32 count, State& state) {
        if constexpr (sizeof(T) == 16) {
            for (u32 i = 0; i < count; ++i) state.addWide(value(row_of(i)));
        } else {
            using Partial = std::conditional_t<sizeof(T) <= 4, i64, i128>;
            Partial partial = 0;
            for (u32 i = 0; i < count; ++i) partial += value(row_of(i));
            state.addPartial(partial, count);
            return;
        }
        state.count += count;
    }
    static void combine(State& into, const State& from, const AggregateCall&) {
        into.addWide(from.sum);
        into.count = ((into.count & ~State::kOverflowed) + (from.count & ~State::kOverflowed)) |
                     ((into.count | from.count) & State::kOverflowed);
    }
    static bool result(const AggregateCall& call, const State& state, i128& value, TextHeap&) {
        if (state.count == 0) return false;
        value = state.sum;
        return fitsResult(call, state, value);
    }
};

/// Integers: truncated toward zero, as documented. Decimals keep their scale, rounded half away.
struct ExactAverageFamily : ExactSumFamily {
    static bool result(const AggregateCall& call, const State& state, i128& value, TextHeap&) {
        const u64 count = state.count & ~State::kOverflowed;
        if (count == 0) return false;
        if ((state.count & State::kOverflowed) != 0) return fitsResult(call, state, state.sum);
        value = call.result_type.kind == TypeKind::kDecimal
                    ? kernels::divideRounded<i128>(state.sum, i128(count))
                    : i128(state.sum) / i128(count);
        return true;
    }
};

// ---- Floating sums.

using kernels::FloatSum;

struct FloatSumFamily {
    using State = FloatSum;
    using Result = f64;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument = ArgumentKinds::kFloats;
    static constexpr ArgumentKinds kResult = ArgumentKinds::kFloats;

    template <class T> static void add(State& state, const T& value, const AggregateCall&) {
        state.add(f64(value));
    }
    static void combine(State& into, const State& from, const AggregateCall&) {
        into.sum += from.sum;
        into.count += from.count;
    }
    static bool result(const AggregateCall&, const State& state, f64& value, TextHeap&) {
        value = state.sum;
        return state.count > 0;
    }
};

struct FloatAverageFamily : FloatSumFamily {
    static bool result(const AggregateCall&, const State& state, f64& value, TextHeap&) {
        value = state.sum / f64(state.count);
        return state.count > 0;
    }
};

constexpr Aggregate kCount = countEntry();
constexpr Aggregate kExactSum =
    StateLoops<ExactSumFamily>::travelling<FusedState::kExactSum>("sum");
constexpr Aggregate kExactAverage =
    StateLoops<ExactAverageFamily>::travelling<FusedState::kExactSum>("avg");
constexpr Aggregate kFloatSum =
    StateLoops<FloatSumFamily>::travelling<FusedState::kFloatSum>("sum");
constexpr Aggregate kFloatAverage =
    StateLoops<FloatAverageFamily>::travelling<FusedState::kFloatSum>("avg");

bool isSummable(TypeKind kind) {
    return isInteger(kind) || kind == TypeKind::kDecimal || isInterval(kind);
}

} // namespace

const Aggregate* countRows() {
    return &kCount;
}
const Aggregate* countValues() {
    return &kCount;
}

const Aggregate* sumOf(const SqlType& argument) {
    if (isFloat(argument.kind)) return &kFloatSum;
    return isSummable(argument.kind) ? &kExactSum : nullptr;
}

const Aggregate* sumOfCounts() {
    return &kExactSum;
}

const Aggregate* averageOf(const SqlType& argument) {
    if (isFloat(argument.kind)) return &kFloatAverage;
    return isSummable(argument.kind) ? &kExactAverage : nullptr;
}

} // namespace blueshift::functions::aggregates
