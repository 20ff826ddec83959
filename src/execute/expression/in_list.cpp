#include "execute/expression/in_list.h"

#include <bit>

namespace blueshift::execute {
namespace {

bool isText(PhysicalKind kind) {
    return kind == PhysicalKind::kText;
}
bool isFloatKind(PhysicalKind kind) {
    return kind == PhysicalKind::kF32 || kind == PhysicalKind::kF64;
}

} // namespace

InListSet::InListSet(std::span<const compile::EvalNode* const> constants, PhysicalKind kind)
    : kind_(kind) {
    slots_.resize(std::bit_ceil(constants.size() * 2 + 2));
    mask_ = slots_.size() - 1;
    const auto insert = [&](u64 hash, u32 index) {
        while (slots_[hash & mask_] != 0) ++hash;
        slots_[hash & mask_] = index + 1;
    };
    for (const compile::EvalNode* node : constants) {
        const Value& value = node->constant;
        if (value.is_null) {
            has_null_ = true;
        } else if (isText(kind)) {
            texts_.push_back(makeTextView(value.text));
            insert(kernels::hashText(texts_.back()), u32(texts_.size() - 1));
        } else if (isFloatKind(kind)) {
            const bool real = kind == PhysicalKind::kF32;
            floats_.push_back(real ? f64(f32(value.floating)) : value.floating);
            insert(kernels::hashFloat(floats_.back()), u32(floats_.size() - 1));
        } else {
            integers_.push_back(value.integer);
            insert(kernels::hashInteger(value.integer), u32(integers_.size() - 1));
        }
    }
}

template <class T>
bool InListSet::probe(u64 hash, const T& value, const std::vector<T>& values) const {
    for (; slots_[hash & mask_] != 0; ++hash)
        if (kernels::equal(values[slots_[hash & mask_] - 1], value)) return true;
    return false;
}

bool InListSet::contains(const Vector& vector, u32 index) const {
    switch (kind_) {
    case PhysicalKind::kText: {
        const TextView& text = vector.values<TextView>()[index];
        return probe(kernels::hashText(text), text, texts_);
    }
    case PhysicalKind::kF32: {
        const f64 value = vector.values<f32>()[index];
        return probe(kernels::hashFloat(value), value, floats_);
    }
    case PhysicalKind::kF64: {
        const f64 value = vector.values<f64>()[index];
        return probe(kernels::hashFloat(value), value, floats_);
    }
    default: {
        const Vector flat{.kind = kind_, .data = vector.data};
        const i128 value = flat.integerAt(index);
        return probe(kernels::hashInteger(value), value, integers_);
    }
    }
}

} // namespace blueshift::execute
