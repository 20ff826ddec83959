// scripted_store.h: an object store in memory that follows a script of faults on log records.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "objects/object_store.h"

namespace blueshift::transaction::test {

using namespace objects;

/// What happens to one create of a log record.
enum class Fault : u8 {
    kNone,
    kDropRequest, // nothing arrives; the caller does not know
    kDropReply,   // applied; the caller does not know
    kApplyLate,   // applied just before the next create; the caller does not know
    kOwnExists,   // applied twice: the second copy is told that the key exists
    kRefuse,      // turned down before anything was evaluated
};

class ScriptedStore final : public ObjectStore {
public:
    std::deque<Fault> script;
    /// Called, once, before the next create of a log record is looked at, and before the next read
    /// of a log record: other writers act here.
    std::function<void()> before_create;
    std::function<void()> before_get;
    u64 failing_gets = 0; // reads of log records that fail, from now on

    WriteResult create(std::string_view key, std::span<const u8> bytes) override {
        const bool record = key.starts_with("log/");
        if (record && before_create) std::exchange(before_create, nullptr)();
        std::lock_guard lock(mutex_);
        for (auto& [late_key, late] : std::exchange(late_, {})) objects_.emplace(late_key, late);
        Fault fault = Fault::kNone;
        if (record && !script.empty()) {
            fault = script.front();
            script.pop_front();
        }
        std::vector<u8> copy(bytes.begin(), bytes.end());
        const Error lost(sqlstate::kIoError, "the connection was reset");
        switch (fault) {
        case Fault::kDropRequest: return {WriteOutcome::kUnknown, lost};
        case Fault::kApplyLate:
            late_.emplace(key, std::move(copy));
            return {WriteOutcome::kUnknown, lost};
        case Fault::kDropReply:
            objects_.emplace(key, std::move(copy));
            return {WriteOutcome::kUnknown, lost};
        case Fault::kOwnExists:
            objects_.emplace(key, std::move(copy));
            return {WriteOutcome::kExists, {}};
        case Fault::kRefuse: return {WriteOutcome::kRefused, Error("58030", "access denied")};
        case Fault::kNone: break;
        }
        const bool fresh = objects_.emplace(key, std::move(copy)).second;
        return {fresh ? WriteOutcome::kDone : WriteOutcome::kExists, {}};
    }
    Status put(std::string_view key, std::span<const u8> bytes) override {
        std::lock_guard lock(mutex_);
        objects_[std::string(key)] = {bytes.begin(), bytes.end()};
        return {};
    }
    WriteResult compareAndSwap(std::string_view key, std::string_view version,
                               std::span<const u8> bytes) override {
        std::lock_guard lock(mutex_);
        u64& current = versions_[std::string(key)];
        if (version != (current == 0 ? "" : std::to_string(current)))
            return {WriteOutcome::kExists, {}};
        ++current;
        objects_[std::string(key)] = {bytes.begin(), bytes.end()};
        return {};
    }
    Result<VersionedObject> getVersioned(std::string_view key) override {
        std::lock_guard lock(mutex_);
        const auto version = versions_.find(key);
        if (version == versions_.end()) return VersionedObject{};
        return VersionedObject{objects_.find(key)->second, std::to_string(version->second)};
    }
    Result<std::vector<u8>> get(std::string_view key) override {
        if (key.starts_with("log/") && before_get) std::exchange(before_get, nullptr)();
        std::lock_guard lock(mutex_);
        if (key.starts_with("log/") && failing_gets > 0) {
            --failing_gets;
            return failure("58030", "read timed out");
        }
        const auto found = objects_.find(key);
        if (found == objects_.end()) return failure("58P01", "no such object");
        return found->second;
    }
    Result<std::vector<u8>> getRange(std::string_view key, u64 offset, u64 bytes) override {
        BS_ASSIGN(const std::vector<u8> whole, get(key));
        if (offset + bytes > whole.size()) return failure("XX001", "too short");
        return std::vector<u8>(whole.begin() + i64(offset), whole.begin() + i64(offset + bytes));
    }
    Result<u64> size(std::string_view key) override {
        BS_ASSIGN(const std::vector<u8> whole, get(key));
        return whole.size();
    }
    Result<std::unique_ptr<ReadableObject>> open(std::string_view) override {
        return failure("0A000", "not scripted");
    }
    Result<std::vector<ObjectInfo>> list(std::string_view prefix) override {
        std::lock_guard lock(mutex_);
        std::vector<ObjectInfo> found;
        for (const auto& [key, bytes] : objects_)
            if (key.starts_with(prefix)) found.push_back({key, bytes.size()});
        return found;
    }
    Status remove(std::string_view key) override {
        std::lock_guard lock(mutex_);
        if (const auto found = objects_.find(key); found != objects_.end()) objects_.erase(found);
        return {};
    }
    std::vector<u8>& bytesOf(const std::string& key) { return objects_.at(key); }
    u64 objectsBelow(std::string_view prefix) { return list(prefix)->size(); }

private:
    std::mutex mutex_;
    std::map<std::string, std::vector<u8>, std::less<>> objects_;
    std::map<std::string, std::vector<u8>> late_;
    std::map<std::string, u64, std::less<>> versions_;
};

} // namespace blueshift::transaction::test
