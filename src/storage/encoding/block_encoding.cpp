#include "storage/encoding/block_encoding.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "storage/encoding/integer_encoding.h"
#include "storage/encoding/text_encoding.h"

namespace blueshift::storage {

namespace {

// Header of a stored block, 24 bytes:
//   u8 version, u8 encoding, u8 kind, u8 flags, u32 rows, u32 null_count, u32 payload_bytes,
//   u32 raw_bytes (of the payload before zstd), u32 crc32c of the header before it and what follows
constexpr u8 kVersion = 1;
constexpr u32 kHeaderBytes = 24;
constexpr u8 kHasValidity = 1;
constexpr u8 kCompressed = 2;
constexpr u8 kKnownFlags = kHasValidity | kCompressed;
constexpr u64 kMaxRawBytes = u64{3} << 30;

/// zstd level 1 on a slice tells whether compressing the whole payload pays.
bool compressionPays(std::span<const u8> payload) {
    constexpr size_t kSlice = 32 << 10;
    if (payload.size() < 512) return false;
    const size_t size = std::min(payload.size(), kSlice);
    const u8* slice = payload.data() + (payload.size() - size) / 2;
    std::vector<u8> scratch(ZSTD_compressBound(size));
    const size_t packed = ZSTD_compress(scratch.data(), scratch.size(), slice, size, 1);
    return !ZSTD_isError(packed) && packed < size - size / 5;
}

/// Adds validity, header and checksum around a payload.
void finishBlock(std::vector<u8>& payload, const BlockValues& block, bool try_zstd,
                 BlockSummary& summary, std::vector<u8>& out) {
    const size_t start = out.size();
    const u32 raw_bytes = u32(payload.size());
    if (try_zstd && compressionPays(payload)) {
        std::vector<u8> packed(ZSTD_compressBound(payload.size()));
        const size_t size =
            ZSTD_compress(packed.data(), packed.size(), payload.data(), payload.size(), 1);
        if (!ZSTD_isError(size) && size < payload.size()) {
            packed.resize(size);
            payload.swap(packed);
            summary.compressed = true;
        }
    }
    const bool has_validity = block.null_count > 0 && block.null_count < summary.rows;
    ByteWriter writer(out);
    writer.put<u8>(kVersion);
    writer.put<u8>(u8(summary.encoding));
    writer.put<u8>(u8(summary.kind));
    writer.put<u8>((has_validity ? kHasValidity : 0) | (summary.compressed ? kCompressed : 0));
    writer.put<u32>(summary.rows);
    writer.put<u32>(block.null_count);
    writer.put<u32>(u32(payload.size()));
    writer.put<u32>(raw_bytes);
    writer.put<u32>(0);
    if (has_validity) writer.bytes(block.validity, (u64(summary.rows) + 63) / 64 * 8);
    writer.bytes(payload.data(), payload.size());
    const u8* header = out.data() + start;
    const u32 checksum = crc32c(header + kHeaderBytes, out.size() - start - kHeaderBytes,
                                crc32c(header, kHeaderBytes - 4));
    writer.patch<u32>(start + kHeaderBytes - 4, checksum);
    summary.bytes = out.size() - start;
    summary.range.null_count = block.null_count;
}

BlockSummary encodeAllNull(u32 rows, PhysicalKind kind, const BlockValues& block,
                           std::vector<u8>& out) {
    BlockSummary summary{.encoding = BlockEncoding::kConstant, .kind = kind, .rows = rows};
    std::vector<u8> payload(kind == PhysicalKind::kText ? 4 : kind == PhysicalKind::kI128 ? 16 : 8);
    finishBlock(payload, block, false, summary, out);
    return summary;
}

/// NULL rows take the value before them, so that they disturb no encoding.
template <class T> void fillNulls(std::span<T> values, const BlockValues& block) {
    if (block.null_count == 0) return;
    size_t first = 0;
    while (!bitAt(block.validity, u32(first))) ++first;
    T last = values[first];
    for (size_t i = 0; i < values.size(); ++i) {
        if (bitAt(block.validity, u32(i))) last = values[i];
        else values[i] = last;
    }
}

bool wantsZstd(catalog::ColumnEncoding hint) {
    return hint == catalog::ColumnEncoding::kZstd || hint == catalog::ColumnEncoding::kLzo;
}

/// Floats of width 4 and 8 share the integer encodings, by their bits.
template <class T, class Bits>
BlockSummary encodeFloatBits(std::span<T> values, PhysicalKind kind, const BlockValues& block,
                             std::vector<u8>& out) {
    BlockSummary summary{.kind = kind, .rows = u32(values.size())};
    if (block.null_count == values.size()) return encodeAllNull(summary.rows, kind, block, out);
    fillNulls(values, block);
    std::vector<i64> bits(values.size());
    bool has_nan = false;
    f64 min = std::numeric_limits<f64>::infinity(), max = -min;
    for (size_t i = 0; i < values.size(); ++i) {
        bits[i] = i64(std::bit_cast<Bits>(values[i]));
        has_nan |= std::isnan(values[i]);
        min = std::min<f64>(min, values[i]);
        max = std::max<f64>(max, values[i]);
    }
    summary.range.has_range = !has_nan;
    if (!has_nan) {
        summary.range.min_float = min;
        summary.range.max_float = max;
    }
    const auto [low, high] = std::ranges::minmax(bits);
    std::vector<u8> payload;
    summary.encoding =
        encodeIntegerPayload(bits, low, high, sizeof(T), block.hint, {block.sketch, kind}, payload);
    const bool raw = summary.encoding == BlockEncoding::kRaw;
    finishBlock(payload, block, raw && block.hint != catalog::ColumnEncoding::kRaw, summary, out);
    return summary;
}

} // namespace

PhysicalKind narrowestKind(i128 min, i128 max) {
    const auto fits = [&]<class T>(T*) {
        return min >= std::numeric_limits<T>::min() && max <= std::numeric_limits<T>::max();
    };
    return fits(static_cast<i8*>(nullptr))    ? PhysicalKind::kI8
           : fits(static_cast<i16*>(nullptr)) ? PhysicalKind::kI16
           : fits(static_cast<i32*>(nullptr)) ? PhysicalKind::kI32
           : fits(static_cast<i64*>(nullptr)) ? PhysicalKind::kI64
                                              : PhysicalKind::kI128;
}

BlockSummary encodeIntegers(std::span<i64> values, const BlockValues& block, std::vector<u8>& out) {
    BlockSummary summary{.rows = u32(values.size())};
    if (block.null_count == values.size())
        return encodeAllNull(summary.rows, PhysicalKind::kI8, block, out);
    fillNulls(values, block);
    i64 min = values[0], max = values[0];
    for (const i64 value : values) {
        min = std::min(min, value);
        max = std::max(max, value);
    }
    summary.kind = narrowestKind(min, max);
    summary.range.has_range = true;
    summary.range.min = min;
    summary.range.max = max;
    std::vector<u8> payload;
    summary.encoding = encodeIntegerPayload(values, min, max, widthOf(summary.kind), block.hint,
                                            {block.sketch, summary.kind}, payload);
    finishBlock(payload, block, wantsZstd(block.hint), summary, out);
    return summary;
}

BlockSummary encodeWideIntegers(std::span<i128> values, const BlockValues& block,
                                std::vector<u8>& out) {
    BlockSummary summary{.kind = PhysicalKind::kI128, .rows = u32(values.size())};
    if (block.null_count == values.size())
        return encodeAllNull(summary.rows, PhysicalKind::kI8, block, out);
    fillNulls(values, block);
    const auto [min, max] = std::ranges::minmax(values);
    if (narrowestKind(min, max) != PhysicalKind::kI128) {
        std::vector<i64> narrow(values.begin(), values.end());
        return encodeIntegers(narrow, block, out);
    }
    summary.range.has_range = true;
    summary.range.min = min;
    summary.range.max = max;
    if (block.sketch != nullptr)
        for (const i128 value : values) block.sketch->add(kernels::hashInteger(value));
    std::vector<u8> payload;
    summary.encoding = encodeWidePayload(values, min, max, payload);
    finishBlock(payload, block, wantsZstd(block.hint), summary, out);
    return summary;
}

BlockSummary encodeFloats(std::span<f32> values, const BlockValues& block, std::vector<u8>& out) {
    return encodeFloatBits<f32, i32>(values, PhysicalKind::kF32, block, out);
}
BlockSummary encodeFloats(std::span<f64> values, const BlockValues& block, std::vector<u8>& out) {
    return encodeFloatBits<f64, i64>(values, PhysicalKind::kF64, block, out);
}

BlockSummary encodeTexts(std::span<TextView> values, const BlockValues& block,
                         std::vector<u8>& out) {
    BlockSummary summary{.kind = PhysicalKind::kText, .rows = u32(values.size())};
    if (block.null_count == values.size())
        return encodeAllNull(summary.rows, PhysicalKind::kText, block, out);
    std::vector<u8> payload;
    summary.encoding = encodeTextPayload(values, block, summary.range, payload);
    finishBlock(payload, block, block.hint != catalog::ColumnEncoding::kRaw, summary, out);
    return summary;
}

Error corruptBlock(const BlockPlace& place, std::string_view what) {
    return Error(sqlstate::kDataCorrupted, "stored block is corrupt: " + std::string(what))
        .withDetail("Object \"" + std::string(place.object) + "\", column " +
                    std::to_string(place.column_id) + ", block " + std::to_string(place.block) +
                    ".")
        .withHint("Restore the object from a backup; blueshift verify lists all damaged objects.");
}

namespace {

bool decodeValues(BlockEncoding encoding, std::span<const u8> payload, HotBlock& block) {
    ByteReader reader(payload);
    if (block.kind == PhysicalKind::kText) return decodeTextPayload(encoding, reader, block);
    const bool constant = encoding == BlockEncoding::kConstant;
    const u32 rows = constant ? 1 : block.rows;
    block.form = constant ? VectorForm::kConstant : VectorForm::kFlat;
    block.values = AlignedBytes(size_t(rows) * widthOf(block.kind));
    const auto decode = [&]<class T>(T*) {
        return decodeIntegerPayload(encoding, reader, rows, block.values.as<T>());
    };
    switch (block.kind) {
    case PhysicalKind::kI8: return decode(static_cast<i8*>(nullptr));
    case PhysicalKind::kI16: return decode(static_cast<i16*>(nullptr));
    case PhysicalKind::kF32:
    case PhysicalKind::kI32: return decode(static_cast<i32*>(nullptr));
    case PhysicalKind::kF64:
    case PhysicalKind::kI64: return decode(static_cast<i64*>(nullptr));
    default: return decodeWidePayload(encoding, reader, rows, block.values.as<i128>());
    }
}

} // namespace

Result<std::shared_ptr<HotBlock>> decodeBlock(std::span<const u8> bytes, const BlockPlace& place) {
    ByteReader reader(bytes);
    const u8 version = reader.get<u8>();
    const u8 encoding = reader.get<u8>();
    const u8 kind = reader.get<u8>();
    const u8 flags = reader.get<u8>();
    auto block = std::make_shared<HotBlock>();
    block->rows = reader.get<u32>();
    block->null_count = reader.get<u32>();
    const u32 payload_bytes = reader.get<u32>();
    const u32 raw_bytes = reader.get<u32>();
    const u32 checksum = reader.get<u32>();
    if (!reader.ok()) return failure(corruptBlock(place, "shorter than its header"));
    if (crc32c(bytes.data() + kHeaderBytes, bytes.size() - kHeaderBytes,
               crc32c(bytes.data(), kHeaderBytes - 4)) != checksum)
        return failure(corruptBlock(place, "checksum mismatch"));
    if (version != kVersion) return failure(corruptBlock(place, "unknown format version"));
    if (encoding > u8(BlockEncoding::kDictionary) || kind > u8(PhysicalKind::kText) ||
        (flags & ~kKnownFlags) != 0 || block->rows == 0 || block->rows > kBlockRows ||
        block->null_count > block->rows)
        return failure(corruptBlock(place, "header out of range"));
    block->kind = PhysicalKind(kind);

    const u64 validity_bytes = (u64(block->rows) + 63) / 64 * 8;
    if ((flags & kHasValidity) != 0) {
        const std::span<const u8> bits = reader.bytes(validity_bytes);
        if (!reader.ok()) return failure(corruptBlock(place, "validity bitmap cut short"));
        block->validity = AlignedBytes(validity_bytes);
        std::memcpy(block->validity.as<u8>(), bits.data(), validity_bytes);
    } else if (block->null_count > 0) {
        block->validity = AlignedBytes(validity_bytes);
        std::memset(block->validity.as<u8>(), 0, validity_bytes);
    }
    std::span<const u8> payload = reader.bytes(payload_bytes);
    if (!reader.ok()) return failure(corruptBlock(place, "payload cut short"));
    std::vector<u8> inflated;
    if ((flags & kCompressed) != 0) {
        if (raw_bytes > kMaxRawBytes ||
            ZSTD_getFrameContentSize(payload.data(), payload.size()) != raw_bytes)
            return failure(corruptBlock(place, "compressed payload states another size"));
        inflated.resize(raw_bytes);
        const size_t size =
            ZSTD_decompress(inflated.data(), inflated.size(), payload.data(), payload.size());
        if (ZSTD_isError(size) || size != raw_bytes)
            return failure(corruptBlock(place, "payload does not decompress"));
        payload = inflated;
    }
    if (!decodeValues(BlockEncoding(encoding), payload, *block))
        return failure(corruptBlock(place, "malformed payload"));
    return block;
}

} // namespace blueshift::storage
