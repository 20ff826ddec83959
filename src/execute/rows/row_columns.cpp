// Reads columns of rows back into vectors and compares them; declared in row_pages.h.
#include <algorithm>

#include "execute/rows/row_pages.h"
#include "functions/aggregates/indexed_values.h"

namespace blueshift::execute {
namespace {

using functions::visitRows;
using functions::visitValues;

template <class T> bool sameValue(const T& a, const T& b) {
    if constexpr (std::is_same_v<T, TextView>) return kernels::equal(a, b);
    else if constexpr (std::is_floating_point_v<T>) return a == b || (a != a && b != b);
    else return a == b;
}

void prepare(PhysicalKind kind, u32 count, VectorBuffer& out) {
    out.reset(kind, std::max(count, kVectorRows));
}

/// True when a value is NULL; then the validity bits are written.
bool gatherValidity(const RowLayout& layout, u32 column, const u8* const* rows, u32 count,
                    VectorBuffer& out) {
    if (!layout.isNullable(column)) return false;
    const u32 byte = layout.nullByteOf(column);
    const u8 mask = layout.nullMaskOf(column);
    u64* validity = out.validity();
    bool any = false;
    for (u32 base = 0; base < count; base += 64) {
        const u32 n = std::min(64u, count - base);
        u64 word = 0;
        for (u32 i = 0; i < n; ++i) word |= u64((rows[base + i][byte] & mask) == 0) << i;
        validity[base / 64] = word;
        any |= word != (n == 64 ? ~u64{0} : (u64{1} << n) - 1);
    }
    return any;
}

template <class T>
u32 matchValues(const RowLayout& layout, u32 column, const u8* const* rows, const Vector& vector,
                const u16* vector_rows, u16* candidates, u32 count) {
    const u32 offset = layout.offsetOf(column);
    u32 kept = 0;
    visitValues<T>(vector, [&](auto value) {
        visitRows(vector_rows, [&](auto row_of) {
            for (u32 k = 0; k < count; ++k) {
                const u16 i = candidates[k];
                candidates[kept] = i;
                kept += sameValue<T>(loadField<T>(rows[i], offset), value(row_of(i)));
            }
        });
    });
    return kept;
}

/// Splits off the candidates with a NULL on either side: the surviving NULL pairs are written to
/// `null_pairs`, the candidates with two values stay. Returns how many stay.
template <class IsNullA, class IsNullB>
u32 splitNulls(u16* candidates, u32 count, u16* null_pairs, u32& null_count, IsNullA&& is_null_a,
               IsNullB&& is_null_b) {
    u32 kept = 0;
    for (u32 k = 0; k < count; ++k) {
        const u16 i = candidates[k];
        const bool a = is_null_a(i);
        const bool b = is_null_b(i);
        if (!a && !b) candidates[kept++] = i;
        else if (a && b) null_pairs[null_count++] = i;
    }
    return kept;
}

/// Both lists are ascending; so is the result.
u32 mergeCandidates(u16* candidates, u32 count, const u16* null_pairs, u32 null_count) {
    const u32 total = count + null_count;
    for (u32 at = total; null_count > 0;) {
        const bool take_null = count == 0 || null_pairs[null_count - 1] > candidates[count - 1];
        candidates[--at] = take_null ? null_pairs[--null_count] : candidates[--count];
    }
    return total;
}

i128 loadInteger(const RowLayout& layout, u32 column, const u8* row) {
    i128 value = 0;
    functions::dispatchInteger(layout.kindOf(column), [&](auto* tag) {
        value = loadField<std::remove_pointer_t<decltype(tag)>>(row, layout.offsetOf(column));
    });
    return value;
}

} // namespace

Vector gatherColumn(const RowLayout& layout, u32 column, const u8* const* rows, u32 count,
                    VectorBuffer& out) {
    prepare(layout.kindOf(column), count, out);
    const u32 offset = layout.offsetOf(column);
    dispatchKind(layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        T* values = out.values<T>();
        for (u32 i = 0; i < count; ++i) values[i] = loadField<T>(rows[i], offset);
    });
    return out.view(gatherValidity(layout, column, rows, count, out));
}

Vector gatherOptional(const RowLayout& layout, u32 column, const u8* const* rows, u32 count,
                      VectorBuffer& out) {
    prepare(layout.kindOf(column), count, out);
    const u32 offset = layout.offsetOf(column);
    u64* validity = out.validity();
    std::fill(validity, validity + (count + 63) / 64, ~u64{0});
    dispatchKind(layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        T* values = out.values<T>();
        for (u32 i = 0; i < count; ++i) {
            if (rows[i] == nullptr) {
                values[i] = T{};
                clearBit(validity, i);
                continue;
            }
            values[i] = loadField<T>(rows[i], offset);
            if (layout.isNull(rows[i], column)) clearBit(validity, i);
        }
    });
    return out.view(true);
}

u32 matchColumn(const RowLayout& layout, u32 column, const u8* const* rows, const Vector& vector,
                const u16* vector_rows, u16* candidates, u32 count, bool nulls_equal) {
    u16 null_pairs[kVectorRows];
    u32 null_count = 0;
    if (vector.validity != nullptr || layout.isNullable(column)) {
        count = splitNulls(
            candidates, count, null_pairs, null_count,
            [&](u16 i) { return layout.isNull(rows[i], column); },
            [&](u16 i) { return vector.isNull(vector_rows == nullptr ? i : vector_rows[i]); });
        if (!nulls_equal) null_count = 0;
    }
    if (vector.kind == layout.kindOf(column)) {
        dispatchKind(vector.kind, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            count = matchValues<T>(layout, column, rows, vector, vector_rows, candidates, count);
        });
    } else {
        u32 kept = 0;
        for (u32 k = 0; k < count; ++k) {
            const u16 i = candidates[k];
            const u32 row = vector_rows == nullptr ? i : vector_rows[i];
            candidates[kept] = i;
            kept += loadInteger(layout, column, rows[i]) == vector.integerAt(row);
        }
        count = kept;
    }
    return mergeCandidates(candidates, count, null_pairs, null_count);
}

u32 matchRows(const RowLayout& layout_a, u32 column_a, const u8* const* a,
              const RowLayout& layout_b, u32 column_b, const u8* const* b, u16* candidates,
              u32 count, bool nulls_equal) {
    u16 null_pairs[kVectorRows];
    u32 null_count = 0;
    if (layout_a.isNullable(column_a) || layout_b.isNullable(column_b)) {
        count = splitNulls(
            candidates, count, null_pairs, null_count,
            [&](u16 i) { return layout_a.isNull(a[i], column_a); },
            [&](u16 i) { return layout_b.isNull(b[i], column_b); });
        if (!nulls_equal) null_count = 0;
    }
    const u32 offset_a = layout_a.offsetOf(column_a);
    const u32 offset_b = layout_b.offsetOf(column_b);
    dispatchKind(layout_a.kindOf(column_a), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        u32 kept = 0;
        for (u32 k = 0; k < count; ++k) {
            const u16 i = candidates[k];
            candidates[kept] = i;
            kept += sameValue<T>(loadField<T>(a[i], offset_a), loadField<T>(b[i], offset_b));
        }
        count = kept;
    });
    return mergeCandidates(candidates, count, null_pairs, null_count);
}

} // namespace blueshift::execute
