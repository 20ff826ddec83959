#include "storage/block_cache_state.h"

namespace blueshift::storage {

namespace {
/// The column number that stands for a segment's footer.
constexpr u32 kFooterColumn = ~u32{0};
/// The block number that stands for a column's vector zones.
constexpr u32 kZonesBlock = ~u32{0};
} // namespace

BlockCache::BlockCache(u64 byte_limit) : state_(std::make_unique<State>(byte_limit)) {}
BlockCache::~BlockCache() = default;
u64 BlockCache::bytes() const {
    return state_->bytes();
}
void BlockCache::setLimit(u64 byte_limit) {
    state_->setLimit(byte_limit);
}
void BlockCache::clear() {
    state_->clear();
}

u64 BlockCache::State::bytes() {
    const std::scoped_lock lock(mutex);
    return used;
}

void BlockCache::State::setLimit(u64 byte_limit) {
    const std::scoped_lock lock(mutex);
    limit = byte_limit;
    evict();
}

void BlockCache::State::clear() {
    const std::scoped_lock lock(mutex);
    index.clear();
    entries.clear();
    used = 0;
}

void BlockCache::State::evict() {
    auto at = entries.end();
    while (used > limit && at != entries.begin()) {
        --at;
        // The list holds the only share of the slot unless it is being loaded, and the slot the
        // only share of the value unless it is pinned.
        if (at->slot.use_count() > 1 || at->slot->value.use_count() > 1) continue;
        used -= at->bytes;
        index.erase(at->key);
        at = entries.erase(at);
    }
}

void BlockCache::State::account(const Key& key, const std::shared_ptr<Slot>& slot, u64 bytes) {
    const std::scoped_lock lock(mutex);
    const auto found = index.find(key);
    if (found == index.end() || found->second->slot != slot) return; // cleared meanwhile
    found->second->bytes = bytes;
    used += bytes;
    if (used > limit) evict();
}

Result<std::shared_ptr<const void>> BlockCache::State::find(
    const Key& key, const std::function<Result<Loaded>()>& load) {
    std::shared_ptr<Slot> slot;
    {
        const std::scoped_lock lock(mutex);
        if (const auto found = index.find(key); found != index.end()) {
            entries.splice(entries.begin(), entries, found->second);
            slot = found->second->slot;
        } else {
            slot = std::make_shared<Slot>();
            entries.push_front({key, slot, 0});
            index.emplace(key, entries.begin());
        }
    }
    std::shared_ptr<const void> value;
    u64 bytes = 0;
    {
        const std::scoped_lock lock(slot->loading);
        if (slot->value != nullptr) return slot->value;
        BS_ASSIGN(Loaded loaded, load());
        slot->value = loaded.value;
        value = std::move(loaded.value);
        bytes = loaded.bytes;
    }
    account(key, slot, bytes);
    return value;
}

Result<std::shared_ptr<const SegmentFile>> BlockCache::State::segment(
    objects::ObjectStore& store, const std::string& key, std::atomic<u64>& bytes_read) {
    // Stores may use the same keys for different objects: the store is part of the identity.
    const u64 store_salt = mixHash(reinterpret_cast<uintptr_t>(&store));
    Hash128 id = hashBytes128(key.data(), key.size());
    id.low ^= store_salt;
    BS_ASSIGN(auto value, find({id, kFooterColumn, 0}, [&]() -> Result<Loaded> {
                  BS_ASSIGN(auto file, openSegment(store, key, id));
                  bytes_read += file->bytes_read;
                  const u64 bytes = file->footer.byteSize() + sizeof(SegmentFile) + key.size();
                  return Loaded{std::move(file), bytes};
              }));
    return std::static_pointer_cast<const SegmentFile>(value);
}

Result<std::shared_ptr<const std::vector<VectorZone>>> BlockCache::State::zones(
    const SegmentFile& file, const ColumnEntry& column, std::atomic<u64>& bytes_read) {
    BS_ASSIGN(auto value, find({file.id, column.column_id, kZonesBlock}, [&]() -> Result<Loaded> {
                  BS_ASSIGN(auto zones, readZones(file, column));
                  bytes_read += zones.size() * column.zones.width * 2;
                  const u64 bytes = zones.size() * sizeof(VectorZone);
                  return Loaded{std::make_shared<const std::vector<VectorZone>>(std::move(zones)),
                                bytes};
              }));
    return std::static_pointer_cast<const std::vector<VectorZone>>(value);
}

Result<std::shared_ptr<const HotBlock>> BlockCache::State::block(const SegmentFile& file,
                                                                 const ColumnEntry& column,
                                                                 u32 block_index,
                                                                 std::atomic<u64>& bytes_read) {
    BS_ASSIGN(auto value, find({file.id, column.column_id, block_index}, [&]() -> Result<Loaded> {
                  const BlockEntry& entry = column.blocks[block_index];
                  const BlockPlace place{file.key, column.column_id, block_index};
                  std::vector<u8> bytes(entry.bytes);
                  BS_TRY(file.object->read(entry.offset, bytes));
                  bytes_read += bytes.size();
                  BS_ASSIGN(auto block, decodeBlock(bytes, place));
                  if (block->rows != entry.rows || block->kind != entry.kind ||
                      block->null_count != entry.range.null_count)
                      return failure(corruptBlock(place, "footer and block header differ"));
                  if (block->form == VectorForm::kDictionary)
                      block->dictionary_id = next_dictionary_id.fetch_add(1);
                  const u64 size = block->byteSize();
                  return Loaded{std::move(block), size};
              }));
    return std::static_pointer_cast<const HotBlock>(value);
}

} // namespace blueshift::storage
