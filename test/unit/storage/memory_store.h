// memory_store.h: an ObjectStore in memory, whose bytes a test may damage.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "objects/object_store.h"

namespace blueshift::storage {

class MemoryStore final : public objects::ObjectStore {
public:
    objects::WriteResult create(std::string_view key, std::span<const u8> bytes) override {
        const std::scoped_lock lock(mutex);
        if (objects.contains(std::string(key))) return {objects::WriteOutcome::kExists, {}};
        objects[std::string(key)].assign(bytes.begin(), bytes.end());
        return {};
    }
    Status put(std::string_view key, std::span<const u8> bytes) override {
        const std::scoped_lock lock(mutex);
        objects[std::string(key)].assign(bytes.begin(), bytes.end());
        return {};
    }
    objects::WriteResult compareAndSwap(std::string_view, std::string_view,
                                        std::span<const u8>) override {
        return {objects::WriteOutcome::kRefused, Error(sqlstate::kIoError, "not offered")};
    }
    Result<objects::VersionedObject> getVersioned(std::string_view) override {
        return failure(sqlstate::kIoError, "not offered");
    }
    Result<std::vector<u8>> get(std::string_view key) override {
        const std::scoped_lock lock(mutex);
        const auto found = objects.find(std::string(key));
        if (found == objects.end()) return failure(sqlstate::kUndefinedFile, "no such object");
        return found->second;
    }
    Result<std::vector<u8>> getRange(std::string_view key, u64 offset, u64 bytes) override {
        BS_ASSIGN(const std::vector<u8> all, get(key));
        if (offset + bytes > all.size()) return failure(sqlstate::kIoError, "short object");
        return std::vector<u8>(all.begin() + offset, all.begin() + offset + bytes);
    }
    Result<u64> size(std::string_view key) override {
        BS_ASSIGN(const std::vector<u8> all, get(key));
        return u64(all.size());
    }
    Result<std::unique_ptr<objects::ReadableObject>> open(std::string_view key) override {
        struct Reader final : objects::ReadableObject {
            std::vector<u8> bytes;
            u64 size() const override { return bytes.size(); }
            Status read(u64 offset, std::span<u8> into) const override {
                if (offset > bytes.size() || into.size() > bytes.size() - offset)
                    return failure(sqlstate::kIoError, "short object");
                if (!into.empty()) std::memcpy(into.data(), bytes.data() + offset, into.size());
                return {};
            }
        };
        auto reader = std::make_unique<Reader>();
        BS_ASSIGN(reader->bytes, get(key));
        return std::unique_ptr<objects::ReadableObject>(std::move(reader));
    }
    Result<std::vector<objects::ObjectInfo>> list(std::string_view) override {
        return std::vector<objects::ObjectInfo>{};
    }
    Status remove(std::string_view key) override {
        const std::scoped_lock lock(mutex);
        objects.erase(std::string(key));
        return {};
    }

    std::mutex mutex;
    std::map<std::string, std::vector<u8>> objects;
};

} // namespace blueshift::storage
