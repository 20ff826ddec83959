// Chunks of any size give the rows of one big chunk; hostile bytes never read out of bounds.
#include <doctest/doctest.h>

#include <random>

#include "rows_of.h"

namespace blueshift::storage {
namespace {

std::string randomText(std::mt19937& random, std::string_view alphabet, u32 length) {
    std::string text;
    for (u32 i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    return text;
}

/// Well-formed CSV of `columns`, with every awkward thing that is allowed.
std::string randomCsv(std::mt19937& random, u32 columns, u32 records) {
    std::string text;
    for (u32 r = 0; r < records; ++r) {
        for (u32 c = 0; c < columns; ++c) {
            if (c > 0) text += ',';
            if (random() % 3 == 0) {
                text += '"';
                for (char byte : randomText(random, "ab,\n\r\" ", random() % 40))
                    text += byte == '"' ? "\"\"" : std::string(1, byte);
                text += '"';
            } else {
                text += randomText(random, "abc 123", random() % 90);
            }
        }
        text += random() % 4 == 0 ? "\r\n" : "\n";
    }
    return text;
}

void sameInAnyChunks(const std::string& text, const TextFormat& format,
                     const std::vector<TargetField>& fields) {
    const Loaded whole = loadText(text, format, fields);
    for (u32 chunk : {1u, 7u, 64u, 200u, 4096u}) {
        const Loaded parts = loadText(text, format, fields, chunk, 16);
        CHECK(parts.rows == whole.rows);
        REQUIRE(parts.errors.size() == whole.errors.size());
        std::vector<std::pair<u64, u64>> a, b;
        for (const RowError& error : parts.errors) a.emplace_back(error.line, error.offset);
        for (const RowError& error : whole.errors) b.emplace_back(error.line, error.offset);
        std::ranges::sort(a);
        std::ranges::sort(b);
        CHECK(a == b);
    }
}

TEST_CASE("CSV cut anywhere gives the rows of the whole") {
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        const std::string text = randomCsv(random, 3, 40);
        const Loaded whole = loadText(text, csvFormat(), textFields(3));
        CHECK(whole.rows.size() == 40);
        sameInAnyChunks(text, csvFormat(), textFields(3));
    }
}

TEST_CASE("hostile bytes: every layout agrees with itself") {
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
        const std::string text = randomText(random, "a1|,\t\n\r\"\\N.x", 1 + random() % 300);
        TextFormat escapes;
        escapes.escapes = escapes.remove_quotes = true;
        TextFormat escaped_csv = postgresFormat(TextLayout::kCsv);
        escaped_csv.escape = '\\';
        for (const TextFormat& format :
             {TextFormat{}, escapes, csvFormat(), escaped_csv, postgresFormat(TextLayout::kText),
              postgresFormat(TextLayout::kCsv)}) {
            std::vector<TargetField> fields = textFields(2);
            fields[1].type = SqlType::decimal(10, 2);
            sameInAnyChunks(text, format, fields);
        }
    }
}

} // namespace
} // namespace blueshift::storage
