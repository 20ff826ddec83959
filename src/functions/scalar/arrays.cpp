#include "functions/scalar/arrays.h"

#include "functions/ascii.h"

namespace blueshift::functions {

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
        const bool quote = element.empty() || element == "NULL" ||
                           element.find_first_of("{},\"\\ ") != std::string::npos;
        if (quote) text += '"';
        for (char c : element) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        if (quote) text += '"';
    }
    return text + "}";
}

} // namespace blueshift::functions
