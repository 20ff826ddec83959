#include "functions/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/re2.h>

#include "functions/ascii.h"

namespace blueshift::functions {

namespace {

class LinearRegex : public Regex {
public:
    LinearRegex(std::string_view pattern, bool fold_case)
        : regex_(re2::StringPiece(pattern.data(), pattern.size()), options(pattern, fold_case)) {
        pieces_.resize(size_t(std::max(0, regex_.NumberOfCapturingGroups())) + 1);
    }

    bool valid() const { return regex_.ok(); }
    const std::string& problem() const { return regex_.error(); }
    int groupCount() const override { return regex_.NumberOfCapturingGroups(); }

    Outcome find(std::string_view text, size_t from, std::vector<Span>& groups) override {
        const re2::StringPiece piece(text.data(), text.size());
        if (!regex_.Match(piece, from, text.size(), RE2::UNANCHORED, pieces_.data(),
                          int(pieces_.size())))
            return Outcome::kNoMatch;
        groups.resize(pieces_.size());
        for (size_t i = 0; i < pieces_.size(); ++i) {
            if (pieces_[i].data() == nullptr) {
                groups[i] = {};
                continue;
            }
            const size_t begin = size_t(pieces_[i].data() - text.data());
            groups[i] = {begin, begin + pieces_[i].size()};
        }
        return Outcome::kMatch;
    }

private:
    static RE2::Options options(std::string_view pattern, bool fold_case) {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_case_sensitive(!fold_case);
        options.set_dot_nl(true);
        // POSIX takes the longest match, unless the pattern asks for the shortest.
        const bool lazy = pattern.find("*?") != std::string_view::npos ||
                          pattern.find("+?") != std::string_view::npos ||
                          pattern.find("??") != std::string_view::npos ||
                          pattern.find("}?") != std::string_view::npos;
        options.set_longest_match(!lazy);
        return options;
    }

    RE2 regex_;
    std::vector<re2::StringPiece> pieces_;
};

class PerlRegex : public Regex {
public:
    static std::unique_ptr<PerlRegex> compile(std::string_view pattern, bool fold_case,
                                              std::string& problem) {
        int code = 0;
        PCRE2_SIZE offset = 0;
        const uint32_t options = PCRE2_UTF | PCRE2_UCP | (fold_case ? PCRE2_CASELESS : 0);
        pcre2_code* compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                                             pattern.size(), options, &code, &offset, nullptr);
        if (compiled == nullptr) {
            PCRE2_UCHAR buffer[256];
            pcre2_get_error_message(code, buffer, sizeof buffer);
            problem = reinterpret_cast<const char*>(buffer);
            return nullptr;
        }
        return std::unique_ptr<PerlRegex>(new PerlRegex(compiled));
    }
    ~PerlRegex() override {
        pcre2_match_data_free(data_);
        pcre2_match_context_free(context_);
        pcre2_code_free(code_);
    }

    int groupCount() const override {
        uint32_t count = 0;
        pcre2_pattern_info(code_, PCRE2_INFO_CAPTURECOUNT, &count);
        return int(count);
    }

    Outcome find(std::string_view text, size_t from, std::vector<Span>& groups) override {
        const int found = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                      from, 0, data_, context_);
        if (found == PCRE2_ERROR_NOMATCH) return Outcome::kNoMatch;
        if (found < 0) return Outcome::kLimit;
        const PCRE2_SIZE* spans = pcre2_get_ovector_pointer(data_);
        groups.assign(size_t(groupCount()) + 1, {});
        for (int i = 0; i < found; ++i)
            if (spans[2 * i] != PCRE2_UNSET) groups[size_t(i)] = {spans[2 * i], spans[2 * i + 1]};
        return Outcome::kMatch;
    }

private:
    static constexpr uint32_t kStepLimit = 1'000'000;
    explicit PerlRegex(pcre2_code* code)
        : code_(code),
          data_(pcre2_match_data_create_from_pattern(code, nullptr)),
          context_(pcre2_match_context_create(nullptr)) {
        pcre2_set_match_limit(context_, kStepLimit);
    }

    pcre2_code* code_;
    pcre2_match_data* data_;
    pcre2_match_context* context_;
};

} // namespace

Regex* RegexCache::get(std::string_view pattern, RegexOptions options, EvalContext& context) {
    std::string key(1, char('a' + (options.fold_case ? 1 : 0) + (options.perl ? 2 : 0)));
    key += pattern;
    const auto found = patterns_.find(key);
    if (found != patterns_.end()) return found->second.get();
    std::unique_ptr<Regex> regex;
    std::string problem;
    if (options.perl) {
        regex = PerlRegex::compile(pattern, options.fold_case, problem);
    } else {
        auto linear = std::make_unique<LinearRegex>(pattern, options.fold_case);
        if (linear->valid()) regex = std::move(linear);
        else problem = linear->problem();
    }
    if (regex == nullptr) {
        context.fail(
            Error(sqlstate::kInvalidRegularExpression, "invalid regular expression: " + problem)
                .withDetail("The pattern is \"" + std::string(pattern.substr(0, 200)) + "\".")
                .withHint(options.perl ? "Correct the pattern."
                                       : "Use the parameter 'p' for look-around."));
        return nullptr;
    }
    if (patterns_.size() >= kMostPatterns) patterns_.clear();
    return patterns_.emplace(std::move(key), std::move(regex)).first->second.get();
}

RegexCache& regexesOf(EvalContext& context) {
    if (context.regexes == nullptr) context.regexes = std::make_shared<RegexCache>();
    return *context.regexes;
}

std::optional<std::string> regexOfSimilar(std::string_view pattern, char escape) {
    std::string regex = "^(?:";
    bool in_class = false;
    for (size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (escape != 0 && c == escape) {
            if (++i == pattern.size()) return {};
            if (!isAsciiLetter(pattern[i]) && !isAsciiDigit(pattern[i]) && u8(pattern[i]) < 0x80)
                regex += '\\';
            regex += pattern[i];
        } else if (in_class) {
            if (c == '\\') regex += '\\';
            in_class = c != ']';
            regex += c;
        } else if (c == '[') {
            in_class = true;
            regex += c;
        } else if (c == '%') {
            regex += ".*";
        } else if (c == '_') {
            regex += '.';
        } else if (c == '(') {
            regex += "(?:";
        } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
            regex += '\\';
            regex += c;
        } else {
            regex += c;
        }
    }
    return regex + ")$";
}

} // namespace blueshift::functions
