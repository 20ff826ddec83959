// accumulators.h: what a generated loop over rows of one group keeps, and its text.
//
// Place: used by group_writer.cpp. Threads: one.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "compile/codegen/source_text.h"

namespace blueshift::compile {

/// Bits of a sum of at most 2^10 values from 0 to `max`, in steps that another constant of the
/// query hardly changes.
inline u32 bitsOfSum(i128 max) {
    constexpr u32 kStep = 8;
    u32 bits = 0;
    while (bits < 64 && (max << 10) >> bits != 0) bits += kStep;
    return bits;
}

/// Accumulators of rows of one group: set before them, updated by each, then added to the group's
/// state. Equal sums and counts are kept once. They are variables, or fields of `Sums s`; of those,
/// short sums of what is not negative share words, for each word costs a load and a store a row.
class Accumulators {
public:
    explicit Accumulators(bool fields) : fields_(fields) {}

    SourceText declarations; // of fields
    SourceText before;
    SourceText each;
    SourceText after;

    std::string add(const char* type, const std::string& initial, const std::string& update) {
        const std::string key = fmt::format("{} {} {}", type, initial, update);
        if (const auto found = known_.find(key); found != known_.end()) return found->second;
        std::string name = fmt::format("sum{}", known_.size());
        if (fields_) {
            declarations.line("{} {};", type, name);
            name = "s." + name;
            before.line("{} = {};", name, initial);
        } else {
            before.line("{} {} = {};", type, name, initial);
        }
        each.line("{};", fmt::format(fmt::runtime(update), name));
        known_.emplace(key, name);
        return name;
    }
    bool sharesWords(u32 bits) const { return fields_ && bits <= kMostShared; }
    /// A sum of `bits` bits of a term that is not negative: the expression that reads it.
    std::string share(const std::string& term, u32 bits) {
        if (const auto found = known_.find(term); found != known_.end()) return found->second;
        auto word = std::find_if(words_.begin(), words_.end(),
                                 [&](const Word& w) { return w.bits + bits <= 64; });
        const bool fresh = word == words_.end();
        if (fresh) word = words_.emplace(words_.end());
        const std::string name = fmt::format("shared{}", word - words_.begin());
        if (fresh) {
            declarations.line("u64 {};", name);
            before.line("s.{} = 0;", name);
        }
        word->terms += fresh ? fmt::format("u64({})", term)
                             : fmt::format(" + (u64({}) << {})", term, word->bits);
        const std::string shifted = fresh ? name : fmt::format("{} >> {}", name, word->bits);
        const std::string sum = fmt::format("(s.{} & {:#x})", shifted, (u64{1} << bits) - 1);
        word->bits += bits;
        known_.emplace(term, sum);
        return sum;
    }
    /// The rows that count: all, or those where `condition` holds.
    std::string rows(const std::string& condition) {
        if (fields_)
            return share(condition.empty() ? "1" : "bool(" + condition + ")", bitsOfSum(1));
        if (condition.empty()) return "rows";
        return add("u64", "0", "{} += bool(" + condition + ")");
    }
    /// Once all are there.
    void finish() {
        for (size_t w = 0; w < words_.size(); ++w)
            each.line("s.shared{} += {};", w, words_[w].terms);
    }

private:
    static constexpr u32 kMostShared = 56;
    struct Word {
        u32 bits = 0;
        std::string terms;
    };

    const bool fields_;
    std::map<std::string, std::string> known_;
    std::vector<Word> words_;
};

} // namespace blueshift::compile
