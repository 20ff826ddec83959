#include "storage/scan/join_filter_probe.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "types/text_view.h"

namespace blueshift::storage {

namespace {
constexpr u64 kWindowRows = 64 << 10;
constexpr u32 kRestBlocks = 16;

u32 countBits(const u64* mask, u32 rows) {
    u32 count = 0;
    for (u32 w = 0; w < (rows + 63) / 64; ++w) count += u32(std::popcount(mask[w]));
    return count;
}

/// Leaves the bits of the rows that `passes` says yes to. Where many are wanted, all are asked:
/// without branches the processor has several rows under way.
template <class Passes> void keepPassing(u32 rows, u64* mask, Passes&& passes) {
    constexpr int kMany = 24;
    for (u32 word = 0; word * 64 < rows; ++word) {
        const u32 first = word * 64;
        u64 passing = 0;
        if (std::popcount(mask[word]) >= kMany) {
            const u32 count = std::min(64u, rows - first);
            for (u32 i = 0; i < count; ++i) passing |= u64(passes(first + i)) << i;
        } else {
            for (u64 bits = mask[word]; bits != 0; bits &= bits - 1) {
                const u32 bit = u32(std::countr_zero(bits));
                passing |= u64(passes(first + bit)) << bit;
            }
        }
        mask[word] &= passing;
    }
}
} // namespace

bool JoinFilterProbe::enterBlock() {
    prepared_ = false;
    active_ = filter_->ready.load(std::memory_order_acquire);
    if (active_ && rest_blocks_ > 0) {
        --rest_blocks_;
        active_ = false;
    }
    return active_;
}

u64 JoinFilterProbe::hashOf(const Vector& block, u32 row) const {
    switch (block.kind) {
    case PhysicalKind::kI8: return kernels::hashInteger(block.valueAt<i8>(row));
    case PhysicalKind::kI16: return kernels::hashInteger(block.valueAt<i16>(row));
    case PhysicalKind::kI32: return kernels::hashInteger(block.valueAt<i32>(row));
    case PhysicalKind::kI64: return kernels::hashInteger(block.valueAt<i64>(row));
    case PhysicalKind::kI128: return kernels::hashInteger(block.valueAt<i128>(row));
    default: return kernels::hashText(block.valueAt<TextView>(row));
    }
}

void JoinFilterProbe::prepare(const Vector& block, u32 rows) {
    prepared_ = true;
    constant_passes_ = true;
    members_.clear();
    const bool is_integer = isIntegerKind(block.kind);
    const bool is_float = block.kind == PhysicalKind::kF32 || block.kind == PhysicalKind::kF64;
    tests_range_ = filter_->has_range && is_integer;
    tests_bloom_ = !filter_->bloom.empty() && filter_->bloom_shift < 64 && !is_float;
    if (block.form == VectorForm::kConstant) {
        // A constant block without values (all NULL) has a value too; validity drops its rows.
        if (tests_range_) {
            const i128 value = block.integerAt(0);
            constant_passes_ = value >= filter_->min && value <= filter_->max;
        }
        if (tests_bloom_)
            constant_passes_ = constant_passes_ && filter_->mayContain(hashOf(block, 0));
        tests_range_ = tests_bloom_ = false;
        return;
    }
    // 16-byte keys outside the range fail the Bloom filter as good as surely.
    if (block.kind == PhysicalKind::kI128) tests_range_ = false;
    if (tests_range_) range_.prepareRange(filter_->min, filter_->max, block);
    if (tests_bloom_ && block.form == VectorForm::kDictionary && block.dictionary_size < rows / 4) {
        members_.assign(block.code_width == 1 ? 4 : 1024, 0);
        const auto* entries = block.values<TextView>();
        for (u32 code = 0; code < block.dictionary_size; ++code)
            if (filter_->mayContain(kernels::hashText(entries[code])))
                setBit(members_.data(), code);
    }
}

void JoinFilterProbe::testBloom(const Vector& block, u32 first, u32 rows, u64* mask) const {
    const JoinFilter& filter = *filter_;
    const auto test = [&]<class T>(const T* values) {
        keepPassing(rows, mask, [&filter, values](u32 row) {
            return filter.mayContain(kernels::hashInteger(values[row]));
        });
    };
    const bool is_plain = block.form == VectorForm::kFlat;
    if (is_plain && block.kind == PhysicalKind::kI16) test(block.values<i16>() + first);
    else if (is_plain && block.kind == PhysicalKind::kI32) test(block.values<i32>() + first);
    else if (is_plain && block.kind == PhysicalKind::kI64) test(block.values<i64>() + first);
    else
        keepPassing(rows, mask,
                    [&](u32 row) { return filter.mayContain(hashOf(block, first + row)); });
}

void JoinFilterProbe::apply(const kernels::BlockSteps& steps, const Vector& block, u32 first,
                            u32 rows, u64* mask) {
    const u32 before = countBits(mask, rows);
    if (before == 0) return;
    if (filter_->build_empty || !constant_passes_) {
        std::memset(mask, 0, (rows + 63) / 64 * 8);
    } else {
        if (block.validity != nullptr) andBits(mask, block.validity, first, rows);
        if (tests_range_) range_.apply(steps, block, first, rows, mask);
        if (tests_bloom_ && !members_.empty()) {
            const u8* codes =
                static_cast<const u8*>(block.codes) + size_t(first) * block.code_width;
            steps.codes_in[block.code_width - 1](codes, members_.data(), rows, mask);
        } else if (tests_bloom_) {
            testBloom(block, first, rows, mask);
        }
    }
    const u32 after = countBits(mask, rows);
    tested_ += before;
    passed_ += after;
    window_tested_ += before;
    window_passed_ += after;
    if (window_tested_ < kWindowRows) return;
    if (window_passed_ * 5 > window_tested_ * 4) {
        rest_blocks_ = kRestBlocks;
        active_ = false;
    }
    window_tested_ = window_passed_ = 0;
}

void JoinFilterProbe::publishCounts() {
    if (tested_ == 0) return;
    filter_->rows_tested += tested_;
    filter_->rows_passed += passed_;
    tested_ = passed_ = 0;
}

} // namespace blueshift::storage
