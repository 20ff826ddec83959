// spill_space.h: where operators put rows that do not fit memory.
//
// Place: one SpillSpace an engine, handed to runs in their RunEnvironment; each operator has a
// SpillFile of its own, made when first needed, whose disk space comes back with the operator.
// A block is compressed (LZ4; stored as it is when that does not help) and checksummed (XXH3); its
// address stays in memory, so that the file needs no format: nobody else ever reads it.
// Errors: recorded in the context: 53100 disk full, 58030, XX001 a block that changed on disk.
// Threads: from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "execute/operator.h"
#include "objects/temporary_file.h"

namespace blueshift::execute {

class SpillSpace {
public:
    /// `forced`: tests; grants of such runs refuse at once (QueryGrant).
    SpillSpace(objects::FileSystem& files, std::string directory, bool forced = false)
        : files_(files), directory_(std::move(directory)), forced_(forced) {}

    bool forced() const { return forced_; }
    /// Bytes before compression, of all operators so far.
    u64 bytesSpilled() const { return spilled_.load(std::memory_order_relaxed); }
    /// What joins still owed inside stages, and the lanes that took it.
    void countRest(u32 lanes) {
        rests_.fetch_add(1, std::memory_order_relaxed);
        rest_lanes_.fetch_add(lanes, std::memory_order_relaxed);
    }
    u64 rests() const { return rests_.load(std::memory_order_relaxed); }
    u64 restLanes() const { return rest_lanes_.load(std::memory_order_relaxed); }
    const std::string& directory() const { return directory_; }

private:
    friend class SpillFile;
    objects::FileSystem& files_;
    std::string directory_;
    bool forced_;
    std::atomic<u64> spilled_{0};
    std::atomic<u64> rests_{0};
    std::atomic<u64> rest_lanes_{0};
};

/// The address of a block.
struct SpilledBlock {
    u64 offset = 0;
    u64 stored_bytes = 0; // == bytes: not compressed
    u64 bytes = 0;
    u64 checksum = 0; // of the stored bytes
    u32 rows = 0;
};

class SpillFile {
public:
    /// Fills the address, `rows` excepted. False after recording an error.
    bool write(std::span<const u8> bytes, SpilledBlock& block, WorkerContext& context);
    /// `into` has block.bytes bytes.
    bool read(const SpilledBlock& block, u8* into, WorkerContext& context) const;
    /// Bytes before compression.
    u64 bytesSpilled() const { return spilled_.load(std::memory_order_relaxed); }

private:
    objects::TemporaryFile* open(WorkerContext& context);

    std::mutex mutex_;
    std::unique_ptr<objects::TemporaryFile> file_;
    std::atomic<u64> spilled_{0};
};

} // namespace blueshift::execute
