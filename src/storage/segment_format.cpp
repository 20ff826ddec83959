#include "storage/segment_format.h"

#include <algorithm>
#include <limits>

#include "storage/byte_stream.h"
#include "storage/segment_footer.h"

namespace blueshift::storage {

namespace {

constexpr u32 kVersion = 2;
/// The first read of an open: the footer of a usual segment fits.
constexpr u64 kTailGuess = 64 << 10;

Error corrupt(const std::string& key, const std::string& what) {
    return Error(sqlstate::kDataCorrupted, "segment is corrupt: " + what)
        .withDetail("Object \"" + key + "\".")
        .withHint("Restore the object from a backup; blueshift verify lists all damaged objects.");
}

Error otherVersion(const std::string& key, u32 version) {
    return Error(sqlstate::kDataCorrupted, "segment has format version " + std::to_string(version) +
                                               ", which this blueshift does not read")
        .withDetail("Object \"" + key + "\"; the version read is " + std::to_string(kVersion) + ".")
        .withHint(version < kVersion
                      ? "It was written before the first release: create the place anew and load "
                        "the data again."
                      : "A newer blueshift wrote it: use that one.");
}

/// Bytes per zone bound: the narrowest width of all bounds; empty vectors become (max, min).
u32 zoneWidth(std::span<const VectorZone> zones) {
    i64 low = 0, high = 0;
    for (const VectorZone& zone : zones) {
        if (zone.min > zone.max) continue;
        low = std::min(low, zone.min);
        high = std::max(high, zone.max);
    }
    return widthOf(narrowestKind(low, high));
}

void putZones(std::span<const VectorZone> zones, u32 width, ByteWriter& writer) {
    const u32 shift = 64 - width * 8;
    const i64 highest = std::numeric_limits<i64>::max() >> shift;
    const i64 lowest = std::numeric_limits<i64>::min() >> shift;
    for (const VectorZone& zone : zones) {
        const bool is_empty = zone.min > zone.max;
        const i64 min = is_empty ? highest : zone.min;
        const i64 max = is_empty ? lowest : zone.max;
        writer.bytes(&min, width);
        writer.bytes(&max, width);
    }
}

i64 getBound(const u8* at, u32 width) {
    u64 bits = 0;
    std::memcpy(&bits, at, width);
    const u32 shift = 64 - width * 8;
    return i64(bits << shift) >> shift;
}

} // namespace

const ColumnEntry* SegmentFooter::find(u32 column_id) const {
    for (const ColumnEntry& column : columns)
        if (column.column_id == column_id) return &column;
    return nullptr;
}

u64 SegmentFooter::byteSize() const {
    u64 bytes = sizeof(*this);
    for (const ColumnEntry& column : columns)
        bytes += sizeof(column) + column.blocks.size() * sizeof(BlockEntry);
    return bytes;
}

ZoneArray appendZones(std::span<const VectorZone> zones, std::vector<u8>& object) {
    if (zones.empty()) return {};
    ZoneArray array{.offset = object.size(), .width = zoneWidth(zones)};
    ByteWriter writer(object);
    putZones(zones, array.width, writer);
    array.checksum = crc32c(object.data() + array.offset, object.size() - array.offset);
    return array;
}

Result<std::vector<VectorZone>> readZones(const SegmentFile& file, const ColumnEntry& column) {
    const ZoneArray& array = column.zones;
    std::vector<VectorZone> zones((file.footer.rows + kVectorRows - 1) / kVectorRows);
    std::vector<u8> bytes(zones.size() * array.width * 2);
    BS_TRY(file.object->read(array.offset, bytes));
    if (crc32c(bytes.data(), bytes.size()) != array.checksum)
        return failure(corrupt(file.key, "vector zones checksum mismatch in column " +
                                             std::to_string(column.column_id)));
    const u8* at = bytes.data();
    for (VectorZone& zone : zones) {
        zone = {getBound(at, array.width), getBound(at + array.width, array.width)};
        at += array.width * 2;
    }
    return zones;
}

void appendFooter(const SegmentFooter& footer, std::vector<u8>& object) {
    const std::vector<u8> body = encodeFooter(footer);
    ByteWriter out(object);
    out.bytes(body.data(), body.size());
    const size_t trailer = object.size();
    out.put<u32>(kVersion);
    out.put<u32>(u32(body.size()));
    out.put<u32>(crc32c(body.data(), body.size()));
    out.put<u64>(trailer + kTrailerBytes);
    out.put<u32>(crc32c(object.data() + trailer, 20));
    out.bytes(kSegmentMagic, 8);
}

Result<std::shared_ptr<const SegmentFile>> openSegment(objects::ObjectStore& store,
                                                       const std::string& key, Hash128 id) {
    auto file = std::make_shared<SegmentFile>();
    file->key = key;
    file->id = id;
    BS_ASSIGN(file->object, store.open(key));
    const u64 size = file->object->size();
    if (size < kTrailerBytes + 8) return failure(corrupt(key, "shorter than its trailer"));
    std::vector<u8> tail(std::min(size, kTailGuess));
    BS_TRY(file->object->read(size - tail.size(), tail));
    file->bytes_read = tail.size();

    ByteReader reader(std::span(tail).last(kTrailerBytes));
    const u32 version = reader.get<u32>();
    const u32 footer_bytes = reader.get<u32>();
    const u32 footer_checksum = reader.get<u32>();
    const u64 object_bytes = reader.get<u64>();
    const u32 trailer_checksum = reader.get<u32>();
    const std::span<const u8> magic = reader.bytes(8);
    if (std::memcmp(magic.data(), kSegmentMagic, 8) != 0)
        return failure(corrupt(key, "it does not end with the mark of a segment"));
    if (crc32c(tail.data() + tail.size() - kTrailerBytes, 20) != trailer_checksum)
        return failure(corrupt(key, "trailer checksum mismatch"));
    if (version != kVersion) return failure(otherVersion(key, version));
    if (object_bytes != size)
        return failure(corrupt(key, "it has another length than when it was written"));
    const u64 needed = u64(footer_bytes) + kTrailerBytes;
    if (needed + 8 > size) return failure(corrupt(key, "footer longer than the object"));
    if (needed > tail.size()) {
        tail.resize(needed);
        BS_TRY(file->object->read(size - needed, tail));
        file->bytes_read += needed;
    }
    const std::span<const u8> body = std::span(tail).last(needed).first(footer_bytes);
    if (crc32c(body.data(), body.size()) != footer_checksum)
        return failure(corrupt(key, "footer checksum mismatch"));
    std::optional<SegmentFooter> footer = decodeFooter(body, size - needed);
    if (!footer) return failure(corrupt(key, "malformed footer"));
    file->footer = *std::move(footer);
    return file;
}

} // namespace blueshift::storage
