// record_chunks.h: cuts the bytes of sources into chunks of whole records.
//
// Place: byte_source.h -> RecordChunks -> text_rows.h. The cut is sequential and cheap (a copy, a
// count of newlines and of quotes, both by SIMD); the parse of the chunks is what runs in parallel.
// Quotes: with CSV a newline ends a record when the quotes before it are even in number. That is
// exact, because a quote always opens or closes (as in PostgreSQL) and a doubled quote does both.
// Threads: next() is called under the owner's lock; chunks belong to whoever took them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "storage/ingest/byte_source.h"
#include "storage/ingest/copy_format.h"

namespace blueshift::storage {

/// Whole records of one source. 64 bytes behind `size` may be written and read.
struct RecordChunk {
    std::unique_ptr<char[]> bytes;
    u32 capacity = 0;
    u32 size = 0;
    u32 file = 0;
    u64 number = 0;     // counts up over all sources
    u64 first_line = 1; // of the chunk in its source
    u64 offset = 0;     // of the chunk in its source
};

inline constexpr u32 kChunkBytes = 1 << 20;
inline constexpr u32 kChunkPadding = 64;
/// A record may not be longer.
inline constexpr u32 kLongestRecord = 16 << 20;

class RecordChunks {
public:
    using Open = std::function<Result<std::unique_ptr<ByteSource>>(u32 source)>;
    RecordChunks(const TextFormat& format, u32 sources, Open open, std::vector<std::string> names,
                 u32 chunk_bytes = kChunkBytes);

    /// The next chunk, into the memory that `chunk` brings; false at the end of the last source.
    Result<bool> next(RecordChunk& chunk);

private:
    Status openNext();
    Status skipLines();
    Status fill(RecordChunk& chunk);
    u32 lastRecordEnd(const char* bytes, u32 size) const;
    Result<bool> cut(RecordChunk& chunk);
    u32 endMarker(const char* bytes, u32 size) const;

    const TextFormat& format_;
    u32 sources_;
    Open open_;
    std::vector<std::string> names_;
    u32 chunk_bytes_;
    std::unique_ptr<ByteSource> source_;
    u32 file_ = 0;           // of source_, or of the next one
    bool ended_ = false;     // source_ has no more bytes
    std::vector<char> rest_; // read, not handed out yet
    u64 line_ = 1;
    u64 offset_ = 0;
    u64 number_ = 0;
};

} // namespace blueshift::storage
