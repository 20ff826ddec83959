#include "objects/temporary_file.h"

#include <fmt/format.h>

#include <cerrno>

#include "objects/directory_store.h"

namespace blueshift::objects {
namespace {

Error diskError(i64 error_number, std::string_view action, const std::string& directory) {
    Error error = systemError(error_number, action, directory);
    if (error.sqlstate == sqlstate::kDiskFull)
        error.hint =
            "Free space there, start the server with --temp on a larger disk, or give it "
            "more --memory.";
    return error;
}

} // namespace

Result<std::unique_ptr<TemporaryFile>> createTemporaryFile(FileSystem& files,
                                                           const std::string& directory) {
    SystemResult file = files.open(directory, OpenMode::kUnnamed);
    if (file == -ENOENT) {
        const SystemResult made = files.makeDirectory(directory);
        if (made < 0 && made != -EEXIST)
            return failure(diskError(-made, "create temporary directory", directory));
        file = files.open(directory, OpenMode::kUnnamed);
    }
    if (file < 0) return failure(diskError(-file, "create a temporary file in", directory));
    return std::make_unique<TemporaryFile>(files, file, directory);
}

Result<u64> TemporaryFile::append(std::span<const u8> bytes) {
    const u64 offset = end_.fetch_add(bytes.size(), std::memory_order_relaxed);
    for (size_t done = 0; done < bytes.size();) {
        const SystemResult wrote = files_.pwrite(file_, bytes.subspan(done), offset + done);
        if (wrote == -EINTR) continue;
        if (wrote == 0) return failure(diskError(ENOSPC, "write a temporary file in", directory_));
        if (wrote < 0) return failure(diskError(-wrote, "write a temporary file in", directory_));
        done += size_t(wrote);
    }
    return offset;
}

Status TemporaryFile::read(u64 offset, std::span<u8> into) const {
    for (size_t done = 0; done < into.size();) {
        const SystemResult got = files_.pread(file_, into.subspan(done), offset + done);
        if (got == -EINTR) continue;
        if (got < 0) return failure(diskError(-got, "read a temporary file in", directory_));
        if (got == 0)
            return failure(
                Error(sqlstate::kDataCorrupted,
                      fmt::format("a temporary file in \"{}\" is shorter than what was written",
                                  directory_))
                    .withHint("Check the disk, then repeat the statement."));
        done += size_t(got);
    }
    return {};
}

} // namespace blueshift::objects
