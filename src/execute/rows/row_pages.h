// row_pages.h: pages of materialised rows with their text, filled from vectors and read back.
//
// Place: the memory of join builds, groups, sorted runs, window partitions.
// Owns: row pages (1 KiB growing to 256 KiB) and text chunks (the same; longer texts get chunks of
// their own). Rows and text never move while the pages live; absorb() takes over another worker's
// pages without copying.
// Why so: column-at-a-time loops per kind; a page knows its layout and its text chunks, so that
// spilling can write both and mend the pointers.
// Threads: one at a time while filling; any number may read.
#pragma once

#include <memory>
#include <string_view>

#include "execute/operator.h"
#include "execute/rows/row_layout.h"

namespace blueshift::execute {

struct RowPage {
    const RowLayout* layout = nullptr;
    std::unique_ptr<u64[]> bytes;
    u32 rows = 0;
    u32 capacity = 0; // rows
    /// Text of its rows lies in chunks text_begin .. text_end of the RowPages that hold it.
    u32 text_begin = 0;
    u32 text_end = 0;

    u8* row(u32 index) const {
        return reinterpret_cast<u8*>(bytes.get()) + size_t(index) * layout->rowBytes();
    }
};

class RowPages {
public:
    RowPages() = default;
    RowPages(RowPages&&) = default;
    RowPages& operator=(RowPages&&) = default;

    /// Appends `count` rows: row i takes columns[c] at `rows[i]` (nullptr: i) and, where the layout
    /// has one, hashes[i]. Integer vectors may be narrower than the layout's kind. Writes the new
    /// rows' addresses to `out` (may be nullptr). The extra bytes are zero.
    /// False after recording 53200, naming `what`; then no row counts as appended.
    bool append(const RowLayout& layout, std::span<const Vector> columns, const u16* rows,
                u32 count, const u64* hashes, u8** out, WorkerContext& context,
                std::string_view what);

    /// Appends copies of rows of the same layout; their text is not copied and must stay alive.
    bool appendRows(const RowLayout& layout, u8* const* from, u32 count, u8** out,
                    WorkerContext& context, std::string_view what);

    /// Takes all pages and text of `other`, which is empty afterwards.
    void absorb(RowPages&& other);
    /// Takes only the text chunks and frees the pages, for rows that were copied by appendRows.
    void absorbText(RowPages&& other, WorkerContext& context);
    void clear(WorkerContext& context);
    /// Takes a page that was read back: its rows, their text behind them, `bytes` in all, already
    /// taken from the grant.
    void adopt(RowPage page, u64 bytes);

    /// Bytes that append() would add, but for the rest of the last page.
    static u64 bytesOf(const RowLayout& layout, std::span<const Vector> columns, const u16* rows,
                       u32 count);

    u64 rowCount() const { return row_count_; }
    u64 memoryBytes() const { return memory_bytes_; }
    std::span<const RowPage> pages() const { return pages_; }
    /// The addresses of all rows, in order of appending, added to `out`.
    void collectRows(std::vector<u8*>& out) const;

private:
    struct TextChunk {
        std::unique_ptr<char[]> bytes;
        u32 used = 0;
        u32 capacity = 0;
    };

    bool reserveRows(const RowLayout& layout, u32 count, u8** out, WorkerContext& context,
                     std::string_view what);
    bool scatterText(const RowLayout& layout, u32 column, const Vector& vector, const u16* rows,
                     u32 count, u8* const* out, WorkerContext& context, std::string_view what);
    char* reserveText(u32 bytes, WorkerContext& context, std::string_view what);

    std::vector<RowPage> pages_;
    std::vector<TextChunk> texts_;
    u64 row_count_ = 0;
    u64 memory_bytes_ = 0; // of pages and texts
    u64 text_bytes_ = 0;
};

/// Values of a column of `count` rows as a flat vector over `out`; row i comes from rows[i].
/// The vector has validity bits only when one of the values is NULL.
Vector gatherColumn(const RowLayout& layout, u32 column, const u8* const* rows, u32 count,
                    VectorBuffer& out);
/// The same where a null pointer stands for a row of NULLs (outer joins, LAG and LEAD).
Vector gatherOptional(const RowLayout& layout, u32 column, const u8* const* rows, u32 count,
                      VectorBuffer& out);

/// Keeps those i of candidates[0 .. count) for which rows[i]'s column equals `vector` at
/// vector_rows[i] (nullptr: i); returns how many are left. Candidates ascend before and after, at
/// most kVectorRows of them. Kinds may differ in width only. NULLs are equal to each other when
/// `nulls_equal`, else to nothing.
u32 matchColumn(const RowLayout& layout, u32 column, const u8* const* rows, const Vector& vector,
                const u16* vector_rows, u16* candidates, u32 count, bool nulls_equal);
/// The same for two columns of rows of the same kind: a[i] against b[i].
u32 matchRows(const RowLayout& layout_a, u32 column_a, const u8* const* a,
              const RowLayout& layout_b, u32 column_b, const u8* const* b, u16* candidates,
              u32 count, bool nulls_equal);

} // namespace blueshift::execute
