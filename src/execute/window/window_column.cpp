#include "execute/window/window_column.h"

#include <algorithm>
#include <cstring>

#include "functions/aggregates/indexed_values.h"

namespace blueshift::execute {

void WindowColumn::setInteger(size_t row, i128 value) {
    functions::dispatchInteger(kind_, [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        const T narrow = T(value);
        std::memcpy(reinterpret_cast<u8*>(values_.data()) + row * sizeof(T), &narrow, sizeof(T));
    });
    setValid(row);
}

void WindowColumn::setFloat(size_t row, f64 value) {
    if (kind_ == PhysicalKind::kF32) values<f32>()[row] = f32(value);
    else values<f64>()[row] = value;
    setValid(row);
}

void WindowColumn::set(size_t row, const Vector& vector, u32 index) {
    if (vector.isNull(index)) return;
    if (kind_ == PhysicalKind::kText) {
        TextView text = vector.valueAt<TextView>(index);
        if (!text.isInline()) text = makeTextView(text_.copyText(asStringView(text)));
        values<TextView>()[row] = text;
        setValid(row);
    } else if (isIntegerKind(kind_)) {
        setInteger(row, vector.integerAt(index));
    } else {
        setFloat(row, vector.kind == PhysicalKind::kF32 ? vector.valueAt<f32>(index)
                                                        : vector.valueAt<f64>(index));
    }
}

Vector WindowColumn::read(size_t begin, u32 count, VectorBuffer& out) const {
    out.reset(kind_);
    const u32 width = widthOf(kind_);
    std::memcpy(out.data(), reinterpret_cast<const u8*>(values_.data()) + begin * width,
                size_t(count) * width);
    u64* validity = out.validity();
    const u32 shift = begin % 64;
    for (u32 word = 0; word * 64 < count; ++word) {
        const size_t at = begin / 64 + word;
        const u64 low = validity_[at] >> shift;
        const u64 high =
            shift == 0 || at + 1 >= validity_.size() ? 0 : validity_[at + 1] << (64 - shift);
        validity[word] = low | high;
    }
    return out.view(true);
}

} // namespace blueshift::execute
