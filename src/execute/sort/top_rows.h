// top_rows.h: the best n rows of what one worker sees.
//
// Life: rows are added in batches; when twice as many as wanted are held, the worse half is dropped
// and the worst row kept becomes the threshold. From then on rows whose first key is beyond the
// threshold are refused before they are copied.
// Owns: the rows. Threads: one worker's.
#pragma once

#include "execute/rows/row_pages.h"
#include "execute/sort/sort_shape.h"

namespace blueshift::execute {

class TopRows {
public:
    explicit TopRows(const SortShape& shape) : shape_(shape) {}

    void add(std::span<const Vector> columns, const u16* rows, u32 count, WorkerContext& context);
    /// Drops all but the best rows; they come out sorted.
    std::vector<SortEntry> finish(WorkerContext& context);
    RowPages& pages() { return pages_; }
    /// Forgets the rows: the best so far were written out.
    void clear(WorkerContext& context);
    /// Frees what is not among the best, where that is most of it.
    bool mayShrink() const { return pages_.rowCount() / 4 >= shape_.limit; }
    bool shrink(WorkerContext& context);

private:
    /// Rows that the threshold does not exclude, written to `out`.
    u32 admit(const Vector& key, const u16* rows, u32 count, u16* out) const;
    std::vector<SortEntry> entries() const;

    const SortShape& shape_;
    RowPages pages_;
    const u8* threshold_ = nullptr;
};

} // namespace blueshift::execute
