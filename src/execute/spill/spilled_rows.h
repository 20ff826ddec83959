// spilled_rows.h: rows of one layout on disk, in blocks, and how they are moved there and back.
//
// A block is the image of its rows and, behind them, the bytes that the rows point to (long text,
// what aggregate states keep outside), in the order in which a walk over the rows meets them.
// Reading takes one piece of memory for both and mends the pointers on the same walk: nothing of
// the old addresses is needed.
// Owns: addresses of blocks; the bytes belong to the operator's SpillFile.
// Threads: one at a time while filling; any number may read.
#pragma once

#include <array>
#include <vector>

#include "execute/rows/key_table.h"
#include "execute/rows/row_pages.h"
#include "execute/spill/spill_space.h"
#include "functions/aggregate.h"

namespace blueshift::execute {

/// Which fields of a row point to bytes outside. Immutable.
class RowCodec {
public:
    struct OutsideState {
        u32 offset; // in a row
        const functions::Aggregate* aggregate;
    };
    explicit RowCodec(const RowLayout& layout, std::vector<OutsideState> states = {});

    const RowLayout& layout() const { return layout_; }
    /// Bytes of a row with everything it points to.
    u64 bytesOf(const u8* row) const;
    /// Writes the image of the rows, which take `bytes` in all.
    void encode(u8* const* rows, u32 count, u64 bytes, u8* out) const;
    /// Mends the pointers of an image.
    void relocate(u8* image, u32 rows) const;

private:
    template <class OnText, class OnState>
    void walk(u8* row, OnText&& on_text, OnState&& on_state) const;

    const RowLayout& layout_;
    std::vector<u32> texts_; // columns
    std::vector<OutsideState> states_;
};

/// The size at which a block is written, so that a worker's least memory holds several.
u64 spillBlockBytes(const WorkerContext& context, u64 most_bytes);
/// Rows of a block at most: narrow ones take more room in lists and tables than by themselves.
inline u64 spillBlockRows(u64 block_bytes) {
    return block_bytes / 24;
}

class SpilledRows {
public:
    static constexpr u64 kBlockBytes = 128 << 10;

    /// Adds rows in this order, in blocks of `most_bytes` or less. False after recording an error.
    bool append(SpillFile& file, const RowCodec& codec, u8* const* rows, u64 count,
                WorkerContext& context, u64 most_bytes = kBlockBytes);
    /// Reads a block into pages of its own. Not limited by hasRoom(): ask before.
    bool read(size_t block, const SpillFile& file, const RowCodec& codec, RowPages& into,
              WorkerContext& context) const;
    void absorb(SpilledRows&& other);

    /// Adds rows whose image is made: `outside` follows `images`.
    bool appendBlock(SpillFile& file, std::vector<u8>& images, std::span<const u8> outside,
                     u32 count, WorkerContext& context);

    size_t blockCount() const { return blocks_.size(); }
    u64 blockBytes(size_t block) const { return blocks_[block].bytes; }
    u32 blockRows(size_t block) const { return blocks_[block].rows; }
    /// What reading the block adds, with `each` bytes more a row; 0 past the end.
    u64 blockBytes(size_t block, u64 each) const {
        return block < blocks_.size() ? blocks_[block].bytes + blocks_[block].rows * each : 0;
    }
    u64 rowCount() const { return rows_; }
    u64 bytes() const { return bytes_; }
    bool empty() const { return rows_ == 0; }

private:
    std::vector<SpilledBlock> blocks_;
    u64 rows_ = 0;
    u64 bytes_ = 0;
};

/// Gathers rows for blocks of full size where few come at a time. What it holds is not counted: a
/// block.
class BlockWriter {
public:
    BlockWriter(SpillFile& file, const RowCodec& codec, u64 most_bytes)
        : file_(file), codec_(codec), most_bytes_(most_bytes) {}

    /// False after recording an error.
    bool add(u8* const* rows, u32 count, SpilledRows& into, WorkerContext& context);
    bool finish(SpilledRows& into, WorkerContext& context);

private:
    SpillFile& file_;
    const RowCodec& codec_;
    const u64 most_bytes_;
    std::vector<u8> images_;
    std::vector<u8> outside_;
    std::vector<u8> fresh_;
    u32 rows_ = 0;
};

using SpilledParts = std::array<SpilledRows, kPartitions>;

/// Writes each row to the part that `part_of(row)` names.
template <class PartOf>
bool spillByPart(std::span<u8* const> rows, PartOf&& part_of, SpillFile& file,
                 const RowCodec& codec, SpilledParts& parts, WorkerContext& context) {
    std::array<u64, kPartitions + 1> starts{};
    for (u8* row : rows) ++starts[part_of(row) + 1];
    for (u32 p = 0; p < kPartitions; ++p) starts[p + 1] += starts[p];
    std::vector<u8*> ordered(rows.size());
    std::array<u64, kPartitions> at;
    std::copy_n(starts.begin(), kPartitions, at.begin());
    for (u8* row : rows) ordered[at[part_of(row)]++] = row;
    for (u32 p = 0; p < kPartitions; ++p) {
        const u64 count = starts[p + 1] - starts[p];
        if (count > 0 && !parts[p].append(file, codec, ordered.data() + starts[p], count, context))
            return false;
    }
    return true;
}

} // namespace blueshift::execute
