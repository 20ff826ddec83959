// LIKE, ILIKE, SIMILAR TO, POSIX operators and REGEXP_ functions.
#include "functions/like.h"
#include "functions/overload.h"
#include "functions/regex.h"
#include "functions/scalar/rows.h"
#include "functions/utf8.h"

namespace blueshift::functions {

namespace {

using K = TypeKind;
using Text = std::string_view;

Text textAt(const Vector& vector, u32 row) {
    return asStringView(vector.values<TextView>()[vector.indexOf(row)]);
}

bool anyNull(const LoopCall& call, u32 row) {
    bool null = false;
    for (const Vector& arg : call.args) null |= arg.isNull(row);
    return null;
}

/// The escape character of a call: its third argument, else a backslash; 0 for ''.
bool escapeOf(const LoopCall& call, u32 row, char& escape) {
    escape = '\\';
    if (call.args.size() < 3) return true;
    const Text text = textAt(call.args[2], row);
    if (text.size() > 1) {
        call.context.fail(Error(sqlstate::kInvalidEscapeSequence,
                                "invalid escape string \"" + std::string(text.substr(0, 20)) + "\"")
                              .withHint("The escape must be empty or one character."));
        return false;
    }
    escape = text.empty() ? char(0) : text[0];
    return true;
}

void failEscape(const LoopCall& call, Text pattern) {
    call.context.fail(
        Error(sqlstate::kInvalidEscapeSequence, "pattern must not end with escape character")
            .withDetail("The pattern is \"" + std::string(pattern.substr(0, 200)) + "\"."));
}

template <bool fold_case, bool negated> void likeLoop(const LoopCall& call) {
    const bool constant = call.args[1].form == VectorForm::kConstant &&
                          (call.args.size() < 3 || call.args[2].form == VectorForm::kConstant);
    std::optional<LikePattern> pattern;
    for (u32 i = 0; i < call.count; ++i) {
        const u32 row = call.rowAt(i);
        if (anyNull(call, row)) continue;
        if (!pattern || !constant) {
            char escape;
            if (!escapeOf(call, row, escape)) return;
            pattern = LikePattern::prepare(textAt(call.args[1], row), escape, fold_case);
            if (!pattern) return failEscape(call, textAt(call.args[1], row));
        }
        call.out.values<i8>()[row] = pattern->matches(textAt(call.args[0], row)) != negated;
    }
}

void failLimit(EvalContext& context) {
    context.fail(
        Error(sqlstate::kProgramLimitExceeded, "the regular expression takes too many steps")
            .withHint("Use a pattern without nested repetition, or leave the parameter 'p' out."));
}

/// Whether the pattern is found; false and an error when the search gave up.
bool contains(Regex& regex, Text text, std::vector<Regex::Span>& groups, EvalContext& context) {
    const auto outcome = regex.find(text, 0, groups);
    if (outcome == Regex::Outcome::kLimit) failLimit(context);
    return outcome == Regex::Outcome::kMatch;
}

template <bool negated> void similarLoop(const LoopCall& call) {
    std::vector<Regex::Span> groups;
    for (u32 i = 0; i < call.count && !call.context.failed(); ++i) {
        const u32 row = call.rowAt(i);
        if (anyNull(call, row)) continue;
        char escape;
        if (!escapeOf(call, row, escape)) return;
        const auto pattern = regexOfSimilar(textAt(call.args[1], row), escape);
        if (!pattern) return failEscape(call, textAt(call.args[1], row));
        Regex* regex = regexesOf(call.context).get(*pattern, {}, call.context);
        if (regex == nullptr) return;
        call.out.values<i8>()[row] =
            contains(*regex, textAt(call.args[0], row), groups, call.context) != negated;
    }
}

template <bool fold_case, bool negated> bool posixMatch(Scope& scope, Text text, Text pattern) {
    Regex* regex =
        regexesOf(scope.call.context).get(pattern, {.fold_case = fold_case}, scope.call.context);
    std::vector<Regex::Span> groups;
    return regex != nullptr && contains(*regex, text, groups, scope.call.context) != negated;
}

// ---- REGEXP_ functions.

struct Parameters {
    RegexOptions options;
    bool subexpression = false;
};
std::optional<Parameters> readParameters(Scope& scope, Text text) {
    Parameters parameters;
    for (char c : text) {
        switch (c) {
        case 'c': parameters.options.fold_case = false; break;
        case 'i': parameters.options.fold_case = true; break;
        case 'e': parameters.subexpression = true; break;
        case 'p': parameters.options.perl = true; break;
        case 'g': break;
        default:
            scope.fail(Error(sqlstate::kInvalidParameterValue,
                             "invalid regular expression parameter \"" + std::string(1, c) + "\"")
                           .withHint("Parameters are c, i, e and p."));
            return {};
        }
    }
    return parameters;
}

/// Calls `f(groups)` for each match from character `position` on, until it returns false.
template <class F>
void eachMatch(Scope& scope, Text text, Text pattern, i32 position, RegexOptions options, F f) {
    if (position < 1) {
        scope.fail(Error(sqlstate::kInvalidParameterValue, "position must be positive")
                       .withHint("Characters are counted from 1."));
        return;
    }
    Regex* regex = regexesOf(scope.call.context).get(pattern, options, scope.call.context);
    if (regex == nullptr) return;
    size_t at = utf8Offset(text, size_t(position - 1));
    std::vector<Regex::Span> groups;
    while (at <= text.size()) {
        const auto outcome = regex->find(text, at, groups);
        if (outcome == Regex::Outcome::kLimit) return failLimit(scope.call.context);
        if (outcome == Regex::Outcome::kNoMatch || !f(groups)) return;
        at = groups[0].end;
        if (groups[0].begin == groups[0].end) {
            if (at >= text.size()) return;
            at = utf8Next(text, at);
        }
    }
}

i32 countMatches(Scope& scope, Text text, Text pattern, i32 position, Text flags) {
    const auto parameters = readParameters(scope, flags);
    i32 count = 0;
    if (parameters)
        eachMatch(scope, text, pattern, position, parameters->options, [&](const auto& groups) {
            if (groups[0].end > groups[0].begin) ++count;
            return true;
        });
    return count;
}
i32 count2(Scope& scope, Text text, Text pattern) {
    return countMatches(scope, text, pattern, 1, "");
}
i32 count3(Scope& scope, Text text, Text pattern, i32 position) {
    return countMatches(scope, text, pattern, position, "");
}

/// The span of match number `occurrence`, or of its first group.
Regex::Span findOccurrence(Scope& scope, Text text, Text pattern, i32 position, i32 occurrence,
                           Text flags) {
    Regex::Span span;
    const auto parameters = readParameters(scope, flags);
    if (!parameters) return span;
    if (occurrence < 1) {
        scope.fail(sqlstate::kInvalidParameterValue, "occurrence must be positive");
        return span;
    }
    i32 seen = 0;
    eachMatch(scope, text, pattern, position, parameters->options, [&](const auto& groups) {
        if (++seen < occurrence) return true;
        span = groups[parameters->subexpression && groups.size() > 1 ? 1 : 0];
        return false;
    });
    return span;
}

Text substring6(Scope& scope, Text text, Text pattern, i32 position, i32 occurrence, Text flags) {
    const Regex::Span span = findOccurrence(scope, text, pattern, position, occurrence, flags);
    return span.begin == Text::npos ? Text() : text.substr(span.begin, span.end - span.begin);
}
Text substring2(Scope& scope, Text text, Text pattern) {
    return substring6(scope, text, pattern, 1, 1, "");
}
Text substring3(Scope& scope, Text text, Text pattern, i32 position) {
    return substring6(scope, text, pattern, position, 1, "");
}
Text substring4(Scope& scope, Text text, Text pattern, i32 position, i32 occurrence) {
    return substring6(scope, text, pattern, position, occurrence, "");
}

i32 instr6(Scope& scope, Text text, Text pattern, i32 position, i32 occurrence, i32 option,
           Text flags) {
    const Regex::Span span = findOccurrence(scope, text, pattern, position, occurrence, flags);
    if (span.begin == Text::npos) return 0;
    return i32(utf8Length(text.substr(0, option != 0 ? span.end : span.begin))) + 1;
}
i32 instr2(Scope& scope, Text text, Text pattern) {
    return instr6(scope, text, pattern, 1, 1, 0, "");
}
i32 instr3(Scope& scope, Text text, Text pattern, i32 position) {
    return instr6(scope, text, pattern, position, 1, 0, "");
}
i32 instr4(Scope& scope, Text text, Text pattern, i32 position, i32 occurrence) {
    return instr6(scope, text, pattern, position, occurrence, 0, "");
}
i32 instr5(Scope& scope, Text text, Text pattern, i32 position, i32 occurrence, i32 option) {
    return instr6(scope, text, pattern, position, occurrence, option, "");
}

/// Appends the replacement with $1 or \1 filled in from the match.
void appendReplacement(std::string& out, Text replacement, Text text,
                       const std::vector<Regex::Span>& groups) {
    for (size_t i = 0; i < replacement.size(); ++i) {
        const char c = replacement[i];
        const char next = i + 1 < replacement.size() ? replacement[i + 1] : 0;
        if ((c == '$' || c == '\\') && next >= '0' && next <= '9') {
            const size_t group = size_t(next - '0');
            if (group < groups.size() && groups[group].begin != Text::npos)
                out += text.substr(groups[group].begin, groups[group].end - groups[group].begin);
            ++i;
        } else if (c == '\\' && next == '\\') {
            out += '\\';
            ++i;
        } else {
            out += c;
        }
    }
}

Stored replace5(Scope& scope, Text text, Text pattern, Text replacement, i32 position, Text flags) {
    const auto parameters = readParameters(scope, flags);
    if (!parameters) return {};
    scope.scratch.clear();
    size_t copied = 0;
    eachMatch(scope, text, pattern, position, parameters->options, [&](const auto& groups) {
        scope.scratch += text.substr(copied, groups[0].begin - copied);
        appendReplacement(scope.scratch, replacement, text, groups);
        copied = groups[0].end;
        return scope.scratch.size() <= kMaxTextBytes;
    });
    scope.scratch += text.substr(copied);
    return {scope.scratch};
}
Stored replace2(Scope& scope, Text text, Text pattern) {
    return replace5(scope, text, pattern, "", 1, "");
}
Stored replace3(Scope& scope, Text text, Text pattern, Text replacement) {
    return replace5(scope, text, pattern, replacement, 1, "");
}
Stored replace4(Scope& scope, Text text, Text pattern, Text replacement, i32 position) {
    return replace5(scope, text, pattern, replacement, position, "");
}
Stored replaceFlags(Scope& scope, Text text, Text pattern, Text replacement, Text flags) {
    return replace5(scope, text, pattern, replacement, 1, flags);
}

/// SUBSTRING(text FROM 'pattern'): the first group, else the match; NULL without one.
std::optional<Text> substringPattern(Scope& scope, Text text, Text pattern) {
    const Regex::Span span = findOccurrence(scope, text, pattern, 1, 1, "e");
    if (span.begin == Text::npos) return {};
    return text.substr(span.begin, span.end - span.begin);
}

Function failing(std::string_view name, VectorLoop loop, Operator op = Operator::kNone) {
    return {.name = name, .op = op, .can_fail = true, .loop = loop};
}

std::vector<Overload> makeTable() {
    std::vector<Overload> table;
    const auto add = [&](Function function, std::vector<K> parameters, K result) {
        table.push_back({function, std::move(parameters), result});
    };
    const auto addPattern = [&](std::string_view name, VectorLoop loop, Operator op) {
        add(failing(name, loop, op), {K::kText, K::kText}, K::kBoolean);
        add(failing(name, loop, op), {K::kText, K::kText, K::kText}, K::kBoolean);
    };
    for (std::string_view name : {"like", "~~"})
        addPattern(name, likeLoop<false, false>, Operator::kLike);
    for (std::string_view name : {"ilike", "~~*"})
        addPattern(name, likeLoop<true, false>, Operator::kLike);
    for (std::string_view name : {"not like", "!~~"})
        addPattern(name, likeLoop<false, true>, Operator::kLike);
    for (std::string_view name : {"not ilike", "!~~*"})
        addPattern(name, likeLoop<true, true>, Operator::kLike);
    addPattern("similar to", similarLoop<false>, Operator::kNone);
    addPattern("not similar to", similarLoop<true>, Operator::kNone);
    add(failing("~", rowLoop<posixMatch<false, false>>), {K::kText, K::kText}, K::kBoolean);
    add(failing("~*", rowLoop<posixMatch<true, false>>), {K::kText, K::kText}, K::kBoolean);
    add(failing("!~", rowLoop<posixMatch<false, true>>), {K::kText, K::kText}, K::kBoolean);
    add(failing("!~*", rowLoop<posixMatch<true, true>>), {K::kText, K::kText}, K::kBoolean);
    const K t = K::kText;
    const K n = K::kInteger;
    add(failing("regexp_count", rowLoop<count2>), {t, t}, n);
    add(failing("regexp_count", rowLoop<count3>), {t, t, n}, n);
    add(failing("regexp_count", rowLoop<countMatches>), {t, t, n, t}, n);
    add(failing("regexp_instr", rowLoop<instr2>), {t, t}, n);
    add(failing("regexp_instr", rowLoop<instr3>), {t, t, n}, n);
    add(failing("regexp_instr", rowLoop<instr4>), {t, t, n, n}, n);
    add(failing("regexp_instr", rowLoop<instr5>), {t, t, n, n, n}, n);
    add(failing("regexp_instr", rowLoop<instr6>), {t, t, n, n, n, t}, n);
    add(failing("regexp_substr", rowLoop<substring2>), {t, t}, t);
    add(failing("regexp_substr", rowLoop<substring3>), {t, t, n}, t);
    add(failing("regexp_substr", rowLoop<substring4>), {t, t, n, n}, t);
    add(failing("regexp_substr", rowLoop<substring6>), {t, t, n, n, t}, t);
    add(failing("regexp_replace", rowLoop<replace2>), {t, t}, t);
    add(failing("regexp_replace", rowLoop<replace3>), {t, t, t}, t);
    add(failing("regexp_replace", rowLoop<replace4>), {t, t, t, n}, t);
    add(failing("regexp_replace", rowLoop<replaceFlags>), {t, t, t, t}, t);
    add(failing("regexp_replace", rowLoop<replace5>), {t, t, t, n, t}, t);
    for (std::string_view name : {"substring", "substr"})
        table.push_back({{.name = name,
                          .null_policy = NullPolicy::kStrictMayNull,
                          .can_fail = true,
                          .loop = rowLoop<substringPattern>},
                         {t, t},
                         t});
    return table;
}

} // namespace

OverloadTable searchFunctions() {
    static const std::vector<Overload> kTable = makeTable();
    return kTable;
}

} // namespace blueshift::functions
