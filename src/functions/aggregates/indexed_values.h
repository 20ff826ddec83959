// indexed_values.h: loops over the values of a vector of any form, without flattening it.
//
// Place: aggregates and the row pages. Each call site is instantiated once per form, so that the
// inner loop holds no branch: visitValues<T>(vector, [&](auto value) { ... value(row) ... }).
// Threads: no state.
#pragma once

#include "types/vector.h"

namespace blueshift::functions {

/// Calls `body(value)` once, where value(row) is the row's value of C++ type T.
template <class T, class Body> inline void visitValues(const Vector& vector, Body&& body) {
    const T* data = vector.values<T>();
    if (vector.form == VectorForm::kFlat) {
        body([data](u32 row) -> const T& { return data[row]; });
    } else if (vector.form == VectorForm::kConstant) {
        body([data](u32) -> const T& { return data[0]; });
    } else if (vector.code_width == 1) {
        const u8* codes = static_cast<const u8*>(vector.codes);
        body([data, codes](u32 row) -> const T& { return data[codes[row]]; });
    } else if (vector.code_width == 2) {
        const u16* codes = static_cast<const u16*>(vector.codes);
        body([data, codes](u32 row) -> const T& { return data[codes[row]]; });
    } else {
        const u32* codes = static_cast<const u32*>(vector.codes);
        body([data, codes](u32 row) -> const T& { return data[codes[row]]; });
    }
}

/// Calls `body(row_of)` once, where row_of(i) is rows[i], or i when there is no selection.
template <class Body> inline void visitRows(const u16* rows, Body&& body) {
    if (rows == nullptr) body([](u32 i) { return i; });
    else body([rows](u32 i) { return u32(rows[i]); });
}

/// Calls `function(type_tag)` for an integer kind only.
template <class Function> inline void dispatchInteger(PhysicalKind kind, Function&& function) {
    switch (kind) {
    case PhysicalKind::kI8: function(static_cast<i8*>(nullptr)); return;
    case PhysicalKind::kI16: function(static_cast<i16*>(nullptr)); return;
    case PhysicalKind::kI32: function(static_cast<i32*>(nullptr)); return;
    case PhysicalKind::kI64: function(static_cast<i64*>(nullptr)); return;
    default: function(static_cast<i128*>(nullptr)); return;
    }
}

} // namespace blueshift::functions
