#include "storage/segment_format.h"

#include <algorithm>
#include <limits>

#include "storage/byte_stream.h"

namespace blueshift::storage {

namespace {

constexpr u32 kVersion = 1;
constexpr u64 kTailGuess = 64 << 10;

Error corrupt(const std::string& key, const char* what) {
    return Error(sqlstate::kDataCorrupted, std::string("segment is corrupt: ") + what)
        .withDetail("Object \"" + key + "\".")
        .withHint("Restore the object from a backup; blueshift verify lists all damaged objects.");
}

void putRange(const catalog::ColumnRange& range, PhysicalKind kind, ByteWriter& writer) {
    writer.put<u32>(u32(range.null_count));
    writer.put<u8>(u8(range.has_range) | u8(range.max_text_unbounded) << 1);
    if (!range.has_range) return;
    if (kind == PhysicalKind::kText) {
        writer.text(range.min_text);
        writer.text(range.max_text);
    } else if (isIntegerKind(kind)) {
        writer.put<i128>(range.min);
        writer.put<i128>(range.max);
    } else {
        writer.put<f64>(range.min_float);
        writer.put<f64>(range.max_float);
    }
}

catalog::ColumnRange getRange(PhysicalKind kind, ByteReader& reader) {
    catalog::ColumnRange range;
    range.null_count = reader.get<u32>();
    const u8 flags = reader.get<u8>();
    range.has_range = (flags & 1) != 0;
    range.max_text_unbounded = (flags & 2) != 0;
    if (!range.has_range) return range;
    if (kind == PhysicalKind::kText) {
        range.min_text = reader.text();
        range.max_text = reader.text();
    } else if (isIntegerKind(kind)) {
        range.min = reader.get<i128>();
        range.max = reader.get<i128>();
    } else {
        range.min_float = reader.get<f64>();
        range.max_float = reader.get<f64>();
    }
    return range;
}

/// Bytes per zone bound: the narrowest width of all bounds; empty vectors become (max, min).
u32 zoneWidth(const std::vector<VectorZone>& zones) {
    i64 low = 0, high = 0;
    for (const VectorZone& zone : zones) {
        if (zone.min > zone.max) continue;
        low = std::min(low, zone.min);
        high = std::max(high, zone.max);
    }
    return widthOf(narrowestKind(low, high));
}

void putZones(const std::vector<VectorZone>& zones, u32 width, ByteWriter& writer) {
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

/// Parses the footer; `zones` is the checked zone section.
bool parseFooter(std::span<const u8> bytes, std::span<const u8> zones, u64 data_end,
                 SegmentFooter& footer) {
    ByteReader reader(bytes);
    footer.rows = reader.get<u32>();
    const u32 column_count = reader.get<u32>();
    if (!reader.ok() || footer.rows > kSegmentRows || column_count > bytes.size()) return false;
    const u32 block_count = (footer.rows + kBlockRows - 1) / kBlockRows;
    const u32 vector_count = (footer.rows + kVectorRows - 1) / kVectorRows;
    for (u32 c = 0; c < column_count; ++c) {
        ColumnEntry column;
        column.column_id = reader.get<u32>();
        const u8 type_kind = reader.get<u8>();
        column.type.precision = reader.get<u8>();
        column.type.scale = reader.get<u8>();
        column.type.length = reader.get<i32>();
        if (!reader.ok() || type_kind > u8(TypeKind::kVoid)) return false;
        column.type.kind = TypeKind(type_kind);
        const PhysicalKind natural = naturalKind(column.type);
        for (u32 b = 0; b < block_count; ++b) {
            BlockEntry block;
            block.offset = reader.get<u64>();
            block.bytes = reader.get<u32>();
            block.rows = std::min(kBlockRows, footer.rows - b * kBlockRows);
            const u8 kind = reader.get<u8>();
            block.encoding = BlockEncoding(reader.get<u8>());
            if (!reader.ok() || kind > u8(PhysicalKind::kText)) return false;
            block.kind = PhysicalKind(kind);
            if (isIntegerKind(natural) ? block.kind > natural : block.kind != natural) return false;
            if (block.offset > data_end || block.bytes > data_end - block.offset) return false;
            block.range = getRange(block.kind, reader);
            column.blocks.push_back(std::move(block));
        }
        const u32 zone_width = reader.get<u8>();
        const u32 zone_offset = reader.get<u32>();
        if (zone_width > 8) return false;
        if (zone_width > 0) {
            const u64 size = u64(vector_count) * zone_width * 2;
            if (zone_offset > zones.size() || size > zones.size() - zone_offset) return false;
            const u8* at = zones.data() + zone_offset;
            for (u32 v = 0; v < vector_count; ++v, at += zone_width * 2)
                column.zones.push_back(
                    {getBound(at, zone_width), getBound(at + zone_width, zone_width)});
        }
        footer.columns.push_back(std::move(column));
    }
    return reader.ok();
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
        bytes += sizeof(column) + column.blocks.size() * sizeof(BlockEntry) +
                 column.zones.size() * sizeof(VectorZone);
    return bytes;
}

void appendFooter(const SegmentFooter& footer, std::vector<u8>& object) {
    std::vector<u8> zones, body;
    ByteWriter zone_writer(zones), writer(body);
    writer.put<u32>(footer.rows);
    writer.put<u32>(u32(footer.columns.size()));
    for (const ColumnEntry& column : footer.columns) {
        writer.put<u32>(column.column_id);
        writer.put<u8>(u8(column.type.kind));
        writer.put<u8>(column.type.precision);
        writer.put<u8>(column.type.scale);
        writer.put<i32>(column.type.length);
        for (const BlockEntry& block : column.blocks) {
            writer.put<u64>(block.offset);
            writer.put<u32>(block.bytes);
            writer.put<u8>(u8(block.kind));
            writer.put<u8>(u8(block.encoding));
            putRange(block.range, block.kind, writer);
        }
        const u32 width = column.zones.empty() ? 0 : zoneWidth(column.zones);
        writer.put<u8>(u8(width));
        writer.put<u32>(u32(zones.size()));
        if (width > 0) putZones(column.zones, width, zone_writer);
    }
    ByteWriter out(object);
    out.bytes(zones.data(), zones.size());
    out.bytes(body.data(), body.size());
    const size_t trailer = object.size();
    out.put<u32>(kVersion);
    out.put<u32>(u32(body.size()));
    out.put<u32>(crc32c(body.data(), body.size()));
    out.put<u32>(u32(zones.size()));
    out.put<u32>(crc32c(zones.data(), zones.size()));
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
    const u32 zone_bytes = reader.get<u32>();
    const u32 zone_checksum = reader.get<u32>();
    const u32 trailer_checksum = reader.get<u32>();
    const std::span<const u8> magic = reader.bytes(8);
    if (std::memcmp(magic.data(), kSegmentMagic, 8) != 0)
        return failure(corrupt(key, "it does not end with the mark of a segment"));
    if (crc32c(tail.data() + tail.size() - kTrailerBytes, 20) != trailer_checksum)
        return failure(corrupt(key, "trailer checksum mismatch"));
    if (version != kVersion)
        return failure(corrupt(key, "unknown format version; a newer blueshift wrote it"));
    const u64 needed = u64(footer_bytes) + zone_bytes + kTrailerBytes;
    if (needed + 8 > size) return failure(corrupt(key, "footer longer than the object"));
    if (needed > tail.size()) {
        tail.resize(needed);
        BS_TRY(file->object->read(size - needed, tail));
        file->bytes_read += needed;
    }
    const std::span<const u8> all = std::span(tail).last(needed);
    const std::span<const u8> zones = all.first(zone_bytes);
    const std::span<const u8> body = all.subspan(zone_bytes, footer_bytes);
    if (crc32c(body.data(), body.size()) != footer_checksum)
        return failure(corrupt(key, "footer checksum mismatch"));
    if (crc32c(zones.data(), zones.size()) != zone_checksum)
        return failure(corrupt(key, "vector zones checksum mismatch"));
    if (!parseFooter(body, zones, size - needed, file->footer))
        return failure(corrupt(key, "malformed footer"));
    return file;
}

} // namespace blueshift::storage
