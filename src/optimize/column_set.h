// column_set.h: a set of column ids as bits.
//
// Place: everywhere in optimize/ where "which columns does this need or make" is asked.
// Ids are dense in a statement, so a set is a few words; all operations are linear in them.
#pragma once

#include <bit>
#include <span>
#include <vector>

#include "functions/expression.h"

namespace blueshift::optimize {

class ColumnSet {
public:
    ColumnSet() = default;
    explicit ColumnSet(std::span<const ColumnId> ids) {
        for (const ColumnId id : ids) add(id);
    }

    void add(ColumnId id) {
        if (id == kNoColumn) return;
        const size_t word = id / 64;
        if (word >= words_.size()) words_.resize(word + 1);
        words_[word] |= u64{1} << (id % 64);
    }
    void remove(ColumnId id) {
        if (id / 64 < words_.size()) words_[id / 64] &= ~(u64{1} << (id % 64));
    }
    void addAll(const ColumnSet& other) {
        if (other.words_.size() > words_.size()) words_.resize(other.words_.size());
        for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
    }
    void removeAll(const ColumnSet& other) {
        const size_t n = std::min(words_.size(), other.words_.size());
        for (size_t i = 0; i < n; ++i) words_[i] &= ~other.words_[i];
    }
    void keepOnly(const ColumnSet& other) {
        for (size_t i = 0; i < words_.size(); ++i)
            words_[i] &= i < other.words_.size() ? other.words_[i] : 0;
    }
    bool contains(ColumnId id) const {
        return id / 64 < words_.size() && (words_[id / 64] >> (id % 64) & 1) != 0;
    }
    bool containsAll(const ColumnSet& other) const {
        for (size_t i = 0; i < other.words_.size(); ++i)
            if ((other.words_[i] & ~(i < words_.size() ? words_[i] : 0)) != 0) return false;
        return true;
    }
    bool intersects(const ColumnSet& other) const {
        const size_t n = std::min(words_.size(), other.words_.size());
        for (size_t i = 0; i < n; ++i)
            if ((words_[i] & other.words_[i]) != 0) return true;
        return false;
    }
    bool empty() const {
        for (const u64 word : words_)
            if (word != 0) return false;
        return true;
    }
    u32 size() const {
        u32 count = 0;
        for (const u64 word : words_) count += u32(std::popcount(word));
        return count;
    }
    template <class F> void forEach(F&& visit) const {
        for (size_t i = 0; i < words_.size(); ++i)
            for (u64 word = words_[i]; word != 0; word &= word - 1)
                visit(ColumnId(i * 64 + u32(std::countr_zero(word))));
    }
    std::vector<ColumnId> ids() const {
        std::vector<ColumnId> result;
        forEach([&](ColumnId id) { result.push_back(id); });
        return result;
    }

private:
    std::vector<u64> words_;
};

inline ColumnSet operator&(ColumnSet a, const ColumnSet& b) {
    a.keepOnly(b);
    return a;
}
inline ColumnSet operator|(ColumnSet a, const ColumnSet& b) {
    a.addAll(b);
    return a;
}
inline ColumnSet operator-(ColumnSet a, const ColumnSet& b) {
    a.removeAll(b);
    return a;
}

/// The columns that an expression without subqueries reads.
inline ColumnSet columnsOf(const Expr* expr) {
    ColumnSet set;
    if (expr == nullptr) return set;
    if (expr->kind == ExprKind::kColumn) {
        set.add(expr->as<ColumnExpr>()->id);
        return set;
    }
    std::vector<ColumnId> ids;
    collectColumns(expr, ids);
    for (const ColumnId id : ids) set.add(id);
    return set;
}

} // namespace blueshift::optimize
