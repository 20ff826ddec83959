// STDDEV and VARIANCE over doubles: running mean and squared distance (Welford; combined as by
// Chan, Golub and LeVeque), which stays exact where sums of squares cancel.
#include <cmath>

#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"

namespace blueshift::functions::aggregates {
namespace {

struct Moments {
    u64 count = 0;
    f64 mean = 0;
    f64 squares = 0; // sum of squared distances from the mean
};

template <bool Sample, bool Deviation> struct MomentsFamily {
    using State = Moments;
    using Result = f64;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument = ArgumentKinds::kFloats;
    static constexpr ArgumentKinds kResult = ArgumentKinds::kFloats;

    template <class T> static void add(State& state, const T& value, const AggregateCall&) {
        ++state.count;
        const f64 distance = f64(value) - state.mean;
        state.mean += distance / f64(state.count);
        state.squares += distance * (f64(value) - state.mean);
    }
    static void combine(State& into, const State& from, const AggregateCall&) {
        if (from.count == 0) return;
        if (into.count == 0) {
            into = from;
            return;
        }
        const f64 count = f64(into.count) + f64(from.count);
        const f64 distance = from.mean - into.mean;
        into.squares +=
            from.squares + distance * distance * (f64(into.count) * f64(from.count) / count);
        into.mean += distance * (f64(from.count) / count);
        into.count += from.count;
    }
    static bool result(const AggregateCall&, const State& state, f64& value, TextHeap&) {
        if (state.count < (Sample ? 2 : 1)) return false;
        value = state.squares / f64(state.count - (Sample ? 1 : 0));
        if (Deviation) value = std::sqrt(value);
        return true;
    }
};

constexpr Aggregate kVarSample = StateLoops<MomentsFamily<true, false>>::travelling("var_samp");
constexpr Aggregate kVarPopulation = StateLoops<MomentsFamily<false, false>>::travelling("var_pop");
constexpr Aggregate kStdSample = StateLoops<MomentsFamily<true, true>>::travelling("stddev_samp");
constexpr Aggregate kStdPopulation =
    StateLoops<MomentsFamily<false, true>>::travelling("stddev_pop");

} // namespace

const Aggregate* varianceOf(bool sample, bool deviation) {
    if (deviation) return sample ? &kStdSample : &kStdPopulation;
    return sample ? &kVarSample : &kVarPopulation;
}

} // namespace blueshift::functions::aggregates
