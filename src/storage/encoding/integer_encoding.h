// integer_encoding.h: payloads of integer blocks, and of float blocks by their bit patterns.
//
// Place: inside encoding/; block_encoding.cpp adds the header, validity and checksum around it.
// All arithmetic wraps in 64 bits, so hostile payloads decode to wrong numbers or an error, never
// to undefined behaviour.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "storage/byte_stream.h"
#include "storage/encoding/block_encoding.h"

namespace blueshift::storage {

/// Hashes values into a sketch: integers by value, floats by value of their bits.
struct SketchSink {
    HyperLogLog* sketch = nullptr;
    PhysicalKind kind = PhysicalKind::kI64;
    void add(i64 bits) const;
};

/// Encodes the cheapest way and feeds the sink. `raw_width`: bytes of a raw value.
BlockEncoding encodeIntegerPayload(std::span<const i64> values, i64 min, i64 max, u32 raw_width,
                                   catalog::ColumnEncoding hint, const SketchSink& sink,
                                   std::vector<u8>& out);
/// False when the payload is malformed. `out` has room for `rows` values.
template <class T>
bool decodeIntegerPayload(BlockEncoding encoding, ByteReader& reader, u32 rows, T* out);

BlockEncoding encodeWidePayload(std::span<const i128> values, i128 min, i128 max,
                                std::vector<u8>& out);
bool decodeWidePayload(BlockEncoding encoding, ByteReader& reader, u32 rows, i128* out);

/// A packed array with its width in front.
void putPacked(std::span<const u64> values, u64 max, std::vector<u8>& out);
struct PackedArray {
    u32 width = 0;
    std::span<const u8> bytes;
};
/// Nothing when cut short or of an impossible width.
std::optional<PackedArray> getPacked(ByteReader& reader, u32 count);

} // namespace blueshift::storage
