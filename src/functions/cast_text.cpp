// Casts from and to text, and between text types.
#include "functions/cast_rows.h"
#include "functions/text_input.h"
#include "functions/utf8.h"

namespace blueshift::functions {

namespace {

const SessionFacts& sessionOf(const LoopCall& call) {
    static const SessionFacts kDefault;
    return call.context.session != nullptr ? *call.context.session : kDefault;
}

template <OnFailure on_failure>
void fail(const LoopCall& call, u32 row, InputError error, std::string_view text) {
    if (on_failure == OnFailure::kNull) clearBit(call.out.validity(), row);
    else call.context.fail(describeInputError(error, text, call.result_type));
}

/// The text as the type keeps it: CHAR without trailing blanks. `fits` tells whether only blanks
/// were cut.
std::string_view fitText(std::string_view text, const SqlType& type, bool& fits) {
    if (type.kind == TypeKind::kChar)
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    const u32 limit = textLimit(type);
    fits = true;
    if (text.size() <= limit) return text;
    const std::string_view cut = text.substr(0, utf8Floor(text, limit));
    fits = text.find_first_not_of(' ', cut.size()) == std::string_view::npos;
    return cut;
}

template <class F> void textRows(const LoopCall& call, F f) {
    const Vector& in = call.args[0];
    const u32 step = in.form == VectorForm::kConstant ? 0 : 1;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        if (in.isNull(row)) continue;
        f(row, in.values<TextView>()[row * step]);
    }
}

/// Cuts without copying: a shorter view of the same bytes.
TextView shorten(const TextView& from, std::string_view cut) {
    if (cut.size() == from.size()) return from;
    return makeTextView(cut);
}

void castToText(const LoopCall& call, auto&& store) {
    const SessionFacts& session = sessionOf(call);
    const Vector& in = call.args[0];
    const SqlType& from = call.arg_types[0];
    std::string text;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        if (in.isNull(row)) continue;
        text.clear();
        if (from.kind == TypeKind::kBoolean) text = in.integerAt(row) != 0 ? "true" : "false";
        else appendText(text, in, row, from, session);
        store(row, text);
    }
}

} // namespace

void castTextLoop(const LoopCall& call) {
    textRows(call, [&](u32 row, const TextView& text) { call.out.values<TextView>()[row] = text; });
}

void castTextCutLoop(const LoopCall& call) {
    textRows(call, [&](u32 row, const TextView& text) {
        bool fits;
        call.out.values<TextView>()[row] =
            shorten(text, fitText(asStringView(text), call.result_type, fits));
    });
}

template <OnFailure on_failure> void castTextLimitLoop(const LoopCall& call) {
    textRows(call, [&](u32 row, const TextView& text) {
        bool fits;
        const std::string_view cut = fitText(asStringView(text), call.result_type, fits);
        if (!fits) return fail<on_failure>(call, row, InputError::kTooLong, asStringView(text));
        call.out.values<TextView>()[row] = shorten(text, cut);
    });
}

template <OnFailure on_failure> void castFromTextLoop(const LoopCall& call) {
    const InputOptions options = InputOptions::of(sessionOf(call));
    const PhysicalKind kind = call.out.kind();
    const u32 width = widthOf(kind);
    char* out = static_cast<char*>(call.out.data());
    textRows(call, [&](u32 row, const TextView& text) {
        const InputError error = parseInto(asStringView(text), call.result_type, kind,
                                           out + size_t(row) * width, options);
        if (error != InputError::kNone) fail<on_failure>(call, row, error, asStringView(text));
    });
}

void castToTextCutLoop(const LoopCall& call) {
    castToText(call, [&](u32 row, const std::string& text) {
        bool fits;
        call.out.values<TextView>()[row] = call.heap.store(fitText(text, call.result_type, fits));
    });
}

template <OnFailure on_failure> void castToTextLimitLoop(const LoopCall& call) {
    castToText(call, [&](u32 row, const std::string& text) {
        bool fits;
        const std::string_view cut = fitText(text, call.result_type, fits);
        if (!fits) return fail<on_failure>(call, row, InputError::kTooLong, text);
        call.out.values<TextView>()[row] = call.heap.store(cut);
    });
}

template void castTextLimitLoop<OnFailure::kRaise>(const LoopCall&);
template void castTextLimitLoop<OnFailure::kNull>(const LoopCall&);
template void castFromTextLoop<OnFailure::kRaise>(const LoopCall&);
template void castFromTextLoop<OnFailure::kNull>(const LoopCall&);
template void castToTextLimitLoop<OnFailure::kRaise>(const LoopCall&);
template void castToTextLimitLoop<OnFailure::kNull>(const LoopCall&);

} // namespace blueshift::functions
