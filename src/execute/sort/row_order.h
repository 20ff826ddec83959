// row_order.h: the order of rows by sort keys: full comparison, and a 16-byte prefix that compares
// as one unsigned number.
//
// Place: ORDER BY, top-n, ordered aggregates, windows. The prefix holds the first keys in a form
// whose bytes sort (sign flipped, DESC inverted, NULL as a leading bit); rows whose prefixes are
// equal are compared from the first key that the prefix does not hold entirely.
// Text compares by its comparison form (trailing blanks ignored). NaN is the greatest float.
// Threads: immutable after construction.
#pragma once

#include <vector>

#include "execute/operator.h"
#include "execute/rows/row_layout.h"

namespace blueshift::execute {

struct RowSortKey {
    u32 column = 0;
    bool descending = false;
    bool nulls_first = false;
};

/// A row with its prefix; what sorting moves.
struct SortEntry {
    u64 high = 0;
    u64 low = 0;
    u8* row = nullptr;
};

class RowOrder {
public:
    RowOrder(const RowLayout& layout, std::span<const RowSortKey> keys);

    /// Negative, 0 or positive; from key number `first_key` on.
    i32 compare(const u8* a, const u8* b, u32 first_key = 0) const;
    /// Fills the prefixes of entries whose rows are set.
    void makePrefixes(SortEntry* entries, u32 count) const;
    /// The same for many entries, followed by sort(); ends early, in no order, when `stop` says so.
    void prepareAndSort(std::span<SortEntry> entries, const StopToken& stop) const;
    bool less(const SortEntry& a, const SortEntry& b) const {
        if (a.high != b.high) return a.high < b.high;
        if (a.low != b.low) return a.low < b.low;
        return covered_ < keys_.size() && compare(a.row, b.row, covered_) < 0;
    }
    void sort(SortEntry* begin, SortEntry* end) const;
    /// Sorts rows by keys and nothing else.
    void sortRows(std::vector<u8*>& rows, const StopToken& stop) const;
    bool hasKeys() const { return !keys_.empty(); }

private:
    using CompareField = i32 (*)(const u8* a, const u8* b, u32 offset);
    struct Key {
        u32 column;
        u32 offset;
        bool descending;
        bool nulls_first;
        bool nullable;
        PhysicalKind kind;
        CompareField compare;
        u32 prefix_bits = 0; // of the value in the prefix, 0: none
    };

    void planPrefix();
    bool isSorted(std::span<const SortEntry> entries, const StopToken& stop) const;
    void sortStretch(SortEntry* begin, SortEntry* end, u32 depth, const StopToken& stop) const;

    const RowLayout& layout_;
    std::vector<Key> keys_;
    u32 covered_ = 0;     // leading keys that the prefix holds entirely
    u32 prefix_used_ = 0; // bits
};

} // namespace blueshift::execute
