// file_system.h: the few system calls that a directory store needs, behind an interface.
//
// Place: below DirectoryStore and PlaceLock; the real one calls Linux, SimulatedFileSystem crashes
// on demand. No other code opens a file of a place.
// Errors are errno values, not Errors: what ENOSPC means depends on the caller.
// Threads: every method may be called from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace blueshift::objects {

/// A count or a handle (>= 0), or -errno.
using SystemResult = i64;

enum class OpenMode : u8 {
    kRead,
    kCreateNew,    // read and write, O_EXCL
    kCreateOrOpen, // read and write
    kDirectory,
    kUnnamed, // the path is a directory: a new file in it without a name, read and write
};

struct DirectoryEntry {
    std::string name;
    bool is_directory = false;
};

enum class FileSystemType : u8 { kLocal, kNetwork, kUserSpace };

class FileSystem {
public:
    virtual ~FileSystem() = default;

    virtual SystemResult open(const std::string& path, OpenMode mode) = 0;
    virtual void close(i64 file) = 0;
    /// Bytes transferred, which may be fewer than asked.
    virtual SystemResult pwrite(i64 file, std::span<const u8> bytes, u64 offset) = 0;
    virtual SystemResult pread(i64 file, std::span<u8> into, u64 offset) = 0;
    virtual SystemResult fileSize(i64 file) = 0;
    virtual SystemResult truncate(i64 file, u64 bytes) = 0;
    /// Reserves `bytes` of disk for the file (fallocate).
    virtual SystemResult reserve(i64 file, u64 bytes) = 0;
    /// Data of a file, or the entries of a directory, to the device.
    virtual SystemResult fsync(i64 file) = 0;
    virtual SystemResult link(const std::string& from, const std::string& to) = 0;
    virtual SystemResult rename(const std::string& from, const std::string& to) = 0;
    virtual SystemResult unlink(const std::string& path) = 0;
    virtual SystemResult makeDirectory(const std::string& path) = 0;
    virtual SystemResult listDirectory(const std::string& path,
                                       std::vector<DirectoryEntry>& entries) = 0;
    virtual SystemResult type(const std::string& path, FileSystemType& type) = 0;
    /// Exclusive advisory lock of an open file; -EWOULDBLOCK when another holds it and !wait.
    virtual SystemResult lock(i64 file, bool wait) = 0;
};

std::unique_ptr<FileSystem> makeLocalFileSystem();

} // namespace blueshift::objects
