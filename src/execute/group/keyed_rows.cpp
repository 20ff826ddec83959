// The local table's policy: grow, empty or stop looking; declared in local_groups.h.
#include "execute/group/local_groups.h"

namespace blueshift::execute {
namespace {
constexpr std::string_view kWhat = "groups";
}

u64 KeyedRows::splitBytes() const {
    if (rows.isSplit()) return 0;
    // Every part's last page is partly empty.
    return rows.rowCount() * layout_.rowBytes() * 5 / 4 + kPartitions * (u64{1} << 10);
}

u64 KeyedRows::growthBytes(u32 count) const {
    if (append_only_) return 0;
    const bool splits = table_.keys() + count > limit_;
    return table_.growthBytes(count) + (splits ? splitBytes() : 0);
}

bool KeyedRows::makeRoom(u32 count, WorkerContext& context) {
    if (append_only_) return true;
    if (table_.keys() + count > limit_) {
        const u64 keys = std::max<u64>(table_.keys(), 1);
        if (seen_ >= keys * 4 && limit_ < kMostLocalGroups) {
            limit_ *= 4;
        } else {
            // 94 % of the rows were new: looking up costs more than it saves.
            useless_rounds_ = seen_ * 16 < keys * 17 ? useless_rounds_ + 1 : 0;
            append_only_ = useless_rounds_ >= 3;
            if (!rows.isSplit() && !split(context)) return false;
            table_.clear();
            if (append_only_) table_.release(context);
            emptied_ = true;
            seen_ = 0;
            if (append_only_) return true;
        }
    }
    return table_.reserve(count, context);
}

bool KeyedRows::locate(std::span<const Vector> columns, const u16* selection, u32 count,
                       const u64* hashes, u8** out, WorkerContext& context) {
    if (!makeRoom(count, context)) return false;
    countLookups(count);
    return add(columns, selection, count, hashes, out, context);
}

bool KeyedRows::add(std::span<const Vector> columns, const u16* selection, u32 count,
                    const u64* hashes, u8** out, WorkerContext& context) {
    if (append_only_) {
        mostly_new_ = true;
        if (!rows.append(columns, selection, count, hashes, out, context, kWhat)) return false;
        initialize(out, count);
        return true;
    }
    const u64 before = table_.keys();
    const bool done = table_.findOrInsert(
        columns, selection, count, hashes, out, [&](const u16* fresh, u32 n, u8** addresses) {
            return insert(columns, selection, hashes, fresh, n, addresses, context);
        });
    mostly_new_ = (table_.keys() - before) * 2 > count && count * 2 > looked_up_;
    return done;
}

bool KeyedRows::insert(std::span<const Vector> columns, const u16* selection, const u64* hashes,
                       const u16* fresh, u32 count, u8** out, WorkerContext& context) {
    u16 fresh_rows[kVectorRows];
    u64 fresh_hashes[kVectorRows];
    for (u32 k = 0; k < count; ++k) {
        fresh_rows[k] = selection == nullptr ? fresh[k] : selection[fresh[k]];
        fresh_hashes[k] = hashes[fresh[k]];
    }
    if (!rows.append(columns, fresh_rows, count, fresh_hashes, out, context, kWhat)) return false;
    initialize(out, count);
    return true;
}

void KeyedRows::initialize(u8* const* fresh, u32 count) {
    if (initial_extra_.empty()) return;
    for (u32 i = 0; i < count; ++i)
        std::memcpy(fresh[i] + layout_.extraOffset(), initial_extra_.data(), initial_extra_.size());
}

bool KeyedRows::spill(SpillFile& file, const RowCodec& codec, SpilledParts& parts,
                      WorkerContext& context) {
    std::vector<u8*> all;
    rows.collectRows(all);
    const auto part_of = [](const u8* row) { return partitionOf(RowLayout::hashOf(row)); };
    if (!spillByPart(all, part_of, file, codec, parts, context)) return false;
    rows.clear(context);
    table_.release(context);
    ++generation_;
    emptied_ = true;
    limit_ = first_limit_;
    seen_ = 0;
    return true;
}

bool KeyedRows::split(WorkerContext& context) {
    if (rows.isSplit()) return true;
    ++generation_;
    table_.clear();
    return rows.split(context, kWhat);
}

} // namespace blueshift::execute
