// partitioned_rows.h: rows kept in one lot, or in 64 by the top bits of their hash.
//
// Place: what one worker's grouping has collected. Starts as one lot; split() moves the rows there
// are into partitions, later ones go straight to theirs.
// Owns: the pages. Rows move once, at split(); their text does not move.
// Threads: one at a time.
#pragma once

#include <vector>

#include "execute/rows/key_table.h"

namespace blueshift::execute {

class PartitionedRows {
public:
    explicit PartitionedRows(const RowLayout& layout) : layout_(layout), parts_(1) {}

    bool isSplit() const { return parts_.size() > 1; }
    u32 partCount() const { return u32(parts_.size()); }
    RowPages& part(u32 index) { return parts_[index]; }
    u64 rowCount() const;
    u64 memoryBytes() const;

    /// As RowPages::append, each row to the partition of its hash.
    bool append(std::span<const Vector> columns, const u16* rows, u32 count, const u64* hashes,
                u8** out, WorkerContext& context, std::string_view what);
    /// Moves all rows to partitions; addresses change.
    bool split(WorkerContext& context, std::string_view what);
    /// Frees all rows; what is split stays split.
    void clear(WorkerContext& context);
    /// The addresses of all rows, added to `out`.
    void collectRows(std::vector<u8*>& out) const;

private:
    const RowLayout& layout_;
    std::vector<RowPages> parts_;
};

} // namespace blueshift::execute
