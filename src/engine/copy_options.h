// copy_options.h: the options of a COPY statement, checked and sorted by what they concern.
//
// Place: copy.cpp reads them once; copy_from.cpp and copy_to.cpp work by them.
// Dialects: COPY from a location follows Redshift, STDIN, STDOUT and FORMAT TEXT follow PostgreSQL.
#pragma once

#include <string>
#include <vector>

#include "parse/ast_statement.h"
#include "storage/ingest/byte_source.h"
#include "storage/ingest/copy_format.h"

namespace blueshift::engine {

enum class CopyLayout : u8 { kText, kBinary, kParquet };

struct CopyOptions {
    CopyLayout layout = CopyLayout::kText;
    storage::TextFormat text;
    storage::Compression compression = storage::Compression::kNone;
    u64 max_errors = 0; // MAXERROR; 0 and 1: the first one fails the load
    bool ignore_all_errors = false;
    bool no_load = false;
    bool header = false; // of COPY TO
    std::vector<std::string> force_quote;
    bool force_quote_all = false;
    std::vector<std::string> force_null;
    std::vector<std::string> force_not_null;
    /// Options that were taken but change nothing.
    std::vector<std::string> without_effect;
};

/// Throws 42601, 0A000 or 22023 with the place of the option in `text`.
CopyOptions readCopyOptions(const parse::Copy& copy, std::string_view text);

} // namespace blueshift::engine
