// copy_format.h: how the text of COPY is laid out and how its fields become values.
//
// Place: engine/copy_options.cpp makes it from a statement's options; record_chunks.h and
// text_rows.h read by it.
// Two families: COPY from a location behaves as Redshift does, COPY FROM STDIN and formats of
// PostgreSQL (TEXT) as PostgreSQL does; where they differ a flag below says so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "functions/datetime_format.h"
#include "types/sql_type.h"

namespace blueshift::storage {

enum class TextLayout : u8 {
    kDelimited, // Redshift's default: no quotes, optional backslash escapes
    kCsv,
    kText, // PostgreSQL's default: backslash escapes with C letters
};

/// What stands for an epoch in TIMEFORMAT.
enum class EpochUnit : u8 { kNone, kSeconds, kMilliseconds };

struct TextFormat {
    TextLayout layout = TextLayout::kDelimited;
    char delimiter = '|';
    char quote = '"';           // kCsv, and kDelimited with remove_quotes
    char escape = '"';          // kCsv: inside quotes
    bool escapes = false;       // kDelimited: a backslash takes the next character as it is
    bool remove_quotes = false; // kDelimited
    std::string null_text = "\\N";
    u64 skip_lines = 0; // of each file
    bool skip_blank_lines = false;

    /// Redshift: empty fields of types without characters are NULL, a field too many is accepted
    /// when it is empty, decimals lose the digits that do not fit. Off: PostgreSQL's rules.
    bool redshift = true;
    bool fill_record = false;
    bool trim_blanks = false;
    bool blanks_as_null = false;
    bool empty_as_null = false;
    bool truncate_columns = false;
    bool round_decimals = false;
    bool accept_any_date = false;
    std::optional<char> replace_invalid; // ACCEPTINVCHARS
    std::optional<functions::DateTimeFormat> date_format;
    std::optional<functions::DateTimeFormat> time_format;
    EpochUnit epoch = EpochUnit::kNone;
    /// kCsv of PostgreSQL, by field: FORCE_NOT_NULL and FORCE_NULL.
    std::vector<bool> force_not_null;
    std::vector<bool> force_null;

    /// A backslash before a newline makes it part of a field.
    bool escapesNewline() const {
        return layout == TextLayout::kText || (layout == TextLayout::kDelimited && escapes);
    }
};

/// A field of the input and the column it fills.
struct TargetField {
    std::string name;
    SqlType type;
    bool not_null = false;
};

/// A row that could not be loaded, with what STL_LOAD_ERRORS tells of it.
struct RowError {
    u32 file = 0;
    u64 line = 0;       // 1-based; the record's first line
    u64 offset = 0;     // of the record in its file
    std::string column; // empty: the record as a whole
    SqlType type;
    u32 position = 0; // of the field in the record, bytes
    std::string raw_line;
    std::string raw_field;
    i32 code = 0; // as in Redshift's table of load errors
    std::string reason;
    std::string sqlstate;
    std::string hint;
};

/// Bytes of a raw line or field kept in a RowError.
inline constexpr size_t kRawBytes = 1024;

} // namespace blueshift::storage
