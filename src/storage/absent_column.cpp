#include "storage/absent_column.h"

#include <array>
#include <cstring>

#include "storage/encoding/block_encoding.h"
#include "types/text_view.h"

namespace blueshift::storage {

namespace {

constexpr std::array<u64, kBlockRows / 64> kAllNull{};
/// Loops over texts may read this far past the end.
constexpr size_t kPadding = 64;

} // namespace

AbsentColumn::AbsentColumn(const catalog::Column& column, PhysicalKind kind)
    : kind_(kind), is_null_(column.backfill == nullptr) {
    if (is_null_) return;
    const catalog::BackfillValue& value = *column.backfill;
    if (isIntegerKind(kind)) {
        // Two's complement, little-endian: the low bytes are the narrow value.
        std::memcpy(value_, &value.integer, widthOf(kind));
    } else if (kind == PhysicalKind::kF32) {
        const f32 narrow = f32(value.floating);
        std::memcpy(value_, &narrow, sizeof narrow);
    } else if (kind == PhysicalKind::kF64) {
        std::memcpy(value_, &value.floating, sizeof value.floating);
    } else {
        text_ = value.text;
        text_.resize(value.text.size() + kPadding);
        const TextView view = makeTextView(std::string_view(text_).substr(0, value.text.size()));
        std::memcpy(value_, &view, sizeof view);
    }
}

Vector AbsentColumn::vector() const {
    return {.kind = kind_,
            .form = VectorForm::kConstant,
            .data = value_,
            .validity = is_null_ ? kAllNull.data() : nullptr};
}

catalog::ColumnRange absentRange(const catalog::Column& column, u64 rows) {
    catalog::ColumnRange range;
    if (column.backfill == nullptr) {
        range.null_count = rows;
        return range;
    }
    const catalog::BackfillValue& value = *column.backfill;
    const PhysicalKind kind = naturalKind(column.type);
    range.has_range = true;
    if (isIntegerKind(kind)) {
        range.min = range.max = value.integer;
    } else if (kind == PhysicalKind::kText) {
        range.min_text = lowerTextBound(value.text);
        range.max_text_unbounded = !upperTextBound(value.text, range.max_text);
    } else {
        range.min_float = range.max_float = value.floating;
        range.has_range = value.floating == value.floating;
    }
    return range;
}

} // namespace blueshift::storage
