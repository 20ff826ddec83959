// range.h: interval arithmetic over 128-bit integers: what values an expression can take.
//
// Place: expression_compiler decides widths and checks by it. A range that would not fit 128 bits
// is unknown; unknown inputs make unknown results.
#pragma once

#include <algorithm>
#include <optional>

#include "types/sql_type.h"

namespace blueshift::compile {

struct Range {
    i128 min = 0;
    i128 max = 0;

    bool contains(const Range& other) const { return min <= other.min && other.max <= max; }
};

/// All values that an integer kind can hold.
constexpr Range rangeOfKind(PhysicalKind kind) {
    const u32 bits = widthOf(kind) * 8 - 1;
    const i128 max = i128((u128(1) << bits) - 1);
    return {-max - 1, max};
}

/// The values that SQL allows for a type: a result outside must raise.
inline Range rangeOfType(const SqlType& type) {
    if (type.kind == TypeKind::kBoolean) return {0, 1};
    if (type.kind == TypeKind::kDecimal) {
        i128 power = 1;
        // Intermediate results may use all digits of their physical form.
        const int digits = type.precision <= 18 ? 18 : 38;
        for (int i = 0; i < digits; ++i) power *= 10;
        return {1 - power, power - 1};
    }
    return rangeOfKind(naturalKind(type));
}

inline std::optional<Range> addRanges(Range a, Range b) {
    Range sum;
    if (__builtin_add_overflow(a.min, b.min, &sum.min)) return std::nullopt;
    if (__builtin_add_overflow(a.max, b.max, &sum.max)) return std::nullopt;
    return sum;
}
inline std::optional<Range> subtractRanges(Range a, Range b) {
    Range difference;
    if (__builtin_sub_overflow(a.min, b.max, &difference.min)) return std::nullopt;
    if (__builtin_sub_overflow(a.max, b.min, &difference.max)) return std::nullopt;
    return difference;
}
inline std::optional<Range> multiplyRanges(Range a, Range b) {
    i128 corner[4];
    if (__builtin_mul_overflow(a.min, b.min, &corner[0])) return std::nullopt;
    if (__builtin_mul_overflow(a.min, b.max, &corner[1])) return std::nullopt;
    if (__builtin_mul_overflow(a.max, b.min, &corner[2])) return std::nullopt;
    if (__builtin_mul_overflow(a.max, b.max, &corner[3])) return std::nullopt;
    return Range{*std::min_element(corner, corner + 4), *std::max_element(corner, corner + 4)};
}

/// The narrowest integer kind, of at least `least`, that holds the range.
inline PhysicalKind kindForRange(Range range, PhysicalKind least) {
    for (u32 width = widthOf(least); width < 16; width *= 2)
        if (rangeOfKind(integerKindOfWidth(width)).contains(range))
            return integerKindOfWidth(width);
    return PhysicalKind::kI128;
}

inline PhysicalKind widerKind(PhysicalKind a, PhysicalKind b) {
    return widthOf(a) >= widthOf(b) ? a : b;
}

} // namespace blueshift::compile
