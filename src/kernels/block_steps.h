// block_steps.h: steps over a run of values of one column: compare to a mask, mask to a selection.
//
// Place: called by storage/ on decoded blocks and by generated code, which sees only this header.
// Masks: a bit a row, 64 rows a word; every filter clears the bits of rows that fail and leaves
// the others, so filters chain. Bits at and beyond `rows` are left alone or cleared.
// Variants: block_steps.cpp is compiled for scalar x86-64-v2, AVX2 and AVX-512 (VBMI2); the widest
// that the CPU runs is chosen by chooseBlockSteps. All give the same result (test/unit/storage).
// Freestanding: includes nothing but scalar.h; values need no alignment, nothing past `rows` is
// read.
#pragma once

#include "kernels/scalar.h"

namespace blueshift::kernels {

struct BlockSteps {
    using IntegerFilter = void (*)(const void* values, i64 low, i64 high, u32 rows, u64* mask);
    using FloatFilter = void (*)(const void* values, f64 low, f64 high, u32 rows, u64* mask);
    using CodeSetFilter = void (*)(const void* codes, const u64* members, u32 rows, u64* mask);

    const char* name;
    /// low <= value <= high, by signed width: 1, 2, 4, 8 bytes. The bounds must fit the width.
    IntegerFilter between[4];
    /// Not (low <= value <= high).
    IntegerFilter outside[4];
    /// low <= code <= high of unsigned dictionary codes of 1 and 2 bytes.
    IntegerFilter codes_between[2];
    /// members has a bit per code.
    CodeSetFilter codes_in[2];
    /// low <= value <= high of 4- and 8-byte floats; NaN never passes.
    FloatFilter float_between[2];
    /// Row numbers of the set bits, ascending; returns how many. Writes up to 64 entries beyond
    /// the last one. `rows` bounds the words that are read.
    u32 (*selection_from_mask)(const u64* mask, u32 rows, u16* selection);
};

extern "C" {
/// The variant named "scalar", "avx2" or "avx512" when this CPU runs it, else (and for nullptr) the
/// widest that it runs.
const BlockSteps* bs_choose_block_steps(const char* name);

extern const BlockSteps bs_block_steps_scalar;
extern const BlockSteps bs_block_steps_avx2;
extern const BlockSteps bs_block_steps_avx512;
}

} // namespace blueshift::kernels
