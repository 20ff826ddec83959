#include "execute/spill/spilled_rows.h"

#include <algorithm>
#include <cstring>

namespace blueshift::execute {
namespace {

constexpr u64 kLeastBlockBytes = 16 << 10;
constexpr std::string_view kWhat = "reading rows back from disk";

u64 aligned(u64 bytes) {
    return (bytes + 7) & ~u64{7};
}

} // namespace

u64 spillBlockBytes(const WorkerContext& context, u64 most_bytes) {
    const u64 least = context.memory == nullptr ? most_bytes * 8 : context.memory->workerBytes();
    return std::clamp(least / 8, std::min(kLeastBlockBytes, most_bytes), most_bytes);
}

RowCodec::RowCodec(const RowLayout& layout, std::vector<OutsideState> states)
    : layout_(layout), states_(std::move(states)) {
    for (u32 c = 0; c < layout.columnCount(); ++c)
        if (layout.kindOf(c) == PhysicalKind::kText) texts_.push_back(c);
    std::erase_if(states_, [](const OutsideState& state) {
        return state.aggregate->stored_bytes == nullptr;
    });
}

/// Calls on_text(field, view) for long texts, on_state(state, aggregate, bytes) for states that
/// keep something outside.
template <class OnText, class OnState>
void RowCodec::walk(u8* row, OnText&& on_text, OnState&& on_state) const {
    for (const u32 column : texts_) {
        if (layout_.isNull(row, column)) continue;
        u8* const field = row + layout_.offsetOf(column);
        TextView view;
        std::memcpy(&view, field, sizeof view);
        if (!view.isInline()) on_text(field, view);
    }
    for (const OutsideState& state : states_) {
        u8* const at = row + state.offset;
        if (const u64 bytes = state.aggregate->stored_bytes(at); bytes > 0)
            on_state(at, *state.aggregate, bytes);
    }
}

u64 RowCodec::bytesOf(const u8* row) const {
    u64 bytes = layout_.rowBytes();
    walk(
        const_cast<u8*>(row), [&](u8*, const TextView& view) { bytes += aligned(view.length); },
        [&](u8*, const functions::Aggregate&, u64 outside) { bytes += aligned(outside); });
    return bytes;
}

void RowCodec::encode(u8* const* rows, u32 count, u64 bytes, u8* out) const {
    const u64 row_bytes = layout_.rowBytes();
    for (u32 i = 0; i < count; ++i) std::memcpy(out + i * row_bytes, rows[i], row_bytes);
    u8* at = out + count * row_bytes;
    const auto pad = [&](u64 length) {
        std::memset(at + length, 0, aligned(length) - length);
        at += aligned(length);
    };
    for (u32 i = 0; i < count && u64(at - out) < bytes; ++i) {
        walk(
            rows[i],
            [&](u8*, const TextView& view) {
                std::memcpy(at, view.pointer, view.length);
                pad(view.length);
            },
            [&](u8* state, const functions::Aggregate& aggregate, u64 outside) {
                aggregate.store(state, at);
                pad(outside);
            });
    }
}

void RowCodec::relocate(u8* image, u32 rows) const {
    if (texts_.empty() && states_.empty()) return;
    const u64 row_bytes = layout_.rowBytes();
    u8* at = image + rows * row_bytes;
    for (u32 i = 0; i < rows; ++i) {
        walk(
            image + i * row_bytes,
            [&](u8* field, TextView view) {
                view.pointer = reinterpret_cast<const char*>(at);
                std::memcpy(field, &view, sizeof view);
                at += aligned(view.length);
            },
            [&](u8* state, const functions::Aggregate& aggregate, u64 outside) {
                aggregate.restore(state, at);
                at += aligned(outside);
            });
    }
}

bool SpilledRows::append(SpillFile& file, const RowCodec& codec, u8* const* rows, u64 count,
                         WorkerContext& context, u64 most_bytes) {
    std::vector<u8> image;
    const u64 block_bytes = spillBlockBytes(context, most_bytes);
    const u64 block_rows = spillBlockRows(block_bytes);
    for (u64 begin = 0; begin < count;) {
        if (context.failed()) return false;
        u64 bytes = 0;
        u64 end = begin;
        while (end < count && end - begin < block_rows && bytes < block_bytes)
            bytes += codec.bytesOf(rows[end++]);
        image.resize(bytes);
        codec.encode(rows + begin, u32(end - begin), bytes, image.data());
        if (!appendBlock(file, image, {}, u32(end - begin), context)) return false;
        begin = end;
    }
    return true;
}

bool SpilledRows::appendBlock(SpillFile& file, std::vector<u8>& images, std::span<const u8> outside,
                              u32 count, WorkerContext& context) {
    images.insert(images.end(), outside.begin(), outside.end());
    SpilledBlock block;
    if (!file.write(images, block, context)) return false;
    block.rows = count;
    blocks_.push_back(block);
    rows_ += count;
    bytes_ += images.size();
    return true;
}

bool BlockWriter::add(u8* const* rows, u32 count, SpilledRows& into, WorkerContext& context) {
    const u64 block_bytes = spillBlockBytes(context, most_bytes_);
    const u64 block_rows = spillBlockRows(block_bytes);
    for (u32 begin = 0; begin < count;) {
        u64 bytes = 0;
        u32 end = begin;
        while (end < count && rows_ + (end - begin) < block_rows &&
               images_.size() + outside_.size() + bytes < block_bytes)
            bytes += codec_.bytesOf(rows[end++]);
        fresh_.resize(bytes);
        codec_.encode(rows + begin, end - begin, bytes, fresh_.data());
        const auto behind = fresh_.begin() + i64(end - begin) * codec_.layout().rowBytes();
        images_.insert(images_.end(), fresh_.begin(), behind);
        outside_.insert(outside_.end(), behind, fresh_.end());
        rows_ += end - begin;
        begin = end;
        if (begin < count && !finish(into, context)) return false;
    }
    return true;
}

bool BlockWriter::finish(SpilledRows& into, WorkerContext& context) {
    if (rows_ == 0) return true;
    const bool done = into.appendBlock(file_, images_, outside_, rows_, context);
    images_.clear();
    outside_.clear();
    rows_ = 0;
    return done && !context.failed();
}

bool SpilledRows::read(size_t index, const SpillFile& file, const RowCodec& codec, RowPages& into,
                       WorkerContext& context) const {
    if (context.failed()) return false;
    const SpilledBlock& block = blocks_[index];
    if (!context.take(block.bytes, kWhat)) return false;
    RowPage page;
    page.layout = &codec.layout();
    page.bytes = std::make_unique_for_overwrite<u64[]>((block.bytes + 7) / 8);
    page.rows = page.capacity = block.rows;
    u8* const image = reinterpret_cast<u8*>(page.bytes.get());
    if (!file.read(block, image, context)) {
        context.give(block.bytes);
        return false;
    }
    codec.relocate(image, block.rows);
    into.adopt(std::move(page), block.bytes);
    return true;
}

void SpilledRows::absorb(SpilledRows&& other) {
    blocks_.insert(blocks_.end(), other.blocks_.begin(), other.blocks_.end());
    rows_ += other.rows_;
    bytes_ += other.bytes_;
    other = SpilledRows();
}

} // namespace blueshift::execute
