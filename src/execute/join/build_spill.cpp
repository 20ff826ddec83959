// What a join build does when rows find no room: writing parts, loading some of them, and tables
// for one part after another; declared in join_build.h.
#include <algorithm>
#include <numeric>

#include "execute/join/build_state.h"
#include "execute/join/join_build.h"

namespace blueshift::execute {

void JoinBuild::spill(BuildState& state, WorkerContext& context) {
    if (state.pages.rowCount() == 0) return;
    SpilledParts written;
    std::vector<u8*> rows;
    for (u32 p = 0; p < kPartitions; ++p) {
        rows.clear();
        for (const Entry& entry : state.entries[p]) rows.push_back(entry.row);
        if (!written[p].append(file_, codec_, rows.data(), rows.size(), context)) return;
        state.entries[p] = {};
    }
    SpilledRows unkeyed;
    if (!unkeyed.append(file_, codec_, state.unkeyed.data(), state.unkeyed.size(), context)) return;
    state.unkeyed.clear();
    state.pages.clear(context);
    context.give(state.entry_count * kEntryBytes);
    state.entry_count = 0;
    spilled_.store(true);
    const std::lock_guard lock(mutex_);
    for (u32 p = 0; p < kPartitions; ++p) parts_[p].absorb(std::move(written[p]));
    unkeyed_.absorb(std::move(unkeyed));
}

/// Workers that were never refused kept their rows: all of a part belongs in one place.
void JoinBuild::writePart(u32 part, WorkerContext& context) {
    std::vector<u8*> rows;
    for (const auto& list : entries_[part]) {
        rows.clear();
        for (const Entry& entry : list) rows.push_back(entry.row);
        if (!parts_[part].append(file_, codec_, rows.data(), rows.size(), context)) return;
    }
    entries_[part].clear();
    if (part == 0)
        unkeyed_.append(file_, codec_, unkeyed_rows_.data(), unkeyed_rows_.size(), context);
}

/// Half of the room is filled with the smallest parts; the other half is for the rest's morsels.
void JoinBuild::choosePartsToLoad(WorkerContext& context) {
    pages_.clear(context);
    unkeyed_rows_ = {};
    context.give(entry_bytes_);
    entry_bytes_ = 0;
    std::array<u32, kPartitions> order;
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](u32 a, u32 b) { return parts_[a].bytes() < parts_[b].bytes(); });
    u64 left = context.room() / 2;
    const u64 all = left;
    u64 keys = 0;
    for (const u32 p : order) {
        if (parts_[p].empty()) continue;
        keys += parts_[p].rowCount();
        // The directory may be twice as long as the rows are many.
        const u64 wanted = parts_[p].bytes() + parts_[p].rowCount() * (kEntryBytes + 16);
        if (wanted <= left) left -= wanted;
        else spilled_mask_ |= u64{1} << p;
    }
    // Else other queries could take it before it is loaded.
    held_to_load_ = all - left;
    if (held_to_load_ > 0 && !context.memory->hold(held_to_load_)) {
        held_to_load_ = 0;
        for (u32 p = 0; p < kPartitions; ++p)
            if (!parts_[p].empty()) spilled_mask_ |= u64{1} << p;
    }
    saw_rows_ |= keys > 0;
    makeBloom(keys);
}

void JoinBuild::loadPart(u32 part, WorkerContext& context) {
    const SpilledRows& rows = parts_[part];
    const bool stays = (spilled_mask_ >> part & 1) != 0;
    const bool filters = std::any_of(published_.begin(), published_.end(),
                                     [](const JoinFilter* f) { return !f->bloom.empty(); });
    if (stays && !filters) return;
    std::vector<Entry> entries;
    for (size_t b = 0; b < rows.blockCount() && !context.failed(); ++b) {
        RowPages block;
        if (!rows.read(b, file_, codec_, block, context)) return;
        if (stays) {
            std::vector<u8*> addresses;
            block.collectRows(addresses);
            addToFilters([&](auto&& add) {
                for (const u8* row : addresses) add(row);
            });
            block.clear(context);
            continue;
        }
        if (!context.take(block.rowCount() * kEntryBytes, "a hash join")) return;
        const RowPage& page = block.pages()[0];
        for (u32 i = 0; i < page.rows; ++i)
            entries.push_back({RowLayout::hashOf(page.row(i)), page.row(i)});
        loaded_[part].absorb(std::move(block));
    }
    if (stays) return;
    parts_[part] = SpilledRows();
    const std::lock_guard lock(mutex_);
    entry_bytes_ += entries.size() * kEntryBytes;
    if (!entries.empty()) entries_[part].push_back(std::move(entries));
}

JoinBuild::JoinBuild(const JoinBuild& whole, std::nullptr_t)
    : spec_(whole.spec_),
      layout_(whole.layout_),
      saw_null_key_(whole.saw_null_key_),
      saw_rows_(whole.saw_rows_),
      codec_(layout_) {}

bool JoinBuild::refill(RowPages rows, u32 skip, WorkerContext& context) {
    pages_.clear(context);
    context.give(entry_bytes_);
    entry_bytes_ = 0;
    pages_ = std::move(rows);
    const u64 bytes = pages_.rowCount() * kEntryBytes;
    if (!context.take(bytes, "a hash join")) return false;
    entry_bytes_ = bytes;
    skip_ = skip;
    std::array<std::vector<Entry>, kPartitions> lists;
    for (const RowPage& page : pages_.pages())
        for (u32 i = 0; i < page.rows; ++i) {
            const u64 hash = RowLayout::hashOf(page.row(i));
            lists[listOf(hash)].push_back({hash, page.row(i)});
        }
    for (u32 p = 0; p < kPartitions; ++p) {
        entries_[p].clear();
        if (!lists[p].empty()) entries_[p].push_back(std::move(lists[p]));
    }
    phase_ = Phase::kIndex;
    prepareDirectory();
    for (u32 p = 0; p < kPartitions; ++p) finishTask(p, context);
    return true;
}

} // namespace blueshift::execute
