// source_text.h: C++ text under construction: indented lines, and the same without comments.
//
// Place: used by the writers of codegen/. Threads: one.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>

#include "base/ints.h"

namespace blueshift::compile {

class SourceText {
public:
    template <class... Args> void line(fmt::format_string<Args...> format, Args&&... args) {
        raw(fmt::format(format, std::forward<Args>(args)...));
    }
    /// A line that ends in an opening brace; the next lines are indented.
    template <class... Args> void open(fmt::format_string<Args...> format, Args&&... args) {
        const std::string head = fmt::format(format, std::forward<Args>(args)...);
        raw(head.empty() ? "{" : head + " {");
        ++depth_;
    }
    void close(std::string_view after = "") {
        --depth_;
        raw("}" + std::string(after));
    }
    template <class... Args> void comment(fmt::format_string<Args...> format, Args&&... args) {
        std::string text = fmt::format(format, std::forward<Args>(args)...);
        for (char& c : text)
            if (u8(c) < ' ' || u8(c) > '~' || c == '\\') c = '?';
        constexpr size_t kMostComment = 200;
        if (text.size() > kMostComment) text = text.substr(0, kMostComment) + " ...";
        text_ += std::string(depth_ * 4, ' ') + "// " + text + "\n";
    }
    void blank() { text_ += "\n"; }
    /// Lines of another text, which was written at depth 0.
    void append(const SourceText& other) {
        size_t begin = 0;
        while (begin < other.text_.size()) {
            const size_t end = other.text_.find('\n', begin);
            const std::string line = other.text_.substr(begin, end - begin);
            text_ += line.empty() ? "\n" : std::string(depth_ * 4, ' ') + line + "\n";
            begin = end + 1;
        }
        code_ += other.code_;
    }
    bool empty() const { return text_.empty(); }

    const std::string& text() const { return text_; }
    const std::string& code() const { return code_; }

private:
    void raw(const std::string& line) {
        text_ += std::string(depth_ * 4, ' ') + line + "\n";
        code_ += line + "\n";
    }

    std::string text_;
    std::string code_; // without comments, blank lines and indentation
    u32 depth_ = 0;
};

} // namespace blueshift::compile
