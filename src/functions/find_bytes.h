// find_bytes.h: the first place of some bytes in a text.
//
// Why not memmem: glibc's clears and fills a table of 256 bytes in each call, which for texts of 50
// bytes is most of the work (TPC-H Q13: a fifth of the query). Method: W. Mula, "SIMD-friendly
// algorithms for substring searching": first and last byte of 32 places are compared at once.
#pragma once

#include <string_view>

namespace blueshift::functions {

/// As text.find(part); reads nothing beyond the text. Linear: parts of more than 64 bytes are left
/// to memmem, shorter ones are compared at each place where their ends stand.
size_t findBytes(std::string_view text, std::string_view part);

} // namespace blueshift::functions
