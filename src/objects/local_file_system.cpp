#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "objects/file_system.h"

namespace blueshift::objects {
namespace {

constexpr unsigned long kCifsMagic = 0xFF534D42;
constexpr unsigned long kSmb2Magic = 0xFE534D42;
constexpr unsigned long kFuseMagic = 0x65735546;

SystemResult orErrno(i64 result) {
    return result < 0 ? -i64(errno) : result;
}

class LocalFileSystem final : public FileSystem {
public:
    SystemResult open(const std::string& path, OpenMode mode) override {
        if (mode == OpenMode::kUnnamed) return openUnnamed(path);
        const int flags = mode == OpenMode::kRead        ? O_RDONLY
                          : mode == OpenMode::kCreateNew ? O_RDWR | O_CREAT | O_EXCL
                          : mode == OpenMode::kDirectory ? O_RDONLY | O_DIRECTORY
                                                         : O_RDWR | O_CREAT;
        i64 file;
        do file = orErrno(::open(path.c_str(), flags | O_CLOEXEC, 0600));
        while (file == -EINTR);
        return file;
    }
    void close(i64 file) override { ::close(int(file)); }
    SystemResult pwrite(i64 file, std::span<const u8> bytes, u64 offset) override {
        return orErrno(::pwrite(int(file), bytes.data(), bytes.size(), off_t(offset)));
    }
    SystemResult pread(i64 file, std::span<u8> into, u64 offset) override {
        return orErrno(::pread(int(file), into.data(), into.size(), off_t(offset)));
    }
    SystemResult fileSize(i64 file) override {
        struct stat info{};
        if (::fstat(int(file), &info) < 0) return -errno;
        return S_ISREG(info.st_mode) ? info.st_size : -i64(EISDIR);
    }
    SystemResult truncate(i64 file, u64 bytes) override {
        return orErrno(::ftruncate(int(file), off_t(bytes)));
    }
    SystemResult reserve(i64 file, u64 bytes) override {
        const int error = ::posix_fallocate(int(file), 0, off_t(bytes));
        return -error;
    }
    SystemResult fsync(i64 file) override { return orErrno(::fsync(int(file))); }
    SystemResult link(const std::string& from, const std::string& to) override {
        return orErrno(::link(from.c_str(), to.c_str()));
    }
    SystemResult rename(const std::string& from, const std::string& to) override {
        return orErrno(::rename(from.c_str(), to.c_str()));
    }
    SystemResult unlink(const std::string& path) override {
        return orErrno(::unlink(path.c_str()));
    }
    SystemResult makeDirectory(const std::string& path) override {
        return orErrno(::mkdir(path.c_str(), 0700));
    }
    SystemResult listDirectory(const std::string& path,
                               std::vector<DirectoryEntry>& entries) override {
        DIR* directory = ::opendir(path.c_str());
        if (directory == nullptr) return -errno;
        errno = 0;
        while (const dirent* entry = ::readdir(directory)) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            bool is_directory = entry->d_type == DT_DIR;
            if (entry->d_type == DT_UNKNOWN) {
                struct stat info{};
                is_directory = ::stat((path + "/" + entry->d_name).c_str(), &info) == 0 &&
                               S_ISDIR(info.st_mode);
            }
            entries.push_back({std::string(name), is_directory});
            errno = 0;
        }
        const int error = errno;
        ::closedir(directory);
        return -error;
    }
    SystemResult type(const std::string& path, FileSystemType& type) override {
        struct statfs info{};
        if (::statfs(path.c_str(), &info) < 0) return -errno;
        const auto magic = static_cast<unsigned long>(u32(info.f_type));
        if (magic == NFS_SUPER_MAGIC || magic == SMB_SUPER_MAGIC || magic == kCifsMagic ||
            magic == kSmb2Magic)
            type = FileSystemType::kNetwork;
        else if (magic == kFuseMagic) type = FileSystemType::kUserSpace;
        else type = FileSystemType::kLocal;
        return 0;
    }
    SystemResult lock(i64 file, bool wait) override {
        i64 result;
        do result = orErrno(::flock(int(file), LOCK_EX | (wait ? 0 : LOCK_NB)));
        while (result == -EINTR);
        return result;
    }

private:
    SystemResult openUnnamed(const std::string& directory) {
        i64 file;
        do file = orErrno(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
        while (file == -EINTR);
        if (file != -EOPNOTSUPP && file != -EISDIR && file != -EINVAL) return file;
        // A file system without O_TMPFILE: the name lives for a moment.
        const std::string path = directory + "/" + std::to_string(::getpid()) + "." +
                                 std::to_string(names_.fetch_add(1));
        file = open(path, OpenMode::kCreateNew);
        if (file >= 0) ::unlink(path.c_str());
        return file;
    }

    std::atomic<u64> names_{0};
};

} // namespace

std::unique_ptr<FileSystem> makeLocalFileSystem() {
    return std::make_unique<LocalFileSystem>();
}

} // namespace blueshift::objects
