#include "compile/call_range.h"

#include "functions/datetime_words.h"
#include "functions/function.h"
#include "kernels/datetime.h"

namespace blueshift::compile {
namespace {

using kernels::DatePart;

/// Parts that never become less as dates go on: those of the first and of the last day.
std::optional<Range> rangeOfDays(DatePart part, const EvalNode& value) {
    if (!value.has_range) return std::nullopt;
    const auto dayOf = [&](i128 at) {
        return value.type.kind == TypeKind::kDate ? i32(at) : kernels::dateOfTimestamp(i64(at));
    };
    const i32 first = dayOf(value.min);
    const i32 last = dayOf(value.max);
    if (!kernels::isFiniteDate(first) || !kernels::isFiniteDate(last)) return std::nullopt;
    return Range{kernels::extractFromDate(part, first), kernels::extractFromDate(part, last)};
}

std::optional<Range> rangeOfExtract(const EvalNode& call) {
    const EvalNode& name = *call.args[0];
    const EvalNode& value = *call.args[1];
    if (name.op != EvalOp::kConstant || name.constant.is_null || !isIntegerKind(call.kind) ||
        (value.type.kind != TypeKind::kDate && value.type.kind != TypeKind::kTimestamp))
        return std::nullopt;
    const auto part = functions::datePartFromName(name.constant.text);
    if (!part) return std::nullopt;
    switch (*part) {
    case DatePart::kMillennium:
    case DatePart::kCentury:
    case DatePart::kDecade:
    case DatePart::kYear: return rangeOfDays(*part, value);
    case DatePart::kQuarter: return Range{1, 4};
    case DatePart::kMonth: return Range{1, 12};
    case DatePart::kWeek: return Range{1, 53};
    case DatePart::kDay: return Range{1, 31};
    case DatePart::kDayOfWeek: return Range{0, 6};
    case DatePart::kIsoDayOfWeek: return Range{1, 7};
    case DatePart::kDayOfYear: return Range{1, 366};
    case DatePart::kHour: return Range{0, 23};
    case DatePart::kMinute: return Range{0, 59};
    default: return std::nullopt;
    }
}

} // namespace

std::optional<Range> rangeOfCall(const EvalNode& call) {
    if (call.function != nullptr && call.function->name == "extract") return rangeOfExtract(call);
    return std::nullopt;
}

} // namespace blueshift::compile
