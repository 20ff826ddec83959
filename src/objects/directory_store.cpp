#include "objects/directory_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace blueshift::objects {
namespace {

constexpr std::string_view kTemporaryFolder = "tmp";
constexpr std::string_view kReserveFile = ".reserve";
constexpr std::string_view kSwapLockFile = ".lock";
/// Objects of compareAndSwap start with their generation: magic, then a counter.
constexpr u64 kVersionedMagic = 0x314E4F4953524556; // "VERSION1"
constexpr size_t kVersionedHeader = 16;

/// No room for a file: the disk, the quota, or the limit on the size of one file.
bool isFull(i64 error) {
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/// Closes the file at the end of the scope.
class OpenFile {
public:
    OpenFile(FileSystem& files, i64 file) : files_(files), file_(file) {}
    ~OpenFile() {
        if (file_ >= 0) files_.close(file_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    i64 get() const { return file_; }

private:
    FileSystem& files_;
    i64 file_;
};

Status readFully(FileSystem& files, i64 file, std::string_view path, u64 offset,
                 std::span<u8> into) {
    size_t done = 0;
    while (done < into.size()) {
        const SystemResult got = files.pread(file, into.subspan(done), offset + done);
        if (got == -EINTR) continue;
        if (got < 0) return failure(systemError(-got, "read", path));
        if (got == 0)
            return failure(
                Error(sqlstate::kDataCorrupted,
                      fmt::format("object \"{}\" ends before byte {}", path, offset + into.size()))
                    .withHint("The file was cut short; restore it from a backup."));
        done += size_t(got);
    }
    return {};
}

class DirectoryObject final : public ReadableObject {
public:
    DirectoryObject(FileSystem& files, i64 file, std::string path, u64 size)
        : file_(files, file), files_(files), path_(std::move(path)), size_(size) {}
    u64 size() const override { return size_; }
    Status read(u64 offset, std::span<u8> into) const override {
        return readFully(files_, file_.get(), path_, offset, into);
    }

private:
    OpenFile file_;
    FileSystem& files_;
    std::string path_;
    u64 size_;
};

Error poisonedError(std::string_view root) {
    return Error(sqlstate::kIoError,
                 fmt::format("storage \"{}\" is out of use since a write to disk failed", root))
        .withHint("Check the disk, then start the server again; committed data is re-read.");
}

bool isKey(std::string_view key) {
    if (key.empty() || key.size() > 512 || key.front() == '/' || key.back() == '/') return false;
    size_t part = 0;
    for (size_t i = 0; i <= key.size(); ++i) {
        if (i == key.size() || key[i] == '/') {
            // No empty part and no part that starts with a dot: those are the store's own files.
            if (i == part || key[part] == '.') return false;
            part = i + 1;
            continue;
        }
        const char c = key[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return key != kTemporaryFolder && !key.starts_with("tmp/");
}

WriteResult refused(Error error) {
    return {WriteOutcome::kRefused, std::move(error)};
}
WriteResult unknown(Error error) {
    return {WriteOutcome::kUnknown, std::move(error)};
}

} // namespace

Error systemError(i64 error_number, std::string_view action, std::string_view path) {
    const std::string reason = std::generic_category().message(int(error_number));
    const std::string text = fmt::format("could not {} \"{}\": {}", action, path, reason);
    if (error_number == EFBIG)
        return Error(sqlstate::kDiskFull, text)
            .withHint("Raise the limit on file sizes (ulimit -f), then start the server again.");
    if (isFull(error_number))
        return Error(sqlstate::kDiskFull, text)
            .withHint("Free space on the disk or raise the quota, then repeat the statement.");
    if (error_number == ENOENT) return Error(sqlstate::kUndefinedFile, text);
    return Error(sqlstate::kIoError, text);
}

DirectoryStore::DirectoryStore(FileSystem& files, std::string root, Random& random,
                               DirectoryStoreOptions options)
    : files_(files), root_(std::move(root)), options_(options), instance_(random.next()) {}

Result<std::unique_ptr<DirectoryStore>> DirectoryStore::open(FileSystem& files, std::string root,
                                                             Random& random,
                                                             DirectoryStoreOptions options) {
    while (root.size() > 1 && root.back() == '/') root.pop_back();
    const SystemResult made = files.makeDirectory(root);
    if (made < 0 && made != -EEXIST)
        return failure(std::move(systemError(-made, "create directory", root))
                           .withHint("The parent directory must exist and be writable."));
    FileSystemType type = FileSystemType::kLocal;
    if (const SystemResult got = files.type(root, type); got < 0)
        return failure(systemError(-got, "examine", root));
    if (type != FileSystemType::kLocal && !options.allow_remote_file_system)
        return failure(
            Error(sqlstate::kObjectNotInPrerequisiteState,
                  fmt::format("directory \"{}\" lies on a {} file system", root,
                              type == FileSystemType::kNetwork ? "network" : "user-space"))
                .withDetail("Such file systems may lose or reorder acknowledged commits.")
                .withHint("Use a local disk or an S3 bucket, or allow remote file systems."));
    auto store = std::unique_ptr<DirectoryStore>(
        new DirectoryStore(files, std::move(root), random, options));
    // What an earlier process linked may not be on the disk yet: make what we see durable first.
    const size_t slash = store->root_.rfind('/');
    if (made >= 0)
        BS_TRY(store->syncDirectory(slash == std::string::npos ? "."
                                    : slash == 0               ? "/"
                                                               : store->root_.substr(0, slash)));
    for (const std::string_view folder :
         {kTemporaryFolder, std::string_view("log"), std::string_view("ckpt")}) {
        BS_TRY(store->makeParents(std::string(folder) + "/x"));
        BS_TRY(store->syncDirectory(store->pathOf(folder)));
    }
    BS_TRY(store->syncDirectory(store->root_));
    BS_TRY(store->removeTemporaries());
    if (Status reserved = store->takeReserve();
        !reserved && reserved.error().sqlstate != sqlstate::kDiskFull)
        return failure(std::move(reserved.error()));
    return store;
}

Status DirectoryStore::checkUsable(std::string_view key) const {
    if (poisoned()) return failure(poisonedError(root_));
    if (!isKey(key))
        return failure(sqlstate::kInvalidParameterValue,
                       fmt::format("\"{}\" is not an object key", key));
    return {};
}

std::string DirectoryStore::newTemporaryPath() {
    return fmt::format("{}/{}/{:016x}-{}", root_, kTemporaryFolder, instance_,
                       next_temporary_.fetch_add(1));
}

Status DirectoryStore::syncDirectory(const std::string& path) {
    const OpenFile directory(files_, files_.open(path, OpenMode::kDirectory));
    if (directory.get() < 0) return failure(systemError(-directory.get(), "open directory", path));
    if (const SystemResult synced = files_.fsync(directory.get()); synced < 0) {
        poison();
        return failure(systemError(-synced, "sync directory", path));
    }
    return {};
}

Status DirectoryStore::makeParents(std::string_view key) {
    const size_t end = key.rfind('/');
    if (end == std::string_view::npos) return {};
    std::lock_guard lock(folders_mutex_);
    if (durable_folders_.contains(key.substr(0, end))) return {};
    for (size_t slash = key.find('/'); slash != std::string_view::npos;
         slash = key.find('/', slash + 1)) {
        const std::string_view folder = key.substr(0, slash);
        if (durable_folders_.contains(folder)) continue;
        const std::string path = pathOf(folder);
        const SystemResult made = files_.makeDirectory(path);
        if (made < 0 && made != -EEXIST)
            return failure(systemError(-made, "create directory", path));
        // Also when it exists: whoever made it may not have synced the parent.
        BS_TRY(syncDirectory(path.substr(0, path.rfind('/'))));
        durable_folders_.emplace(folder);
    }
    return {};
}

Status DirectoryStore::writeAndSync(i64 file, const std::string& path, std::span<const u8> bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
        const SystemResult put = files_.pwrite(file, bytes.subspan(done), done);
        if (put == -EINTR) continue;
        if (put <= 0) return failure(systemError(put == 0 ? ENOSPC : -put, "write", path));
        done += size_t(put);
    }
    // Never repeated, not even after EINTR: a second fsync may succeed without having written.
    if (const SystemResult synced = files_.fsync(file); synced < 0) {
        if (!isFull(-synced)) poison();
        return failure(systemError(-synced, "sync", path));
    }
    return {};
}

Result<std::string> DirectoryStore::writeTemporary(std::span<const u8> bytes) {
    std::string path = newTemporaryPath();
    const OpenFile file(files_, files_.open(path, OpenMode::kCreateNew));
    if (file.get() < 0) return failure(systemError(-file.get(), "create", path));
    if (Status written = writeAndSync(file.get(), path, bytes); !written) {
        files_.unlink(path);
        return failure(std::move(written.error()));
    }
    return path;
}

WriteResult DirectoryStore::create(std::string_view key, std::span<const u8> bytes) {
    if (Status usable = checkUsable(key); !usable) return refused(std::move(usable.error()));
    if (Status made = makeParents(key); !made) return refused(std::move(made.error()));
    Result<std::string> temporary = writeTemporary(bytes);
    if (!temporary) return refused(std::move(temporary.error()));
    const std::string path = pathOf(key);
    const SystemResult linked = files_.link(*temporary, path);
    files_.unlink(*temporary);
    if (linked < 0 && linked != -EEXIST) {
        Error error = systemError(-linked, "link", path);
        // A full directory or a missing right changes nothing; an I/O error may have.
        return linked == -EIO ? unknown(std::move(error)) : refused(std::move(error));
    }
    // Also for the loser: it builds on what it found, so that must be durable.
    if (Status synced = syncDirectory(path.substr(0, path.rfind('/'))); !synced)
        return unknown(std::move(synced.error()));
    return {linked < 0 ? WriteOutcome::kExists : WriteOutcome::kDone, {}};
}

WriteResult DirectoryStore::createEssential(std::string_view key, std::span<const u8> bytes) {
    WriteResult result = create(key, bytes);
    if (result.outcome != WriteOutcome::kRefused || result.error.sqlstate != sqlstate::kDiskFull)
        return result;
    releaseReserve();
    result = create(key, bytes);
    (void)takeReserve(); // when the disk is still full, the next open tries again
    return result;
}

Status DirectoryStore::replace(std::string_view key, std::span<const u8> bytes, bool& visible) {
    visible = false;
    BS_TRY(makeParents(key));
    BS_ASSIGN(const std::string temporary, writeTemporary(bytes));
    const std::string path = pathOf(key);
    if (const SystemResult renamed = files_.rename(temporary, path); renamed < 0) {
        files_.unlink(temporary);
        visible = renamed == -EIO;
        return failure(systemError(-renamed, "rename", path));
    }
    visible = true;
    return syncDirectory(path.substr(0, path.rfind('/')));
}

Status DirectoryStore::put(std::string_view key, std::span<const u8> bytes) {
    BS_TRY(checkUsable(key));
    bool visible = false;
    return replace(key, bytes, visible);
}

Result<VersionedObject> DirectoryStore::getVersioned(std::string_view key) {
    Result<std::vector<u8>> stored = get(key);
    if (!stored) {
        if (isMissing(stored.error())) return VersionedObject{};
        return failure(std::move(stored.error()));
    }
    u64 header[2];
    if (stored->size() >= kVersionedHeader) std::memcpy(header, stored->data(), sizeof header);
    if (stored->size() < kVersionedHeader || header[0] != kVersionedMagic)
        return failure(sqlstate::kDataCorrupted, fmt::format("object \"{}\" has no version", key));
    return VersionedObject{{stored->begin() + kVersionedHeader, stored->end()},
                           std::to_string(header[1])};
}

WriteResult DirectoryStore::compareAndSwap(std::string_view key, std::string_view version,
                                           std::span<const u8> bytes) {
    if (Status usable = checkUsable(key); !usable) return refused(std::move(usable.error()));
    const std::string lock_path = root_ + "/" + std::string(kSwapLockFile);
    const OpenFile lock(files_, files_.open(lock_path, OpenMode::kCreateOrOpen));
    if (lock.get() < 0) return refused(systemError(-lock.get(), "open", lock_path));
    if (const SystemResult locked = files_.lock(lock.get(), true); locked < 0)
        return refused(systemError(-locked, "lock", lock_path));
    Result<VersionedObject> present = getVersioned(key);
    if (!present) return refused(std::move(present.error()));
    if (present->version != version) return {WriteOutcome::kExists, {}};
    const u64 header[2] = {kVersionedMagic,
                           version.empty() ? 1 : std::stoull(present->version) + 1};
    std::vector<u8> stored(kVersionedHeader + bytes.size());
    std::memcpy(stored.data(), header, sizeof header);
    std::copy(bytes.begin(), bytes.end(), stored.begin() + kVersionedHeader);
    bool visible = false;
    if (Status replaced = replace(key, stored, visible); !replaced)
        return visible ? unknown(std::move(replaced.error()))
                       : refused(std::move(replaced.error()));
    return {WriteOutcome::kDone, {}};
}

Result<std::unique_ptr<ReadableObject>> DirectoryStore::open(std::string_view key) {
    BS_TRY(checkUsable(key));
    std::string path = pathOf(key);
    SystemResult file;
    do file = files_.open(path, OpenMode::kRead);
    while (file == -EINTR);
    if (file < 0) return failure(systemError(-file, "open", path));
    const SystemResult bytes = files_.fileSize(file);
    if (bytes < 0) {
        files_.close(file);
        return failure(systemError(bytes == -EISDIR ? ENOENT : -bytes, "open", path));
    }
    return std::make_unique<DirectoryObject>(files_, file, std::move(path), u64(bytes));
}

Result<std::vector<u8>> DirectoryStore::get(std::string_view key) {
    BS_ASSIGN(const std::unique_ptr<ReadableObject> object, open(key));
    std::vector<u8> bytes(object->size());
    BS_TRY(object->read(0, bytes));
    return bytes;
}

Result<std::vector<u8>> DirectoryStore::getRange(std::string_view key, u64 offset, u64 bytes) {
    BS_ASSIGN(const std::unique_ptr<ReadableObject> object, open(key));
    if (offset > object->size() || bytes > object->size() - offset)
        return failure(sqlstate::kDataCorrupted,
                       fmt::format("object \"{}\" of {} bytes has no range [{}, {})", key,
                                   object->size(), offset, offset + bytes));
    std::vector<u8> range(bytes);
    BS_TRY(object->read(offset, range));
    return range;
}

Result<u64> DirectoryStore::size(std::string_view key) {
    BS_ASSIGN(const std::unique_ptr<ReadableObject> object, open(key));
    return object->size();
}

Status DirectoryStore::remove(std::string_view key) {
    BS_TRY(checkUsable(key));
    const std::string path = pathOf(key);
    const SystemResult removed = files_.unlink(path);
    if (removed == -ENOENT) return {};
    if (removed < 0) return failure(systemError(-removed, "remove", path));
    return syncDirectory(path.substr(0, path.rfind('/')));
}

Status DirectoryStore::listFolder(const std::string& folder, std::string_view prefix,
                                  std::vector<ObjectInfo>& found) {
    std::vector<DirectoryEntry> entries;
    const std::string path = folder.empty() ? root_ : pathOf(folder);
    const SystemResult listed = files_.listDirectory(path, entries);
    if (listed == -ENOENT || listed == -ENOTDIR) return {};
    if (listed < 0) return failure(systemError(-listed, "list", path));
    for (const DirectoryEntry& entry : entries) {
        const std::string key = folder.empty() ? entry.name : folder + "/" + entry.name;
        if (entry.name.front() == '.' || key == kTemporaryFolder) continue;
        const bool below = key.starts_with(prefix) || prefix.starts_with(key + "/");
        if (!below) continue;
        if (entry.is_directory) {
            BS_TRY(listFolder(key, prefix, found));
        } else if (key.starts_with(prefix)) {
            Result<u64> bytes = size(key);
            if (!bytes && isMissing(bytes.error())) continue; // removed meanwhile
            if (!bytes) return failure(std::move(bytes.error()));
            found.push_back({key, *bytes});
        }
    }
    return {};
}

Result<std::vector<ObjectInfo>> DirectoryStore::list(std::string_view prefix) {
    if (poisoned()) return failure(poisonedError(root_));
    std::vector<ObjectInfo> found;
    const size_t slash = prefix.rfind('/');
    BS_TRY(listFolder(slash == std::string_view::npos ? "" : std::string(prefix.substr(0, slash)),
                      prefix, found));
    std::ranges::sort(found, {}, &ObjectInfo::key);
    return found;
}

Status DirectoryStore::takeReserve() {
    if (options_.reserve_bytes == 0) return {};
    const std::string path = root_ + "/" + std::string(kReserveFile);
    const OpenFile file(files_, files_.open(path, OpenMode::kCreateOrOpen));
    if (file.get() < 0) return failure(systemError(-file.get(), "open", path));
    if (const SystemResult got = files_.reserve(file.get(), options_.reserve_bytes);
        got < 0 && got != -EOPNOTSUPP)
        return failure(systemError(-got, "reserve space in", path));
    return {};
}

void DirectoryStore::releaseReserve() {
    const std::string path = root_ + "/" + std::string(kReserveFile);
    files_.unlink(path);
}

Status DirectoryStore::removeTemporaries() {
    std::vector<DirectoryEntry> entries;
    const std::string folder = pathOf(kTemporaryFolder);
    if (const SystemResult listed = files_.listDirectory(folder, entries); listed < 0)
        return failure(systemError(-listed, "list", folder));
    for (const DirectoryEntry& entry : entries) files_.unlink(folder + "/" + entry.name);
    return {};
}

} // namespace blueshift::objects
