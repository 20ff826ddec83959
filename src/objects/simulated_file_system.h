// simulated_file_system.h: a file system in memory that loses power, fills up and breaks on demand.
//
// Place: tests of everything that must survive a crash.
// Model: what was written is visible at once and durable only after fsync: data by fsync of the
// file, names by fsync of their directory. crash(seed) keeps, of what was not durable, a random
// subset: 512-byte sectors of files (torn writes), single entries of directories. Seed 0 keeps none
// of it. Every operation counts; an operation can be made to fail, or to be the first that the
// machine no longer does.
// Owns: all its bytes. Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "objects/file_system.h"

namespace blueshift::objects {

class SimulatedFileSystem final : public FileSystem {
public:
    SimulatedFileSystem();

    // ---- What the test orders.
    /// Operations done since construction or the last call of resetCount().
    u64 operationCount() const;
    void resetCount();
    /// From the operation with this count on (the first is 1), everything fails with EIO, as if the
    /// process had died there; crash() brings the machine up again.
    void powerOffAt(u64 operation);
    /// The operation with this count fails once with this errno. An fsync that fails forgets which
    /// sectors were not durable, as Linux does.
    void failAt(u64 operation, i64 error_number);
    /// Every fsync fails from now on; 0 ends it.
    void failFsync(i64 error_number);
    /// Bytes that can still be written; ENOSPC beyond.
    void setFreeBytes(u64 bytes);
    void setType(FileSystemType type);
    /// Power loss: drops what is not durable (a random part of it unless the seed is 0), closes all
    /// files, releases all locks, ends every ordered failure.
    void crash(u64 seed);
    /// Flips bits of a stored byte, durably.
    void corrupt(const std::string& path, u64 offset, u8 mask);

    SystemResult open(const std::string& path, OpenMode mode) override;
    void close(i64 file) override;
    SystemResult pwrite(i64 file, std::span<const u8> bytes, u64 offset) override;
    SystemResult pread(i64 file, std::span<u8> into, u64 offset) override;
    SystemResult fileSize(i64 file) override;
    SystemResult truncate(i64 file, u64 bytes) override;
    SystemResult reserve(i64 file, u64 bytes) override;
    SystemResult fsync(i64 file) override;
    SystemResult link(const std::string& from, const std::string& to) override;
    SystemResult rename(const std::string& from, const std::string& to) override;
    SystemResult unlink(const std::string& path) override;
    SystemResult makeDirectory(const std::string& path) override;
    SystemResult listDirectory(const std::string& path,
                               std::vector<DirectoryEntry>& entries) override;
    SystemResult type(const std::string& path, FileSystemType& type) override;
    SystemResult lock(i64 file, bool wait) override;

private:
    struct Node;
    using NodePointer = std::shared_ptr<Node>;
    struct Node {
        bool is_directory = false;
        std::vector<u8> bytes;
        std::vector<u8> durable_bytes;
        std::set<u64> dirty_sectors;
        std::map<std::string, NodePointer> entries;
        std::map<std::string, NodePointer> durable_entries;
        i64 locked_by = -1; // handle
    };
    struct Handle {
        NodePointer node;
    };

    /// Counts the operation; 0, or the -errno that it fails with.
    SystemResult count();
    NodePointer find(const std::string& path) const;
    /// The directory of the path and the last name.
    NodePointer findParent(const std::string& path, std::string& name) const;
    NodePointer nodeOf(i64 file) const;
    SystemResult grow(u64 bytes);
    void crashNode(Node& node, u64 seed, u64& state);

    mutable std::mutex mutex_;
    NodePointer root_;
    std::map<i64, Handle> handles_;
    i64 next_handle_ = 100;
    u64 operations_ = 0;
    u64 power_off_at_ = 0;
    std::map<u64, i64> failures_;
    i64 fsync_error_ = 0;
    u64 free_bytes_ = ~u64{0};
    FileSystemType type_ = FileSystemType::kLocal;
};

} // namespace blueshift::objects
