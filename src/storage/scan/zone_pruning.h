// zone_pruning.h: what the range of a segment, block or vector says about a predicate.
//
// Place: TableScan asks it before it reads anything.
#pragma once

#include "catalog/catalog.h"
#include "storage/segment_format.h"
#include "types/scan_predicate.h"

namespace blueshift::storage {

enum class Verdict : u8 { kNone, kSome, kAll };

/// Whether none, some or all of `rows` rows with this range satisfy the predicate. `kind` is the
/// column's natural kind. kSome when unsure.
Verdict judge(const ScanPredicate& predicate, const catalog::ColumnRange& range, u64 rows,
              PhysicalKind kind);
/// The same for the integers of one vector; never kAll, because a zone knows nothing of NULLs.
Verdict judgeZone(const ScanPredicate& predicate, const VectorZone& zone);
/// False when no key of a published join filter lies in the range.
bool mayMatch(const JoinFilter& filter, const catalog::ColumnRange& range, u64 rows,
              PhysicalKind kind);

} // namespace blueshift::storage
