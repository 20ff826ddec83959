// delete_bits.h: the stored form of a delete vector's bits, and operations on such bits.
//
// Stored as the smallest of: gaps between deleted rows, runs of deleted rows, or plain words. A
// vector of a million rows with ten deletes takes some twenty bytes, one with every row five.
// Place: log records, checkpoints and dv/ objects. Format: docs/formats/log.md, "row bits".
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ints.h"

namespace blueshift::catalog {

/// Bits of more rows than this are damage: row ids leave 24 bits for the row.
inline constexpr u64 kMaxSegmentRows = u64{1} << 24;

std::vector<u8> encodeBits(std::span<const u64> bits);
/// Nothing when the bytes are damaged.
std::optional<std::vector<u64>> decodeBits(std::span<const u8> bytes);

u64 countBits(std::span<const u64> bits);
bool bitsIntersect(std::span<const u64> a, std::span<const u64> b);
/// into |= bits, growing `into` as needed.
void mergeBits(std::vector<u64>& into, std::span<const u64> bits);

} // namespace blueshift::catalog
