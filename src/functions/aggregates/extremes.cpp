// MIN, MAX and ANY_VALUE of every type.
#include "functions/aggregates/families.h"
#include "functions/aggregates/state_loops.h"
#include "kernels/aggregate.h"

namespace blueshift::functions::aggregates {
namespace {

using kernels::Kept;

template <class T, Extreme Which> struct ExtremeFamily {
    using State = Kept<T>;
    using Result = T;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument =
        std::is_floating_point_v<T> ? ArgumentKinds::kFloats : ArgumentKinds::kIntegers;
    static constexpr ArgumentKinds kResult = kArgument;

    template <class V> static void add(State& state, const V& given, const AggregateCall&) {
        add(state, given);
    }
    template <class V> static void add(State& state, const V& given) {
        if constexpr (Which == Extreme::kMin) state.keepLeast(T(given));
        else if constexpr (Which == Extreme::kMax) state.keepGreatest(T(given));
        else state.keepFirst(T(given));
    }
    template <class V, class Value, class RowOf>
    static void addMany(Value&& value, RowOf&& row_of, u32 count, State& state) {
        if (count == 0 || (Which == Extreme::kAny && state.present != 0)) return;
        V best = value(row_of(0));
        if constexpr (Which == Extreme::kMin) {
            for (u32 i = 1; i < count; ++i) {
                const V v = value(row_of(i));
                best = kernels::less<V>(v, best) ? v : best;
            }
        } else if constexpr (Which == Extreme::kMax) {
            for (u32 i = 1; i < count; ++i) {
                const V v = value(row_of(i));
                best = kernels::less<V>(best, v) ? v : best;
            }
        }
        add(state, best);
    }
    static void combine(State& into, const State& from, const AggregateCall&) {
        if (from.present != 0) add(into, T(from.value));
    }
    static bool result(const AggregateCall&, const State& state, T& value, TextHeap&) {
        value = state.value;
        return state.present != 0;
    }
};

/// Text lies in the StateStore; its room is used again while it suffices, and doubles otherwise.
struct KeptText {
    char* bytes = nullptr;
    u32 length = 0;
    u32 capacity = 0;
    u64 present = 0;

    TextView view() const { return kernels::makeText(bytes, length); }
    void keep(const TextView& text, StateStore& store) {
        if (text.length > capacity) {
            capacity = text.length + (capacity == 0 ? 0 : text.length);
            capacity = (capacity + 7) & ~7u;
            bytes = static_cast<char*>(store.allocate(capacity));
        }
        if (text.length > 0) std::memcpy(bytes, text.data(), text.length);
        length = text.length;
        present = 1;
    }
};

template <Extreme Which> struct TextExtremeFamily {
    using State = KeptText;
    using Result = TextView;
    static constexpr u32 kArgumentIndex = 0;
    static constexpr ArgumentKinds kArgument = ArgumentKinds::kText;
    static constexpr ArgumentKinds kResult = ArgumentKinds::kText;

    static void add(State& state, const TextView& value, const AggregateCall& call) {
        if (state.present != 0) {
            if constexpr (Which == Extreme::kAny) return;
            const i32 order = kernels::compareText(value, state.view());
            if (Which == Extreme::kMin ? order >= 0 : order <= 0) return;
        }
        state.keep(value, call.store);
    }
    static void combine(State& into, const State& from, const AggregateCall& call) {
        if (from.present != 0) add(into, from.view(), call);
    }
    static bool result(const AggregateCall&, const State& state, TextView& value, TextHeap& heap) {
        if (state.present == 0) return false;
        value = heap.store({state.bytes, state.length});
        return true;
    }
    static u64 storedBytes(const State& state) { return state.length; }
    static void store(const State& state, u8* out) {
        if (state.length > 0) std::memcpy(out, state.bytes, state.length);
    }
    static void restore(State& state, u8* at) {
        state.bytes = reinterpret_cast<char*>(at);
        state.capacity = state.length;
    }
};

constexpr std::string_view kNames[] = {"min", "max", "any_value"};

template <Extreme Which> const Aggregate* pick(PhysicalKind kind) {
    constexpr std::string_view name = kNames[u8(Which)];
    constexpr FusedState fused = Which == Extreme::kMin   ? FusedState::kLeast
                                 : Which == Extreme::kMax ? FusedState::kGreatest
                                                          : FusedState::kFirst;
    static constexpr Aggregate kNarrow =
        StateLoops<ExtremeFamily<i64, Which>>::resultsAgain(name, fused);
    static constexpr Aggregate kWide =
        StateLoops<ExtremeFamily<i128, Which>>::resultsAgain(name, fused);
    static constexpr Aggregate kFloat =
        StateLoops<ExtremeFamily<f64, Which>>::resultsAgain(name, fused);
    static constexpr Aggregate kText = StateLoops<TextExtremeFamily<Which>>::resultsAgain(name);
    switch (kind) {
    case PhysicalKind::kI128: return &kWide;
    case PhysicalKind::kF32:
    case PhysicalKind::kF64: return &kFloat;
    case PhysicalKind::kText: return &kText;
    default: return &kNarrow;
    }
}

} // namespace

const Aggregate* extremeOf(Extreme which, const SqlType& argument) {
    if (argument.kind == TypeKind::kVoid) return nullptr;
    if (which != Extreme::kAny && argument.kind == TypeKind::kBoolean) return nullptr;
    const PhysicalKind kind = naturalKind(argument);
    switch (which) {
    case Extreme::kMin: return pick<Extreme::kMin>(kind);
    case Extreme::kMax: return pick<Extreme::kMax>(kind);
    default: return pick<Extreme::kAny>(kind);
    }
}

} // namespace blueshift::functions::aggregates
