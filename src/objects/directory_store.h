// directory_store.h: the ObjectStore in a local directory.
//
// Place: the default store of `--data DIRECTORY`.
// Owns: the files below its root; borrows the FileSystem and Random, which must outlive it.
// Threads: any; create() of one key by several threads or processes lets exactly one win (link()).
// Why so: an object appears whole or not at all: bytes go to tmp/, are fsync'ed, then linked or
// renamed into place, then the directory is fsync'ed. O_EXCL and a later write would show an empty
// record after a crash. After a failed fsync the kernel forgets which pages were dirty, so nothing
// written before can be trusted: the store is poisoned. See docs/design/commit.md.
#pragma once

#include <atomic>
#include <mutex>
#include <set>

#include "base/clock.h"
#include "objects/file_system.h"
#include "objects/object_store.h"

namespace blueshift::objects {

struct DirectoryStoreOptions {
    /// link() and fsync on NFS, CIFS and FUSE may not mean what the commit protocol needs.
    bool allow_remote_file_system = false;
    /// Disk held back so that drops and fences commit on a full disk.
    u64 reserve_bytes = 256 << 10;
};

class DirectoryStore final : public ObjectStore {
public:
    /// Creates the root when it is missing (its parent must exist). 55000: an unsuitable file
    /// system; 58P01, 58030: the path cannot be used.
    static Result<std::unique_ptr<DirectoryStore>> open(FileSystem& files, std::string root,
                                                        Random& random,
                                                        DirectoryStoreOptions options = {});

    WriteResult create(std::string_view key, std::span<const u8> bytes) override;
    WriteResult createEssential(std::string_view key, std::span<const u8> bytes) override;
    Status put(std::string_view key, std::span<const u8> bytes) override;
    WriteResult compareAndSwap(std::string_view key, std::string_view version,
                               std::span<const u8> bytes) override;
    Result<VersionedObject> getVersioned(std::string_view key) override;
    Result<std::vector<u8>> get(std::string_view key) override;
    Result<std::vector<u8>> getRange(std::string_view key, u64 offset, u64 bytes) override;
    Result<u64> size(std::string_view key) override;
    Result<std::unique_ptr<ReadableObject>> open(std::string_view key) override;
    Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
    Status remove(std::string_view key) override;
    bool poisoned() const override { return poisoned_.load(std::memory_order_acquire); }

    const std::string& root() const { return root_; }

private:
    DirectoryStore(FileSystem& files, std::string root, Random& random,
                   DirectoryStoreOptions options);

    Status checkUsable(std::string_view key) const;
    std::string pathOf(std::string_view key) const { return root_ + "/" + std::string(key); }
    std::string newTemporaryPath();
    void poison() { poisoned_.store(true, std::memory_order_release); }
    /// Makes the folders above `key` durable.
    Status makeParents(std::string_view key);
    Status syncDirectory(const std::string& path);
    /// Durable bytes in a fresh file below tmp/; the file is gone again on failure.
    Result<std::string> writeTemporary(std::span<const u8> bytes);
    Status writeAndSync(i64 file, const std::string& path, std::span<const u8> bytes);
    Status replace(std::string_view key, std::span<const u8> bytes, bool& visible);
    Status takeReserve();
    void releaseReserve();
    Status removeTemporaries();
    Status listFolder(const std::string& folder, std::string_view prefix,
                      std::vector<ObjectInfo>& found);

    FileSystem& files_;
    std::string root_;
    DirectoryStoreOptions options_;
    u64 instance_ = 0; // makes names below tmp/ unique between processes
    std::atomic<u64> next_temporary_{0};
    std::atomic<bool> poisoned_{false};
    std::mutex folders_mutex_;
    std::set<std::string, std::less<>> durable_folders_;
};

/// The Error for an errno met while doing `action` (such as "write") to `path`.
Error systemError(i64 error_number, std::string_view action, std::string_view path);

} // namespace blueshift::objects
