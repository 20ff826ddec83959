// ints.h: the short names of the fixed-width numbers used across the tree.
//
// The same aliases stand in kernels/scalar.h, which includes nothing; C++ allows both because they
// name the same types on every platform that blueshift supports (64-bit Linux).
#pragma once

#include <cstddef>
#include <cstdint>

namespace blueshift {

using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i128 = __int128;
using u128 = unsigned __int128;
using f32 = float;
using f64 = double;

} // namespace blueshift
