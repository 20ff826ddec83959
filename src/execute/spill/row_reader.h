// row_reader.h: rows by their number, wherever they lie: in memory or in blocks on disk.
//
// Place: what goes over sorted rows more than once or from several places at a time (windows).
// Memory: of the blocks, those looked at last stay loaded: few, and more while there is room.
// Errors: recorded in the context; a row of zeros stands for one that could not be read.
// Threads: one at a time.
#pragma once

#include <memory>
#include <vector>

#include "execute/spill/spilled_rows.h"

namespace blueshift::execute {

class RowReader {
public:
    /// This many blocks are kept whatever the memory: so many rows may be looked at together.
    static constexpr size_t kFewestBlocks = 4;

    /// Reads rows in memory, which stay the caller's.
    void open(std::span<u8* const> rows);
    /// Reads rows on disk.
    void open(const SpilledRows& rows, const SpillFile& file, const RowCodec& codec);
    u64 size() const { return size_; }

    /// Row `index`; on disk valid until kFewestBlocks - 1 rows of other blocks were asked for.
    u8* at(u64 index, WorkerContext& context) {
        if (index - begin_ >= current_.size()) locate(index, context);
        return current_[index - begin_];
    }
    /// Rows from `begin` on, at least one, up to `end` or the end of their block; valid as above.
    std::span<u8* const> from(u64 begin, u64 end, WorkerContext& context) {
        if (begin - begin_ >= current_.size()) locate(begin, context);
        const u64 skip = begin - begin_;
        return current_.subspan(skip, std::min(end - begin, current_.size() - skip));
    }
    /// Gives the loaded blocks back; nothing is open afterwards.
    void close(WorkerContext& context);

private:
    static constexpr size_t kMostBlocks = 32;
    struct Block {
        u64 begin = 0;
        RowPages pages;
        std::vector<u8*> rows;
    };

    void locate(u64 index, WorkerContext& context);
    bool load(size_t block, WorkerContext& context);
    void free(Block& block, WorkerContext& context);
    void show(const Block& block) {
        begin_ = block.begin;
        current_ = block.rows;
    }

    u64 size_ = 0;
    u64 begin_ = 0; // number of the first row of current_
    std::span<u8* const> current_;
    const SpilledRows* spilled_ = nullptr;
    const SpillFile* file_ = nullptr;
    const RowCodec* codec_ = nullptr;
    std::vector<u64> starts_;                    // by block: number of its first row
    std::vector<std::unique_ptr<Block>> loaded_; // the one looked at last comes first
    std::vector<u64> zeros_;
    u8* zero_row_ = nullptr;
};

} // namespace blueshift::execute
