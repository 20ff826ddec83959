#include "execute/spill/row_reader.h"

#include <algorithm>

namespace blueshift::execute {

void RowReader::open(std::span<u8* const> rows) {
    size_ = rows.size();
    begin_ = 0;
    current_ = rows;
}

void RowReader::open(const SpilledRows& rows, const SpillFile& file, const RowCodec& codec) {
    spilled_ = &rows;
    file_ = &file;
    codec_ = &codec;
    size_ = rows.rowCount();
    begin_ = 0;
    current_ = {};
    starts_.clear();
    u64 start = 0;
    for (size_t b = 0; b < rows.blockCount(); ++b) {
        starts_.push_back(start);
        start += rows.blockRows(b);
    }
    zeros_.assign(codec.layout().rowBytes() / 8 + 1, 0);
    zero_row_ = reinterpret_cast<u8*>(zeros_.data());
}

void RowReader::locate(u64 index, WorkerContext& context) {
    for (size_t i = 0; i < loaded_.size(); ++i) {
        const Block& block = *loaded_[i];
        if (index - block.begin >= block.rows.size()) continue;
        std::rotate(loaded_.begin(), loaded_.begin() + i64(i), loaded_.begin() + i64(i) + 1);
        return show(*loaded_[0]);
    }
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), index);
    if (load(size_t(after - starts_.begin()) - 1, context)) return show(*loaded_[0]);
    begin_ = index;
    current_ = {&zero_row_, 1};
}

bool RowReader::load(size_t index, WorkerContext& context) {
    u64 held = 0;
    for (const auto& block : loaded_) held += block->pages.memoryBytes();
    while (loaded_.size() >= kMostBlocks ||
           (loaded_.size() >= kFewestBlocks && !context.hasRoom(held))) {
        held -= loaded_.back()->pages.memoryBytes();
        free(*loaded_.back(), context);
        loaded_.pop_back();
    }
    const u64 rows = spilled_->blockRows(index);
    if (!context.take(rows * sizeof(u8*), "reading rows back from disk")) return false;
    auto block = std::make_unique<Block>();
    block->begin = starts_[index];
    block->rows.reserve(rows);
    const bool read = spilled_->read(index, *file_, *codec_, block->pages, context);
    block->pages.collectRows(block->rows);
    if (!read) {
        context.give(rows * sizeof(u8*));
        return false;
    }
    loaded_.insert(loaded_.begin(), std::move(block));
    return true;
}

void RowReader::free(Block& block, WorkerContext& context) {
    context.give(block.rows.size() * sizeof(u8*));
    block.pages.clear(context);
}

void RowReader::close(WorkerContext& context) {
    for (const auto& block : loaded_) free(*block, context);
    *this = RowReader();
}

} // namespace blueshift::execute
