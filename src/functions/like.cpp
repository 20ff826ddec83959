#include "functions/like.h"

#include "functions/ascii.h"
#include "functions/case_fold.h"
#include "functions/find_bytes.h"
#include "functions/utf8.h"

namespace blueshift::functions {

std::optional<LikePattern> LikePattern::prepare(std::string_view pattern, char escape,
                                                bool fold_case) {
    LikePattern result;
    result.fold_case_ = fold_case;
    std::string folded;
    if (fold_case) {
        folded = foldCase(pattern);
        pattern = folded;
    }
    auto& items = result.items_;
    const auto addByte = [&](char c) {
        if (items.empty() || items.back().kind != Item::Kind::kBytes)
            items.push_back({Item::Kind::kBytes, {}});
        items.back().bytes += c;
    };
    for (size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (escape != 0 && c == escape) {
            if (++i == pattern.size()) return {};
            addByte(pattern[i]);
        } else if (c == '%') {
            if (items.empty() || items.back().kind != Item::Kind::kAnyRun)
                items.push_back({Item::Kind::kAnyRun, {}});
        } else if (c == '_') {
            items.push_back({Item::Kind::kAnyOne, {}});
            result.general_ = true;
        } else {
            addByte(c);
        }
    }
    result.anchored_start_ = items.empty() || items.front().kind != Item::Kind::kAnyRun;
    result.anchored_end_ = items.empty() || items.back().kind != Item::Kind::kAnyRun;
    if (result.anchored_start_ && (items.empty() || items.front().kind == Item::Kind::kAnyOne))
        result.parts_.push_back({});
    for (const Item& item : items)
        if (item.kind == Item::Kind::kBytes) result.parts_.push_back(item.bytes);
    return result;
}

bool LikePattern::matches(std::string_view text) const {
    std::string folded;
    if (fold_case_) {
        folded = foldCase(text);
        text = folded;
    }
    if (general_) return matchesGeneral(text);
    if (parts_.empty()) return true; // only %
    size_t first = 0;
    size_t last = parts_.size();
    if (anchored_start_) {
        if (!text.starts_with(parts_[0])) return false;
        if (anchored_end_ && parts_.size() == 1) return text.size() == parts_[0].size();
        text.remove_prefix(parts_[0].size());
        first = 1;
    }
    if (anchored_end_ && last > first) {
        if (!text.ends_with(parts_[last - 1])) return false;
        text.remove_suffix(parts_[last - 1].size());
        --last;
    }
    for (size_t i = first; i < last; ++i) {
        const size_t found = findBytes(text, parts_[i]);
        if (found == text.npos) return false;
        text.remove_prefix(found + parts_[i].size());
    }
    return true;
}

bool LikePattern::matchesGeneral(std::string_view text) const {
    size_t item = 0;
    size_t at = 0;
    size_t retry_item = items_.size(); // behind the last %
    size_t retry_at = 0;
    while (true) {
        bool failed = false;
        if (item == items_.size()) {
            if (at == text.size()) return true;
            failed = true;
        } else if (items_[item].kind == Item::Kind::kAnyRun) {
            if (item + 1 == items_.size()) return true;
            retry_item = ++item;
            retry_at = at;
        } else if (items_[item].kind == Item::Kind::kAnyOne) {
            if (at < text.size()) {
                at = utf8Next(text, at);
                ++item;
            } else {
                failed = true;
            }
        } else if (text.substr(at).starts_with(items_[item].bytes)) {
            at += items_[item].bytes.size();
            ++item;
        } else {
            failed = true;
        }
        if (!failed) continue;
        if (retry_item == items_.size() || retry_at >= text.size()) return false;
        retry_at = utf8Next(text, retry_at);
        item = retry_item;
        // The next possible start of the bytes behind the %.
        if (items_[item].kind == Item::Kind::kBytes) {
            const size_t found = text.find(items_[item].bytes, retry_at);
            if (found == std::string_view::npos) return false;
            retry_at = found;
        }
        at = retry_at;
    }
}

} // namespace blueshift::functions
