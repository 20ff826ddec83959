#include "storage/ingest/record_chunks.h"

#include <algorithm>
#include <cstring>

namespace blueshift::storage {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

u32 lastNewline(const char* bytes, u32 size) {
    const void* found = ::memrchr(bytes, '\n', size);
    return found == nullptr ? 0 : u32(static_cast<const char*>(found) - bytes) + 1;
}

/// The number of backslashes right before `at` is odd.
bool escaped(const char* bytes, u32 at) {
    u32 count = 0;
    while (count < at && bytes[at - 1 - count] == '\\') ++count;
    return count % 2 == 1;
}

} // namespace

RecordChunks::RecordChunks(const TextFormat& format, u32 sources, Open open,
                           std::vector<std::string> names, u32 chunk_bytes)
    : format_(format),
      sources_(sources),
      open_(std::move(open)),
      names_(std::move(names)),
      chunk_bytes_(chunk_bytes) {}

Status RecordChunks::openNext() {
    BS_ASSIGN(source_, open_(file_));
    ended_ = false;
    rest_.clear();
    line_ = 1;
    offset_ = 0;
    while (rest_.size() < kByteOrderMark.size() && !ended_) {
        char bytes[3];
        BS_ASSIGN(const size_t got, source_->read(bytes, kByteOrderMark.size() - rest_.size()));
        ended_ = got == 0;
        rest_.insert(rest_.end(), bytes, bytes + got);
    }
    if (std::string_view(rest_.data(), rest_.size()) == kByteOrderMark) {
        rest_.clear();
        offset_ = kByteOrderMark.size();
    }
    return skipLines();
}

/// Drops the header lines, which may reach over several pieces.
Status RecordChunks::skipLines() {
    for (u64 left = format_.skip_lines; left > 0;) {
        if (rest_.empty()) {
            if (ended_) return {};
            rest_.resize(chunk_bytes_);
            BS_ASSIGN(const size_t got, source_->read(rest_.data(), rest_.size()));
            rest_.resize(got);
            ended_ = got == 0;
            continue;
        }
        const auto newline = std::find(rest_.begin(), rest_.end(), '\n');
        const bool whole = newline != rest_.end();
        const size_t bytes = size_t(newline - rest_.begin()) + whole;
        rest_.erase(rest_.begin(), rest_.begin() + i64(bytes));
        offset_ += bytes;
        left -= whole;
        line_ += whole;
    }
    return {};
}

/// Moves what was left over and new bytes into the chunk until it is full or the source ends.
Status RecordChunks::fill(RecordChunk& chunk) {
    u32 room = std::max<u32>(chunk_bytes_, chunk.capacity);
    while (room < rest_.size() + chunk_bytes_) room *= 2;
    if (chunk.capacity < room) {
        chunk.bytes = std::make_unique_for_overwrite<char[]>(room + kChunkPadding);
        chunk.capacity = room;
    }
    if (!rest_.empty()) std::memcpy(chunk.bytes.get(), rest_.data(), rest_.size());
    chunk.size = u32(rest_.size());
    rest_.clear();
    while (chunk.size < chunk.capacity && !ended_) {
        BS_ASSIGN(const size_t got,
                  source_->read(chunk.bytes.get() + chunk.size, chunk.capacity - chunk.size));
        chunk.size += u32(got);
        ended_ = got == 0;
    }
    return {};
}

/// The offset behind the last newline that ends a record; 0 when there is none.
u32 RecordChunks::lastRecordEnd(const char* bytes, u32 size) const {
    u32 end = lastNewline(bytes, size);
    if (format_.layout != TextLayout::kCsv) {
        if (format_.escapesNewline())
            while (end > 0 && escaped(bytes, end - 1)) end = lastNewline(bytes, end - 1);
        return end;
    }
    if (format_.escape == format_.quote) {
        i64 quotes = std::count(bytes, bytes + end, format_.quote);
        while (end > 0 && quotes % 2 != 0) {
            const u32 before = lastNewline(bytes, end - 1);
            quotes -= std::count(bytes + before, bytes + end, format_.quote);
            end = before;
        }
        return end;
    }
    bool open = false;
    end = 0;
    for (u32 i = 0; i < size; ++i) {
        if (open && bytes[i] == format_.escape) ++i;
        else if (bytes[i] == format_.quote) open = !open;
        else if (bytes[i] == '\n' && !open) end = i + 1;
    }
    return end;
}

/// The start of the line `\.`, which ends text of PostgreSQL's layout; `size` when there is none.
u32 RecordChunks::endMarker(const char* bytes, u32 size) const {
    if (format_.layout != TextLayout::kText) return size;
    const std::string_view text(bytes, size);
    for (size_t at = text.find("\\."); at != text.npos; at = text.find("\\.", at + 2)) {
        const std::string_view rest = text.substr(at + 2);
        if ((at == 0 || (bytes[at - 1] == '\n' && !escaped(bytes, u32(at - 1)))) &&
            (rest.empty() || rest.starts_with('\n') || rest.starts_with("\r\n")))
            return u32(at);
    }
    return size;
}

Result<bool> RecordChunks::cut(RecordChunk& chunk) {
    u32 end = 0;
    for (;;) {
        BS_TRY(fill(chunk));
        end = ended_ ? chunk.size : lastRecordEnd(chunk.bytes.get(), chunk.size);
        if (end > 0 || ended_) break;
        if (chunk.size >= kLongestRecord)
            return failure(Error(sqlstate::kBadCopyFileFormat,
                                 "a record of \"" + names_[file_] + "\" has more than " +
                                     std::to_string(kLongestRecord >> 20) + " MiB")
                               .withDetail("It starts in line " + std::to_string(line_) + ".")
                               .withHint("Look for a quote that is left open."));
        rest_.assign(chunk.bytes.get(), chunk.bytes.get() + chunk.size);
    }
    rest_.assign(chunk.bytes.get() + end, chunk.bytes.get() + chunk.size);
    chunk.size = endMarker(chunk.bytes.get(), end);
    if (chunk.size < end) {
        rest_.clear();
        ended_ = true;
    }
    chunk.file = file_;
    chunk.first_line = line_;
    chunk.offset = offset_;
    line_ += u64(std::count(chunk.bytes.get(), chunk.bytes.get() + chunk.size, '\n'));
    offset_ += chunk.size;
    return chunk.size > 0;
}

Result<bool> RecordChunks::next(RecordChunk& chunk) {
    for (;;) {
        if (!source_) {
            if (file_ == sources_) return false;
            BS_TRY(openNext());
        }
        BS_ASSIGN(const bool found, cut(chunk));
        if (ended_ && rest_.empty()) {
            source_.reset();
            ++file_;
        }
        if (!found) continue;
        chunk.number = number_++;
        return true;
    }
}

} // namespace blueshift::storage
