// rows_of.h: loads a text through the whole ingest and gives its rows as printable cells.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "functions/function.h"
#include "storage/ingest/text_rows.h"

namespace blueshift::storage {

struct Loaded {
    std::vector<std::string> rows; // cells joined by '|', NULL as <null>
    std::vector<RowError> errors;
    std::optional<Error> broken;
};

/// A source over a string that hands out pieces of `piece` bytes.
inline std::unique_ptr<ByteSource> sourceOf(const std::string& text, size_t piece) {
    size_t at = 0;
    return makePieceSource([&text, piece, at]() mutable -> Result<std::span<const char>> {
        const size_t count = std::min(piece, text.size() - at);
        const std::span<const char> bytes(text.data() + at, count);
        at += count;
        return bytes;
    });
}

inline Loaded loadText(const std::string& text, const TextFormat& format,
                       const std::vector<TargetField>& fields, u32 chunk_bytes = kChunkBytes,
                       u32 batch_rows = kVectorRows) {
    Loaded loaded;
    RecordChunks chunks(
        format, 1,
        [&](u32) -> Result<std::unique_ptr<ByteSource>> {
            return sourceOf(text, std::max<size_t>(1, chunk_bytes / 3));
        },
        {"text"}, chunk_bytes);
    TextRows rows(format, fields, {}, batch_rows);
    RecordChunk chunk;
    functions::SessionFacts facts;
    for (;;) {
        const Result<bool> found = chunks.next(chunk);
        if (!found) {
            loaded.broken = found.error();
            return loaded;
        }
        if (!*found) return loaded;
        rows.start(chunk);
        Batch batch;
        while (rows.next(batch, loaded.errors))
            for (u32 i = 0; i < batch.selected; ++i) {
                std::string row;
                for (size_t c = 0; c < fields.size(); ++c) {
                    if (c > 0) row += '|';
                    if (batch.columns[c].isNull(batch.rowAt(i))) row += "<null>";
                    else
                        functions::appendText(row, batch.columns[c], batch.rowAt(i), fields[c].type,
                                              facts);
                }
                loaded.rows.push_back(std::move(row));
            }
    }
}

inline TextFormat csvFormat() {
    TextFormat format;
    format.layout = TextLayout::kCsv;
    format.delimiter = ',';
    return format;
}
/// As COPY FROM STDIN.
inline TextFormat postgresFormat(TextLayout layout) {
    TextFormat format;
    format.layout = layout;
    format.redshift = false;
    format.delimiter = layout == TextLayout::kCsv ? ',' : '\t';
    if (layout == TextLayout::kCsv) format.null_text.clear();
    return format;
}

inline std::vector<TargetField> textFields(u32 count) {
    std::vector<TargetField> fields;
    for (u32 i = 0; i < count; ++i)
        fields.push_back({"c" + std::to_string(i), SqlType::varchar(100)});
    return fields;
}

} // namespace blueshift::storage
