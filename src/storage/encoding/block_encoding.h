// block_encoding.h: front door of the encodings: values of one block <-> stored bytes.
//
// Place: TableWriter encodes, BlockCache decodes. Format: docs/formats/segment.md, "block".
// Choice: the encoder computes the cost of each encoding that the column's ENCODE allows (exact
// for frame of reference, delta and run length; on a sample for dictionaries and zstd) and takes
// the cheapest; slower-to-decode ones must win clearly.
// Errors: bytes that fail the checksum or any length check give XX001 with object, column, block.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "storage/hot_block.h"
#include "storage/storage.h"

namespace blueshift::storage {

/// Stored numbers: never change their meaning.
enum class BlockEncoding : u8 {
    kConstant = 0,
    kRaw = 1,
    kFrameOfReference = 2,
    kDelta = 3,
    kRunLength = 4,
    kDictionary = 5,
};

/// What the encoder found out about a block.
struct BlockSummary {
    BlockEncoding encoding = BlockEncoding::kRaw;
    bool compressed = false;                // payload is a zstd frame
    PhysicalKind kind = PhysicalKind::kI64; // of the decoded values
    u32 rows = 0;
    u64 bytes = 0;
    catalog::ColumnRange range;
};

/// Values of one block. `validity` may be null; the encoder overwrites values of NULL rows.
struct BlockValues {
    const u64* validity = nullptr;
    u32 null_count = 0;
    catalog::ColumnEncoding hint = catalog::ColumnEncoding::kAuto;
    HyperLogLog* sketch = nullptr; // gets every distinct value at least once; may be null
};

/// Integers given at 64 bits, stored at the narrowest width.
BlockSummary encodeIntegers(std::span<i64> values, const BlockValues& block, std::vector<u8>& out);
BlockSummary encodeWideIntegers(std::span<i128> values, const BlockValues& block,
                                std::vector<u8>& out);
BlockSummary encodeFloats(std::span<f32> values, const BlockValues& block, std::vector<u8>& out);
BlockSummary encodeFloats(std::span<f64> values, const BlockValues& block, std::vector<u8>& out);
BlockSummary encodeTexts(std::span<TextView> values, const BlockValues& block,
                         std::vector<u8>& out);

/// Names a block in an error message.
struct BlockPlace {
    std::string_view object;
    u32 column_id = 0;
    u32 block = 0;
};
Result<std::shared_ptr<HotBlock>> decodeBlock(std::span<const u8> bytes, const BlockPlace& place);
Error corruptBlock(const BlockPlace& place, std::string_view what);

/// The narrowest signed kind for a range.
PhysicalKind narrowestKind(i128 min, i128 max);
inline constexpr u32 kTextBoundBytes = 32;
/// Bounds of a text in comparison form, cut to kTextBoundBytes: rounded down, and up (false: no
/// bound).
std::string lowerTextBound(std::string_view text);
bool upperTextBound(std::string_view text, std::string& bound);

} // namespace blueshift::storage
