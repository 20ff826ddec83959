// rows.h: makes a vector loop of a function over one row.
//
// Place: private to scalar/. `rowLoop<f>` with `R f(Scope&, A...)`: arguments are integers, floats
// or string_view; the result may be a number, bool, string_view (bytes of an argument), Stored
// (bytes to copy), or an optional of these, whose absence is NULL. NULL rows are skipped.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "functions/function.h"

namespace blueshift::functions {

/// What a row function may use besides its arguments.
struct Scope {
    const LoopCall& call;
    std::string scratch; // room to build a text in; kept across rows

    const SessionFacts& session() const {
        static const SessionFacts kDefault;
        return call.context.session != nullptr ? *call.context.session : kDefault;
    }
    void fail(std::string_view state, std::string message) {
        call.context.fail(state, std::move(message));
    }
    void fail(Error error) { call.context.fail(std::move(error)); }
};

/// Text that must be copied into the result's heap.
struct Stored {
    std::string_view text;
};

inline constexpr u32 kMaxTextBytes = 65535;

namespace row_loop {

template <class A> struct Argument {
    static A read(const Vector& vector, u32 index) { return vector.values<A>()[index]; }
};
template <> struct Argument<bool> {
    static bool read(const Vector& vector, u32 index) { return vector.values<i8>()[index] != 0; }
};
template <> struct Argument<std::string_view> {
    static std::string_view read(const Vector& vector, u32 index) {
        return asStringView(vector.values<TextView>()[index]);
    }
};

template <class R> struct IsOptional : std::false_type {};
template <class R> struct IsOptional<std::optional<R>> : std::true_type {};

inline void failTooLong(const LoopCall& call, size_t bytes) {
    call.context.fail(
        Error(sqlstate::kStringDataRightTruncation,
              "result of " + std::to_string(bytes) + " bytes is too long for type varchar")
            .withHint("A text value has at most 65535 bytes."));
}

template <class R> void write(const LoopCall& call, u32 row, const R& result) {
    if constexpr (IsOptional<R>::value) {
        if (result) write(call, row, *result);
        else clearBit(call.out.validity(), row);
    } else if constexpr (std::is_same_v<R, Stored>) {
        if (result.text.size() > kMaxTextBytes) return failTooLong(call, result.text.size());
        call.out.values<TextView>()[row] = call.heap.store(result.text);
    } else if constexpr (std::is_same_v<R, std::string_view>) {
        call.out.values<TextView>()[row] = makeTextView(result);
    } else if constexpr (std::is_same_v<R, bool>) {
        call.out.values<i8>()[row] = result;
    } else {
        call.out.values<R>()[row] = result;
    }
}

template <auto f> struct Loop;
template <class R, class... A, R (*f)(Scope&, A...)> struct Loop<f> {
    template <size_t... I> static void rows(const LoopCall& call, std::index_sequence<I...>) {
        Scope scope{call, {}};
        bool nulls = false;
        u32 steps[sizeof...(A) + 1] = {};
        for (size_t i = 0; i < sizeof...(A); ++i) {
            nulls |= call.args[i].validity != nullptr;
            steps[i] = call.args[i].form == VectorForm::kConstant ? 0 : 1;
        }
        for (u32 i = 0; i < call.count; ++i) {
            const u32 row = call.rowAt(i);
            if (nulls && (call.args[I].isNull(row) || ...)) continue;
            write<R>(call, row, f(scope, Argument<A>::read(call.args[I], row * steps[I])...));
            if (call.context.failed()) return;
        }
    }
    static void run(const LoopCall& call) { rows(call, std::index_sequence_for<A...>()); }
};

} // namespace row_loop

template <auto f> constexpr VectorLoop rowLoop = row_loop::Loop<+f>::run;

} // namespace blueshift::functions
