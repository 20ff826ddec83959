#include "execute/rows/key_table.h"

#include <algorithm>
#include <bit>

namespace blueshift::execute {
namespace {
constexpr u64 kFirstSlots = 512;
}

KeyTable::KeyTable(const RowLayout& layout, std::vector<u32> compared)
    : layout_(layout), compared_(std::move(compared)) {}

u64 KeyTable::growthBytes(u64 more) const {
    const u64 wanted = (keys_ + more) * 2;
    if (wanted <= slots_.size()) return 0;
    return (std::max(kFirstSlots, std::bit_ceil(wanted)) - slots_.size()) * 8;
}

bool KeyTable::reserve(u64 more, WorkerContext& context) {
    const u64 growth = growthBytes(more);
    if (growth == 0) return true;
    if (!context.take(growth, "a hash table of groups")) return false;
    const u64 size = slots_.size() + growth / 8;
    std::vector<u64> old(size);
    old.swap(slots_);
    mask_ = size - 1;
    for (const u64 slot : old) {
        if (slot == 0) continue;
        u64 at = RowLayout::hashOf(rowOf(slot)) & mask_;
        while (slots_[at] != 0) at = (at + 1) & mask_;
        slots_[at] = slot;
    }
    return true;
}

void KeyTable::clear() {
    std::fill(slots_.begin(), slots_.end(), 0);
    keys_ = 0;
}

void KeyTable::release(WorkerContext& context) {
    if (context.memory != nullptr) context.memory->shrink(slots_.size() * 8);
    slots_ = {};
    mask_ = 0;
    keys_ = 0;
}

u32 KeyTable::match(std::span<const Vector> columns, const u16* rows, u8* const* found,
                    u16* candidates, u32 count) const {
    for (const u32 column : compared_) {
        if (count == 0) break;
        count = matchColumn(layout_, column, found, columns[column], rows, candidates, count, true);
    }
    return count;
}

u32 KeyTable::matchFound(const RowLayout& other, std::span<const u32> other_columns,
                         u8* const* others, u8* const* found, u16* candidates, u32 count) const {
    for (size_t k = 0; k < compared_.size() && count > 0; ++k)
        count = matchRows(layout_, compared_[k], found, other, other_columns[k], others, candidates,
                          count, true);
    return count;
}

bool KeyTable::mergeRows(u8* const* rows, u32 count, u8** out) {
    u64 hashes[kVectorRows];
    for (u32 i = 0; i < count; ++i) hashes[i] = RowLayout::hashOf(rows[i]);
    return probe(
        count, hashes, out,
        [&](u16* candidates, u32 n) {
            return matchFound(layout_, compared_, rows, out, candidates, n);
        },
        [&](const u16* fresh, u32 n, u8** addresses) {
            for (u32 k = 0; k < n; ++k) addresses[k] = rows[fresh[k]];
            return true;
        });
}

void KeyTable::findFirst(const u64* hashes, u32 count, u8** out) const {
    if (slots_.empty()) {
        std::fill(out, out + count, nullptr);
        return;
    }
    const u64* const slots = slots_.data();
    const u64 mask = mask_;
    for (u32 i = 0; i < count; ++i) {
        const u64 salt = saltOf(hashes[i]);
        u64 at = hashes[i] & mask;
        while (slots[at] != 0 && (slots[at] & ~kAddressMask) != salt) at = (at + 1) & mask;
        out[i] = rowOf(slots[at]);
        __builtin_prefetch(out[i]);
    }
}

void KeyTable::find(const RowLayout& other, std::span<const u32> other_columns, u8* const* others,
                    u32 count, const u64* hashes, u8** out) const {
    if (slots_.empty()) {
        std::fill(out, out + count, nullptr);
        return;
    }
    u64 positions[kVectorRows];
    u16 waiting[kVectorRows];
    u16 candidates[kVectorRows];
    for (u32 i = 0; i < count; ++i) {
        waiting[i] = u16(i);
        positions[i] = hashes[i] & mask_;
        __builtin_prefetch(&slots_[positions[i]]);
    }
    u32 waiting_count = count;
    while (waiting_count > 0) {
        u32 candidate_count = 0;
        for (u32 k = 0; k < waiting_count; ++k) {
            const u16 i = waiting[k];
            const u64 salt = saltOf(hashes[i]);
            u64 at = positions[i];
            while (slots_[at] != 0 && (slots_[at] & ~kAddressMask) != salt) at = (at + 1) & mask_;
            positions[i] = at;
            out[i] = slots_[at] == 0 ? nullptr : rowOf(slots_[at]);
            if (out[i] != nullptr) candidates[candidate_count++] = i;
        }
        std::copy(candidates, candidates + candidate_count, waiting);
        const u32 matched =
            matchFound(other, other_columns, others, out, candidates, candidate_count);
        u32 left = 0;
        for (u32 k = 0, m = 0; k < candidate_count; ++k) {
            const u16 i = waiting[k];
            if (m < matched && candidates[m] == i) {
                ++m;
                continue;
            }
            positions[i] = (positions[i] + 1) & mask_;
            waiting[left++] = i;
        }
        waiting_count = left;
    }
}

} // namespace blueshift::execute
