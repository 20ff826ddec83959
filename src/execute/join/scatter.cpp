#include "execute/join/scatter.h"

namespace blueshift::execute {

void scatterColumn(const RowLayout& layout, u32 column, const u8* const* rows, const u16* positions,
                   u32 count, VectorBuffer& out) {
    const u32 offset = layout.offsetOf(column);
    dispatchKind(layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        T* values = out.values<T>();
        for (u32 i = 0; i < count; ++i) values[positions[i]] = loadField<T>(rows[i], offset);
    });
    if (!layout.isNullable(column)) return;
    for (u32 i = 0; i < count; ++i) {
        if (layout.isNull(rows[i], column)) clearBit(out.validity(), positions[i]);
        else setBit(out.validity(), positions[i]);
    }
}

Vector takeRows(const Vector& vector, const u16* rows, u32 count, VectorBuffer& out) {
    if (vector.form == VectorForm::kConstant) return vector;
    out.reset(vector.kind);
    dispatchKind(vector.kind, [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        T* to = out.values<T>();
        const T* from = vector.values<T>();
        if (vector.form == VectorForm::kFlat)
            for (u32 i = 0; i < count; ++i) to[i] = from[rows[i]];
        else
            for (u32 i = 0; i < count; ++i) to[i] = from[vector.codeAt(rows[i])];
    });
    if (vector.validity == nullptr) return out.view(false);
    for (u32 i = 0; i < count; ++i) {
        if (bitAt(vector.validity, rows[i])) setBit(out.validity(), i);
        else clearBit(out.validity(), i);
    }
    return out.view(true);
}

Vector nullVector(PhysicalKind kind) {
    alignas(16) static constexpr char kZero[16] = {};
    static constexpr u64 kNull = 0;
    return {.kind = kind, .form = VectorForm::kConstant, .data = kZero, .validity = &kNull};
}

} // namespace blueshift::execute
