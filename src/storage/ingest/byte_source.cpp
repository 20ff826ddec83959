#include "storage/ingest/byte_source.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace blueshift::storage {
namespace {

constexpr size_t kCompressedPiece = 256 << 10;

Error fileError(const std::string& path, int code) {
    const std::string what = "could not read file \"" + path + "\": " + std::strerror(code);
    if (code == ENOENT || code == ENOTDIR)
        return Error(sqlstate::kUndefinedFile, what)
            .withHint("The path is looked up on the server; write it absolute.");
    if (code == EACCES || code == EPERM)
        return Error(sqlstate::kInsufficientPrivilege, what)
            .withHint("Let the user that runs the server read it.");
    return Error(sqlstate::kIoError, what);
}

class FileSource final : public ByteSource {
public:
    FileSource(std::string path, int descriptor)
        : path_(std::move(path)), descriptor_(descriptor) {}
    ~FileSource() override { ::close(descriptor_); }

    Result<size_t> read(char* data, size_t capacity) override {
        for (;;) {
            const ssize_t got = ::read(descriptor_, data, capacity);
            if (got >= 0) return size_t(got);
            if (errno != EINTR) return failure(fileError(path_, errno));
        }
    }

private:
    std::string path_;
    int descriptor_;
};

class PieceSource final : public ByteSource {
public:
    explicit PieceSource(std::function<Result<std::span<const char>>()> read)
        : read_(std::move(read)) {}

    Result<size_t> read(char* data, size_t capacity) override {
        if (rest_.empty() && !ended_) {
            BS_ASSIGN(rest_, read_());
            ended_ = rest_.empty();
        }
        const size_t count = std::min(capacity, rest_.size());
        if (count > 0) std::memcpy(data, rest_.data(), count);
        rest_ = rest_.subspan(count);
        return count;
    }

private:
    std::function<Result<std::span<const char>>()> read_;
    std::span<const char> rest_;
    bool ended_ = false;
};

/// The compressed bytes under a decoder, a piece at a time.
class CompressedInput {
public:
    CompressedInput(std::unique_ptr<ByteSource> inner, std::string name)
        : inner_(std::move(inner)), name_(std::move(name)), piece_(kCompressedPiece) {}

    /// Makes at least one byte available unless the source is at its end.
    Status fill() {
        if (at_ < filled_ || ended_) return {};
        BS_ASSIGN(filled_, inner_->read(piece_.data(), piece_.size()));
        at_ = 0;
        ended_ = filled_ == 0;
        return {};
    }
    bool ended() const { return ended_; }
    char* data() { return piece_.data() + at_; }
    size_t size() const { return filled_ - at_; }
    void take(size_t bytes) { at_ += bytes; }
    Error damaged(std::string_view format, std::string_view reason) const {
        return Error(sqlstate::kBadCopyFileFormat, "could not decompress \"" + name_ + "\" as " +
                                                       std::string(format) + ": " +
                                                       std::string(reason))
            .withHint(
                "Check that the file is whole and that its compression is the one the "
                "statement names.");
    }

private:
    std::unique_ptr<ByteSource> inner_;
    std::string name_;
    std::vector<char> piece_;
    size_t at_ = 0;
    size_t filled_ = 0;
    bool ended_ = false;
};

class GzipSource final : public ByteSource {
public:
    GzipSource(std::unique_ptr<ByteSource> inner, std::string name)
        : input_(std::move(inner), std::move(name)) {
        // 16: a gzip header is required.
        ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
    }
    ~GzipSource() override {
        if (ready_) inflateEnd(&stream_);
    }

    Result<size_t> read(char* data, size_t capacity) override {
        if (!ready_) return failure(sqlstate::kOutOfMemory, "no memory for a gzip decoder");
        for (;;) {
            BS_TRY(input_.fill());
            if (input_.ended()) {
                if (!between_members_)
                    return failure(input_.damaged("gzip", "the data ends too early"));
                return size_t{0};
            }
            stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
            stream_.avail_in = uInt(input_.size());
            stream_.next_out = reinterpret_cast<Bytef*>(data);
            stream_.avail_out = uInt(std::min<size_t>(capacity, 1u << 30));
            const uInt room = stream_.avail_out;
            between_members_ = false;
            const int code = inflate(&stream_, Z_NO_FLUSH);
            input_.take(input_.size() - stream_.avail_in);
            if (code == Z_STREAM_END) {
                between_members_ = true;
                inflateReset(&stream_);
            } else if (code != Z_OK && code != Z_BUF_ERROR) {
                return failure(
                    input_.damaged("gzip", stream_.msg != nullptr ? stream_.msg : "bad data"));
            }
            if (room != stream_.avail_out) return size_t(room - stream_.avail_out);
        }
    }

private:
    CompressedInput input_;
    z_stream stream_{};
    bool ready_ = false;
    bool between_members_ = true;
};

class ZstdSource final : public ByteSource {
public:
    ZstdSource(std::unique_ptr<ByteSource> inner, std::string name)
        : input_(std::move(inner), std::move(name)), stream_(ZSTD_createDStream()) {}
    ~ZstdSource() override { ZSTD_freeDStream(stream_); }

    Result<size_t> read(char* data, size_t capacity) override {
        if (stream_ == nullptr)
            return failure(sqlstate::kOutOfMemory, "no memory for a zstd decoder");
        for (;;) {
            BS_TRY(input_.fill());
            // A full output buffer may have left decoded bytes inside, so that the end of the input
            // alone is not the end.
            if (input_.ended() && between_frames_) return size_t{0};
            ZSTD_inBuffer in{input_.data(), input_.ended() ? 0 : input_.size(), 0};
            ZSTD_outBuffer out{data, capacity, 0};
            const size_t code = ZSTD_decompressStream(stream_, &out, &in);
            if (ZSTD_isError(code)) return failure(input_.damaged("zstd", ZSTD_getErrorName(code)));
            input_.take(in.pos);
            between_frames_ = code == 0;
            if (out.pos > 0) return out.pos;
            if (input_.ended() && !between_frames_)
                return failure(input_.damaged("zstd", "the data ends too early"));
        }
    }

private:
    CompressedInput input_;
    ZSTD_DStream* stream_;
    bool between_frames_ = true;
};

} // namespace

Result<std::unique_ptr<ByteSource>> openFile(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failure(fileError(path, errno));
    struct stat facts;
    if (::fstat(descriptor, &facts) != 0 || S_ISDIR(facts.st_mode)) {
        const int code = S_ISDIR(facts.st_mode) ? EISDIR : errno;
        ::close(descriptor);
        return failure(fileError(path, code));
    }
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::make_unique<FileSource>(path, descriptor);
}

std::unique_ptr<ByteSource> makePieceSource(std::function<Result<std::span<const char>>()> read) {
    return std::make_unique<PieceSource>(std::move(read));
}

std::unique_ptr<ByteSource> decompress(Compression compression, std::unique_ptr<ByteSource> inner,
                                       std::string name) {
    switch (compression) {
    case Compression::kGzip: return std::make_unique<GzipSource>(std::move(inner), std::move(name));
    case Compression::kZstd: return std::make_unique<ZstdSource>(std::move(inner), std::move(name));
    default: return inner;
    }
}

Result<std::vector<std::string>> listFiles(std::string_view location) {
    if (location.starts_with("file://")) location.remove_prefix(7);
    const std::string path(location);
    struct stat facts;
    const bool exists = !path.empty() && ::stat(path.c_str(), &facts) == 0;
    if (exists && !S_ISDIR(facts.st_mode)) return std::vector<std::string>{path};
    const size_t slash = path.rfind('/');
    const std::string folder = exists ? path : slash == path.npos ? "." : path.substr(0, slash + 1);
    const std::string prefix = exists ? "" : slash == path.npos ? path : path.substr(slash + 1);
    DIR* directory = ::opendir(folder.c_str());
    if (directory == nullptr) return failure(fileError(path, errno));
    std::vector<std::string> files;
    while (const dirent* entry = ::readdir(directory)) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix) || (prefix.empty() && (name[0] == '.' || name[0] == '_')) ||
            name == "." || name == "..")
            continue;
        std::string full = slash == path.npos && !exists
                               ? std::string(name)
                               : folder + (folder.ends_with('/') ? "" : "/") + std::string(name);
        if (::stat(full.c_str(), &facts) == 0 && S_ISREG(facts.st_mode))
            files.push_back(std::move(full));
    }
    ::closedir(directory);
    std::sort(files.begin(), files.end());
    if (!files.empty()) return files;
    return failure(Error(sqlstate::kUndefinedFile,
                         exists ? "the directory \"" + path + "\" has no files"
                                : "no file is named \"" + path + "\" or starts with it")
                       .withHint("The path is looked up on the server; write it absolute."));
}

} // namespace blueshift::storage
