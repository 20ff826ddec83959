// block_cache_state.h: the inside of BlockCache: open segments, vector zones and decoded blocks,
// least recently used first out.
//
// Place: scan/ asks for segments, zones and blocks; all live in one list with one byte limit.
// Threads: all. A value that several workers miss at once is loaded by one of them while the others
// wait for it; loads of different values run in parallel.
// Owns: shares of the values; a value that somebody else holds (a pin) is never dropped from the
// list, because that would free nothing.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "storage/hot_block.h"
#include "storage/segment_format.h"
#include "storage/storage.h"

namespace blueshift::storage {

struct BlockCache::State {
    explicit State(u64 byte_limit) : limit(byte_limit) {}

    /// `bytes_read` grows by what came from the object store.
    Result<std::shared_ptr<const SegmentFile>> segment(objects::ObjectStore& store,
                                                       const std::string& key,
                                                       std::atomic<u64>& bytes_read);
    /// The vector zones of a column that has some.
    Result<std::shared_ptr<const std::vector<VectorZone>>> zones(const SegmentFile& file,
                                                                 const ColumnEntry& column,
                                                                 std::atomic<u64>& bytes_read);
    Result<std::shared_ptr<const HotBlock>> block(const SegmentFile& file,
                                                  const ColumnEntry& column, u32 block_index,
                                                  std::atomic<u64>& bytes_read);
    u64 bytes();
    void setLimit(u64 byte_limit);
    void clear();

private:
    struct Key {
        Hash128 object;
        u32 column = 0;
        u32 block = 0;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        size_t operator()(const Key& key) const {
            return key.object.low ^ mixHash(u64(key.column) << 32 | key.block);
        }
    };
    struct Slot {
        std::mutex loading;
        std::shared_ptr<const void> value;
        u64 bytes = 0;
    };
    struct Entry {
        Key key;
        std::shared_ptr<Slot> slot;
        u64 bytes = 0;
    };
    struct Loaded {
        std::shared_ptr<const void> value;
        u64 bytes = 0;
    };

    Result<std::shared_ptr<const void>> find(const Key& key,
                                             const std::function<Result<Loaded>()>& load);
    void account(const Key& key, const std::shared_ptr<Slot>& slot, u64 bytes);
    void evict(); // with the mutex held

    std::mutex mutex;
    u64 limit;
    u64 used = 0;
    std::atomic<u64> next_dictionary_id{1};
    std::list<Entry> entries; // most recently used first
    std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
};

} // namespace blueshift::storage
