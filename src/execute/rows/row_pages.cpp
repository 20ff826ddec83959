#include "execute/rows/row_pages.h"

#include <algorithm>
#include <cstring>

#include "functions/aggregates/indexed_values.h"

namespace blueshift::execute {
namespace {

using functions::visitRows;
using functions::visitValues;

constexpr u32 kFirstPageBytes = 1 << 10;
constexpr u32 kPageBytes = 256 << 10;

/// The size of the next page when `bytes` are held already: never much more than is needed.
u32 nextPageBytes(u64 bytes) {
    return u32(std::clamp<u64>(bytes / 4 & ~u64{7}, kFirstPageBytes, kPageBytes));
}

template <class T>
void scatterValues(const RowLayout& layout, u32 column, const Vector& vector, const u16* rows,
                   u32 count, u8* const* out) {
    const u32 offset = layout.offsetOf(column);
    visitValues<T>(vector, [&](auto value) {
        visitRows(rows, [&](auto row_of) {
            for (u32 i = 0; i < count; ++i) storeField<T>(out[i], offset, value(row_of(i)));
        });
    });
}

template <class T>
void scatterWidened(const RowLayout& layout, u32 column, const Vector& vector, const u16* rows,
                    u32 count, u8* const* out) {
    const u32 offset = layout.offsetOf(column);
    for (u32 i = 0; i < count; ++i)
        storeField<T>(out[i], offset, T(vector.integerAt(rows == nullptr ? i : rows[i])));
}

void scatterFixed(const RowLayout& layout, u32 column, const Vector& vector, const u16* rows,
                  u32 count, u8* const* out) {
    dispatchKind(layout.kindOf(column), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        if (vector.kind == layout.kindOf(column)) {
            scatterValues<T>(layout, column, vector, rows, count, out);
        } else if constexpr (std::is_integral_v<T> || std::is_same_v<T, i128>) {
            scatterWidened<T>(layout, column, vector, rows, count, out);
        } else {
            BS_UNREACHABLE("a float or text column changed its kind");
        }
    });
}

void scatterNulls(const RowLayout& layout, u32 column, const Vector& vector, const u16* rows,
                  u32 count, u8* const* out) {
    if (!layout.isNullable(column) || vector.validity == nullptr) return;
    const u32 byte = layout.nullByteOf(column);
    const u8 mask = layout.nullMaskOf(column);
    const bool constant = vector.form == VectorForm::kConstant;
    for (u32 i = 0; i < count; ++i) {
        const u32 row = constant ? 0 : rows == nullptr ? i : rows[i];
        if (!bitAt(vector.validity, row)) out[i][byte] |= mask;
    }
}

} // namespace

bool RowPages::reserveRows(const RowLayout& layout, u32 count, u8** out, WorkerContext& context,
                           std::string_view what) {
    const u32 row_bytes = layout.rowBytes();
    u32 done = 0;
    while (done < count) {
        RowPage* page = pages_.empty() ? nullptr : &pages_.back();
        if (page == nullptr || page->rows == page->capacity || page->layout != &layout) {
            const u32 bytes = std::max(nextPageBytes(memory_bytes_), row_bytes);
            if (!context.take(bytes, what)) return false;
            memory_bytes_ += bytes;
            RowPage fresh;
            fresh.layout = &layout;
            fresh.bytes = std::make_unique_for_overwrite<u64[]>(bytes / 8);
            fresh.capacity = bytes / row_bytes;
            fresh.text_begin = texts_.empty() ? 0 : u32(texts_.size() - 1);
            fresh.text_end = u32(texts_.size());
            pages_.push_back(std::move(fresh));
            page = &pages_.back();
        }
        const u32 n = std::min(count - done, page->capacity - page->rows);
        u8* at = page->row(page->rows);
        for (u32 i = 0; i < n; ++i, at += row_bytes) out[done + i] = at;
        page->rows += n;
        done += n;
    }
    row_count_ += count;
    return true;
}

char* RowPages::reserveText(u32 bytes, WorkerContext& context, std::string_view what) {
    if (!texts_.empty()) {
        TextChunk& last = texts_.back();
        if (last.capacity - last.used >= bytes) {
            char* at = last.bytes.get() + last.used;
            last.used += bytes;
            return at;
        }
    }
    const u32 capacity = std::max(nextPageBytes(memory_bytes_), bytes);
    if (!context.take(capacity, what)) return nullptr;
    memory_bytes_ += capacity;
    text_bytes_ += capacity;
    TextChunk chunk;
    chunk.bytes = std::make_unique_for_overwrite<char[]>(capacity);
    chunk.capacity = capacity;
    chunk.used = bytes;
    texts_.push_back(std::move(chunk));
    return texts_.back().bytes.get();
}

bool RowPages::scatterText(const RowLayout& layout, u32 column, const Vector& vector,
                           const u16* rows, u32 count, u8* const* out, WorkerContext& context,
                           std::string_view what) {
    const u32 offset = layout.offsetOf(column);
    bool granted = true;
    visitValues<TextView>(vector, [&](auto value) {
        for (u32 i = 0; i < count; ++i) {
            const u32 row = rows == nullptr ? i : rows[i];
            if (vector.validity != nullptr && vector.isNull(row)) {
                storeField(out[i], offset, TextView{});
                continue;
            }
            TextView text = value(row);
            if (!text.isInline()) {
                char* bytes = reserveText(text.length, context, what);
                if (bytes == nullptr) {
                    granted = false;
                    return;
                }
                std::memcpy(bytes, text.pointer, text.length);
                text.pointer = bytes;
            }
            storeField(out[i], offset, text);
        }
    });
    return granted;
}

u64 RowPages::bytesOf(const RowLayout& layout, std::span<const Vector> columns, const u16* rows,
                      u32 count) {
    u64 bytes = u64(count) * layout.rowBytes();
    for (u32 c = 0; c < layout.columnCount(); ++c) {
        if (layout.kindOf(c) != PhysicalKind::kText) continue;
        const Vector& vector = columns[c];
        visitValues<TextView>(vector, [&](auto value) {
            for (u32 i = 0; i < count; ++i) {
                const u32 row = rows == nullptr ? i : rows[i];
                if (vector.validity != nullptr && vector.isNull(row)) continue;
                const TextView text = value(row);
                if (!text.isInline()) bytes += text.length;
            }
        });
    }
    return bytes;
}

bool RowPages::append(const RowLayout& layout, std::span<const Vector> columns, const u16* rows,
                      u32 count, const u64* hashes, u8** out, WorkerContext& context,
                      std::string_view what) {
    if (count == 0) return true;
    u8* addresses[kVectorRows];
    if (out == nullptr) out = addresses;
    if (!reserveRows(layout, count, out, context, what)) return false;
    if (layout.hasHash()) {
        for (u32 i = 0; i < count; ++i) storeField(out[i], RowLayout::kHashOffset, hashes[i]);
    }
    if (layout.extraBytes() > 0) {
        for (u32 i = 0; i < count; ++i)
            std::memset(out[i] + layout.extraOffset(), 0, layout.extraBytes());
    }
    if (layout.nullBytes() > 0) {
        for (u32 i = 0; i < count; ++i)
            std::memset(out[i] + layout.nullOffset(), 0, layout.nullBytes());
    }
    for (u32 c = 0; c < layout.columnCount(); ++c) {
        if (layout.kindOf(c) == PhysicalKind::kText) {
            if (!scatterText(layout, c, columns[c], rows, count, out, context, what)) return false;
        } else {
            scatterFixed(layout, c, columns[c], rows, count, out);
        }
        scatterNulls(layout, c, columns[c], rows, count, out);
    }
    if (!texts_.empty()) pages_.back().text_end = u32(texts_.size());
    return true;
}

bool RowPages::appendRows(const RowLayout& layout, u8* const* from, u32 count, u8** out,
                          WorkerContext& context, std::string_view what) {
    u8* addresses[kVectorRows];
    for (u32 done = 0; done < count;) {
        const u32 n = std::min(count - done, kVectorRows);
        u8** to = out == nullptr ? addresses : out + done;
        if (!reserveRows(layout, n, to, context, what)) return false;
        for (u32 i = 0; i < n; ++i) std::memcpy(to[i], from[done + i], layout.rowBytes());
        done += n;
    }
    return true;
}

void RowPages::absorb(RowPages&& other) {
    const u32 base = u32(texts_.size());
    for (RowPage& page : other.pages_) {
        page.text_begin += base;
        page.text_end += base;
        pages_.push_back(std::move(page));
    }
    row_count_ += other.row_count_;
    memory_bytes_ += other.memory_bytes_;
    text_bytes_ += other.text_bytes_;
    for (TextChunk& chunk : other.texts_) texts_.push_back(std::move(chunk));
    other = RowPages();
}

void RowPages::absorbText(RowPages&& other, WorkerContext& context) {
    if (context.memory != nullptr) context.memory->shrink(other.memory_bytes_ - other.text_bytes_);
    memory_bytes_ += other.text_bytes_;
    text_bytes_ += other.text_bytes_;
    for (TextChunk& chunk : other.texts_) texts_.push_back(std::move(chunk));
    other = RowPages();
}

void RowPages::clear(WorkerContext& context) {
    if (context.memory != nullptr) context.memory->shrink(memory_bytes_);
    *this = RowPages();
}

void RowPages::adopt(RowPage page, u64 bytes) {
    row_count_ += page.rows;
    memory_bytes_ += bytes;
    pages_.push_back(std::move(page));
}

void RowPages::collectRows(std::vector<u8*>& out) const {
    out.reserve(out.size() + row_count_);
    for (const RowPage& page : pages_) {
        for (u32 i = 0; i < page.rows; ++i) out.push_back(page.row(i));
    }
}

} // namespace blueshift::execute
