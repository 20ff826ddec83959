// block_filter.h: a predicate translated to one decoded block, evaluated on runs of its rows.
//
// Place: MorselCursor keeps one per predicate and prepares it when it enters a block.
// Why so: constants are translated once per block, to the block's own width or to dictionary codes;
// the row loop is then one SIMD block step (kernels/block_steps.h).
// NULL rows never pass; the mask has a bit per row and only ever loses bits.
#pragma once

#include <vector>

#include "kernels/block_steps.h"
#include "types/scan_predicate.h"
#include "types/vector.h"

namespace blueshift::storage {

/// mask &= bits [first, first + rows) of `bits`; rows is at least 1.
void andBits(u64* mask, const u64* bits, u32 first, u32 rows);
/// mask &= not those bits; `word_count` words of `bits` exist, the rest count as clear.
void andNotBits(u64* mask, const std::vector<u64>& bits, u64 first, u32 rows);

class BlockFilter {
public:
    enum class Step : u8 {
        kPassAll,
        kPassNone,
        kNotNull,
        kIsNull,
        kIntegersBetween,
        kIntegersOutside,
        kIntegersIn,
        kCodesBetween,
        kCodesIn,
        kFloatsBetween,
        kGeneric,
    };

    /// `block` views all rows of the block.
    void prepare(const ScanPredicate& predicate, const Vector& block);
    /// Integer keys between min and max, for join filters.
    void prepareRange(i128 min, i128 max, const Vector& block);
    void apply(const kernels::BlockSteps& steps, const Vector& block, u32 first, u32 rows,
               u64* mask) const;
    Step step() const { return step_; }

private:
    void prepareConstant(const Vector& block);
    void prepareIntegers(const Vector& block);
    void prepareFloats(const Vector& block);
    void prepareDictionary(const Vector& block);
    void setCodes(const Vector& block);
    void applyGeneric(const Vector& block, u32 first, u32 rows, u64* mask) const;
    bool passes(const Vector& block, u32 row) const;

    Step step_ = Step::kGeneric;
    const ScanPredicate* predicate_ = nullptr;
    i64 low_ = 0;
    i64 high_ = 0;
    f64 float_low_ = 0;
    f64 float_high_ = 0;
    std::vector<u64> members_;  // codes that pass
    std::vector<i64> integers_; // sorted values of IN
};

} // namespace blueshift::storage
