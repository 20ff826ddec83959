// row_fields.h: a row layout as generated code is told of it.
#pragma once

#include "compile/segment.h"
#include "execute/rows/row_layout.h"

namespace blueshift::execute {

/// The first `count` columns.
inline std::vector<compile::RowField> rowFields(const RowLayout& layout, u32 count) {
    std::vector<compile::RowField> fields;
    for (u32 c = 0; c < count; ++c) {
        compile::RowField field{.offset = layout.offsetOf(c), .nullable = layout.isNullable(c)};
        if (field.nullable) {
            field.null_byte = layout.nullByteOf(c);
            field.null_mask = layout.nullMaskOf(c);
        }
        fields.push_back(field);
    }
    return fields;
}

} // namespace blueshift::execute
