// Footers: what is written is read back; any bytes whatever are refused or make a sound footer.
#include "storage/segment_footer.h"

#include "scan_fixture.h"
#include "storage/write/segment_encoder.h"

using namespace blueshift;
using namespace blueshift::storage;

namespace {

/// The object of the table's first segment.
std::vector<u8>& objectOf(TestTable& test) {
    return test.store.objects.at(test.table->segments->front().segment->object_key);
}

SegmentFooter footerOf(TestTable& test) {
    const std::string& key = test.table->segments->front().segment->object_key;
    auto file = openSegment(test.store, key, {});
    REQUIRE(file.has_value());
    return (*file)->footer;
}

u32 footerBytes(std::span<const u8> object) {
    u32 bytes = 0;
    std::memcpy(&bytes, object.data() + object.size() - kTrailerBytes + 4, 4);
    return bytes;
}

/// Makes the checksums of footer and trailer right again.
void seal(std::vector<u8>& object) {
    u8* trailer = object.data() + object.size() - kTrailerBytes;
    const u32 bytes = footerBytes(object);
    const u32 footer_sum = crc32c(trailer - bytes, bytes);
    std::memcpy(trailer + 8, &footer_sum, 4);
    const u32 trailer_sum = crc32c(trailer, 20);
    std::memcpy(trailer + 20, &trailer_sum, 4);
}

void checkSame(const BlockEntry& a, const BlockEntry& b) {
    CHECK(a.offset == b.offset);
    CHECK(a.bytes == b.bytes);
    CHECK(a.rows == b.rows);
    CHECK(a.kind == b.kind);
    CHECK(a.encoding == b.encoding);
    CHECK(a.distinct == b.distinct);
    CHECK((a.sum == b.sum));
    CHECK(a.range.null_count == b.range.null_count);
    CHECK(a.range.has_range == b.range.has_range);
    CHECK((a.range.min == b.range.min));
    CHECK((a.range.max == b.range.max));
    CHECK(a.range.min_float == b.range.min_float);
    CHECK(a.range.max_float == b.range.max_float);
    CHECK(a.range.min_text == b.range.min_text);
    CHECK(a.range.max_text == b.range.max_text);
    CHECK(a.range.max_text_unbounded == b.range.max_text_unbounded);
}

/// What the scan relies on without asking again.
void requireSound(const SegmentFooter& footer, u64 data_end) {
    REQUIRE(footer.rows <= kSegmentRows);
    for (const ColumnEntry& column : footer.columns) {
        REQUIRE(column.blocks.size() == (footer.rows + kBlockRows - 1) / kBlockRows);
        u64 rows = 0;
        for (const BlockEntry& block : column.blocks) {
            rows += block.rows;
            REQUIRE(block.offset + block.bytes <= data_end);
            REQUIRE(block.range.null_count <= block.rows);
            REQUIRE(block.distinct <= block.rows - block.range.null_count);
            REQUIRE((block.range.min <= block.range.max));
            REQUIRE(block.range.min_float <= block.range.max_float);
            REQUIRE(block.kind <= PhysicalKind::kText);
        }
        REQUIRE(rows == footer.rows);
        const u64 vectors = (footer.rows + kVectorRows - 1) / kVectorRows;
        REQUIRE(column.zones.width <= 8);
        REQUIRE(column.zones.offset + vectors * column.zones.width * 2 <= data_end);
    }
}

/// Reads every value that a predicate leaves, whatever it is.
std::optional<Error> readAll(TestTable& test, const ScanPredicate& predicate) {
    ScanOptions options{.predicates = {predicate}};
    for (u32 c = 1; c <= kTestColumns; ++c) options.columns.push_back(c);
    const TableScan scan(test.store, test.cache, test.table, options);
    const auto state = scan.makeState();
    u64 text_bytes = 0;
    for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
        scan.start(*state, morsel);
        Batch batch;
        while (true) {
            const Result<bool> more = scan.next(*state, batch);
            if (!more) return more.error();
            if (!*more) break;
            for (const Vector& vector : batch.columns)
                for (u32 i = 0; i < batch.selected; ++i)
                    text_bytes += TestTable::cellAt(vector, batch.rowAt(i)).text.size();
        }
    }
    REQUIRE(text_bytes < u64{1} << 30);
    return std::nullopt;
}

} // namespace

TEST_CASE("a footer survives encoding") {
    TestTable test(41);
    test.insert(140000);
    const SegmentFooter footer = footerOf(test);
    REQUIRE(footer.columns.size() == kTestColumns);
    const auto again = decodeFooter(encodeFooter(footer), objectOf(test).size());
    REQUIRE(again.has_value());
    REQUIRE(again->rows == 140000);
    REQUIRE(again->columns.size() == kTestColumns);
    for (u32 c = 0; c < kTestColumns; ++c) {
        const ColumnEntry &a = footer.columns[c], &b = again->columns[c];
        CHECK(a.column_id == b.column_id);
        CHECK(a.type == b.type);
        CHECK(a.zones.offset == b.zones.offset);
        CHECK(a.zones.width == b.zones.width);
        CHECK(a.zones.checksum == b.zones.checksum);
        REQUIRE(a.blocks.size() == b.blocks.size());
        for (size_t i = 0; i < a.blocks.size(); ++i) checkSame(a.blocks[i], b.blocks[i]);
    }
    CHECK_FALSE(decodeFooter({}, 1000).has_value());
}

TEST_CASE("blocks state exact sums of numbers and distinct counts") {
    TestTable test(42);
    test.insert(140000);
    const SegmentFooter footer = footerOf(test);
    for (u32 c = 0; c < kTestColumns; ++c) {
        const u32 id = c + 1;
        const bool summed = id == kNumber || id == kRandom || id == kWide || id == kFixed;
        for (u32 b = 0; b < footer.columns[c].blocks.size(); ++b) {
            const BlockEntry& block = footer.columns[c].blocks[b];
            i128 sum = 0;
            std::set<std::pair<i128, std::string>> integers_and_texts;
            std::set<f64> floats;
            for (u32 row = b * kBlockRows; row < b * kBlockRows + block.rows; ++row) {
                const Cell& cell = test.reference[row][c];
                if (cell.is_null) continue;
                sum += cell.integer;
                const size_t length = cell.text.find_last_not_of(' ') + 1;
                integers_and_texts.emplace(cell.integer, cell.text.substr(0, length));
                if (!std::isnan(cell.floating)) floats.insert(cell.floating);
            }
            CHECK(block.sum.has_value() == summed);
            if (summed) CHECK((block.sum == sum));
            if (id == kPrice || id == kReal) CHECK(block.distinct > f64(floats.size()) * 0.85);
            else CHECK(block.distinct > f64(integers_and_texts.size()) * 0.85);
            if (id != kPrice && id != kReal)
                CHECK(block.distinct < f64(integers_and_texts.size()) * 1.15 + 1);
        }
    }
}

TEST_CASE("a sum that does not fit 16 bytes is not stated") {
    MemoryStore store;
    auto table = std::make_shared<catalog::Table>();
    catalog::Column column;
    column.id = 1;
    column.name = "d";
    column.type = SqlType::decimal(38, 0);
    table->columns.push_back(column);
    i128 greatest = 0;
    for (u32 digit = 0; digit < 38; ++digit) greatest = greatest * 10 + 9;
    std::vector<ColumnBuffer> buffers;
    buffers.emplace_back(1, column.type);
    VectorBuffer values(PhysicalKind::kI128);
    for (u32 i = 0; i < 2; ++i) values.values<i128>()[i] = greatest;
    const Batch batch{.rows = 2, .selected = 2};
    REQUIRE(buffers[0].append(values.view(false), batch).has_value());
    StatisticsBuilder statistics(*table, 1);
    const EncodedSegment encoded =
        encodeSegment(buffers, table->liveColumns(), {}, statistics).value();
    REQUIRE(store.put("wide", encoded.object).has_value());
    const auto file = openSegment(store, "wide", {});
    REQUIRE(file.has_value());
    const BlockEntry& block = (*file)->footer.columns[0].blocks[0];
    CHECK_FALSE(block.sum.has_value());
    CHECK((block.range.max == greatest));
    CHECK(block.distinct == 1);
}

TEST_CASE("hostile footers are refused or sound") {
    TestTable test(43);
    test.insert(140000);
    const u64 data_end = objectOf(test).size();
    const std::vector<u8> bytes = encodeFooter(footerOf(test));
    const u32 words = u32(bytes.size() / 4);
    u32 refused = 0, taken = 0;
    for (u32 round = 0; round < 60000; ++round) {
        std::vector<u8> hostile = bytes;
        for (u32 k = 0; k < 1 + test.random() % 4; ++k) {
            const u32 choice = u32(test.random() % 4);
            u8* word = hostile.data() + test.random() % words * 4;
            u32 value = u32(test.random());
            if (choice == 0) value %= hostile.size();
            if (choice == 1) value = 0xFFFFFFFFu - value % 8;
            if (choice == 2) hostile[test.random() % hostile.size()] = u8(value);
            else std::memcpy(word, &value, 4);
        }
        if (round % 16 == 0) hostile.resize(test.random() % hostile.size());
        const auto footer = decodeFooter(hostile, data_end);
        if (footer) requireSound(*footer, data_end);
        ++(footer ? taken : refused);
    }
    CHECK(refused > 10000);
    CHECK(taken > 100); // a changed checksum or count of a block passes here, not in the scan
    for (size_t size = 0; size < bytes.size(); size += 3)
        if (const auto footer = decodeFooter(std::span(bytes).first(size), data_end))
            requireSound(*footer, data_end);
}

TEST_CASE("a hostile footer under a right checksum gives an error or rows, never a crash") {
    TestTable test(44);
    test.insert(3000);
    std::vector<u8>& object = objectOf(test);
    const std::vector<u8> whole = object;
    const u32 footer_bytes = footerBytes(object);
    const size_t footer_at = object.size() - kTrailerBytes - footer_bytes;
    u32 refused = 0;
    for (u32 round = 0; round < 3000; ++round) {
        object = whole;
        for (u32 k = 0; k < 1 + test.random() % 3; ++k)
            object[footer_at + test.random() % footer_bytes] = u8(test.random());
        seal(object);
        test.cache.clear();
        const std::optional<Error> error = readAll(test, test.randomPredicate());
        refused += error.has_value();
        if (error) CHECK(error->sqlstate == sqlstate::kDataCorrupted);
    }
    CHECK(refused > 300);
}

TEST_CASE("other versions and lengths of an object are refused by name") {
    TestTable test(45);
    test.insert(3000);
    std::vector<u8>& object = objectOf(test);
    const std::vector<u8> whole = object;
    const std::string& key = test.table->segments->front().segment->object_key;
    for (const u32 version : {1u, 99u}) {
        std::memcpy(object.data() + object.size() - kTrailerBytes, &version, 4);
        seal(object);
        const auto file = openSegment(test.store, key, {});
        REQUIRE_FALSE(file.has_value());
        CHECK(file.error().sqlstate == sqlstate::kDataCorrupted);
        CHECK(file.error().message.find("format version " + std::to_string(version)) !=
              std::string::npos);
        CHECK(file.error().detail.find(key) != std::string::npos);
    }
    object = whole;
    object.insert(object.begin() + 8, 0);
    const auto file = openSegment(test.store, key, {});
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().sqlstate == sqlstate::kDataCorrupted);
}

TEST_CASE("damaged vector zones are an error of the scan that needs them") {
    TestTable test(46);
    test.insert(70000);
    const SegmentFooter footer = footerOf(test);
    const ColumnEntry* column = footer.find(kSorted);
    REQUIRE(column->zones.width == 2);
    objectOf(test)[column->zones.offset + 5] ^= 1;
    const ScanPredicate predicate{.column_id = kSorted,
                                  .op = ScanPredicate::Op::kEqual,
                                  .values = {Value::ofInteger(500, SqlType::date())}};
    std::optional<Error> error;
    test.scan({.predicates = {predicate}}, &error);
    REQUIRE(error.has_value());
    CHECK(error->sqlstate == sqlstate::kDataCorrupted);
    CHECK(error->message.find("zones") != std::string::npos);
    error.reset();
    CHECK(test.scan({}, &error).size() == 70000);
    CHECK_FALSE(error.has_value());
}
