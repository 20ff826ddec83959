#include "execute/rows/partitioned_rows.h"

namespace blueshift::execute {
namespace {

/// Orders 0 .. count-1 by partition; starts[p] .. starts[p + 1] are those of partition p.
struct PartitionOrder {
    u16 order[kVectorRows];
    u16 starts[kPartitions + 1] = {};

    template <class HashOf> PartitionOrder(u32 count, HashOf&& hash_of) {
        u16 counts[kPartitions] = {};
        for (u32 i = 0; i < count; ++i) ++counts[partitionOf(hash_of(i))];
        u16 at[kPartitions];
        for (u32 p = 0; p < kPartitions; ++p) {
            at[p] = starts[p];
            starts[p + 1] = u16(starts[p] + counts[p]);
        }
        for (u32 i = 0; i < count; ++i) order[at[partitionOf(hash_of(i))]++] = u16(i);
    }
};

} // namespace

u64 PartitionedRows::rowCount() const {
    u64 rows = 0;
    for (const RowPages& pages : parts_) rows += pages.rowCount();
    return rows;
}

u64 PartitionedRows::memoryBytes() const {
    u64 bytes = 0;
    for (const RowPages& pages : parts_) bytes += pages.memoryBytes();
    return bytes;
}

bool PartitionedRows::append(std::span<const Vector> columns, const u16* rows, u32 count,
                             const u64* hashes, u8** out, WorkerContext& context,
                             std::string_view what) {
    if (!isSplit())
        return parts_[0].append(layout_, columns, rows, count, hashes, out, context, what);
    const PartitionOrder by(count, [&](u32 i) { return hashes[i]; });
    u16 part_rows[kVectorRows];
    u64 part_hashes[kVectorRows];
    u8* addresses[kVectorRows];
    for (u32 p = 0; p < kPartitions; ++p) {
        const u32 begin = by.starts[p];
        const u32 n = by.starts[p + 1] - begin;
        if (n == 0) continue;
        for (u32 k = 0; k < n; ++k) {
            const u16 i = by.order[begin + k];
            part_rows[k] = rows == nullptr ? i : rows[i];
            part_hashes[k] = hashes[i];
        }
        if (!parts_[p].append(layout_, columns, part_rows, n, part_hashes, addresses, context,
                              what))
            return false;
        if (out == nullptr) continue;
        for (u32 k = 0; k < n; ++k) out[by.order[begin + k]] = addresses[k];
    }
    return true;
}

void PartitionedRows::clear(WorkerContext& context) {
    for (RowPages& pages : parts_) pages.clear(context);
}

void PartitionedRows::collectRows(std::vector<u8*>& out) const {
    for (const RowPages& pages : parts_) pages.collectRows(out);
}

bool PartitionedRows::split(WorkerContext& context, std::string_view what) {
    if (isSplit()) return true;
    RowPages whole = std::move(parts_[0]);
    parts_.clear();
    parts_.resize(kPartitions);
    std::vector<u8*> all;
    whole.collectRows(all);
    u8* part_rows[kVectorRows];
    for (size_t base = 0; base < all.size(); base += kVectorRows) {
        const u32 count = u32(std::min<size_t>(kVectorRows, all.size() - base));
        const PartitionOrder by(count, [&](u32 i) { return RowLayout::hashOf(all[base + i]); });
        for (u32 p = 0; p < kPartitions; ++p) {
            const u32 begin = by.starts[p];
            const u32 n = by.starts[p + 1] - begin;
            for (u32 k = 0; k < n; ++k) part_rows[k] = all[base + by.order[begin + k]];
            if (n > 0 && !parts_[p].appendRows(layout_, part_rows, n, nullptr, context, what))
                return false;
        }
    }
    parts_[0].absorbText(std::move(whole), context);
    return true;
}

} // namespace blueshift::execute
