// state_loops.h: makes an Aggregate from a family: a state and what adding a value does to it.
//
// Place: private to functions/aggregates. A family has `State` (trivially copyable, aligned to 8),
// `kArgument` (which physical kinds it takes), and the static functions
//   add(State&, const T& value, const AggregateCall&)
//   combine(State& into, const State& from, const AggregateCall&)
//   result(const AggregateCall&, const State&, Out& value, TextHeap&) -> bool, false for NULL.
// Optionally addMany<T>(call, row_of, value, count, State&) replaces the loop into one state, and
// storedBytes(const State&), store(const State&, u8*), restore(State&, u8*) move what the state
// keeps in the store.
// Threads: no state of its own.
#pragma once

#include <cstring>
#include <type_traits>

#include "functions/aggregate.h"
#include "functions/aggregates/indexed_values.h"

namespace blueshift::functions::aggregates {

enum class ArgumentKinds : u8 { kIntegers, kFloats, kText, kAny };

/// Calls `body(tag)` for the C++ type of the argument's vector.
template <ArgumentKinds Kinds, class Body>
inline void visitArgument(PhysicalKind kind, Body&& body) {
    if constexpr (Kinds == ArgumentKinds::kIntegers) {
        dispatchInteger(kind, body);
    } else if constexpr (Kinds == ArgumentKinds::kFloats) {
        if (kind == PhysicalKind::kF32) body(static_cast<f32*>(nullptr));
        else body(static_cast<f64*>(nullptr));
    } else if constexpr (Kinds == ArgumentKinds::kText) {
        body(static_cast<TextView*>(nullptr));
    } else {
        dispatchKind(kind, body);
    }
}

template <class Family> struct StateLoops {
    using State = typename Family::State;
    static_assert(std::is_trivially_copyable_v<State> && sizeof(State) % 8 == 0);
    static_assert(alignof(State) <= 8);

    static void init(u8* state) { new (state) State(); }

    static void update(const AggregateCall& call, const u16* rows, u8* const* states, u32 count) {
        const Vector& argument = call.args[Family::kArgumentIndex];
        visitArgument<Family::kArgument>(argument.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            visitValues<T>(argument, [&](auto value) {
                visitRows(rows, [&](auto row_of) {
                    for (u32 i = 0; i < count; ++i)
                        Family::add(*reinterpret_cast<State*>(states[i]), value(row_of(i)), call);
                });
            });
        });
    }

    static void updateOne(const AggregateCall& call, const u16* rows, u32 count, u8* state) {
        const Vector& argument = call.args[Family::kArgumentIndex];
        State& into = *reinterpret_cast<State*>(state);
        visitArgument<Family::kArgument>(argument.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            visitValues<T>(argument, [&](auto value) {
                visitRows(rows, [&](auto row_of) {
                    if constexpr (requires {
                                      Family::template addMany<T>(value, row_of, count, into);
                                  }) {
                        Family::template addMany<T>(value, row_of, count, into);
                    } else {
                        State local = into;
                        for (u32 i = 0; i < count; ++i) Family::add(local, value(row_of(i)), call);
                        into = local;
                    }
                });
            });
        });
    }

    static void combine(const AggregateCall& call, u8* into, const u8* from) {
        Family::combine(*reinterpret_cast<State*>(into), *reinterpret_cast<const State*>(from),
                        call);
    }

    static void finalize(const AggregateCall& call, u8* const* states, u32 count, VectorBuffer& out,
                         TextHeap& heap) {
        u64* validity = out.validity();
        std::memset(validity, 0, (count + 63) / 64 * 8);
        visitArgument<Family::kResult>(out.kind(), [&](auto* tag) {
            using Out = std::remove_pointer_t<decltype(tag)>;
            Out* values = out.values<Out>();
            for (u32 i = 0; i < count; ++i) {
                typename Family::Result value{};
                const State& state = *reinterpret_cast<const State*>(states[i]);
                if (Family::result(call, state, value, heap)) {
                    values[i] = Out(value);
                    setBit(validity, i);
                } else {
                    values[i] = Out{};
                }
            }
        });
    }

    static u64 storedBytes(const u8* state) {
        return Family::storedBytes(*reinterpret_cast<const State*>(state));
    }
    static void store(const u8* state, u8* out) {
        Family::store(*reinterpret_cast<const State*>(state), out);
    }
    static void restore(u8* state, u8* at) {
        Family::restore(*reinterpret_cast<State*>(state), at);
    }

    // ---- Two phases: a state is written as a text of its bytes, and combined from one.

    static void finalizeState(const AggregateCall&, u8* const* states, u32 count, VectorBuffer& out,
                              TextHeap& heap) {
        std::memset(out.validity(), 0xFF, (count + 63) / 64 * 8);
        for (u32 i = 0; i < count; ++i)
            out.values<TextView>()[i] =
                heap.store({reinterpret_cast<const char*>(states[i]), sizeof(State)});
    }
    static void mergeInto(const AggregateCall& call, u8* into, const TextView& text) {
        if (text.size() != sizeof(State))
            return call.context.fail(sqlstate::kDataCorrupted,
                                     "the state of an aggregate from another node is damaged");
        State state;
        std::memcpy(&state, text.data(), sizeof state);
        Family::combine(*reinterpret_cast<State*>(into), state, call);
    }
    static void mergeEach(const AggregateCall& call, const u16* rows, u8* const* states,
                          u32 count) {
        for (u32 i = 0; i < count; ++i)
            mergeInto(call, states[i],
                      call.args[0].valueAt<TextView>(rows == nullptr ? i : u32(rows[i])));
    }
    static void mergeMany(const AggregateCall& call, const u16* rows, u32 count, u8* state) {
        for (u32 i = 0; i < count; ++i)
            mergeInto(call, state,
                      call.args[0].valueAt<TextView>(rows == nullptr ? i : u32(rows[i])));
    }
    template <FusedState Fused>
    static constexpr Aggregate kPartial = {.name = "partial",
                                           .state_bytes = sizeof(State),
                                           .fused = Fused,
                                           .init = init,
                                           .update = update,
                                           .update_one = updateOne,
                                           .combine = combine,
                                           .finalize = finalizeState};
    static constexpr Aggregate kMerge = {.name = "merge",
                                         .state_bytes = sizeof(State),
                                         .init = init,
                                         .update = mergeEach,
                                         .update_one = mergeMany,
                                         .combine = combine,
                                         .finalize = finalize};
    /// For states without pointers.
    template <FusedState Fused = FusedState::kNone>
    static constexpr Aggregate travelling(std::string_view name) {
        Aggregate made = entry(name, Fused);
        made.two_phase = TwoPhase::kState;
        made.partial = &kPartial<Fused>;
        made.merge = &kMerge;
        return made;
    }
    static constexpr Aggregate resultsAgain(std::string_view name,
                                            FusedState fused = FusedState::kNone) {
        Aggregate made = entry(name, fused);
        made.two_phase = TwoPhase::kResult;
        return made;
    }

    static constexpr Aggregate entry(std::string_view name, FusedState fused = FusedState::kNone,
                                     bool ordered = false) {
        Aggregate made{.name = name,
                       .state_bytes = sizeof(State),
                       .fused = fused,
                       .ordered = ordered,
                       .init = init,
                       .update = update,
                       .update_one = updateOne,
                       .combine = combine,
                       .finalize = finalize};
        if constexpr (requires(const State& state) { Family::storedBytes(state); }) {
            made.stored_bytes = storedBytes;
            made.store = store;
            made.restore = restore;
        }
        return made;
    }
};

} // namespace blueshift::functions::aggregates
