// JSON kept as text: validity, length of arrays, elements and paths. Parsing is simdjson's.
#include <simdjson.h>

#include "functions/overload.h"
#include "functions/scalar/rows.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;
using Text = std::string_view;
namespace dom = simdjson::dom;

Text textAt(const Vector& vector, u32 row) {
    return asStringView(vector.values<TextView>()[vector.indexOf(row)]);
}

Stored writeElement(std::string& scratch, const dom::element& element) {
    Text text;
    if (element.is_string() && element.get(text) == simdjson::SUCCESS) scratch.assign(text);
    else scratch = simdjson::minify(element);
    return {scratch};
}

void failJson(EvalContext& context, Text text, std::string_view what) {
    context.fail(Error(sqlstate::kInvalidParameterValue, "JSON parsing error")
                     .withDetail(std::string(what) + ": " + std::string(text.substr(0, 200)))
                     .withHint("Pass true for null_if_invalid to get NULL instead."));
}

/// Runs f(root, row) for rows with valid JSON; invalid text fails, or gives NULL when
/// `null_if_invalid` (the last argument, when it is boolean) says so.
template <class F> void jsonRows(const LoopCall& call, F f) {
    dom::parser parser;
    const bool has_switch = call.arg_types.back().kind == K::kBoolean;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        bool null = false;
        for (const Vector& arg : call.args) null |= arg.isNull(row);
        if (null) continue;
        const bool quiet = has_switch && call.args.back().valueAt<i8>(row) != 0;
        const Text text = textAt(call.args[0], row);
        dom::element root;
        if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
            if (quiet) clearBit(call.out.validity(), row);
            else failJson(call.context, text, "The text is not valid JSON");
            continue;
        }
        f(root, row, quiet);
    }
}

template <bool only_arrays, bool only_collections> void validLoop(const LoopCall& call) {
    dom::parser parser;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        if (call.args[0].isNull(row)) continue;
        const Text text = textAt(call.args[0], row);
        dom::element root;
        bool valid = parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS;
        if (valid && only_arrays) valid = root.is_array();
        if (valid && only_collections) valid = root.is_array() || root.is_object();
        call.out.values<i8>()[row] = valid;
    }
}

void arrayLengthLoop(const LoopCall& call) {
    jsonRows(call, [&](const dom::element& root, u32 row, bool quiet) {
        dom::array array;
        if (root.get(array) != simdjson::SUCCESS) {
            if (quiet) clearBit(call.out.validity(), row);
            else failJson(call.context, textAt(call.args[0], row), "The text is not a JSON array");
            return;
        }
        i32 count = 0;
        for ([[maybe_unused]] dom::element element : array) ++count;
        call.out.values<i32>()[row] = count;
    });
}

void arrayElementLoop(const LoopCall& call) {
    std::string scratch;
    jsonRows(call, [&](const dom::element& root, u32 row, bool quiet) {
        dom::array array;
        if (root.get(array) != simdjson::SUCCESS) {
            if (quiet) clearBit(call.out.validity(), row);
            else failJson(call.context, textAt(call.args[0], row), "The text is not a JSON array");
            return;
        }
        const i64 wanted = i64(call.args[1].integerAt(row));
        i64 at = 0;
        for (dom::element element : array) {
            if (at++ != wanted) continue;
            if (element.is_null()) return clearBit(call.out.validity(), row);
            return row_loop::write(call, row, writeElement(scratch, element));
        }
        clearBit(call.out.validity(), row);
    });
}

void pathLoop(const LoopCall& call) {
    std::string scratch;
    const size_t keys = call.args.size() - (call.arg_types.back().kind == K::kBoolean ? 1 : 0);
    jsonRows(call, [&](const dom::element& root, u32 row, bool) {
        dom::element at = root;
        for (size_t i = 1; i < keys; ++i) {
            const Text key = textAt(call.args[i], row);
            dom::object object;
            dom::array array;
            bool found = false;
            if (at.get(object) == simdjson::SUCCESS) {
                found = object[key].get(at) == simdjson::SUCCESS;
            } else if (at.get(array) == simdjson::SUCCESS && !key.empty() &&
                       key.find_first_not_of("0123456789") == Text::npos && key.size() < 9) {
                found = array.at(size_t(std::stoul(std::string(key)))).get(at) == simdjson::SUCCESS;
            }
            if (!found) return clearBit(call.out.validity(), row);
        }
        if (at.is_null()) return clearBit(call.out.validity(), row);
        row_loop::write(call, row, writeElement(scratch, at));
    });
}

Function mayNull(std::string_view name, VectorLoop loop) {
    return {
        .name = name, .null_policy = NullPolicy::kStrictMayNull, .can_fail = true, .loop = loop};
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    const auto add = [&](Function function, std::vector<K> parameters, K result) {
        table.push_back({function, std::move(parameters), result});
    };
    add({.name = "is_valid_json", .loop = validLoop<false, true>}, {K::kText}, K::kBoolean);
    add({.name = "is_valid_json_array", .loop = validLoop<true, false>}, {K::kText}, K::kBoolean);
    add({.name = "can_json_parse", .loop = validLoop<false, false>}, {K::kText}, K::kBoolean);
    add(mayNull("json_array_length", arrayLengthLoop), {K::kText}, K::kInteger);
    add(mayNull("json_array_length", arrayLengthLoop), {K::kText, K::kBoolean}, K::kInteger);
    add(mayNull("json_extract_array_element_text", arrayElementLoop), {K::kText, K::kInteger},
        K::kText);
    add(mayNull("json_extract_array_element_text", arrayElementLoop),
        {K::kText, K::kInteger, K::kBoolean}, K::kText);
    // One to five keys, each with or without null_if_invalid.
    std::vector<K> parameters{K::kText};
    for (int keys = 1; keys <= 5; ++keys) {
        parameters.push_back(K::kText);
        add(mayNull("json_extract_path_text", pathLoop), parameters, K::kText);
        auto with_switch = parameters;
        with_switch.push_back(K::kBoolean);
        add(mayNull("json_extract_path_text", pathLoop), with_switch, K::kText);
    }
    return table;
}

} // namespace

OverloadTable jsonFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
