#include "storage/write/sort_order.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "kernels/text.h"

namespace blueshift::storage {

namespace {

/// Orders as the value does, up to ties: 8 bytes that compare unsigned.
u64 prefixOf(const ColumnBuffer& column, u32 row) {
    constexpr u64 kSign = u64{1} << 63;
    if (column.isNull(row)) return ~u64{0};
    switch (column.kind()) {
    case PhysicalKind::kI8: return u64(i64(column.values<i8>()[row])) ^ kSign;
    case PhysicalKind::kI16: return u64(i64(column.values<i16>()[row])) ^ kSign;
    case PhysicalKind::kI32: return u64(i64(column.values<i32>()[row])) ^ kSign;
    case PhysicalKind::kI64: return u64(column.values<i64>()[row]) ^ kSign;
    case PhysicalKind::kI128: return u64(column.values<i128>()[row] >> 64) ^ kSign;
    case PhysicalKind::kF32:
    case PhysicalKind::kF64: {
        f64 value = column.kind() == PhysicalKind::kF32 ? f64(column.values<f32>()[row])
                                                        : column.values<f64>()[row];
        if (value != value) return ~u64{0};
        if (value == 0) value = 0;
        const u64 bits = std::bit_cast<u64>(value);
        return (bits & kSign) != 0 ? ~bits : bits | kSign;
    }
    default: {
        const auto& text = column.values<kernels::TextView>()[row];
        u64 prefix = 0;
        const u32 length = std::min<u32>(8, kernels::trimmedLength(text.data(), text.length));
        std::memcpy(&prefix, text.data(), length);
        return __builtin_bswap64(prefix);
    }
    }
}

int compareRows(const ColumnBuffer& column, u32 a, u32 b) {
    const bool null_a = column.isNull(a), null_b = column.isNull(b);
    if (null_a || null_b) return int(null_a) - int(null_b);
    return dispatchKind(column.kind(), [&]<class T>(T*) -> int {
        const T& x = column.values<T>()[a];
        const T& y = column.values<T>()[b];
        if constexpr (std::is_same_v<T, kernels::TextView>) {
            return kernels::compareText(x, y);
        } else {
            return kernels::less(x, y) ? -1 : kernels::less(y, x);
        }
    });
}

struct SortItem {
    u64 prefix;
    u32 row;
};

} // namespace

std::vector<u32> sortOrder(std::span<const ColumnBuffer* const> keys) {
    if (keys.empty()) return {};
    const u32 rows = keys[0]->rows();
    std::vector<SortItem> items(rows);
    for (u32 row = 0; row < rows; ++row) items[row] = {prefixOf(*keys[0], row), row};
    // Equal prefixes are ties of the whole first key only for NULL-free integers up to 8 bytes.
    const bool exact = isIntegerKind(keys[0]->kind()) && keys[0]->kind() != PhysicalKind::kI128 &&
                       keys[0]->nullCount() == 0;
    const auto before = [&](const SortItem& a, const SortItem& b) {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        for (size_t k = exact ? 1 : 0; k < keys.size(); ++k)
            if (const int order = compareRows(*keys[k], a.row, b.row); order != 0) return order < 0;
        return a.row < b.row;
    };
    if (std::ranges::is_sorted(items, before)) return {};
    std::ranges::sort(items, before);
    std::vector<u32> order(rows);
    for (u32 i = 0; i < rows; ++i) order[i] = items[i].row;
    return order;
}

} // namespace blueshift::storage
