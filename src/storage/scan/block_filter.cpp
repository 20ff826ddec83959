#include "storage/scan/block_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "types/text_view.h"

namespace blueshift::storage {

namespace {

using Op = ScanPredicate::Op;

u32 widthIndex(u32 width) {
    return u32(std::countr_zero(width));
}

i64 lowestOf(PhysicalKind kind) {
    return std::numeric_limits<i64>::min() >> (64 - widthOf(kind) * 8);
}
i64 highestOf(PhysicalKind kind) {
    return std::numeric_limits<i64>::max() >> (64 - widthOf(kind) * 8);
}

bool satisfies(Op op, int order) {
    switch (op) {
    case Op::kEqual:
    case Op::kIn: return order == 0;
    case Op::kNotEqual: return order != 0;
    case Op::kLess: return order < 0;
    case Op::kLessEqual: return order <= 0;
    case Op::kGreater: return order > 0;
    default: return order >= 0;
    }
}

template <class T> int orderOf(const T& a, const T& b) {
    return kernels::less(a, b) ? -1 : kernels::less(b, a);
}

} // namespace

void andBits(u64* mask, const u64* bits, u32 first, u32 rows) {
    const u64* at = bits + first / 64;
    const u32 shift = first % 64;
    const u32 words = (rows + 63) / 64;
    if (shift == 0) {
        for (u32 w = 0; w < words; ++w) mask[w] &= at[w];
        return;
    }
    const u32 last = (shift + rows - 1) / 64; // nothing past the last row's word is read
    for (u32 w = 0; w < words; ++w) {
        const u64 next = w + 1 <= last ? at[w + 1] : 0;
        mask[w] &= at[w] >> shift | next << (64 - shift);
    }
}

void andNotBits(u64* mask, const std::vector<u64>& bits, u64 first, u32 rows) {
    const u32 shift = first % 64;
    const u64 start = first / 64;
    const auto word = [&](u64 index) { return index < bits.size() ? bits[index] : 0; };
    for (u32 w = 0; w < (rows + 63) / 64; ++w) {
        u64 value = word(start + w) >> shift;
        if (shift != 0) value |= word(start + w + 1) << (64 - shift);
        mask[w] &= ~value;
    }
}

void BlockFilter::prepare(const ScanPredicate& predicate, const Vector& block) {
    predicate_ = &predicate;
    if (predicate.op == Op::kIsNull) {
        step_ = block.validity == nullptr ? Step::kPassNone : Step::kIsNull;
    } else if (predicate.op == Op::kIsNotNull) {
        step_ = block.validity == nullptr ? Step::kPassAll : Step::kNotNull;
    } else if (std::ranges::all_of(predicate.values, [](const Value& v) { return v.is_null; })) {
        step_ = Step::kPassNone;
    } else if (block.form == VectorForm::kConstant) {
        prepareConstant(block);
    } else if (block.form == VectorForm::kDictionary) {
        prepareDictionary(block);
    } else if (isIntegerKind(block.kind) && block.kind != PhysicalKind::kI128) {
        prepareIntegers(block);
    } else if (block.kind == PhysicalKind::kF32 || block.kind == PhysicalKind::kF64) {
        prepareFloats(block);
    } else {
        step_ = Step::kGeneric;
    }
}

void BlockFilter::prepareConstant(const Vector& block) {
    Vector value = block;
    value.validity = nullptr;
    if (!passes(value, 0)) step_ = Step::kPassNone;
    else step_ = block.validity == nullptr ? Step::kPassAll : Step::kNotNull;
}

void BlockFilter::prepareRange(i128 min, i128 max, const Vector& block) {
    predicate_ = nullptr;
    const i128 lowest = lowestOf(block.kind), highest = highestOf(block.kind);
    if (max < lowest || min > highest || min > max) {
        step_ = Step::kPassNone;
        return;
    }
    low_ = i64(std::max(min, lowest));
    high_ = i64(std::min(max, highest));
    step_ = Step::kIntegersBetween;
    if (low_ == lowest && high_ == highest)
        step_ = block.validity == nullptr ? Step::kPassAll : Step::kNotNull;
}

void BlockFilter::prepareIntegers(const Vector& block) {
    const ScanPredicate& predicate = *predicate_;
    constexpr i128 kLowest = i128(u128{1} << 127);
    constexpr i128 kHighest = ~kLowest;
    const i128 value = predicate.values[0].integer;
    switch (predicate.op) {
    case Op::kEqual: prepareRange(value, value, block); break;
    case Op::kNotEqual:
        prepareRange(value, value, block);
        if (step_ == Step::kPassNone)
            step_ = block.validity == nullptr ? Step::kPassAll : Step::kNotNull;
        else step_ = Step::kIntegersOutside;
        break;
    case Op::kLess:
        if (value == kLowest) step_ = Step::kPassNone;
        else prepareRange(kLowest, value - 1, block);
        break;
    case Op::kLessEqual: prepareRange(kLowest, value, block); break;
    case Op::kGreater:
        if (value == kHighest) step_ = Step::kPassNone;
        else prepareRange(value + 1, kHighest, block);
        break;
    case Op::kGreaterEqual: prepareRange(value, kHighest, block); break;
    default: {
        integers_.clear();
        for (const Value& member : predicate.values)
            if (!member.is_null && member.integer >= lowestOf(block.kind) &&
                member.integer <= highestOf(block.kind))
                integers_.push_back(i64(member.integer));
        std::ranges::sort(integers_);
        integers_.erase(std::ranges::unique(integers_).begin(), integers_.end());
        if (integers_.empty()) {
            step_ = Step::kPassNone;
        } else if (u64(integers_.back()) - u64(integers_.front()) == integers_.size() - 1) {
            prepareRange(integers_.front(), integers_.back(), block);
        } else {
            low_ = integers_.front();
            high_ = integers_.back();
            step_ = Step::kIntegersIn;
        }
    }
    }
}

void BlockFilter::prepareFloats(const Vector& block) {
    const ScanPredicate& predicate = *predicate_;
    const f64 value = predicate.values[0].floating;
    constexpr f64 kInfinity = std::numeric_limits<f64>::infinity();
    step_ = Step::kGeneric;
    // NaN is greater than every number: only comparisons that NaN fails are plain ranges.
    if (value != value) return;
    if (predicate.op == Op::kEqual) {
        float_low_ = float_high_ = value;
    } else if (predicate.op == Op::kLessEqual) {
        float_low_ = -kInfinity;
        float_high_ = value;
    } else if (predicate.op == Op::kLess) {
        if (value == -kInfinity) {
            step_ = Step::kPassNone;
            return;
        }
        float_low_ = -kInfinity;
        // The largest double below the value: also right for 4-byte floats, compared as doubles.
        const f64 zero_safe = value == 0 ? 0.0 : value;
        const u64 bits = std::bit_cast<u64>(zero_safe);
        float_high_ = zero_safe == 0  ? -std::numeric_limits<f64>::denorm_min()
                      : zero_safe > 0 ? std::bit_cast<f64>(bits - 1)
                                      : std::bit_cast<f64>(bits + 1);
    } else {
        return;
    }
    step_ = Step::kFloatsBetween;
}

void BlockFilter::prepareDictionary(const Vector& block) {
    const ScanPredicate& predicate = *predicate_;
    members_.assign(block.code_width == 1 ? 4 : 1024, 0);
    const auto* entries = block.values<TextView>();
    const auto* end = entries + block.dictionary_size;
    const auto allow = [&](const TextView* from, const TextView* to) {
        for (; from < to; ++from) setBit(members_.data(), u32(from - entries));
    };
    for (const Value& value : predicate.values) {
        if (value.is_null) continue;
        const TextView text = makeTextView(value.text);
        // Entries are ordered: those equal to the value are [first, last).
        const auto* first = std::partition_point(
            entries, end, [&](const TextView& e) { return kernels::less(e, text); });
        const auto* last = std::partition_point(
            first, end, [&](const TextView& e) { return kernels::lessEqual(e, text); });
        switch (predicate.op) {
        case Op::kNotEqual:
            allow(entries, first);
            allow(last, end);
            break;
        case Op::kLess: allow(entries, first); break;
        case Op::kLessEqual: allow(entries, last); break;
        case Op::kGreater: allow(last, end); break;
        case Op::kGreaterEqual: allow(first, end); break;
        default: allow(first, last); break;
        }
    }
    setCodes(block);
}

void BlockFilter::setCodes(const Vector& block) {
    u32 count = 0;
    u32 first = 0, last = 0;
    for (u32 code = 0; code < block.dictionary_size; ++code) {
        if (!bitAt(members_.data(), code)) continue;
        if (count++ == 0) first = code;
        last = code;
    }
    if (count == 0) {
        step_ = Step::kPassNone;
    } else if (count == block.dictionary_size) {
        step_ = block.validity == nullptr ? Step::kPassAll : Step::kNotNull;
    } else if (last - first + 1 == count) {
        low_ = first;
        high_ = last;
        step_ = Step::kCodesBetween;
    } else {
        step_ = Step::kCodesIn;
    }
}

bool BlockFilter::passes(const Vector& block, u32 row) const {
    for (const Value& value : predicate_->values) {
        if (value.is_null) continue;
        int order;
        if (isIntegerKind(block.kind)) {
            order = orderOf(block.integerAt(row), value.integer);
        } else if (block.kind == PhysicalKind::kText) {
            order = kernels::compareText(block.valueAt<TextView>(row), makeTextView(value.text));
        } else {
            order = orderOf(block.kind == PhysicalKind::kF32 ? f64(block.valueAt<f32>(row))
                                                             : block.valueAt<f64>(row),
                            value.floating);
        }
        if (satisfies(predicate_->op, order)) return true;
    }
    return false;
}

void BlockFilter::applyGeneric(const Vector& block, u32 first, u32 rows, u64* mask) const {
    for (u32 word = 0; word < (rows + 63) / 64; ++word) {
        for (u64 bits = mask[word]; bits != 0; bits &= bits - 1) {
            const u32 bit = u32(std::countr_zero(bits));
            if (!passes(block, first + word * 64 + bit)) mask[word] &= ~(u64{1} << bit);
        }
    }
}

void BlockFilter::apply(const kernels::BlockSteps& steps, const Vector& block, u32 first, u32 rows,
                        u64* mask) const {
    if (step_ == Step::kPassAll) return;
    const u32 words = (rows + 63) / 64;
    if (step_ == Step::kPassNone) {
        std::memset(mask, 0, words * 8);
        return;
    }
    if (step_ == Step::kIsNull) {
        u64 valid[kValidityWords + 1];
        std::memset(valid, 0xFF, sizeof(valid));
        andBits(valid, block.validity, first, rows);
        for (u32 w = 0; w < words; ++w) mask[w] &= ~valid[w];
        return;
    }
    if (block.validity != nullptr) andBits(mask, block.validity, first, rows);
    const u32 width = widthOf(block.kind);
    const u8* values = static_cast<const u8*>(block.data) + size_t(first) * width;
    const u8* codes = static_cast<const u8*>(block.codes) + size_t(first) * block.code_width;
    switch (step_) {
    case Step::kIntegersBetween:
        steps.between[widthIndex(width)](values, low_, high_, rows, mask);
        break;
    case Step::kIntegersOutside:
        steps.outside[widthIndex(width)](values, low_, high_, rows, mask);
        break;
    case Step::kIntegersIn: {
        steps.between[widthIndex(width)](values, low_, high_, rows, mask);
        for (u32 word = 0; word < words; ++word)
            for (u64 bits = mask[word]; bits != 0; bits &= bits - 1) {
                const u32 bit = u32(std::countr_zero(bits));
                const i64 value = i64(block.integerAt(first + word * 64 + bit));
                if (!std::ranges::binary_search(integers_, value)) mask[word] &= ~(u64{1} << bit);
            }
        break;
    }
    case Step::kCodesBetween:
        steps.codes_between[block.code_width - 1](codes, low_, high_, rows, mask);
        break;
    case Step::kCodesIn:
        steps.codes_in[block.code_width - 1](codes, members_.data(), rows, mask);
        break;
    case Step::kFloatsBetween:
        steps.float_between[width == 4 ? 0 : 1](values, float_low_, float_high_, rows, mask);
        break;
    case Step::kGeneric: applyGeneric(block, first, rows, mask); break;
    default: break;
    }
}

} // namespace blueshift::storage
