// scatter.h: moves values between rows and the positions of a batch that a join step needs.
//
// Place: probes and nested loops. gatherColumn (rows/) yields dense vectors; these write at chosen
// positions, so that a probe batch keeps its own vectors and only narrows its selection.
#pragma once

#include "execute/rows/row_pages.h"

namespace blueshift::execute {

/// out[positions[i]] = column of rows[i]; validity is set for those positions when the column may
/// be NULL.
void scatterColumn(const RowLayout& layout, u32 column, const u8* const* rows, const u16* positions,
                   u32 count, VectorBuffer& out);

/// Dense copy: out[i] = vector[rows[i]], any form; a constant stays constant.
Vector takeRows(const Vector& vector, const u16* rows, u32 count, VectorBuffer& out);

/// A constant NULL of a kind.
Vector nullVector(PhysicalKind kind);

} // namespace blueshift::execute
