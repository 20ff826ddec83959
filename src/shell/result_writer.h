// result_writer.h: prints rows: boxes for people, csv, tsv, json, jsonl, markdown and line for
// others.
//
// begin(), row() any number of times, end(). A box is laid out after its first rows are known, so
// up to kSampleRows are held back; everything else streams.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shell/backend.h"

namespace blueshift::shell {

enum class Format : u8 { kBox, kCsv, kTsv, kJson, kJsonLines, kMarkdown, kLine };

std::optional<Format> formatFromName(std::string_view name);
inline constexpr std::string_view kFormatNames = "box, csv, tsv, json, jsonl, markdown, line";

class ResultWriter {
public:
    virtual ~ResultWriter() = default;
    virtual void begin(std::span<const ResultColumn> columns) = 0;
    virtual void row(std::span<const Cell> cells) = 0;
    virtual void end() = 0;
};

/// Text goes to `out`, which the caller empties as it likes. `width`: columns of the terminal, 0
/// for no limit (boxes only).
std::unique_ptr<ResultWriter> makeResultWriter(Format format, u32 width, std::string& out);

/// Columns that a text takes on a terminal; control characters count as shown ("\n" is 2).
u32 displayWidth(std::string_view text);

} // namespace blueshift::shell
