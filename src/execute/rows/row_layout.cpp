#include "execute/rows/row_layout.h"

#include <algorithm>

namespace blueshift::execute {

RowLayout::RowLayout(std::span<const RowColumn> columns, bool has_hash, u32 extra_bytes)
    : extra_bytes_(extra_bytes), has_hash_(has_hash) {
    u32 offset = has_hash ? 8 : 0;
    columns_.resize(columns.size());
    for (u32 width : {16u, 8u, 4u, 2u, 1u}) {
        for (size_t i = 0; i < columns.size(); ++i) {
            if (widthOf(columns[i].kind) != width) continue;
            columns_[i] = {
                .kind = columns[i].kind, .nullable = columns[i].nullable, .offset = offset};
            offset += width;
            has_text_ |= columns[i].kind == PhysicalKind::kText;
        }
    }
    null_offset_ = offset;
    u32 bit = 0;
    for (Field& field : columns_) {
        if (!field.nullable) continue;
        field.null_byte = null_offset_ + bit / 8;
        field.null_mask = u8(1u << (bit % 8));
        ++bit;
    }
    null_bytes_ = (bit + 7) / 8;
    extra_offset_ = (offset + null_bytes_ + 7) & ~7u;
    // A row without columns still takes room, so that every row has an address of its own.
    row_bytes_ = std::max(8u, extra_offset_ + extra_bytes);
}

} // namespace blueshift::execute
