// regex.h: regular expressions: POSIX and Perl classes by RE2, look-around by PCRE2.
//
// Place: REGEXP_*, `~`, SIMILAR TO. Both libraries stay behind this header.
// Cost: RE2 is linear; PCRE2 (parameter `p`) runs under a limit on its steps and then fails.
// Threads: a Regex is used by one worker at a time; the cache belongs to an EvalContext.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "functions/function.h"

namespace blueshift::functions {

class Regex {
public:
    struct Span {
        size_t begin = std::string_view::npos; // npos: the group took no part
        size_t end = 0;
    };
    enum class Outcome : u8 { kMatch, kNoMatch, kLimit };

    virtual ~Regex() = default;
    /// The first match at or behind byte `from`; groups[0] is the whole.
    virtual Outcome find(std::string_view text, size_t from, std::vector<Span>& groups) = 0;
    virtual int groupCount() const = 0;
};

struct RegexOptions {
    bool fold_case = false;
    bool perl = false; // PCRE2
};

class RegexCache {
public:
    /// The compiled pattern; nullptr, and an error in the context, when it is not valid.
    Regex* get(std::string_view pattern, RegexOptions options, EvalContext& context);

private:
    static constexpr size_t kMostPatterns = 256;
    std::unordered_map<std::string, std::unique_ptr<Regex>> patterns_;
};

/// The context's cache, made when there is none.
RegexCache& regexesOf(EvalContext& context);

/// The regular expression of a SIMILAR TO pattern, anchored at both ends; nothing when `escape`
/// stands last.
std::optional<std::string> regexOfSimilar(std::string_view pattern, char escape);

} // namespace blueshift::functions
