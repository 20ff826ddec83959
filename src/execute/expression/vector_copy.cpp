#include <cstring>

#include "execute/expression/evaluator.h"

namespace blueshift::execute {
namespace {

template <class T, class Index>
void gather(const T* from, T* to, const u16* selection, u32 count, Index&& index) {
    if (selection == nullptr) {
        for (u32 row = 0; row < count; ++row) to[row] = from[index(row)];
        return;
    }
    for (u32 i = 0; i < count; ++i) to[selection[i]] = from[index(selection[i])];
}

template <class T> void copyValues(const Vector& from, const u16* selection, u32 count, T* to) {
    const T* values = from.values<T>();
    switch (from.form) {
    case VectorForm::kConstant:
        gather(values, to, selection, count, [](u32) { return 0u; });
        return;
    case VectorForm::kFlat:
        gather(values, to, selection, count, [](u32 row) { return row; });
        return;
    case VectorForm::kDictionary: break;
    }
    if (from.code_width == 1) {
        const auto* codes = static_cast<const u8*>(from.codes);
        gather(values, to, selection, count, [codes](u32 row) { return u32(codes[row]); });
    } else if (from.code_width == 2) {
        const auto* codes = static_cast<const u16*>(from.codes);
        gather(values, to, selection, count, [codes](u32 row) { return u32(codes[row]); });
    } else {
        const auto* codes = static_cast<const u32*>(from.codes);
        gather(values, to, selection, count, [codes](u32 row) { return codes[row]; });
    }
}

} // namespace

void copyRows(const Vector& from, const u16* selection, u32 count, VectorBuffer& into) {
    if (from.form == VectorForm::kConstant && from.isNull(0)) {
        for (u32 i = 0; i < count; ++i)
            clearBit(into.validity(), selection == nullptr ? i : selection[i]);
        return;
    }
    dispatchKind(from.kind, [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        copyValues<T>(from, selection, count, into.values<T>());
    });
    for (u32 i = 0; i < count; ++i) {
        const u32 row = selection == nullptr ? i : selection[i];
        if (from.isNull(row)) clearBit(into.validity(), row);
        else setBit(into.validity(), row);
    }
}

Vector flatten(const Vector& vector, const u16* selection, u32 count, VectorBuffer& buffer) {
    if (vector.form == VectorForm::kFlat) return vector;
    buffer.reset(vector.kind);
    if (vector.form == VectorForm::kConstant && vector.isNull(0)) {
        buffer.setAllNull();
        std::memset(buffer.data(), 0, size_t(widthOf(vector.kind)) * buffer.capacity());
        return buffer.view(true);
    }
    dispatchKind(vector.kind, [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        copyValues<T>(vector, selection, count, buffer.values<T>());
    });
    Vector flat = buffer.view(false);
    // A dictionary's validity is per row already.
    if (vector.form == VectorForm::kDictionary) flat.validity = vector.validity;
    return flat;
}

} // namespace blueshift::execute
