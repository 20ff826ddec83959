// absent_column.h: what rows read as that were stored before their column was added.
//
// Place: scans of segments without the column; samples of statistics that are older than it. The
// value is recorded in the catalog by ALTER TABLE ADD COLUMN (Column::backfill); NULL without one.
// Owns: the value; vectors point into it.
#pragma once

#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "types/vector.h"

namespace blueshift::storage {

class AbsentColumn {
public:
    /// Integers come at `kind`, which must hold the value; other columns at their natural kind.
    AbsentColumn(const catalog::Column& column, PhysicalKind kind);
    AbsentColumn(const AbsentColumn&) = delete;

    /// Constant; a NULL has a cleared validity bit for every row of a block.
    Vector vector() const;

private:
    PhysicalKind kind_;
    bool is_null_;
    std::string text_;
    alignas(64) u8 value_[64] = {};
};

/// The exact range of `rows` rows without the column.
catalog::ColumnRange absentRange(const catalog::Column& column, u64 rows);

} // namespace blueshift::storage
