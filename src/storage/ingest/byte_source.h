// byte_source.h: where the bytes of COPY come from: files, the client, gzip and zstd around either.
//
// Place: record_chunks.h reads a ByteSource in large pieces and cuts it into records.
// Owns: an open file descriptor or a decoder's state. Compressed sources may be concatenated
// members (gzip) or frames (zstd), as the tools of those formats allow.
// Threads: one reader at a time.
// Errors: 58P01 and kin for files, 22P04 for damaged or cut compressed data, naming the source.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift::storage {

class ByteSource {
public:
    virtual ~ByteSource() = default;
    /// Fills at most `capacity` bytes; 0 only at the end.
    virtual Result<size_t> read(char* data, size_t capacity) = 0;
};

enum class Compression : u8 { kNone, kGzip, kZstd };

Result<std::unique_ptr<ByteSource>> openFile(const std::string& path);
/// Pieces as a function hands them out; an empty piece is the end.
std::unique_ptr<ByteSource> makePieceSource(std::function<Result<std::span<const char>>()> read);
/// `name` is for errors. kNone gives back `inner`.
std::unique_ptr<ByteSource> decompress(Compression compression, std::unique_ptr<ByteSource> inner,
                                       std::string name);

/// The files that COPY FROM 'path' names, sorted: a file itself, every file right in a directory,
/// or every file whose path starts with `path`. Hidden files and those starting with `_` are left
/// out unless named. `file://` in front is dropped.
Result<std::vector<std::string>> listFiles(std::string_view path);

} // namespace blueshift::storage
