#include "storage/scan/zone_pruning.h"

#include "types/text_view.h"

namespace blueshift::storage {

namespace {

using Op = ScanPredicate::Op;

/// A value against the bounds: the signs of value - min and value - max.
struct Position {
    int to_min = 0;
    int to_max = 0;
    bool bounds_equal = false; // and exact: every value is the bound
};

template <class T> int sign(const T& a, const T& b) {
    return kernels::less(a, b) ? -1 : kernels::less(b, a);
}

Position locate(const Value& value, const catalog::ColumnRange& range, PhysicalKind kind) {
    if (isIntegerKind(kind))
        return {sign(value.integer, range.min), sign(value.integer, range.max),
                range.min == range.max};
    if (kind != PhysicalKind::kText)
        return {sign(value.floating, range.min_float), sign(value.floating, range.max_float),
                range.min_float == range.max_float};
    const TextView text = makeTextView(value.text);
    return {
        kernels::compareText(text, makeTextView(range.min_text)),
        range.max_text_unbounded ? -1 : kernels::compareText(text, makeTextView(range.max_text)),
        false};
}

Verdict judgeValue(Op op, const Position& at) {
    switch (op) {
    case Op::kEqual:
    case Op::kIn:
        if (at.to_min < 0 || at.to_max > 0) return Verdict::kNone;
        return at.bounds_equal ? Verdict::kAll : Verdict::kSome;
    case Op::kNotEqual:
        if (at.to_min < 0 || at.to_max > 0) return Verdict::kAll;
        return at.bounds_equal ? Verdict::kNone : Verdict::kSome;
    case Op::kLess:
        if (at.to_min <= 0) return Verdict::kNone;
        return at.to_max > 0 ? Verdict::kAll : Verdict::kSome;
    case Op::kLessEqual:
        if (at.to_min < 0) return Verdict::kNone;
        return at.to_max >= 0 ? Verdict::kAll : Verdict::kSome;
    case Op::kGreater:
        if (at.to_max >= 0) return Verdict::kNone;
        return at.to_min < 0 ? Verdict::kAll : Verdict::kSome;
    case Op::kGreaterEqual:
        if (at.to_max > 0) return Verdict::kNone;
        return at.to_min <= 0 ? Verdict::kAll : Verdict::kSome;
    default: return Verdict::kSome;
    }
}

} // namespace

Verdict judge(const ScanPredicate& predicate, const catalog::ColumnRange& range, u64 rows,
              PhysicalKind kind) {
    if (predicate.op == Op::kIsNull)
        return range.null_count == 0      ? Verdict::kNone
               : range.null_count == rows ? Verdict::kAll
                                          : Verdict::kSome;
    if (predicate.op == Op::kIsNotNull)
        return range.null_count == 0      ? Verdict::kAll
               : range.null_count == rows ? Verdict::kNone
                                          : Verdict::kSome;
    if (range.null_count == rows) return Verdict::kNone;
    Verdict best = Verdict::kNone;
    for (const Value& value : predicate.values) {
        if (value.is_null) continue;
        if (!range.has_range) return Verdict::kSome;
        const Verdict verdict = judgeValue(predicate.op, locate(value, range, kind));
        if (verdict > best) best = verdict;
    }
    if (best == Verdict::kAll && range.null_count > 0) return Verdict::kSome;
    return best;
}

Verdict judgeZone(const ScanPredicate& predicate, const VectorZone& zone) {
    if (predicate.op == Op::kIsNull) return Verdict::kSome;
    if (zone.min > zone.max) return Verdict::kNone;
    if (predicate.op == Op::kIsNotNull) return Verdict::kSome;
    for (const Value& value : predicate.values) {
        if (value.is_null) continue;
        const Position at{sign<i128>(value.integer, zone.min), sign<i128>(value.integer, zone.max),
                          zone.min == zone.max};
        if (judgeValue(predicate.op, at) != Verdict::kNone) return Verdict::kSome;
    }
    return Verdict::kNone;
}

bool mayMatch(const JoinFilter& filter, const catalog::ColumnRange& range, u64 rows,
              PhysicalKind kind) {
    if (filter.build_empty || range.null_count == rows) return false;
    if (!filter.has_range || !range.has_range || !isIntegerKind(kind)) return true;
    return filter.max >= range.min && filter.min <= range.max;
}

} // namespace blueshift::storage
