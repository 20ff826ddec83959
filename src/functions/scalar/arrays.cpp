// Arrays of the catalog: texts such as {1,"a b"}, and the functions on them.
#include "functions/scalar/arrays.h"

#include "functions/ascii.h"
#include "functions/overload.h"
#include "functions/scalar/rows.h"
#include "functions/text_input.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;

void appendArrayElement(std::string& text, std::string_view element) {
    const bool quote = element.empty() || equalNoCase(element, "null") ||
                       element.find_first_of("{},\"\\ \t\n\r\v\f") != std::string::npos;
    if (quote) text += '"';
    for (char c : element) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    if (quote) text += '"';
}

} // namespace

std::vector<std::optional<std::string>> arrayElements(std::string_view text, TypeKind kind) {
    std::vector<std::optional<std::string>> elements;
    text = trimBlanks(text);
    const bool is_vector = kind == TypeKind::kInt2Vector || kind == TypeKind::kOidVector;
    if (!is_vector && text.size() >= 2 && text.front() == '{' && text.back() == '}')
        text = text.substr(1, text.size() - 2);
    const char mark = is_vector ? ' ' : ',';
    for (size_t at = 0; at < text.size();) {
        std::string element;
        bool quoted = false;
        while (at < text.size() && text[at] != mark) {
            if (text[at] == '"') {
                quoted = true;
                for (++at; at < text.size() && text[at] != '"'; ++at) {
                    if (text[at] == '\\' && at + 1 < text.size()) ++at;
                    element += text[at];
                }
                ++at;
            } else {
                element += text[at++];
            }
        }
        if (!quoted && element == "NULL") elements.push_back(std::nullopt);
        else elements.push_back(std::move(element));
        if (at++ + 1 == text.size() && !is_vector) elements.push_back(std::string());
    }
    return elements;
}

std::string arrayText(const std::vector<std::string>& elements) {
    std::string text = "{";
    for (const std::string& element : elements) {
        if (text.size() > 1) text += ',';
        appendArrayElement(text, element);
    }
    return text + "}";
}

namespace {

K arrayKind(Scope& scope) {
    return scope.call.arg_types[0].kind;
}
Stored arrayToString(Scope& scope, std::string_view array, std::string_view mark) {
    std::string text;
    bool first = true;
    for (const auto& element : arrayElements(array, arrayKind(scope))) {
        if (!element) continue;
        if (!first) text += mark;
        text += *element;
        first = false;
    }
    scope.scratch = text;
    return {scope.scratch};
}
bool isVector(K kind) {
    return kind == K::kInt2Vector || kind == K::kOidVector;
}
std::optional<i32> arrayUpper(Scope& scope, std::string_view array, i32 dimension) {
    const i32 count = i32(arrayElements(array, arrayKind(scope)).size());
    if (dimension != 1 || count == 0) return {};
    return isVector(arrayKind(scope)) ? count - 1 : count;
}
std::optional<i32> arrayLength(Scope& scope, std::string_view array, i32 dimension) {
    const i32 count = i32(arrayElements(array, arrayKind(scope)).size());
    if (dimension != 1 || count == 0) return {};
    return count;
}
std::optional<i32> arrayLower(Scope& scope, std::string_view array, i32 dimension) {
    if (dimension != 1 || arrayElements(array, arrayKind(scope)).empty()) return {};
    return isVector(arrayKind(scope)) ? 0 : 1;
}
std::optional<Stored> arrayDims(Scope& scope, std::string_view array) {
    const auto upper = arrayUpper(scope, array, 1);
    if (!upper) return {};
    scope.scratch = ((isVector(arrayKind(scope)) ? "[0:" : "[1:") + std::to_string(*upper) + "]");
    return Stored{scope.scratch};
}
std::optional<Stored> elementAt(Scope& scope, std::string_view array, i32 index) {
    const auto elements = arrayElements(array, arrayKind(scope));
    const i64 at = i64(index) - (isVector(arrayKind(scope)) ? 0 : 1);
    if (at < 0 || at >= i64(elements.size()) || !elements[size_t(at)]) return {};
    scope.scratch = *elements[size_t(at)];
    return Stored{scope.scratch};
}
std::optional<i32> numberAt(Scope& scope, std::string_view array, i32 index) {
    const auto text = elementAt(scope, array, index);
    i64 value = 0;
    if (!text || parseInteger(text->text, -2147483648ll, 4294967295ll, value) != InputError::kNone)
        return {};
    return i32(value);
}
bool containsText(Scope& scope, std::string_view array, std::string_view value) {
    for (const auto& element : arrayElements(array, arrayKind(scope)))
        if (element && *element == value) return true;
    return false;
}

/// One element as it stands between braces, NULL as the word: what ARRAY(SELECT ..) lists.
void elementTextLoop(const LoopCall& call) {
    std::string text;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        text.clear();
        if (call.args[0].isNull(row)) text = "NULL";
        else appendArrayElement(text, asStringView(call.args[0].valueAt<TextView>(row)));
        row_loop::write(call, row, Stored{text});
        setBit(call.out.validity(), row);
    }
}

/// Array || array: a NULL adds nothing, two of them are NULL.
void joinLoop(const LoopCall& call) {
    std::string text;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        const bool nulls[] = {call.args[0].isNull(row), call.args[1].isNull(row)};
        if (nulls[0] && nulls[1]) {
            clearBit(call.out.validity(), row);
            continue;
        }
        text.clear();
        for (size_t side = 0; side < 2; ++side) {
            if (nulls[side]) continue;
            const TextView array = call.args[side].valueAt<TextView>(row);
            std::string_view items = asStringView(array);
            if (items.size() < 2) continue;
            items = items.substr(1, items.size() - 2);
            if (!text.empty() && !items.empty()) text += ',';
            text += items;
        }
        text = "{" + text + "}";
        row_loop::write(call, row, Stored{text});
        setBit(call.out.validity(), row);
    }
}

std::vector<Overload> makeTable() {
    std::vector<Overload> rows;
    const auto add = [&](std::string_view name, VectorLoop loop, std::vector<K> parameters,
                         K result, NullPolicy policy = NullPolicy::kStrictMayNull) {
        rows.push_back({{.name = name, .null_policy = policy, .can_fail = true, .loop = loop},
                        std::move(parameters),
                        result});
    };
    for (K kind :
         {K::kTextArray, K::kInt2Array, K::kOidArray, K::kInt2Vector, K::kOidVector, K::kText}) {
        add("array_to_string", rowLoop<arrayToString>, {kind, K::kText}, K::kText);
        add("array_upper", rowLoop<arrayUpper>, {kind, K::kInteger}, K::kInteger);
        add("array_lower", rowLoop<arrayLower>, {kind, K::kInteger}, K::kInteger);
        add("array_length", rowLoop<arrayLength>, {kind, K::kInteger}, K::kInteger);
        add("array_dims", rowLoop<arrayDims>, {kind}, K::kText);
        add("array_contains_text", rowLoop<containsText>, {kind, K::kText}, K::kBoolean);
        if (kind == K::kTextArray || kind == K::kText) {
            add("array_element", rowLoop<elementAt>, {kind, K::kInteger}, K::kText);
        } else {
            const bool oids = kind == K::kOidArray || kind == K::kOidVector;
            add("array_element", rowLoop<numberAt>, {kind, K::kInteger},
                oids ? K::kOid : K::kInteger);
        }
        if (kind == K::kText || isVector(kind)) continue;
        for (std::string_view name : {"||", "array_cat"})
            add(name, joinLoop, {kind, kind}, kind, NullPolicy::kCalled);
    }
    add("array_element_text", elementTextLoop, {K::kText}, K::kText, NullPolicy::kCalled);
    return rows;
}

} // namespace

OverloadTable arrayFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
