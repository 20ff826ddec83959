#include "storage/segment_footer.h"

#include <flatbuffers/flatbuffers.h>

#include <limits>

#include "storage/formats/segment_generated.h"

namespace blueshift::storage {

namespace {

constexpr size_t kMostFooterBytes = 1 << 30; // the verifier's own limit is 2 GiB

formats::Int128 packInteger(i128 value) {
    return {u64(value), i64(value >> 64)};
}

i128 unpackInteger(const formats::Int128& value) {
    return i128(value.high()) << 64 | i128(value.low());
}

bool fitsKind(i128 value, PhysicalKind kind) {
    if (kind == PhysicalKind::kI128) return true;
    const u32 bits = widthOf(kind) * 8;
    return value >= -(i128{1} << (bits - 1)) && value < i128{1} << (bits - 1);
}

flatbuffers::Offset<formats::Block> packBlock(const BlockEntry& block,
                                              flatbuffers::FlatBufferBuilder& builder) {
    const catalog::ColumnRange& range = block.range;
    flatbuffers::Offset<formats::TextBounds> texts;
    if (range.has_range && block.kind == PhysicalKind::kText) {
        const auto bytesOf = [&](const std::string& text) {
            return builder.CreateVector(reinterpret_cast<const u8*>(text.data()), text.size());
        };
        const auto min = bytesOf(range.min_text);
        flatbuffers::Offset<flatbuffers::Vector<u8>> max;
        if (!range.max_text_unbounded) max = bytesOf(range.max_text);
        texts = formats::CreateTextBounds(builder, min, max);
    }
    formats::BlockBuilder packed(builder);
    packed.add_offset(block.offset);
    packed.add_bytes(block.bytes);
    packed.add_kind(u8(block.kind));
    packed.add_encoding(u8(block.encoding));
    packed.add_null_count(u32(range.null_count));
    packed.add_distinct(block.distinct);
    if (!texts.IsNull()) packed.add_texts(texts);
    // The builder copies a struct at once; it need not outlive the call.
    if (range.has_range && isIntegerKind(block.kind)) {
        const formats::IntegerBounds bounds(packInteger(range.min), packInteger(range.max));
        packed.add_integers(&bounds);
    } else if (range.has_range && block.kind != PhysicalKind::kText) {
        const formats::FloatBounds bounds(range.min_float, range.max_float);
        packed.add_floats(&bounds);
    }
    if (block.sum) {
        const formats::Int128 sum = packInteger(*block.sum);
        packed.add_sum(&sum);
    }
    return packed.Finish();
}

/// Bounds of a block that has `values` values; they must be of its kind, ordered, and there.
bool unpackRange(const formats::Block& packed, PhysicalKind kind, u32 values,
                 catalog::ColumnRange& range) {
    if (kind == PhysicalKind::kText) {
        const formats::TextBounds* bounds = packed.texts();
        range.has_range = bounds != nullptr;
        if (!range.has_range) return values == 0;
        const auto tooLong = [](const flatbuffers::Vector<u8>* bytes) {
            return bytes != nullptr && bytes->size() > kTextBoundBytes;
        };
        if (tooLong(bounds->min()) || tooLong(bounds->max())) return false;
        const auto textOf = [](const flatbuffers::Vector<u8>* bytes) {
            return bytes == nullptr
                       ? std::string()
                       : std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        };
        range.min_text = textOf(bounds->min());
        range.max_text = textOf(bounds->max());
        range.max_text_unbounded = bounds->max() == nullptr;
    } else if (isIntegerKind(kind)) {
        const formats::IntegerBounds* bounds = packed.integers();
        range.has_range = bounds != nullptr;
        if (!range.has_range) return values == 0;
        range.min = unpackInteger(bounds->min());
        range.max = unpackInteger(bounds->max());
        if (range.min > range.max || !fitsKind(range.min, kind) || !fitsKind(range.max, kind))
            return false;
    } else if (const formats::FloatBounds* bounds = packed.floats()) {
        range.has_range = true;
        range.min_float = bounds->min();
        range.max_float = bounds->max();
        if (!(range.min_float <= range.max_float)) return false;
    }
    return !range.has_range || values > 0;
}

class Unpacker {
public:
    Unpacker(u32 rows, u64 data_end) : rows_(rows), data_end_(data_end) {}

    bool column(const formats::Column& packed, ColumnEntry& column) const {
        column.column_id = packed.id();
        if (packed.type_kind() > u8(TypeKind::kVoid)) return false;
        column.type = {TypeKind(packed.type_kind()), packed.type_precision(), packed.type_scale(),
                       packed.type_length()};
        const PhysicalKind natural = naturalKind(column.type);
        const u32 blocks = (rows_ + kBlockRows - 1) / kBlockRows;
        if (packed.blocks()->size() != blocks) return false;
        column.blocks.resize(blocks);
        for (u32 b = 0; b < blocks; ++b) {
            column.blocks[b].rows = std::min(kBlockRows, rows_ - b * kBlockRows);
            if (!block(*packed.blocks()->Get(b), natural, column.blocks[b])) return false;
        }
        return packed.zones() == nullptr || zones(*packed.zones(), natural, column.zones);
    }

private:
    bool inData(u64 offset, u64 bytes) const {
        return offset <= data_end_ && bytes <= data_end_ - offset;
    }
    bool block(const formats::Block& packed, PhysicalKind natural, BlockEntry& block) const {
        block.offset = packed.offset();
        block.bytes = packed.bytes();
        if (!inData(block.offset, block.bytes)) return false;
        if (packed.kind() > u8(PhysicalKind::kText)) return false;
        block.kind = PhysicalKind(packed.kind());
        if (isIntegerKind(natural) ? block.kind > natural : block.kind != natural) return false;
        if (packed.encoding() > u8(BlockEncoding::kDictionary)) return false;
        block.encoding = BlockEncoding(packed.encoding());
        if (packed.null_count() > block.rows) return false;
        block.range.null_count = packed.null_count();
        const u32 values = block.rows - packed.null_count();
        block.distinct = packed.distinct();
        if (block.distinct > values) return false;
        if (const formats::Int128* sum = packed.sum()) {
            if (!isIntegerKind(natural)) return false;
            block.sum = unpackInteger(*sum);
        }
        return unpackRange(packed, block.kind, values, block.range);
    }
    bool zones(const formats::VectorZones& packed, PhysicalKind natural, ZoneArray& zones) const {
        zones = {.offset = packed.offset(), .width = packed.width(), .checksum = packed.checksum()};
        if (!isIntegerKind(natural) || zones.width == 0 || zones.width > widthOf(natural) ||
            zones.width > 8 || (zones.width & (zones.width - 1)) != 0)
            return false;
        const u32 vectors = (rows_ + kVectorRows - 1) / kVectorRows;
        return inData(zones.offset, u64(vectors) * zones.width * 2);
    }

    u32 rows_;
    u64 data_end_;
};

} // namespace

std::vector<u8> encodeFooter(const SegmentFooter& footer) {
    flatbuffers::FlatBufferBuilder builder(64 << 10);
    std::vector<flatbuffers::Offset<formats::Column>> columns;
    for (const ColumnEntry& column : footer.columns) {
        std::vector<flatbuffers::Offset<formats::Block>> blocks;
        for (const BlockEntry& block : column.blocks) blocks.push_back(packBlock(block, builder));
        const auto block_list = builder.CreateVector(blocks);
        flatbuffers::Offset<formats::VectorZones> zones;
        if (column.zones.width > 0)
            zones = formats::CreateVectorZones(builder, column.zones.offset, column.zones.width,
                                               column.zones.checksum);
        columns.push_back(formats::CreateColumn(builder, column.column_id, u8(column.type.kind),
                                                column.type.precision, column.type.scale,
                                                column.type.length, block_list, zones));
    }
    const auto column_list = builder.CreateVector(columns);
    formats::FinishFooterBuffer(builder, formats::CreateFooter(builder, footer.rows, column_list));
    const u8* begin = builder.GetBufferPointer();
    return {begin, begin + builder.GetSize()};
}

std::optional<SegmentFooter> decodeFooter(std::span<const u8> bytes, u64 data_end) {
    if (bytes.size() > kMostFooterBytes) return std::nullopt;
    // Fields are read in place: they must lie at their alignment.
    const std::vector<u8> aligned(bytes.begin(), bytes.end());
    flatbuffers::Verifier verifier(aligned.data(), aligned.size(), /*max_depth=*/8,
                                   /*max_tables=*/u32(bytes.size() / sizeof(u32)));
    if (!formats::VerifyFooterBuffer(verifier)) return std::nullopt;
    const formats::Footer* packed = formats::GetFooter(aligned.data());
    if (packed->rows() > kSegmentRows) return std::nullopt;
    SegmentFooter footer{.rows = packed->rows()};
    footer.columns.resize(packed->columns()->size());
    const Unpacker unpacker(footer.rows, data_end);
    for (u32 c = 0; c < footer.columns.size(); ++c)
        if (!unpacker.column(*packed->columns()->Get(c), footer.columns[c])) return std::nullopt;
    return footer;
}

} // namespace blueshift::storage
