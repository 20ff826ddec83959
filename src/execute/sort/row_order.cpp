#include "execute/sort/row_order.h"

#include <algorithm>
#include <bit>

namespace blueshift::execute {
namespace {

constexpr u32 kPrefixBits = 128;
/// Rows that are sorted between two looks at a stop request: a millisecond or two.
constexpr size_t kStretch = 16 << 10;

template <class T> i32 compareField(const u8* a, const u8* b, u32 offset) {
    const T x = loadField<T>(a, offset);
    const T y = loadField<T>(b, offset);
    if constexpr (std::is_same_v<T, TextView>) {
        return kernels::compareText(x, y);
    } else if constexpr (std::is_floating_point_v<T>) {
        if (x != x || y != y) return i32(x != x) - i32(y != y);
        return i32(x > y) - i32(x < y);
    } else {
        return i32(x > y) - i32(x < y);
    }
}

template <class Bits, class Signed> Bits flipSign(Signed value) {
    return Bits(value) ^ (Bits{1} << (sizeof(Bits) * 8 - 1));
}

/// The value as an unsigned number of the same order, in the top `bits` bits of its width.
template <class T> u128 ordered(const T& value, u32 bits) {
    if constexpr (std::is_same_v<T, TextView>) {
        const char* data = value.data();
        const u32 length = kernels::trimmedLength(data, value.length);
        u128 number = 0;
        const u32 bytes = bits / 8;
        for (u32 i = 0; i < bytes; ++i) number = number << 8 | (i < length ? u8(data[i]) : 0);
        return number;
    } else if constexpr (std::is_floating_point_v<T>) {
        using Bits = std::conditional_t<sizeof(T) == 4, u32, u64>;
        Bits image;
        const T clean = value == 0 ? T(0) : value;
        std::memcpy(&image, &clean, sizeof(T));
        constexpr Bits kSign = Bits{1} << (sizeof(T) * 8 - 1);
        if (value != value) image = ~Bits{0};
        else image = (image & kSign) != 0 ? ~image : image | kSign;
        return u128(image) >> (sizeof(T) * 8 - bits);
    } else if constexpr (sizeof(T) == 16) {
        return flipSign<u128>(value) >> (128 - bits);
    } else {
        using Bits = std::make_unsigned_t<T>;
        return u128(flipSign<Bits>(value)) >> (sizeof(T) * 8 - bits);
    }
}

} // namespace

RowOrder::RowOrder(const RowLayout& layout, std::span<const RowSortKey> keys) : layout_(layout) {
    for (const RowSortKey& key : keys) {
        Key made{.column = key.column,
                 .offset = layout.offsetOf(key.column),
                 .descending = key.descending,
                 .nulls_first = key.nulls_first,
                 .nullable = layout.isNullable(key.column),
                 .kind = layout.kindOf(key.column),
                 .compare = nullptr};
        dispatchKind(made.kind, [&](auto* tag) {
            made.compare = compareField<std::remove_pointer_t<decltype(tag)>>;
        });
        keys_.push_back(made);
    }
    planPrefix();
}

void RowOrder::planPrefix() {
    u32 left = kPrefixBits;
    for (Key& key : keys_) {
        const u32 null_bits = key.nullable ? 1 : 0;
        if (left < null_bits + 8) break;
        left -= null_bits;
        const bool text = key.kind == PhysicalKind::kText;
        const u32 width = text ? kPrefixBits : widthOf(key.kind) * 8;
        key.prefix_bits = std::min(width, left);
        if (text) key.prefix_bits &= ~7u;
        left -= key.prefix_bits;
        if (text || key.prefix_bits < width) break;
        ++covered_;
    }
    prefix_used_ = kPrefixBits - left;
}

i32 RowOrder::compare(const u8* a, const u8* b, u32 first_key) const {
    for (size_t k = first_key; k < keys_.size(); ++k) {
        const Key& key = keys_[k];
        if (key.nullable) {
            const bool a_null = layout_.isNull(a, key.column);
            const bool b_null = layout_.isNull(b, key.column);
            if (a_null || b_null) {
                if (a_null && b_null) continue;
                return a_null == key.nulls_first ? -1 : 1;
            }
        }
        const i32 order = key.compare(a, b, key.offset);
        if (order != 0) return key.descending ? -order : order;
    }
    return 0;
}

void RowOrder::makePrefixes(SortEntry* entries, u32 count) const {
    for (u32 i = 0; i < count; ++i) entries[i].high = entries[i].low = 0;
    const auto shiftIn = [](SortEntry& entry, u32 bits, u128 field) {
        u128 prefix = u128(entry.high) << 64 | entry.low;
        prefix = (bits >= 128 ? 0 : prefix << bits) | field;
        entry.high = u64(prefix >> 64);
        entry.low = u64(prefix);
    };
    for (const Key& key : keys_) {
        if (key.prefix_bits == 0) break;
        const u32 bits = key.prefix_bits;
        const u128 mask = bits >= 128 ? ~u128{0} : (u128{1} << bits) - 1;
        dispatchKind(key.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            for (u32 i = 0; i < count; ++i) {
                SortEntry& entry = entries[i];
                const bool null = key.nullable && layout_.isNull(entry.row, key.column);
                if (key.nullable) shiftIn(entry, 1, null != key.nulls_first ? 1 : 0);
                u128 field = null ? 0 : ordered<T>(loadField<T>(entry.row, key.offset), bits);
                if (key.descending && !null) field = ~field & mask;
                shiftIn(entry, bits, field);
            }
        });
    }
    const u32 rest = kPrefixBits - prefix_used_;
    if (rest == 0 || rest >= kPrefixBits) return;
    for (u32 i = 0; i < count; ++i) shiftIn(entries[i], rest, 0);
}

void RowOrder::sort(SortEntry* begin, SortEntry* end) const {
    const auto before = [this](const SortEntry& a, const SortEntry& b) { return less(a, b); };
    if (!std::is_sorted(begin, end, before)) std::sort(begin, end, before);
}

bool RowOrder::isSorted(std::span<const SortEntry> entries, const StopToken& stop) const {
    for (size_t i = 1; i < entries.size(); ++i) {
        if (less(entries[i], entries[i - 1])) return false;
        if (i % kStretch == 0 && stop.requested()) return true;
    }
    return true;
}

/// Quicksort down to stretches that std::sort does between two looks at `stop`.
void RowOrder::sortStretch(SortEntry* begin, SortEntry* end, u32 depth,
                           const StopToken& stop) const {
    const auto before = [this](const SortEntry& a, const SortEntry& b) { return less(a, b); };
    while (end - begin > i64(kStretch) && depth > 0) {
        if (stop.requested()) return;
        const i64 eighth = (end - begin) / 8;
        SortEntry sample[7];
        for (i64 i = 0; i < 7; ++i) sample[i] = begin[(i + 1) * eighth];
        std::nth_element(sample, sample + 3, sample + 7, before);
        const SortEntry pivot = sample[3];
        SortEntry* low = begin;
        SortEntry* high = end - 1;
        u32 steps = 0;
        // Hoare's partition: what equals the pivot is spread over both sides.
        while (true) {
            while (less(*low, pivot)) ++low;
            while (less(pivot, *high)) --high;
            if (low >= high) break;
            std::swap(*low++, *high--);
            if (++steps % kStretch == 0 && stop.requested()) return;
        }
        SortEntry* const middle = high + 1;
        sortStretch(begin, middle, --depth, stop);
        begin = middle;
    }
    std::sort(begin, end, before);
}

void RowOrder::prepareAndSort(std::span<SortEntry> entries, const StopToken& stop) const {
    for (size_t base = 0; base < entries.size() && !stop.requested(); base += kStretch)
        makePrefixes(entries.data() + base, u32(std::min(kStretch, entries.size() - base)));
    if (stop.requested() || isSorted(entries, stop)) return;
    const u32 depth = 2 * u32(std::bit_width(entries.size()));
    sortStretch(entries.data(), entries.data() + entries.size(), depth, stop);
}

void RowOrder::sortRows(std::vector<u8*>& rows, const StopToken& stop) const {
    std::vector<SortEntry> entries(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) entries[i].row = rows[i];
    prepareAndSort(entries, stop);
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = entries[i].row;
}

} // namespace blueshift::execute
