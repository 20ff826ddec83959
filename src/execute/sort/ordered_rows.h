// ordered_rows.h: collects rows, puts them in order, and gives them out by number.
//
// Place: one worker's: the rows of a window part that does not fit, and what its calls keep about
// them (numbers of rows, states). An order without keys is the order of arrival.
// Life: append or absorb rows, settle() now and then -> finish() -> reader() -> release().
// Rows that find no room are written out as sorted runs, which finish() merges into one; the space
// of runs comes back as they are merged.
// Threads: one at a time.
#pragma once

#include <memory>
#include <vector>

#include "execute/rows/state_memory.h"
#include "execute/sort/row_order.h"
#include "execute/spill/row_reader.h"

namespace blueshift::execute {

class OrderedRows {
public:
    /// For rows of a few bytes, of which the reader keeps the less.
    static constexpr u64 kSmallBlockBytes = 16 << 10;

    /// `what` is named by 53200 and must live as long as this.
    OrderedRows(const RowOrder& order, const RowCodec& codec, std::string_view what,
                u64 block_bytes = SpilledRows::kBlockBytes)
        : order_(order), codec_(codec), what_(what), block_bytes_(block_bytes) {}
    OrderedRows(const OrderedRows&) = delete;

    /// Appends copies of rows; what they point to must lie in outside() or outlive this.
    bool append(u8* const* rows, u32 count, WorkerContext& context);
    bool append(std::span<const Vector> columns, u32 count, WorkerContext& context);
    /// Takes rows over.
    bool absorb(RowPages&& pages, WorkerContext& context);
    /// Instead of rows: sorted runs, in a file that outlives this.
    void absorbRuns(std::vector<SpilledRows> runs, const SpillFile& file);
    /// Between appends: writes the rows out when there is no room for more.
    void settle(WorkerContext& context);
    /// No more rows come. False after recording an error.
    bool finish(WorkerContext& context);
    RowReader& reader() { return reader_; }
    /// For what appended rows point to; written out and freed with them.
    StateMemory& outside() { return outside_; }
    u64 bytesSpilled() const { return spilled_bytes_; }
    /// Gives memory and space back; nothing is kept.
    void release(WorkerContext& context);

private:
    bool reserve(u64 rows, WorkerContext& context);
    void sortRows(std::vector<u8*>& rows, WorkerContext& context) const;
    void addRun(SpilledRows&& run);
    void writeRun(WorkerContext& context);
    bool mergeRuns(WorkerContext& context);

    const RowOrder& order_;
    const RowCodec& codec_;
    std::string_view what_;
    const u64 block_bytes_;
    RowPages pages_;
    StateMemory outside_;
    u64 reserved_ = 0; // bytes taken for sorting pages_
    std::vector<u8*> rows_;
    std::unique_ptr<SpillFile> file_;
    const SpillFile* runs_file_ = nullptr;
    std::vector<SpilledRows> runs_;
    u64 spilled_bytes_ = 0;
    RowReader reader_;
};

} // namespace blueshift::execute
