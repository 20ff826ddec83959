// Every encoding gives back what it was given, and the range it states is right.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

#include "storage/encoding/bit_packing.h"
#include "storage/encoding/block_encoding.h"
#include "types/text_view.h"

using namespace blueshift;
using namespace blueshift::storage;
using catalog::ColumnEncoding;

namespace {

constexpr ColumnEncoding kHints[] = {
    ColumnEncoding::kAuto,      ColumnEncoding::kRaw,     ColumnEncoding::kAz64,
    ColumnEncoding::kByteDict,  ColumnEncoding::kDelta,   ColumnEncoding::kDelta32k,
    ColumnEncoding::kLzo,       ColumnEncoding::kMostly8, ColumnEncoding::kMostly32,
    ColumnEncoding::kRunLength, ColumnEncoding::kText255, ColumnEncoding::kText32k,
    ColumnEncoding::kZstd,
};

std::vector<u64> makeValidity(u32 rows, u32 null_percent, std::mt19937_64& random, u32& nulls) {
    std::vector<u64> bits((rows + 63) / 64);
    nulls = 0;
    for (u32 i = 0; i < rows; ++i) {
        if (random() % 100 < null_percent) ++nulls;
        else setBit(bits.data(), i);
    }
    return bits;
}

i128 integerOf(const Vector& block, u32 row) {
    return block.integerAt(row);
}

/// Encodes and decodes integers under one hint and checks every row, the range and the kind.
std::set<BlockEncoding> checkIntegers(const std::vector<i128>& values, u32 null_percent,
                                      bool wide) {
    std::set<BlockEncoding> used;
    std::mt19937_64 random(values.size() * 31 + null_percent);
    const u32 rows = u32(values.size());
    for (const ColumnEncoding hint : kHints) {
        u32 nulls;
        const std::vector<u64> validity = makeValidity(rows, null_percent, random, nulls);
        const BlockValues about{
            .validity = nulls > 0 ? validity.data() : nullptr, .null_count = nulls, .hint = hint};
        std::vector<u8> bytes(13); // blocks may start anywhere
        BlockSummary summary;
        if (wide) {
            std::vector<i128> copy = values;
            summary = encodeWideIntegers(copy, about, bytes);
        } else {
            std::vector<i64> copy(values.begin(), values.end());
            summary = encodeIntegers(copy, about, bytes);
        }
        used.insert(summary.encoding);
        REQUIRE(bytes.size() == 13 + summary.bytes);
        const auto decoded = decodeBlock(std::span(bytes).subspan(13), {"object", 1, 2});
        REQUIRE(decoded.has_value());
        const Vector block = (*decoded)->view();
        CHECK(block.kind == summary.kind);
        i128 min = 0, max = 0;
        bool first = true;
        for (u32 i = 0; i < rows; ++i) {
            const bool is_null = nulls > 0 && !bitAt(validity.data(), i);
            const bool decoded_null = block.validity != nullptr && !bitAt(block.validity, i);
            REQUIRE(is_null == decoded_null);
            if (is_null) continue;
            REQUIRE(bool(integerOf(block, i) == values[i]));
            min = first ? values[i] : std::min(min, values[i]);
            max = first ? values[i] : std::max(max, values[i]);
            first = false;
        }
        CHECK(summary.range.null_count == nulls);
        CHECK(summary.range.has_range == !first);
        if (!first) {
            CHECK(bool(summary.range.min == min));
            CHECK(bool(summary.range.max == max));
            CHECK(block.kind == narrowestKind(min, max));
        }
    }
    return used;
}

} // namespace

TEST_CASE("bit packing gives back every width") {
    std::mt19937_64 random(1);
    for (u32 width = 0; width <= 64; ++width) {
        if (!isPackedWidth(width)) continue;
        for (const u32 rows : {0u, 1u, 7u, 63u, 64u, 65u, 512u, 1000u, 1024u, 1543u}) {
            std::vector<u64> values(rows);
            for (u64& v : values) v = width == 0 ? 0 : random() >> (64 - width);
            std::vector<u8> bytes;
            packBits(values, width, bytes);
            REQUIRE(bytes.size() == packedBytes(rows, width));
            std::vector<u64> back(rows, 99);
            const std::vector<u8> exact(bytes.begin(), bytes.end()); // reads past it are seen
            unpackBits(exact, rows, width, [&](u32 i, u64 v) { back[i] = v; });
            REQUIRE(back == values);
        }
    }
}

TEST_CASE("integer blocks of many shapes") {
    std::mt19937_64 random(2);
    std::set<BlockEncoding> used;
    const i64 low = std::numeric_limits<i64>::min(), high = std::numeric_limits<i64>::max();
    for (const u32 rows : {1u, 2u, 63u, 64u, 1025u, 65536u}) {
        std::vector<std::vector<i128>> shapes(10);
        for (u32 i = 0; i < rows; ++i) {
            shapes[0].push_back(42);
            shapes[1].push_back(i64(random() % 100) - 50);
            shapes[2].push_back(1000000 + i * 3);
            shapes[3].push_back(i64(random()));
            shapes[4].push_back(i % 2 == 0 ? low : high);
            shapes[5].push_back(i / 500 * 7919 % 1000003);
            shapes[6].push_back(i64(random() % 5) * 1000000007ll);
            shapes[7].push_back(i == rows / 2 ? high : 3);
            shapes[8].push_back(i128(i) * i);
            shapes[9].push_back(i % 3 == 0 ? -128 : 127);
        }
        for (const auto& shape : shapes)
            for (const u32 null_percent : {0u, 10u, 100u})
                used.merge(checkIntegers(shape, null_percent, false));
    }
    // The test would be hollow if the shapes did not reach every encoding.
    CHECK(used.size() == 6);
}

TEST_CASE("16-byte integers") {
    std::mt19937_64 random(3);
    const i128 huge = i128(1) << 100;
    for (const u32 rows : {1u, 100u, 5000u}) {
        std::vector<i128> near, far, small, extremes;
        for (u32 i = 0; i < rows; ++i) {
            near.push_back(huge + i128(random() % 1000));
            far.push_back(i128(random()) * i128(random() >> 1) - huge);
            small.push_back(i128(random() % 77));
            extremes.push_back(i % 2 == 0 ? i128(u128{1} << 127) : ~i128(u128{1} << 127));
        }
        for (const auto& values : {near, far, small, extremes})
            for (const u32 null_percent : {0u, 50u, 100u})
                checkIntegers(values, null_percent, true);
    }
}

TEST_CASE("float blocks keep every bit") {
    std::mt19937_64 random(4);
    const f64 specials[] = {0.0,
                            -0.0,
                            1.5,
                            -1e300,
                            std::numeric_limits<f64>::infinity(),
                            -std::numeric_limits<f64>::infinity(),
                            std::numeric_limits<f64>::quiet_NaN(),
                            std::numeric_limits<f64>::denorm_min()};
    for (const u32 rows : {1u, 9u, 3000u, 65536u}) {
        for (u32 shape = 0; shape < 4; ++shape) {
            std::vector<f64> values(rows);
            for (u32 i = 0; i < rows; ++i)
                values[i] = shape == 0   ? specials[random() % 8]
                            : shape == 1 ? f64(random() % 10000) / 100
                            : shape == 2 ? f64(random())
                                         : 7.25;
            for (const ColumnEncoding hint : kHints) {
                std::vector<f64> copy = values;
                std::vector<u8> bytes;
                const BlockSummary summary = encodeFloats(copy, {.hint = hint}, bytes);
                const auto decoded = decodeBlock(bytes, {"object", 1, 0});
                REQUIRE(decoded.has_value());
                const Vector block = (*decoded)->view();
                bool has_nan = false;
                for (u32 i = 0; i < rows; ++i) {
                    const f64 back = block.valueAt<f64>(i);
                    REQUIRE(std::memcmp(&back, &values[i], 8) == 0);
                    has_nan |= values[i] != values[i];
                    if (summary.range.has_range)
                        REQUIRE(
                            (summary.range.min_float <= back && back <= summary.range.max_float));
                }
                CHECK(summary.range.has_range == !has_nan);
            }
        }
    }
    std::vector<f32> singles = {1.5f, -2.25f, 3e38f};
    std::vector<u8> bytes;
    encodeFloats(singles, {}, bytes);
    const auto decoded = decodeBlock(bytes, {"object", 1, 0});
    REQUIRE(decoded.has_value());
    CHECK((*decoded)->view().valueAt<f32>(2) == 3e38f);
}

TEST_CASE("text blocks of many shapes") {
    std::mt19937_64 random(5);
    std::set<BlockEncoding> used;
    bool compressed = false;
    for (const u32 rows : {1u, 64u, 3000u, 65536u}) {
        for (u32 shape = 0; shape < 7; ++shape) {
            std::vector<std::string> texts(rows);
            for (u32 i = 0; i < rows; ++i) {
                if (shape == 0) texts[i] = "same everywhere, and longer than inline";
                else if (shape == 1) texts[i] = std::string("mode") + char('A' + random() % 7);
                else if (shape == 2)
                    texts[i] = "customer comment number " + std::to_string(random());
                else if (shape == 3)
                    for (u32 k = 0; k < random() % 20; ++k) texts[i].push_back(char(random()));
                else if (shape == 4)
                    texts[i] = std::string(random() % 3, ' ') + (i % 2 ? "x  " : "x");
                else if (shape == 5) texts[i] = "k" + std::to_string(random() % 1000);
                else texts[i] = i % 1000 == 0 ? std::string(5000 + i % 60000, char(i)) : "";
            }
            for (const u32 null_percent : {0u, 30u, 100u}) {
                for (const ColumnEncoding hint : kHints) {
                    u32 nulls;
                    const auto validity = makeValidity(rows, null_percent, random, nulls);
                    std::vector<TextView> views;
                    for (const std::string& text : texts) views.push_back(makeTextView(text));
                    std::vector<u8> bytes;
                    const BlockSummary summary =
                        encodeTexts(views,
                                    {.validity = nulls > 0 ? validity.data() : nullptr,
                                     .null_count = nulls,
                                     .hint = hint},
                                    bytes);
                    used.insert(summary.encoding);
                    compressed |= summary.compressed;
                    const auto decoded = decodeBlock(bytes, {"object", 1, 0});
                    REQUIRE(decoded.has_value());
                    const Vector block = (*decoded)->view();
                    for (u32 i = 0; i < rows; ++i) {
                        const bool is_null = nulls > 0 && !bitAt(validity.data(), i);
                        REQUIRE(is_null ==
                                (block.validity != nullptr && !bitAt(block.validity, i)));
                        if (is_null) continue;
                        const TextView back = block.valueAt<TextView>(i);
                        REQUIRE(asStringView(back) == texts[i]);
                        REQUIRE(kernels::compareText(makeTextView(summary.range.min_text), back) <=
                                0);
                        if (!summary.range.max_text_unbounded)
                            REQUIRE(kernels::compareText(
                                        back, makeTextView(summary.range.max_text)) <= 0);
                    }
                    if (block.form == VectorForm::kDictionary)
                        for (u32 e = 1; e < block.dictionary_size; ++e)
                            REQUIRE(kernels::compareText(block.values<TextView>()[e - 1],
                                                         block.values<TextView>()[e]) <= 0);
                }
            }
        }
    }
    CHECK(used ==
          std::set{BlockEncoding::kConstant, BlockEncoding::kRaw, BlockEncoding::kDictionary});
    CHECK(compressed);
}

TEST_CASE("upper text bounds stay above in comparison form") {
    std::string bound;
    CHECK(upperTextBound("short  ", bound));
    CHECK(bound == "short");
    const std::string before_blank = std::string(31, 'a') + '\x1F' + "zzz";
    CHECK(upperTextBound(before_blank, bound));
    CHECK(kernels::compareText(makeTextView(before_blank), makeTextView(bound)) < 0);
    CHECK_FALSE(upperTextBound(std::string(40, '\xFF'), bound));
}

TEST_CASE("every damaged byte of a block is noticed") {
    std::mt19937_64 random(6);
    std::vector<i64> values(700);
    for (i64& v : values) v = i64(random() % 1000);
    std::vector<u8> bytes;
    encodeIntegers(values, {}, bytes);
    for (size_t at = 0; at < bytes.size(); ++at) {
        std::vector<u8> damaged = bytes;
        damaged[at] ^= u8(1 + random() % 255);
        const auto decoded = decodeBlock(damaged, {"seg/1", 7, 3});
        REQUIRE_FALSE(decoded.has_value());
        CHECK(decoded.error().sqlstate == sqlstate::kDataCorrupted);
        CHECK(decoded.error().detail.find("seg/1") != std::string::npos);
    }
    for (size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decodeBlock(std::span(bytes).first(size), {"seg/1", 7, 3}).has_value());
}

TEST_CASE("hostile payloads with a right checksum end in an error or in rows, never outside") {
    std::mt19937_64 random(7);
    std::vector<std::vector<u8>> blocks;
    for (u32 shape = 0; shape < 5; ++shape) {
        std::vector<i64> values(300);
        for (u32 i = 0; i < 300; ++i)
            values[i] = shape == 0   ? i64(i) * 1000
                        : shape == 1 ? i / 50
                                     : i64(random() % 4) * 1000003;
        std::vector<TextView> views;
        for (u32 i = 0; i < 300; ++i)
            views.push_back(
                makeTextView(i % 3 == 0 ? "a text that is not inline at all" : "short"));
        std::vector<u8> bytes;
        if (shape < 3) encodeIntegers(values, {}, bytes);
        else
            encodeTexts(views, {.hint = shape == 3 ? ColumnEncoding::kAuto : ColumnEncoding::kRaw},
                        bytes);
        blocks.push_back(bytes);
    }
    u32 refused = 0;
    for (u32 round = 0; round < 20000; ++round) {
        std::vector<u8> bytes = blocks[round % blocks.size()];
        for (u32 k = 0; k < 1 + random() % 3; ++k) bytes[random() % bytes.size()] = u8(random());
        const u32 sum = crc32c(bytes.data() + 24, bytes.size() - 24, crc32c(bytes.data(), 20));
        std::memcpy(bytes.data() + 20, &sum, 4);
        const auto decoded = decodeBlock(bytes, {"seg/1", 7, 3});
        if (!decoded) {
            ++refused;
            REQUIRE(decoded.error().sqlstate == sqlstate::kDataCorrupted);
        } else if ((*decoded)->kind == PhysicalKind::kText) {
            u64 total = 0;
            const Vector block = (*decoded)->view();
            for (u32 i = 0; i < (*decoded)->rows; ++i)
                for (const char c : asStringView(block.valueAt<TextView>(i))) total += u8(c);
            CHECK(total < u64{1} << 40);
        }
    }
    CHECK(refused > 1000);
}
