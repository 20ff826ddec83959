// object_store.h: named immutable byte strings in one place: a directory, later a bucket.
//
// Place: storage/ keeps segments here, transaction/ its log; nothing else touches a place.
// Keys: relative slash paths of [a-z0-9._-], for example `data/<table>/<writer>/7`. No "..", no
// empty parts.
// Durability: an object is durable when the call that wrote it returns success.
// Threads: every method may be called from any thread.
// Errors: 58030 I/O, 53100 no space, 58P01 the object does not exist, 22023 a bad key.
// Why so: the operations are what S3, GCS, Azure and a POSIX directory all offer, no more.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift::objects {

/// What became of a create-only or conditional write.
enum class WriteOutcome : u8 {
    kDone,    // durable, and it was this call that wrote it
    kExists,  // create: the key is taken; compareAndSwap: the version is another
    kRefused, // nothing was written and nothing of this call can appear later
    kUnknown, // it may be there, or appear later: read the key to find out
};

/// `error` is set for kRefused and kUnknown.
struct WriteResult {
    WriteOutcome outcome = WriteOutcome::kDone;
    Error error;
};

struct ObjectInfo {
    std::string key;
    u64 bytes = 0;
};

/// Bytes together with the version that compareAndSwap expects. An absent object has version "".
struct VersionedObject {
    std::vector<u8> bytes;
    std::string version;
};

/// One immutable object kept open for many reads at positions. Reads may run in parallel.
class ReadableObject {
public:
    virtual ~ReadableObject() = default;
    virtual u64 size() const = 0;
    /// Fills `into` with the bytes from `offset`; an error when the object is shorter.
    virtual Status read(u64 offset, std::span<u8> into) const = 0;
};

class ObjectStore {
public:
    virtual ~ObjectStore() = default;

    /// Writes the object unless the key is taken; never changes an existing object. Of several
    /// racing calls exactly one gets kDone.
    virtual WriteResult create(std::string_view key, std::span<const u8> bytes) = 0;
    /// create() that may use space held back for it, so that drops go through on a full disk.
    virtual WriteResult createEssential(std::string_view key, std::span<const u8> bytes) {
        return create(key, bytes);
    }
    /// Writes or replaces the object. For data objects under names that were never used before,
    /// and for hints. Readers see the old or the new bytes, never a mixture.
    virtual Status put(std::string_view key, std::span<const u8> bytes) = 0;
    /// Replaces the object when its version is still `version` ("": when it does not exist).
    virtual WriteResult compareAndSwap(std::string_view key, std::string_view version,
                                       std::span<const u8> bytes) = 0;
    /// Reads what compareAndSwap wrote; such keys are not read or written in any other way.
    virtual Result<VersionedObject> getVersioned(std::string_view key) = 0;

    virtual Result<std::vector<u8>> get(std::string_view key) = 0;
    /// Exactly `bytes` bytes from `offset`; an error when the object is shorter.
    virtual Result<std::vector<u8>> getRange(std::string_view key, u64 offset, u64 bytes) = 0;
    virtual Result<u64> size(std::string_view key) = 0;
    virtual Result<std::unique_ptr<ReadableObject>> open(std::string_view key) = 0;
    /// All objects whose key starts with `prefix`, ordered by key. A prefix that ends in "/" names
    /// a folder. Slow on a bucket; not for hot paths.
    virtual Result<std::vector<ObjectInfo>> list(std::string_view prefix) = 0;
    /// Success too when the object does not exist.
    virtual Status remove(std::string_view key) = 0;

    /// True once a durability promise of this handle was broken (an fsync failed). Everything
    /// fails from then on; only opening the place anew tells what is really stored.
    virtual bool poisoned() const { return false; }
};

/// True for the error of a key that does not exist.
inline bool isMissing(const Error& error) {
    return error.sqlstate == sqlstate::kUndefinedFile;
}

} // namespace blueshift::objects
