#include "objects/place_lock.h"

#include <fmt/format.h>

#include <cerrno>

#include "objects/directory_store.h"

namespace blueshift::objects {
namespace {

constexpr size_t kMaxAddress = 1024;

std::string lockPath(const std::string& root) {
    return root + "/.server";
}

std::string readAddress(FileSystem& files, i64 file) {
    std::string address(kMaxAddress, '\0');
    const SystemResult got =
        files.pread(file, {reinterpret_cast<u8*>(address.data()), address.size()}, 0);
    address.resize(got < 0 ? 0 : size_t(got));
    while (!address.empty() && address.back() == '\n') address.pop_back();
    return address;
}

} // namespace

PlaceLock::PlaceLock(FileSystem& files, i64 file, std::string path)
    : files_(files), file_(file), path_(std::move(path)) {}

PlaceLock::~PlaceLock() {
    // The file stays: removing it would let a third opener lock a new file of the same name.
    files_.truncate(file_, 0);
    files_.close(file_);
}

Result<std::unique_ptr<PlaceLock>> PlaceLock::acquire(FileSystem& files, const std::string& root,
                                                      std::string_view address) {
    const SystemResult made = files.makeDirectory(root);
    if (made < 0 && made != -EEXIST) return failure(systemError(-made, "create directory", root));
    std::string path = lockPath(root);
    const SystemResult file = files.open(path, OpenMode::kCreateOrOpen);
    if (file < 0) return failure(systemError(-file, "open", path));
    if (const SystemResult locked = files.lock(file, false); locked < 0) {
        const std::string other = readAddress(files, file);
        files.close(file);
        if (locked != -EWOULDBLOCK) return failure(systemError(-locked, "lock", path));
        return failure(
            Error(sqlstate::kObjectInUse,
                  fmt::format("data directory \"{}\" is in use by another process", root))
                .withDetail(other.empty() ? "The other process takes no connections."
                                          : fmt::format("It serves at {}", other))
                .withHint("Connect to that server, or stop it first."));
    }
    auto lock = std::unique_ptr<PlaceLock>(new PlaceLock(files, file, std::move(path)));
    BS_TRY(lock->setAddress(address));
    return lock;
}

Result<std::string> PlaceLock::holder(FileSystem& files, const std::string& root) {
    const std::string path = lockPath(root);
    const SystemResult file = files.open(path, OpenMode::kRead);
    if (file == -ENOENT) return std::string();
    if (file < 0) return failure(systemError(-file, "open", path));
    const SystemResult locked = files.lock(file, false);
    std::string address = locked == -EWOULDBLOCK ? readAddress(files, file) : std::string();
    files.close(file);
    return address;
}

Status PlaceLock::setAddress(std::string_view address) {
    if (const SystemResult cut = files_.truncate(file_, 0); cut < 0)
        return failure(systemError(-cut, "truncate", path_));
    const std::string line = std::string(address) + "\n";
    const SystemResult put =
        files_.pwrite(file_, {reinterpret_cast<const u8*>(line.data()), line.size()}, 0);
    // The lock holds without an address, and a server must start on a full disk.
    if (put == -ENOSPC || put == -EDQUOT) return {};
    if (put < 0) return failure(systemError(-put, "write", path_));
    return {};
}

} // namespace blueshift::objects
