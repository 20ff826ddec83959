// like.h: LIKE patterns, prepared once and matched many times.
//
// Place: the loops of LIKE and ILIKE; storage may use prefix() to prune.
// Cost: a pattern without `_` between its wildcards is found part by part (find_bytes.h), each
// part once. The general form backtracks only to the last `%`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace blueshift::functions {

class LikePattern {
public:
    /// `escape` 0 for none. Nothing when the pattern ends in its escape character.
    static std::optional<LikePattern> prepare(std::string_view pattern, char escape,
                                              bool fold_case);

    bool matches(std::string_view text) const;

    /// Bytes that every match begins with; empty for none or when case is folded.
    std::string_view prefix() const {
        return fold_case_ || !anchored_start_ ? std::string_view() : parts_.front();
    }
    /// The pattern has no wildcard at all.
    bool isExact() const {
        return !general_ && anchored_start_ && anchored_end_ && parts_.size() == 1;
    }

private:
    bool matchesGeneral(std::string_view text) const;

    struct Item {
        enum class Kind : u8 { kBytes, kAnyOne, kAnyRun } kind;
        std::string bytes;
    };
    std::vector<std::string> parts_; // between the %s, when there is no _
    bool anchored_start_ = true;
    bool anchored_end_ = true;
    bool general_ = false;
    bool fold_case_ = false;
    std::vector<Item> items_;
};

} // namespace blueshift::functions
