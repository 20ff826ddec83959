#include "engine/copy_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "parse/parse.h"

namespace blueshift::engine {
namespace {

constexpr std::string_view kWithoutEffect[] = {
    "comprows",      "compupdate", "credentials", "access_key_id", "secret_access_key",
    "session_token", "iam_role",   "region",      "explicit_ids",  "freeze",
    "readratio",     "statupdate", "parallel"};

constexpr std::string_view kNotThere[] = {"avro",      "json",
                                          "orc",       "fixedwidth",
                                          "shapefile", "bzip2",
                                          "lzop",      "manifest",
                                          "ssh",       "encrypted",
                                          "oids",      "simplify",
                                          "extension", "serializetojson",
                                          "default",   "master_symmetric_key",
                                          "kms_key_id"};

/// What COPY TO STDOUT takes; the layouts that it lacks are told apart.
constexpr std::string_view kOfCopyTo[] = {"text",   "csv",   "binary", "delimiter", "null",
                                          "header", "quote", "escape", "encoding",  "force_quote"};

class OptionReader {
public:
    OptionReader(const parse::Copy& copy, std::string_view text)
        : copy_(copy), text_(text), redshift_(copy.place == parse::CopyPlace::kLocation) {}

    CopyOptions read();

private:
    [[noreturn]] void fail(const parse::Option& option, std::string_view state, std::string message,
                           std::string hint) const {
        throw SqlError(
            Error(state, std::move(message))
                .withHint(std::move(hint))
                .at(option.position < 0 ? 0 : parse::characterPosition(text_, option.position)));
    }
    const parse::Option* find(std::string_view name) const {
        for (const parse::Option& option : copy_.options)
            if (option.name == name) return &option;
        return nullptr;
    }
    void checkRepeated() const;
    void readLayout();
    void readOption(const parse::Option& option);
    void readTimes(const parse::Option& option);
    void checkTogether() const;
    void checkCopyTo() const;
    char character(const parse::Option& option) const;
    bool truth(const parse::Option& option) const;
    u64 number(const parse::Option& option, i64 limit) const;

    const parse::Copy& copy_;
    std::string_view text_;
    bool redshift_;
    CopyOptions options_;
};

CopyOptions OptionReader::read() {
    checkRepeated();
    readLayout();
    for (const parse::Option& option : copy_.options) readOption(option);
    checkTogether();
    if (copy_.direction == parse::CopyDirection::kTo) checkCopyTo();
    return std::move(options_);
}

void OptionReader::checkRepeated() const {
    for (u32 i = 0; i < copy_.options.size(); ++i)
        for (u32 j = 0; j < i; ++j)
            if (copy_.options[i].name == copy_.options[j].name)
                fail(copy_.options[i], sqlstate::kSyntaxError, "conflicting or redundant options",
                     fmt::format("{} is given twice.", copy_.options[i].name));
}

void OptionReader::readLayout() {
    storage::TextFormat& text = options_.text;
    text.redshift = redshift_ && find("text") == nullptr;
    const bool csv = find("csv") != nullptr;
    if (csv) {
        text.layout = storage::TextLayout::kCsv;
        text.delimiter = ',';
        if (!text.redshift) text.null_text.clear();
        return;
    }
    if (text.redshift) return;
    text.layout = storage::TextLayout::kText;
    text.delimiter = '\t';
}

void OptionReader::readOption(const parse::Option& option) {
    storage::TextFormat& text = options_.text;
    const std::string_view name = option.name;
    if (std::ranges::find(kNotThere, name) != std::end(kNotThere))
        fail(option, sqlstate::kFeatureNotSupported,
             fmt::format("COPY with {} is not supported yet", name),
             "Text, CSV and Parquet are read, plain, GZIP or ZSTD.");
    if (std::ranges::find(kWithoutEffect, name) != std::end(kWithoutEffect))
        return options_.without_effect.emplace_back(name), void();
    if (name == "binary") options_.layout = CopyLayout::kBinary;
    else if (name == "parquet") options_.layout = CopyLayout::kParquet;
    else if (name == "gzip") options_.compression = storage::Compression::kGzip;
    else if (name == "zstd") options_.compression = storage::Compression::kZstd;
    else if (name == "delimiter") text.delimiter = character(option);
    else if (name == "quote") {
        text.quote = character(option);
        if (find("escape") == nullptr) text.escape = text.quote;
    } else if (name == "escape") {
        if (option.argument == parse::OptionArgument::kNone) text.escapes = true;
        else text.escape = character(option);
    } else if (name == "null")
        text.null_text = option.text == "\\0" ? std::string(1, '\0') : std::string(option.text);
    else if (name == "header") {
        options_.header = truth(option);
        if (options_.header) text.skip_lines = std::max<u64>(text.skip_lines, 1);
    } else if (name == "ignoreheader") text.skip_lines = number(option, i64{1} << 40);
    else if (name == "maxerror") options_.max_errors = number(option, 100'000);
    else if (name == "ignoreallerrors") options_.ignore_all_errors = true;
    else if (name == "on_error") options_.ignore_all_errors = option.text == "ignore";
    else if (name == "noload") options_.no_load = true;
    else if (name == "ignoreblanklines") text.skip_blank_lines = true;
    else if (name == "fillrecord") text.fill_record = true;
    else if (name == "trimblanks") text.trim_blanks = true;
    else if (name == "blanksasnull") text.blanks_as_null = true;
    else if (name == "emptyasnull") text.empty_as_null = true;
    else if (name == "truncatecolumns") text.truncate_columns = true;
    else if (name == "roundec") text.round_decimals = true;
    else if (name == "acceptanydate") text.accept_any_date = true;
    else if (name == "removequotes") text.remove_quotes = true;
    else if (name == "acceptinvchars")
        text.replace_invalid =
            option.argument == parse::OptionArgument::kNone ? '?' : character(option);
    else if (name == "dateformat" || name == "timeformat") readTimes(option);
    else if (name == "encoding") {
        std::string word(option.text);
        for (char& c : word) c = char(c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (word != "utf8" && word != "utf-8" && word != "auto")
            fail(option, sqlstate::kFeatureNotSupported,
                 fmt::format("COPY with ENCODING {} is not supported yet", word),
                 "Convert the files to UTF-8 first.");
    } else if (name == "force_quote") {
        options_.force_quote_all = option.argument == parse::OptionArgument::kStar;
        for (const auto& column : option.columns) options_.force_quote.emplace_back(column.name);
    } else if (name == "force_null") {
        for (const auto& column : option.columns) options_.force_null.emplace_back(column.name);
    } else if (name == "force_not_null") {
        for (const auto& column : option.columns) options_.force_not_null.emplace_back(column.name);
    } else if (name != "csv" && name != "text") {
        fail(option, sqlstate::kSyntaxError, fmt::format("{} is no option of COPY", name),
             "It belongs to UNLOAD.");
    }
}

void OptionReader::readTimes(const parse::Option& option) {
    storage::TextFormat& text = options_.text;
    std::string word(option.text);
    for (char& c : word) c = char(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (word == "auto") return;
    if (option.name == "dateformat") {
        text.date_format.emplace(option.text);
        return;
    }
    if (word == "epochsecs") text.epoch = storage::EpochUnit::kSeconds;
    else if (word == "epochmillisecs") text.epoch = storage::EpochUnit::kMilliseconds;
    else text.time_format.emplace(option.text);
}

void OptionReader::checkTogether() const {
    const auto refuse = [&](std::string_view a, std::string_view b) {
        const parse::Option* second = find(b);
        if (find(a) != nullptr && second != nullptr)
            fail(*second, sqlstate::kSyntaxError, fmt::format("{} cannot be used with {}", b, a),
                 "Leave out one of them.");
    };
    refuse("gzip", "zstd");
    refuse("csv", "parquet");
    refuse("csv", "binary");
    refuse("csv", "text");
    refuse("text", "binary");
    refuse("parquet", "binary");
    for (std::string_view other :
         {"delimiter", "ignoreheader", "null", "escape", "removequotes", "header"})
        refuse("parquet", other);
    refuse("csv", "removequotes");
    if (redshift_) refuse("csv", "escape");
    const storage::TextFormat& text = options_.text;
    const bool csv = text.layout == storage::TextLayout::kCsv;
    const parse::Option* delimiter = find("delimiter");
    if (delimiter != nullptr &&
        (text.delimiter == '\n' || text.delimiter == '\r' || text.delimiter == 0))
        fail(*delimiter, sqlstate::kInvalidParameterValue,
             "the delimiter cannot be a newline or a zero byte",
             "Use a character that the data do not hold.");
    if (csv && text.delimiter == text.quote)
        throw SqlError(
            Error(sqlstate::kInvalidParameterValue, "COPY delimiter and quote must be different")
                .withHint("Name another DELIMITER or QUOTE."));
    if (text.layout == storage::TextLayout::kText && text.delimiter == '\\')
        throw SqlError(
            Error(sqlstate::kInvalidParameterValue, "COPY delimiter cannot be a backslash")
                .withHint("A backslash escapes in this format; name another DELIMITER."));
}

/// PostgreSQL's rules for what goes out.
void OptionReader::checkCopyTo() const {
    for (const parse::Option& option : copy_.options) {
        const std::string_view name = option.name;
        if (name == "parquet" || name == "gzip" || name == "zstd")
            fail(option, sqlstate::kFeatureNotSupported,
                 "COPY TO STDOUT writes text, CSV or binary", "Leave out PARQUET, GZIP and ZSTD.");
        if (name.starts_with("force_n"))
            fail(option, sqlstate::kFeatureNotSupported,
                 fmt::format("COPY {} is for COPY FROM only", name), "Leave it out.");
        if (std::ranges::find(kOfCopyTo, name) == std::end(kOfCopyTo))
            fail(option, sqlstate::kSyntaxError, fmt::format("{} is no option of COPY TO", name),
                 "It takes FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE, FORCE_QUOTE and "
                 "ENCODING.");
        const bool of_csv = name == "quote" || name == "escape" || name == "force_quote";
        if (of_csv && options_.text.layout != storage::TextLayout::kCsv)
            fail(option, sqlstate::kFeatureNotSupported,
                 fmt::format("COPY {} is available in CSV only", name), "Add FORMAT CSV.");
        if (options_.layout == CopyLayout::kBinary &&
            (name == "delimiter" || name == "null" || (name == "header" && options_.header)))
            fail(option, name == "header" ? sqlstate::kFeatureNotSupported : sqlstate::kSyntaxError,
                 fmt::format("cannot specify {} in binary format", name), "Leave it out.");
        if (name == "escape" && option.argument == parse::OptionArgument::kNone)
            fail(option, sqlstate::kSyntaxError, "escape requires a parameter",
                 "Write ESCAPE '\"'.");
        if (name == "header" && option.text == "match")
            fail(option, sqlstate::kFeatureNotSupported, "HEADER match is for COPY FROM only",
                 "Write HEADER true.");
    }
    const storage::TextFormat& text = options_.text;
    if (options_.layout != CopyLayout::kText) return;
    const auto refuse = [&](std::string_view option, std::string_view state, std::string message,
                            std::string hint) {
        if (const parse::Option* found = find(option))
            fail(*found, state, std::move(message), std::move(hint));
    };
    if (text.null_text.find_first_of("\r\n") != std::string::npos)
        refuse("null", sqlstate::kInvalidParameterValue,
               "the null text cannot have a newline or carriage return", "Use another text.");
    const std::string hint = "Use another DELIMITER, QUOTE or NULL.";
    if (text.null_text.find(text.delimiter) != std::string::npos)
        refuse(find("null") != nullptr ? "null" : "delimiter", sqlstate::kFeatureNotSupported,
               "the delimiter must not appear in the null text", hint);
    if (text.layout == storage::TextLayout::kCsv) {
        if (text.null_text.find(text.quote) != std::string::npos)
            refuse(find("null") != nullptr ? "null" : "quote", sqlstate::kFeatureNotSupported,
                   "the quote must not appear in the null text", hint);
        return;
    }
    const char delimiter = text.delimiter;
    if (delimiter == '.' || (delimiter >= 'a' && delimiter <= 'z') ||
        (delimiter >= '0' && delimiter <= '9'))
        refuse("delimiter", sqlstate::kInvalidParameterValue,
               fmt::format("COPY delimiter cannot be \"{}\"", delimiter),
               "A letter or digit could not be told from the data's escapes; use another one.");
}

/// One byte, or an escape for one: \t, \n, \\, \017.
char OptionReader::character(const parse::Option& option) const {
    const std::string_view text = option.text;
    if (text.size() == 1) return text[0];
    if (text == "\\t") return '\t';
    if (text == "\\\\") return '\\';
    if (text.size() >= 2 && text.size() <= 4 && text[0] == '\\') {
        u32 value = 0;
        bool octal = true;
        for (char c : text.substr(1)) {
            octal = octal && c >= '0' && c <= '7';
            value = value * 8 + u32(c - '0');
        }
        if (octal && value < 128) return char(value);
    }
    const bool unsupported = !redshift_ || (text.size() > 1 && (text[0] & 0x80) != 0);
    fail(option, unsupported ? sqlstate::kFeatureNotSupported : sqlstate::kInvalidParameterValue,
         fmt::format("{} must be a single one-byte character", option.name),
         "Write the character itself, \\t, or an octal code such as \\017.");
}

bool OptionReader::truth(const parse::Option& option) const {
    if (option.argument == parse::OptionArgument::kNone) return true;
    std::string_view word = option.text;
    if (word == "true" || word == "on" || word == "1" || word == "match") return true;
    if (word == "false" || word == "off" || word == "0") return false;
    fail(option, sqlstate::kSyntaxError, fmt::format("{} requires a Boolean value", option.name),
         "Write true or false.");
}

u64 OptionReader::number(const parse::Option& option, i64 limit) const {
    if (option.argument != parse::OptionArgument::kInteger || option.integer < 0 ||
        option.integer > limit)
        fail(option, sqlstate::kInvalidParameterValue,
             fmt::format("{} takes a number from 0 to {}", option.name, limit), "Mend the number.");
    return u64(option.integer);
}

} // namespace

CopyOptions readCopyOptions(const parse::Copy& copy, std::string_view text) {
    return OptionReader(copy, text).read();
}

} // namespace blueshift::engine
