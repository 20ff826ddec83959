#include "storage/ingest/split_records.h"

#include <immintrin.h>

#include <cstring>

namespace blueshift::storage {
namespace {

constexpr u32 kNowhere = ~u32{0};

u32 octalDigit(char c) {
    return c >= '0' && c <= '7' ? u32(c - '0') : kNowhere;
}

u32 hexDigit(char c) {
    if (c >= '0' && c <= '9') return u32(c - '0');
    if (c >= 'a' && c <= 'f') return u32(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return u32(c - 'A' + 10);
    return kNowhere;
}

} // namespace

struct SplitRecords::Marks {
    Marks(const char* bytes, u32 size, char a, char b, char c)
        : bytes_(bytes),
          size_(size),
          a_(_mm256_set1_epi8(a)),
          b_(_mm256_set1_epi8(b)),
          c_(_mm256_set1_epi8(c)),
          newline_(_mm256_set1_epi8('\n')) {}

    void seek(u32 at) {
        block_ = at;
        mask_ = at < size_ ? marked(at) : 0;
    }
    /// The next mark, or kNowhere behind the end of the chunk.
    u32 next() {
        while (mask_ == 0) {
            if (block_ + 64 >= size_) return kNowhere;
            block_ += 64;
            mask_ = marked(block_);
        }
        const u32 at = block_ + u32(__builtin_ctzll(mask_));
        mask_ &= mask_ - 1;
        return at;
    }

private:
    u64 marked(u32 at) const {
        const auto half = [&](u32 from) {
            const __m256i bytes =
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes_ + from));
            const __m256i first =
                _mm256_or_si256(_mm256_cmpeq_epi8(bytes, a_), _mm256_cmpeq_epi8(bytes, b_));
            const __m256i second =
                _mm256_or_si256(_mm256_cmpeq_epi8(bytes, c_), _mm256_cmpeq_epi8(bytes, newline_));
            return u64{u32(_mm256_movemask_epi8(_mm256_or_si256(first, second)))};
        };
        const u64 mask = half(at) | half(at + 32) << 32;
        const u32 left = size_ - at;
        return left >= 64 ? mask : mask & ((u64{1} << left) - 1);
    }

    const char* bytes_;
    u32 size_;
    u32 block_ = 0;
    u64 mask_ = 0;
    __m256i a_;
    __m256i b_;
    __m256i c_;
    __m256i newline_;
};

SplitRecords::SplitRecords(const TextFormat& format, u32 columns, u32 batch_rows)
    : format_(format),
      columns_(columns),
      batch_rows_(batch_rows),
      fields_(size_t{columns} * batch_rows),
      starts_(batch_rows + 1),
      faults_(batch_rows) {}

u32 SplitRecords::split(RecordChunk& chunk, u32 at) {
    bytes_ = chunk.bytes.get();
    size_ = chunk.size;
    if (chunk.bytes[size_ - 1] != '\n') chunk.bytes[size_++] = '\n';
    rows_ = 0;
    any_fault_ = false;
    copied_.clear();
    u32 end;
    switch (format_.layout) {
    case TextLayout::kCsv: end = splitAll<TextLayout::kCsv>(at); break;
    case TextLayout::kText: end = splitAll<TextLayout::kText>(at); break;
    default: end = splitAll<TextLayout::kDelimited>(at); break;
    }
    // Readers of short text load whole words.
    copied_.resize(copied_.size() + kChunkPadding);
    return end;
}

template <TextLayout layout> u32 SplitRecords::splitAll(u32 at) {
    const char quote = layout == TextLayout::kCsv || format_.remove_quotes ? format_.quote : '\n';
    const char escape = layout == TextLayout::kCsv ? format_.escape
                        : format_.escapesNewline() ? '\\'
                                                   : '\n';
    Marks marks(bytes_, size_, format_.delimiter, quote, escape);
    marks.seek(at);
    while (rows_ < batch_rows_ && at < size_) {
        if (format_.skip_blank_lines &&
            (bytes_[at] == '\n' || (bytes_[at] == '\r' && bytes_[at + 1] == '\n'))) {
            marks.next();
            at += 1 + (bytes_[at] == '\r');
            continue;
        }
        starts_[rows_] = at;
        open_quote_ = false;
        u32 count = 0;
        bool last = false;
        while (!last) at = takeField<layout>(marks, at, count++, last);
        endRecord(count);
    }
    starts_[rows_] = at;
    return at;
}

/// Puts the field that begins at `begin`; returns the start of the next one.
template <TextLayout layout>
u32 SplitRecords::takeField(Marks& marks, u32 begin, u32 column, bool& last) {
    u32 at = marks.next();
    u32 end;
    if (bytes_[at] == format_.delimiter) [[likely]] {
        last_length_ = at - begin;
        put(column, begin, last_length_, FieldRef::kPlain);
        return at + 1;
    }
    if (bytes_[at] == '\n') {
        end = at > begin && bytes_[at - 1] == '\r' ? at - 1 : at;
        last_length_ = end - begin;
        put(column, begin, last_length_, FieldRef::kPlain);
        last = true;
        return at + 1;
    }
    if constexpr (layout == TextLayout::kCsv) {
        if (at == begin && bytes_[at] == format_.quote && format_.quote == format_.escape) {
            // The common case: nothing but the closing quote counts up to the next delimiter.
            u32 close = marks.next();
            while (close != kNowhere && bytes_[close] != format_.quote) close = marks.next();
            if (close != kNowhere) {
                const char after = bytes_[close + 1];
                const bool returns =
                    after == '\r' && close + 2 < size_ && bytes_[close + 2] == '\n';
                if (after == format_.delimiter || after == '\n' || returns) {
                    marks.next();
                    last_length_ = close - begin - 1;
                    put(column, begin + 1, last_length_, FieldRef::kQuoted);
                    last = after != format_.delimiter;
                    return close + 2 + returns;
                }
            }
        }
        end = copyQuotedField(begin, column);
    } else {
        const bool quoted = bytes_[begin] == format_.quote && format_.remove_quotes;
        if (!quoted && bytes_[at] == format_.quote && format_.remove_quotes) {
            // A quote inside of a field stands for itself.
            while (bytes_[at] == format_.quote && bytes_[at] != '\\') at = marks.next();
            if (bytes_[at] == format_.delimiter || bytes_[at] == '\n') {
                end = bytes_[at] == '\n' && at > begin && bytes_[at - 1] == '\r' ? at - 1 : at;
                last_length_ = end - begin;
                put(column, begin, last_length_, FieldRef::kPlain);
                last = bytes_[at] == '\n';
                return at + 1;
            }
        }
        end = copyEscapedField(begin, column);
    }
    last = end >= size_ || bytes_[end] == '\n';
    marks.seek(std::min(end + 1, size_));
    return std::min(end + 1, size_);
}

/// Copies a CSV field with quotes anywhere in it; returns the place of the delimiter or newline.
u32 SplitRecords::copyQuotedField(u32 begin, u32 column) {
    const u32 start = u32(copied_.size());
    bool open = false;
    bool quoted = false;
    u32 at = begin;
    for (; at < size_; ++at) {
        const char c = bytes_[at];
        if (open) {
            if (c == format_.escape && at + 1 < size_ &&
                (bytes_[at + 1] == format_.quote || bytes_[at + 1] == format_.escape))
                copied_.push_back(bytes_[++at]);
            else if (c == format_.quote) open = false;
            else copied_.push_back(c);
        } else if (c == format_.quote) {
            open = quoted = true;
        } else if (c == format_.delimiter || c == '\n') {
            if (c == '\n' && bytes_[at - 1] == '\r' && copied_.size() > start) copied_.pop_back();
            break;
        } else {
            copied_.push_back(c);
        }
    }
    open_quote_ |= open;
    last_length_ = u32(copied_.size()) - start;
    put(column, start, last_length_, quoted ? FieldRef::kQuotedEscaped : FieldRef::kEscaped);
    return at;
}

/// What a backslash at `at` and the characters after it stand for; `at` moves to the last of them.
char SplitRecords::unescape(u32& at) const {
    const char c = bytes_[++at];
    if (format_.layout != TextLayout::kText) return c;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case 'x': {
        u32 value = hexDigit(bytes_[at + 1]);
        if (value == kNowhere) return c;
        ++at;
        if (hexDigit(bytes_[at + 1]) != kNowhere) value = value * 16 + hexDigit(bytes_[++at]);
        return char(value);
    }
    default: break;
    }
    u32 value = octalDigit(c);
    if (value == kNowhere) return c;
    for (int digits = 1; digits < 3 && octalDigit(bytes_[at + 1]) != kNowhere; ++digits)
        value = value * 8 + octalDigit(bytes_[++at]);
    return char(value);
}

/// Copies a field of the backslash layouts; returns the place of the delimiter or newline.
u32 SplitRecords::copyEscapedField(u32 begin, u32 column) {
    const u32 start = u32(copied_.size());
    const bool escapes = format_.escapesNewline();
    const bool quoted = format_.remove_quotes && bytes_[begin] == format_.quote;
    bool open = quoted;
    bool raw_return = false; // the byte copied last is a carriage return as it stood
    u32 at = begin + quoted;
    for (; at < size_; ++at) {
        const char c = bytes_[at];
        if (escapes && c == '\\' && at + 1 < size_) {
            copied_.push_back(unescape(at));
            raw_return = false;
            continue;
        }
        if (open && c == format_.quote) {
            open = false;
            continue;
        }
        if (c == '\n' || (c == format_.delimiter && !open)) break;
        copied_.push_back(c);
        raw_return = c == '\r';
    }
    if (raw_return && at < size_ && bytes_[at] == '\n') copied_.pop_back();
    open_quote_ |= open;
    u32 end = at;
    if (end > begin && at < size_ && bytes_[at] == '\n' && bytes_[end - 1] == '\r') --end;
    const std::string_view raw(bytes_ + begin, end - begin);
    if (raw == format_.null_text) {
        // The NULL marker is compared before escapes are taken out.
        copied_.resize(start);
        last_length_ = u32(raw.size());
        put(column, begin, last_length_, FieldRef::kPlain);
        return at;
    }
    last_length_ = u32(copied_.size()) - start;
    put(column, start, last_length_, quoted ? FieldRef::kQuotedEscaped : FieldRef::kEscaped);
    return at;
}

void SplitRecords::endRecord(u32 count) {
    RecordFault fault = RecordFault::kNone;
    if (open_quote_) fault = RecordFault::kOpenQuote;
    else if (count < columns_ && !format_.fill_record) fault = RecordFault::kTooFewFields;
    else if (count > columns_) {
        // Redshift takes lines that end in a delimiter.
        const bool trailing = format_.redshift && format_.layout == TextLayout::kDelimited &&
                              count == columns_ + 1 && last_length_ == 0;
        if (!trailing) fault = RecordFault::kTooManyFields;
    }
    for (u32 column = count; column < columns_; ++column) put(column, 0, 0, FieldRef::kAbsent);
    faults_[rows_] = fault;
    any_fault_ |= fault != RecordFault::kNone;
    ++rows_;
}

} // namespace blueshift::storage
