#include "execute/sort/top_rows.h"

#include <algorithm>

#include "functions/aggregates/indexed_values.h"

namespace blueshift::execute {
namespace {

constexpr std::string_view kWhat = "a top-n sort";
constexpr u64 kSlack = 4096;

/// Order of two non-NULL values as RowOrder has it.
template <class T> bool notAfter(const T& a, const T& b, bool descending) {
    if constexpr (std::is_same_v<T, TextView>) {
        const i32 order = kernels::compareText(a, b);
        return descending ? order >= 0 : order <= 0;
    } else if constexpr (std::is_floating_point_v<T>) {
        if (a != a || b != b) return descending ? a != a : b != b;
        return descending ? a >= b : a <= b;
    } else {
        return descending ? a >= b : a <= b;
    }
}

} // namespace

u32 TopRows::admit(const Vector& key, const u16* rows, u32 count, u16* out) const {
    const RowSortKey& spec = shape_.keys[0];
    const bool threshold_null = shape_.layout.isNull(threshold_, spec.column);
    u32 kept = 0;
    const auto keep = [&](auto passes) {
        for (u32 i = 0; i < count; ++i) {
            const u32 row = rows == nullptr ? i : rows[i];
            out[kept] = u16(row);
            kept += key.isNull(row) ? spec.nulls_first || threshold_null : passes(row);
        }
    };
    if (threshold_null) {
        keep([&](u32) { return !spec.nulls_first; });
        return kept;
    }
    dispatchKind(key.kind, [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        const T limit = loadField<T>(threshold_, shape_.layout.offsetOf(spec.column));
        functions::visitValues<T>(key, [&](auto value) {
            keep([&](u32 row) { return notAfter<T>(value(row), limit, spec.descending); });
        });
    });
    return kept;
}

void TopRows::add(std::span<const Vector> columns, const u16* rows, u32 count,
                  WorkerContext& context) {
    if (shape_.limit == 0) return;
    u16 admitted[kVectorRows];
    if (threshold_ != nullptr && !shape_.keys.empty() &&
        columns[shape_.keys[0].column].kind == shape_.layout.kindOf(shape_.keys[0].column)) {
        count = admit(columns[shape_.keys[0].column], rows, count, admitted);
        rows = admitted;
    }
    if (!pages_.append(shape_.layout, columns, rows, count, nullptr, nullptr, context, kWhat))
        return;
    if (pages_.rowCount() >= shape_.limit + std::max(shape_.limit, kSlack)) shrink(context);
}

std::vector<SortEntry> TopRows::entries() const {
    std::vector<u8*> rows;
    pages_.collectRows(rows);
    std::vector<SortEntry> made(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) made[i].row = rows[i];
    shape_.order.makePrefixes(made.data(), u32(made.size()));
    return made;
}

bool TopRows::shrink(WorkerContext& context) {
    std::vector<SortEntry> held = entries();
    const auto before = [&](const SortEntry& a, const SortEntry& b) {
        return shape_.order.less(a, b);
    };
    std::nth_element(held.begin(), held.begin() + i64(shape_.limit - 1), held.end(), before);
    // Rows are copied with their text, so that dropped rows leave nothing behind.
    RowPages kept;
    std::vector<VectorBuffer> buffers(shape_.layout.columnCount());
    std::vector<Vector> columns(shape_.layout.columnCount());
    const u8* rows[kVectorRows];
    u8* addresses[kVectorRows] = {};
    for (u64 base = 0; base < shape_.limit; base += kVectorRows) {
        const u32 count = u32(std::min<u64>(kVectorRows, shape_.limit - base));
        for (u32 i = 0; i < count; ++i) rows[i] = held[base + i].row;
        for (u32 c = 0; c < columns.size(); ++c)
            columns[c] = gatherColumn(shape_.layout, c, rows, count, buffers[c]);
        if (!kept.append(shape_.layout, columns, nullptr, count, nullptr, addresses, context,
                         kWhat))
            return false;
        threshold_ = addresses[count - 1]; // nth_element put the worst row last
    }
    pages_.clear(context);
    pages_ = std::move(kept);
    return true;
}

void TopRows::clear(WorkerContext& context) {
    pages_.clear(context);
    threshold_ = nullptr;
}

std::vector<SortEntry> TopRows::finish(WorkerContext&) {
    std::vector<SortEntry> held = entries();
    shape_.order.sort(held.data(), held.data() + held.size());
    if (held.size() > shape_.limit) held.resize(shape_.limit);
    return held;
}

} // namespace blueshift::execute
