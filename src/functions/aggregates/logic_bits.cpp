// BOOL_AND, BOOL_OR, BIT_AND and BIT_OR.
#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"

namespace blueshift::functions::aggregates {
namespace {

struct Bits {
    i64 value = 0;
    u64 present = 0;
};

/// Booleans are 0 and 1, so that the bitwise operations serve them as well.
template <bool And> struct BitsFamily {
    using State = Bits;
    using Result = i64;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument = ArgumentKinds::kIntegers;
    static constexpr ArgumentKinds kResult = ArgumentKinds::kIntegers;

    template <class T> static void add(State& state, const T& value, const AggregateCall&) {
        if (state.present == 0) state.value = i64(value);
        else if constexpr (And) state.value &= i64(value);
        else state.value |= i64(value);
        state.present = 1;
    }
    static void combine(State& into, const State& from, const AggregateCall& call) {
        if (from.present != 0) add(into, from.value, call);
    }
    static bool result(const AggregateCall&, const State& state, i64& value, TextHeap&) {
        value = state.value;
        return state.present != 0;
    }
};

constexpr Aggregate kBoolAnd = StateLoops<BitsFamily<true>>::resultsAgain("bool_and");
constexpr Aggregate kBoolOr = StateLoops<BitsFamily<false>>::resultsAgain("bool_or");
constexpr Aggregate kBitAnd = StateLoops<BitsFamily<true>>::resultsAgain("bit_and");
constexpr Aggregate kBitOr = StateLoops<BitsFamily<false>>::resultsAgain("bit_or");

} // namespace

const Aggregate* booleanAnd() {
    return &kBoolAnd;
}
const Aggregate* booleanOr() {
    return &kBoolOr;
}
const Aggregate* bitwiseAnd() {
    return &kBitAnd;
}
const Aggregate* bitwiseOr() {
    return &kBitOr;
}

} // namespace blueshift::functions::aggregates
