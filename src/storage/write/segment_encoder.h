// segment_encoder.h: buffered rows -> the bytes and the catalog entry of one segment object.
//
// Place: TableWriter calls it when the buffers are full and at the end.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/canceled.h"
#include "catalog/catalog.h"
#include "storage/statistics.h"
#include "storage/write/column_buffer.h"

namespace blueshift::storage {

struct EncodedSegment {
    std::vector<u8> object;
    std::shared_ptr<catalog::Segment> segment; // without object_key
};

/// `order` as of sortOrder, or the rows of one part in that order. `columns` are the live columns
/// of the buffers, in order. The error of `cancelled`, asked once a block.
Result<EncodedSegment> encodeSegment(std::span<const ColumnBuffer> buffers,
                                     std::span<const catalog::Column* const> columns,
                                     std::span<const u32> order, StatisticsBuilder& statistics,
                                     const CancelCheck& cancelled = {});

} // namespace blueshift::storage
