// copy_fuzz.cpp: any bytes as the text that COPY loads, in every layout.
//
// Proves that no bytes crash the splitting and converting of records, and that chunks of any size
// and vectors of seven rows give the same rows and the same errors as one large chunk. The first
// byte of the input chooses the layout. Build and run: `fuzz_copy` of the sanitized tree,
// test/fuzz/run.py.
#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "unit/storage_ingest/rows_of.h"

namespace {

using namespace blueshift;
using namespace blueshift::storage;

TextFormat formatOf(u8 choice) {
    TextFormat format;
    switch (choice % 6) {
    case 0: break;
    case 1: format.escapes = format.remove_quotes = true; break;
    case 2: format = csvFormat(); break;
    case 3:
        format = postgresFormat(TextLayout::kCsv);
        format.escape = '\\';
        break;
    case 4: format = postgresFormat(TextLayout::kCsv); break;
    default: format = postgresFormat(TextLayout::kText);
    }
    if (choice & 64) format.fill_record = format.blanks_as_null = format.truncate_columns = true;
    if (choice & 128) format.replace_invalid = '?';
    return format;
}

/// Errors in the order of the input: chunks report theirs in the order of their columns.
std::vector<std::tuple<u64, u64, std::string, std::string>> errorsOf(const Loaded& loaded) {
    std::vector<std::tuple<u64, u64, std::string, std::string>> errors;
    for (const RowError& error : loaded.errors)
        errors.emplace_back(error.line, error.offset, error.column, error.reason);
    std::ranges::sort(errors);
    return errors;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const TextFormat format = formatOf(data[0]);
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::vector<TargetField> fields = {
        {"n", SqlType::integer()},         {"d", SqlType::decimal(10, 2)},
        {"t", SqlType::varchar(12), true}, {"day", SqlType::date()},
        {"seen", SqlType::timestampTz()},  {"f", SqlType::doublePrecision()},
        {"b", SqlType::boolean()}};
    const std::span<const TargetField> all(fields);
    for (const size_t columns : {size_t{1}, fields.size()}) {
        // One column of text, or one of every type.
        const std::vector<TargetField> used(columns == 1 ? all.subspan(2, 1).begin() : all.begin(),
                                            columns == 1 ? all.subspan(2, 1).end() : all.end());
        const Loaded whole = loadText(text, format, used);
        const Loaded parts = loadText(text, format, used, 1 + data[0] / 6, 7);
        if (whole.broken || parts.broken) continue;
        if (whole.rows == parts.rows && errorsOf(whole) == errorsOf(parts)) continue;
        std::fprintf(stderr, "%zu rows and %zu errors at once, %zu rows and %zu errors in parts\n",
                     whole.rows.size(), whole.errors.size(), parts.rows.size(),
                     parts.errors.size());
        std::abort();
    }
    return 0;
}
