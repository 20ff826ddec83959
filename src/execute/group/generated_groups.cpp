// What generated code asks of a worker's groups; declared in local_groups.h.
#include <algorithm>

#include "execute/group/local_groups.h"

namespace blueshift::execute {

u8* LocalGroups::onlyGroup(const Batch& batch, WorkerContext& context) {
    memory_.bind(context);
    // Sums of the one group take no room; what else a batch brings asks in applyRest().
    if (only_group_ == nullptr && !makeRoom(0, batch, context)) return nullptr;
    numbered_ = {};
    runs_ = nullptr;
    return findOnly(context) ? only_group_ : nullptr;
}

// ---- By number.

bool LocalGroups::number(const Batch& batch, Numbered& found, WorkerContext& context) {
    memory_.bind(context);
    if (!makeRoom(0, batch, context)) return false;
    runs_ = nullptr;
    DirectIndex& index = direct_[0];
    if (prepareDirect(index)) {
        if (!numberByCode(index, batch, found, context)) return false;
    } else {
        hasher_.hash(compared_, batch.selection, batch.selected, hashes_);
        if (!groups_.locate(keys_, batch.selection, batch.selected, hashes_, located_, context))
            return false;
        numberLocated(batch.selected, found);
    }
    numbered_ = found;
    return true;
}

/// The codes in use, all below 64: a bit each.
u64 LocalGroups::codesOf(u32 count) const {
    u64 codes = 0;
    for (u32 i = 0; i < count; ++i) codes |= u64{1} << codes_[i];
    return codes;
}

/// Very few codes are the numbers themselves: every number costs, in every batch.
bool LocalGroups::numberByCode(DirectIndex& index, const Batch& batch, Numbered& found,
                               WorkerContext& context) {
    constexpr size_t kMostNumbers = 64;
    const u32 count = batch.selected;
    const size_t codes = index.groups.size();
    readCodes(index, batch);
    if (codes > kMostNumbers) {
        while (!fillDirect(index, batch, context))
            if (context.failed()) return false;
        for (u32 i = 0; i < count; ++i) located_[i] = index.groups[codes_[i]];
        numberLocated(count, found);
        return true;
    }
    const u64 used = codesOf(count);
    while ((used & ~index.known_mask) != 0)
        if (!fillDirect(index, batch, context) && context.failed()) return false;
    if (no_group_.empty()) no_group_.resize(shape_.layout.rowBytes() / 8 + 1);
    for (size_t code = 0; code < codes; ++code)
        numbered_groups_[code] = index.groups[code] != nullptr
                                     ? index.groups[code]
                                     : reinterpret_cast<u8*>(no_group_.data());
    found = {codes_, numbered_groups_, u32(codes)};
    return true;
}

/// Numbers the rows' groups, whose rows in memory are `located_`, by a small hash table.
void LocalGroups::numberLocated(u32 count, Numbered& found) {
    constexpr u32 kSlotBits = 11; // twice as many as rows
    constexpr u16 kFree = 0xFFFF;
    u16 slots[1 << kSlotBits];
    std::fill(std::begin(slots), std::end(slots), kFree);
    u32 groups = 0;
    for (u32 i = 0; i < count; ++i) {
        u8* const group = located_[i];
        if (i > 0 && group == located_[i - 1]) {
            numbers_[i] = numbers_[i - 1];
            continue;
        }
        u64 at = reinterpret_cast<u64>(group) * 0x9E3779B97F4A7C15ull >> (64 - kSlotBits);
        while (slots[at] != kFree && numbered_groups_[slots[at]] != group)
            at = (at + 1) & ((1 << kSlotBits) - 1);
        if (slots[at] == kFree) {
            slots[at] = u16(groups);
            numbered_groups_[groups++] = group;
        }
        numbers_[i] = slots[at];
    }
    found = {numbers_, numbered_groups_, groups};
}

// ---- By hash.

kernels::GroupSlots LocalGroups::open(const Batch& batch, WorkerContext& context) {
    memory_.bind(context);
    if (makeRoom(0, batch, context)) groups_.makeRoom(batch.selected, context);
    return groups_.slots();
}

bool LocalGroups::addMissing(const Batch& batch, kernels::GroupRuns& runs, u32 first,
                             WorkerContext& context) {
    for (u32 k = 0; k < runs.missing_count; ++k) hashes_[k] = runs.hash[runs.missing[k]];
    return addRuns(batch, runs, first, context);
}

/// The missing runs have the hashes `hashes_`.
bool LocalGroups::addRuns(const Batch& batch, kernels::GroupRuns& runs, u32 first,
                          WorkerContext& context) {
    groups_.countLookups(runs.count - first);
    runs_ = &runs;
    const u32 count = runs.missing_count;
    if (count == 0) return true;
    for (u32 k = 0; k < count; ++k)
        ordered_rows_[k] = u16(batch.rowAt(runs.begin[runs.missing[k]]));
    if (!groups_.add(keys_, ordered_rows_, count, hashes_, located_, context)) return false;
    for (u32 k = 0; k < count; ++k) runs.group[runs.missing[k]] = located_[k];
    return true;
}

// ---- By value.

const kernels::GroupIndex& LocalGroups::openIndex(const Batch& batch, WorkerContext& context) {
    static constexpr u8* kNoGroup = nullptr;
    memory_.bind(context);
    const bool ready = makeRoom(0, batch, context) && groups_.makeRoom(batch.selected, context);
    const u64 bytes = (shape_.index.size + 1) * sizeof(u8*);
    if (ready && indexed_.empty() && context.hasRoom(memoryBytes(), bytes) &&
        context.take(bytes, "an index of groups")) {
        indexed_.resize(shape_.index.size + 1);
    } else if (index_generation_ != groups_.generation()) {
        std::fill(indexed_.begin(), indexed_.end(), nullptr);
    }
    index_generation_ = groups_.generation();
    index_ = shape_.index;
    index_.groups = indexed_.data();
    if (!indexed_.empty()) return index_;
    // Without room every group is looked up by its hash.
    index_.groups = const_cast<u8**>(&kNoGroup);
    index_.size = 0;
    std::fill(std::begin(index_.extent), std::end(index_.extent), 0);
    return index_;
}

bool LocalGroups::addIndexed(const Batch& batch, kernels::GroupRuns& runs, u32 first,
                             u8** const* places, WorkerContext& context) {
    const u32 count = runs.missing_count;
    for (u32 k = 0; k < count; ++k)
        ordered_rows_[k] = u16(batch.rowAt(runs.begin[runs.missing[k]]));
    if (count > 0) hasher_.hash(compared_, ordered_rows_, count, hashes_);
    if (!addRuns(batch, runs, first, context)) return false;
    for (u32 k = 0; k < count; ++k) {
        u8** const place = places[runs.missing[k] - first];
        if (place != index_.groups + index_.size) *place = located_[k];
    }
    return true;
}

void LocalGroups::releaseIndex(WorkerContext& context) {
    context.give(indexed_.size() * sizeof(u8*));
    indexed_ = {};
}

LocalGroups::Assignment LocalGroups::assigned(const Batch& batch) {
    const u32 count = batch.selected;
    bool in_runs = true;
    if (runs_ != nullptr) {
        for (u32 run = 0; run < runs_->count; ++run)
            std::fill(located_ + runs_->begin[run], located_ + runs_->begin[run + 1],
                      runs_->group[run]);
        in_runs = runs_->count * 16 < count;
    } else if (numbered_.group_count > 0) {
        for (u32 i = 0; i < count; ++i) located_[i] = numbered_.groups[numbered_.numbers[i]];
        in_runs = false;
    } else {
        std::fill(located_, located_ + count, only_group_);
    }
    return {batch.selection, count, located_, in_runs};
}

} // namespace blueshift::execute
