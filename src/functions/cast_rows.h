// cast_rows.h: the row loop that all casts share.
//
// Place: private to the cast_*.cpp files. A row function sets flags when it fails; what happens
// then is up to the form of the cast.
#pragma once

#include <type_traits>

#include "functions/function.h"
#include "functions/overflow.h"

namespace blueshift::functions {

enum class OnFailure : u8 {
    kNever, // no value fails; what lies under a NULL may be anything and must not raise
    kRaise,
    kNull, // TRY_CAST: clears the row's validity bit
};

template <class From, class To, OnFailure on_failure, class F>
void castRows(const LoopCall& call, F f) {
    const Vector& in = call.args[0];
    const From* x = in.values<From>();
    To* out = call.out.values<To>();
    const u32 step = in.form == VectorForm::kConstant ? 0 : 1;
    u32 all_flags = 0;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        u32 flags = 0;
        out[row] = f(x[row * step], flags);
        all_flags |= flags;
        if constexpr (on_failure == OnFailure::kNull)
            if (flags != 0) clearBit(call.out.validity(), row);
    }
    if (on_failure == OnFailure::kRaise && all_flags != 0)
        raiseOutOfRange(call.context, call.result_type);
}

/// Calls `f` with a null pointer of the integer type.
template <class F> void dispatchInteger(PhysicalKind kind, F&& f) {
    switch (kind) {
    case PhysicalKind::kI8: return f(static_cast<i8*>(nullptr));
    case PhysicalKind::kI16: return f(static_cast<i16*>(nullptr));
    case PhysicalKind::kI32: return f(static_cast<i32*>(nullptr));
    case PhysicalKind::kI64: return f(static_cast<i64*>(nullptr));
    default: return f(static_cast<i128*>(nullptr));
    }
}

/// Calls `f` with null pointers of the two integer types.
template <class F> void dispatchIntegers(PhysicalKind from, PhysicalKind to, F&& f) {
    dispatchInteger(
        from, [&]<class From>(From* x) { dispatchInteger(to, [&]<class To>(To* y) { f(x, y); }); });
}

// The loops of cast_numbers.cpp, cast_text.cpp and cast_times.cpp.
template <OnFailure on_failure> void castIntegerLoop(const LoopCall& call);
template <OnFailure on_failure> void castRescaleRoundLoop(const LoopCall& call);
template <OnFailure on_failure> void castRescaleLoop(const LoopCall& call); // as the session says
void castIntegerToFloatLoop(const LoopCall& call);
template <OnFailure on_failure> void castFloatToIntegerLoop(const LoopCall& call);
template <OnFailure on_failure> void castFloatToFloatLoop(const LoopCall& call);
void castToBooleanLoop(const LoopCall& call);

void castTextLoop(const LoopCall& call);    // keeps the bytes
void castTextCutLoop(const LoopCall& call); // cuts to the length
template <OnFailure on_failure>
void castTextLimitLoop(const LoopCall& call); // refuses what is too long
template <OnFailure on_failure> void castFromTextLoop(const LoopCall& call);
void castToTextCutLoop(const LoopCall& call);
template <OnFailure on_failure> void castToTextLimitLoop(const LoopCall& call);

template <OnFailure on_failure> void castTimesLoop(const LoopCall& call);

} // namespace blueshift::functions
