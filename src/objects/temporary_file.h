// temporary_file.h: files that vanish: rows that do not fit memory.
//
// Place: beside the stores; execute/spill writes through it. Local disk only, never part of the
// state.
// Life cycle: create -> append, read -> destroy. A file has no name, so that nothing is left after
// success, failure or kill -9. The directory is made at the first file.
// Errors: 53100 no space, 58030 other failures, XX001 a file shorter than what was written.
// Threads: append and read from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "objects/file_system.h"

namespace blueshift::objects {

class TemporaryFile {
public:
    /// Takes over an open file; `directory` is for messages.
    TemporaryFile(FileSystem& files, i64 file, std::string directory)
        : files_(files), file_(file), directory_(std::move(directory)) {}
    ~TemporaryFile() { files_.close(file_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    /// Writes behind everything appended so far; where the bytes begin.
    Result<u64> append(std::span<const u8> bytes);
    Status read(u64 offset, std::span<u8> into) const;
    u64 bytesWritten() const { return end_.load(std::memory_order_relaxed); }

private:
    FileSystem& files_;
    i64 file_;
    std::string directory_;
    std::atomic<u64> end_{0};
};

Result<std::unique_ptr<TemporaryFile>> createTemporaryFile(FileSystem& files,
                                                           const std::string& directory);

} // namespace blueshift::objects
