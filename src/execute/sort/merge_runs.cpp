#include "execute/sort/merge_runs.h"

#include <algorithm>

namespace blueshift::execute {
namespace {
constexpr size_t kLookEvery = 16 << 10;
}

RunMerger::RunMerger(const RowOrder& order, std::vector<std::vector<SortEntry>> runs, u32 parts)
    : order_(order), runs_(std::move(runs)) {
    std::erase_if(runs_, [](const auto& run) { return run.empty(); });
    if (runs_.size() <= 1) {
        if (!runs_.empty()) merged_ = std::move(runs_[0]);
        runs_.clear();
        cuts_.resize(1);
        return;
    }
    size_t total = 0;
    size_t longest = 0;
    for (size_t r = 0; r < runs_.size(); ++r) {
        total += runs_[r].size();
        if (runs_[r].size() > runs_[longest].size()) longest = r;
    }
    merged_.resize(total);
    const auto before = [&](const SortEntry& a, const SortEntry& b) { return order_.less(a, b); };
    cuts_.assign(parts + 1, std::vector<size_t>(runs_.size(), 0));
    for (u32 p = 1; p < parts; ++p) {
        const SortEntry& splitter = runs_[longest][runs_[longest].size() * p / parts];
        for (size_t r = 0; r < runs_.size(); ++r)
            cuts_[p][r] =
                size_t(std::lower_bound(runs_[r].begin(), runs_[r].end(), splitter, before) -
                       runs_[r].begin());
    }
    for (size_t r = 0; r < runs_.size(); ++r) cuts_[parts][r] = runs_[r].size();
}

void RunMerger::mergePart(u32 part, const StopToken& stop) {
    struct Head {
        const SortEntry* at;
        const SortEntry* end;
    };
    std::vector<Head> heads;
    size_t out = 0;
    for (size_t r = 0; r < runs_.size(); ++r) {
        const size_t begin = cuts_[part][r];
        const size_t end = cuts_[part + 1][r];
        out += begin;
        if (begin < end) heads.push_back({runs_[r].data() + begin, runs_[r].data() + end});
    }
    const auto after = [&](const Head& a, const Head& b) { return order_.less(*b.at, *a.at); };
    std::make_heap(heads.begin(), heads.end(), after);
    while (heads.size() > 1) {
        std::pop_heap(heads.begin(), heads.end(), after);
        Head& first = heads.back();
        merged_[out++] = *first.at++;
        if (out % kLookEvery == 0 && stop.requested()) return;
        if (first.at == first.end) heads.pop_back();
        else std::push_heap(heads.begin(), heads.end(), after);
    }
    if (!heads.empty()) std::copy(heads[0].at, heads[0].end, merged_.begin() + i64(out));
}

void RunMerger::finish() {
    runs_.clear();
}

} // namespace blueshift::execute
