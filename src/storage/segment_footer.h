// segment_footer.h: SegmentFooter <-> the bytes of a footer (FlatBuffers, formats/segment.fbs).
//
// Place: segment_format.cpp puts them into an object and takes them out; nothing else sees the
// generated code. Why a footer is unpacked: docs/decisions/0008-footer-flatbuffers.md.
// Safety: any bytes may be given. FlatBuffers' verifier passes over them before the first access,
// then every number is checked against the rows, the types and the object's size.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "storage/segment_format.h"

namespace blueshift::storage {

std::vector<u8> encodeFooter(const SegmentFooter& footer);

/// `data_end`: the byte of the object after its blocks and zones. Empty when anything is wrong.
std::optional<SegmentFooter> decodeFooter(std::span<const u8> bytes, u64 data_end);

} // namespace blueshift::storage
