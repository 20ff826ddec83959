// text_encoding.h: payloads of text blocks: one constant, an ordered dictionary, or raw bytes.
//
// Place: inside encoding/. Dictionary entries are ordered by comparison form, then by length, and
// are exact: "a" and "a " are two entries that compare equal.
#pragma once

#include <span>
#include <vector>

#include "storage/byte_stream.h"
#include "storage/encoding/block_encoding.h"

namespace blueshift::storage {

/// NULL rows may hold any view; they are written as empty text or as an arbitrary code. Sets the
/// range of `summary` and feeds the sketch.
BlockEncoding encodeTextPayload(std::span<TextView> values, const BlockValues& block,
                                catalog::ColumnRange& range, std::vector<u8>& out);
/// Fills form, values, codes and heap of `block` (rows is set); false when malformed.
bool decodeTextPayload(BlockEncoding encoding, ByteReader& reader, HotBlock& block);

} // namespace blueshift::storage
