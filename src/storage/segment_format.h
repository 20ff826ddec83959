// segment_format.h: the object of a segment: blocks, vector zones, footer, trailer.
//
// Place: TableWriter appends, SegmentFile reads. Byte by byte in docs/formats/segment.md; the
// footer's own bytes in segment_footer.h. Every part that is read has a CRC32C; a part that fails
// it or a check of its numbers gives XX001.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "objects/object_store.h"
#include "storage/encoding/block_encoding.h"

namespace blueshift::storage {

/// One stored block. `range` is exact (texts: bounds), so is `sum`, which numbers other than floats
/// have while it fits 16 bytes; `distinct` is an estimate, 0 without values.
struct BlockEntry {
    u64 offset = 0;
    u32 bytes = 0;
    u32 rows = 0;
    PhysicalKind kind = PhysicalKind::kI64;
    BlockEncoding encoding = BlockEncoding::kRaw;
    u32 distinct = 0;
    std::optional<i128> sum;
    catalog::ColumnRange range;
};

/// Smallest and largest integer of 1,024 rows; min > max when all are NULL.
struct VectorZone {
    i64 min = 0;
    i64 max = 0;
};

/// Where a column's zones lie, one for each vector of the segment.
struct ZoneArray {
    u64 offset = 0;
    u32 width = 0; // bytes of a bound; 0: none, for floats, texts and 16-byte integers
    u32 checksum = 0;
};

struct ColumnEntry {
    u32 column_id = 0;
    SqlType type;
    std::vector<BlockEntry> blocks;
    ZoneArray zones;
};

struct SegmentFooter {
    u32 rows = 0;
    std::vector<ColumnEntry> columns;

    const ColumnEntry* find(u32 column_id) const;
    u64 byteSize() const;
};

inline constexpr u32 kTrailerBytes = 32;
inline constexpr char kSegmentMagic[9] = "BSSEG\x01\r\n";

/// Appends a column's zones to an object.
ZoneArray appendZones(std::span<const VectorZone> zones, std::vector<u8>& object);
/// Appends footer and trailer to an object that holds the magic, the blocks and the zones.
void appendFooter(const SegmentFooter& footer, std::vector<u8>& object);

/// An object opened for reading: its footer and a handle for block reads.
struct SegmentFile {
    std::string key;
    Hash128 id; // of store and key: names its blocks in the cache
    std::unique_ptr<objects::ReadableObject> object;
    SegmentFooter footer;
    u64 bytes_read = 0; // to open it
};
Result<std::shared_ptr<const SegmentFile>> openSegment(objects::ObjectStore& store,
                                                       const std::string& key, Hash128 id);
/// The zones of a column that has some.
Result<std::vector<VectorZone>> readZones(const SegmentFile& file, const ColumnEntry& column);

} // namespace blueshift::storage
