#include "storage/scan/share_rows.h"

#include <algorithm>
#include <bit>

#include "types/bucket_hash.h"

namespace blueshift::storage {

SegmentShare::SegmentShare(const ScanShare& share, const catalog::Segment& segment)
    : share_(share) {
    if (share.nodes <= 1) return;
    if (share.key_column == ScanShare::kRanges) {
        kind_ = Kind::kRanges;
        first_node_ = u32(segment.id % share.nodes);
        if (segment.rows < u64{4} * share.nodes * kBlockRows) {
            const u32 least = std::max(share.least_rows, 1u);
            const u32 part = (segment.rows + share.nodes - 1) / share.nodes;
            range_rows_ = std::max(least, (part + least - 1) / least * least);
        }
        return;
    }
    kind_ = Kind::kBuckets;
    if (segment.bucket_bits == 0 || segment.bucket_column != share.key_column) return;
    const u32 width = kBuckets >> segment.bucket_bits;
    const auto buckets = share.owners.subspan(size_t(segment.bucket_prefix) * width, width);
    const auto owned = size_t(std::ranges::count(buckets, u16(share.node)));
    if (owned == 0) kind_ = Kind::kNone;
    if (owned == width) kind_ = Kind::kAll;
}

void SegmentShare::nextRange(u32& row, u32 end, u32& count) const {
    if (kind_ == Kind::kRanges) {
        const u32 range = row / range_rows_;
        const u32 owner = (range + first_node_) % share_.nodes;
        const u32 skipped = (share_.node + share_.nodes - owner) % share_.nodes;
        if (skipped > 0) row = u32(std::min<u64>(end, (u64{range} + skipped) * range_rows_));
        const u64 range_end = (u64{row} / range_rows_ + 1) * range_rows_;
        count = u32(std::min<u64>(count, range_end - row));
    }
    count = std::min(count, end - row);
}

namespace {

/// The owned ones of 64 rows, without a branch per row: flat integers without NULLs.
template <class T> u64 ownedOf(const T* values, u32 rows, std::span<const u16> owners, u32 node) {
    u64 owned = 0;
    for (u32 i = 0; i < rows; ++i) {
        const u64 hash = kernels::bucketHashInteger(values[i]);
        owned |= u64(owners[kernels::bucketOf(hash)] == node) << i;
    }
    return owned;
}

/// Below this many rows of 64, they are hashed one by one.
constexpr int kDenseRows = 16;

} // namespace

void SegmentShare::keepBuckets(const Vector& key, u32 first, u32 rows, u64* mask) const {
    const bool constant = key.form == VectorForm::kConstant;
    const bool constant_owned =
        constant &&
        owns(bucketHash({.kind = key.kind, .form = VectorForm::kConstant, .data = key.data}, 0));
    const bool null_owned = owns(kernels::kBucketNullHash);
    const bool plain =
        key.form == VectorForm::kFlat && key.validity == nullptr && isIntegerKind(key.kind);
    u16 numbers[64];
    u64 hashes[64];
    for (u32 word = 0; word < (rows + 63) / 64; ++word) {
        if (mask[word] == 0) continue;
        if (plain && std::popcount(mask[word]) >= kDenseRows) {
            const u32 begin = word * 64;
            dispatchKind(key.kind, [&](auto* tag) {
                using T = std::remove_pointer_t<decltype(tag)>;
                if constexpr (std::is_integral_v<T> || std::is_same_v<T, i128>)
                    mask[word] &= ownedOf(key.values<T>() + first + begin,
                                          std::min(64u, rows - begin), share_.owners, share_.node);
            });
            continue;
        }
        u32 count = 0;
        for (u64 left = mask[word]; left != 0; left &= left - 1)
            numbers[count++] = u16(first + word * 64 + u32(std::countr_zero(left)));
        if (!constant) bucketHashes(key, numbers, count, false, hashes);
        for (u32 i = 0; i < count; ++i) {
            const bool null =
                constant && key.validity != nullptr && !bitAt(key.validity, numbers[i]);
            const bool owned = !constant ? owns(hashes[i]) : null ? null_owned : constant_owned;
            if (!owned) clearBit(mask, numbers[i] - first);
        }
    }
}

} // namespace blueshift::storage
