// Groups from disk: merged block by block, or divided; declared in merge_groups.h.
#include "execute/group/merge_groups.h"

namespace blueshift::execute {
namespace {

/// Lists and a set of seen rows beside the rows themselves.
constexpr u64 kDeferredRowBytes = 48;

} // namespace

void MergedGroups::release(WorkerContext& context) {
    groups_ = {};
    own_rows_.clear(context);
    table_.release(context);
    memory_.bind(context);
    memory_.release();
}

bool MergedGroups::load(const GroupPart& part, GroupSpill& spill, std::vector<GroupPart>& children,
                        WorkerContext& context) {
    memory_.bind(context);
    const bool divisible = part.level < context.memory->mostLevels();
    for (size_t b = 0; b < part.groups.blockCount(); ++b) {
        // The block, its rows among the others, their table.
        const u64 more =
            part.groups.blockBytes(b, 0) * 2 + table_.growthBytes(part.groups.blockRows(b));
        if (divisible && own_rows_.rowCount() > 0 && !context.hasRoom(heldBytes(), more)) {
            divide(part, b, spill, children, context);
            return false;
        }
        RowPages block;
        if (!part.groups.read(b, spill.file, spill.group_codec, block, context)) return false;
        combineBlock(block, context);
        block.clear(context);
        if (context.failed()) return false;
    }
    for (u32 d = 0; d < part.deferred.size() && !context.failed(); ++d)
        applySpilled(d, part.deferred[d], 0, spill, context);
    table_.release(context);
    return !context.failed();
}

void MergedGroups::combineBlock(const RowPages& block, WorkerContext& context) {
    const RowLayout& layout = shape_.layout;
    std::vector<u8*> rows;
    block.collectRows(rows);
    std::vector<Vector> keys(layout.columnCount());
    std::vector<VectorBuffer> buffers(layout.columnCount());
    u64 hashes[kVectorRows];
    u8* found[kVectorRows];
    for (size_t base = 0; base < rows.size() && !context.failed(); base += kVectorRows) {
        const u32 count = u32(std::min<size_t>(kVectorRows, rows.size() - base));
        u8* const* at = rows.data() + base;
        for (u32 c = 0; c < layout.columnCount(); ++c)
            keys[c] = gatherColumn(layout, c, at, count, buffers[c]);
        for (u32 i = 0; i < count; ++i) hashes[i] = RowLayout::hashOf(at[i]);
        if (!table_.reserve(count, context)) return;
        const auto insert = [&](const u16* fresh, u32 n, u8** addresses) {
            u64 fresh_hashes[kVectorRows];
            for (u32 k = 0; k < n; ++k) fresh_hashes[k] = hashes[fresh[k]];
            if (!own_rows_.append(layout, keys, fresh, n, fresh_hashes, addresses, context,
                                  "groups"))
                return false;
            for (u32 k = 0; k < n; ++k) {
                if (!shape_.initial_states.empty())
                    std::memcpy(addresses[k] + layout.extraOffset(), shape_.initial_states.data(),
                                shape_.initial_states.size());
                groups_.push_back(addresses[k]);
            }
            return true;
        };
        if (!table_.findOrInsert(keys, nullptr, count, hashes, found, insert)) return;
        for (u32 i = 0; i < count; ++i) combineRow(found[i], at[i], shape_.immediate, context);
    }
}

void MergedGroups::divide(const GroupPart& part, size_t first_block, GroupSpill& spill,
                          std::vector<GroupPart>& children, WorkerContext& context) {
    const u32 level = part.level + 1;
    GroupSpill::Written written(shape_);
    const auto by_group = [&](const u8* row) { return partitionOf(RowLayout::hashOf(row), level); };
    if (!spillByPart(groups_, by_group, spill.file, spill.group_codec, written.groups, context))
        return;
    release(context);
    const auto copyBlocks = [&](const SpilledRows& from, size_t first, const RowCodec& codec,
                                SpilledParts& parts, auto&& part_of) {
        std::vector<u8*> rows;
        for (size_t b = first; b < from.blockCount(); ++b) {
            RowPages block;
            if (!from.read(b, spill.file, codec, block, context)) return;
            rows.clear();
            block.collectRows(rows);
            spillByPart(rows, part_of, spill.file, codec, parts, context);
            block.clear(context);
        }
    };
    copyBlocks(part.groups, first_block, spill.group_codec, written.groups, by_group);
    for (size_t d = 0; d < part.deferred.size(); ++d) {
        const u32 offset = shape_.deferred[d].layout.offsetOf(DeferredShape::kGroupHash);
        copyBlocks(part.deferred[d], 0, spill.deferred_codecs[d], written.deferred[d],
                   [&](const u8* row) { return partitionOf(loadField<u64>(row, offset), level); });
    }
    for (u32 p = 0; p < kPartitions && !context.failed(); ++p) {
        if (written.groups[p].empty()) continue;
        GroupPart& child = children.emplace_back();
        child.level = level;
        child.groups = std::move(written.groups[p]);
        for (auto& parts : written.deferred) child.deferred.push_back(std::move(parts[p]));
    }
}

void MergedGroups::applySpilled(u32 index, const SpilledRows& from, u32 level, GroupSpill& spill,
                                WorkerContext& context) {
    if (from.empty()) return;
    const DeferredShape& input = shape_.deferred[index];
    const RowCodec& codec = spill.deferred_codecs[index];
    const bool divisible = input.distinct && !input.ordered && level < context.memory->mostLevels();
    RowPages pages;
    std::vector<u8*> rows;
    for (size_t b = 0; b < from.blockCount(); ++b) {
        const u64 held = pages.memoryBytes() + pages.rowCount() * kDeferredRowBytes;
        const u64 more = from.blockBytes(b, kDeferredRowBytes * 2);
        if (!divisible || pages.rowCount() == 0 || context.hasRoom(heldBytes() + held, more)) {
            if (!from.read(b, spill.file, codec, pages, context)) return;
            continue;
        }
        SpilledParts parts;
        const auto part_of = [&](const u8* row) {
            return partitionOf(RowLayout::hashOf(row), level + 1);
        };
        for (; b <= from.blockCount(); ++b) {
            rows.clear();
            pages.collectRows(rows);
            if (!spillByPart(rows, part_of, spill.file, codec, parts, context)) return;
            pages.clear(context);
            if (b < from.blockCount() && !from.read(b, spill.file, codec, pages, context)) return;
        }
        for (u32 p = 0; p < kPartitions && !context.failed(); ++p)
            applySpilled(index, parts[p], level + 1, spill, context);
        return;
    }
    constexpr u64 kListBytes = 16;
    if (!context.take(pages.rowCount() * kListBytes, "aggregate input")) return;
    pages.collectRows(rows);
    applyRows(input, rows, true, context);
    context.give(pages.rowCount() * kListBytes);
    pages.clear(context);
}

} // namespace blueshift::execute
