// Inline rows, NOT NULL, width classes, statistics, metadata answers.
#include "scan_fixture.h"

using namespace blueshift;
using namespace blueshift::storage;

TEST_CASE("inline rows survive encoding, and damage is noticed") {
    TestTable test(31);
    test.insert(150);
    const auto memory = test.table->segments->front().segment->memory;
    REQUIRE(memory != nullptr);
    const std::vector<u8> bytes = memory->encode();
    const auto decoded = MemorySegment::decode(bytes);
    REQUIRE(decoded.has_value());
    CHECK((*decoded)->encode() == bytes);
    REQUIRE((*decoded)->rows() == 150);
    for (const MemorySegment::Column& column : (*decoded)->columns()) {
        const Vector vector = (*decoded)->slice(column, 0);
        for (u32 row = 0; row < 150; ++row)
            REQUIRE(TestTable::cellAt(vector, row).same(test.reference[row][column.column_id - 1]));
    }
    for (size_t at = 0; at < bytes.size(); ++at) {
        std::vector<u8> damaged = bytes;
        damaged[at] ^= u8(1 + test.random() % 255);
        const auto result = MemorySegment::decode(damaged);
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().sqlstate == sqlstate::kDataCorrupted);
    }
    for (size_t size = 0; size < bytes.size(); ++size)
        REQUIRE_FALSE(MemorySegment::decode(std::span(bytes).first(size)).has_value());
}

TEST_CASE("hostile inline rows with a right checksum do not crash") {
    TestTable test(32);
    test.insert(40);
    const std::vector<u8> bytes = test.table->segments->front().segment->memory->encode();
    u32 refused = 0;
    for (u32 round = 0; round < 20000; ++round) {
        std::vector<u8> hostile = bytes;
        for (u32 k = 0; k < 1 + test.random() % 3; ++k)
            hostile[test.random() % hostile.size()] = u8(test.random());
        const u32 sum =
            crc32c(hostile.data() + 20, hostile.size() - 20, crc32c(hostile.data(), 16));
        std::memcpy(hostile.data() + 16, &sum, 4);
        const auto result = MemorySegment::decode(hostile);
        refused += !result;
        if (!result) REQUIRE(result.error().sqlstate == sqlstate::kDataCorrupted);
    }
    CHECK(refused > 100);
}

TEST_CASE("an empty writer gives no segment") {
    TestTable test(33);
    TableWriter writer(test.store, test.table, [] { return std::string("never"); });
    const auto output = writer.finish();
    REQUIRE(output.has_value());
    CHECK(output->segments.empty());
    CHECK(output->rows == 0);
    CHECK(test.store.objects.empty());
}

TEST_CASE("NOT NULL names the column; a value too wide for its type is refused") {
    TestTable test(34);
    std::vector<VectorBuffer> buffers(kTestColumns);
    std::vector<Vector> vectors;
    for (u32 c = 0; c < kTestColumns; ++c) {
        const PhysicalKind natural = naturalKind(test.table->columns[c].type);
        buffers[c].reset(isIntegerKind(natural) ? PhysicalKind::kI64 : natural);
        buffers[c].setAllNull();
        std::memset(buffers[c].data(), 0, widthOf(natural));
        vectors.push_back(buffers[c].view(true));
    }
    TableWriter writer(test.store, test.table, [] { return std::string("k"); });
    const Batch batch{.rows = 1, .selected = 1, .columns = vectors};
    const Status refused = writer.append(batch);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().sqlstate == sqlstate::kNotNullViolation);
    CHECK(refused.error().message.find("\"c1\"") != std::string::npos);

    vectors[0].validity = nullptr;
    REQUIRE(writer.append(batch).has_value());
    vectors[kFixed - 1].validity = nullptr;
    buffers[kFixed - 1].values<i64>()[0] = 40000;
    const Status wide = writer.append(batch);
    REQUIRE_FALSE(wide.has_value());
    CHECK(wide.error().sqlstate == sqlstate::kNumericValueOutOfRange);
}

TEST_CASE("vectors of every form and a selection are appended alike") {
    auto table = std::make_shared<catalog::Table>();
    for (u32 c = 1; c <= 3; ++c) {
        catalog::Column column;
        column.id = c;
        column.name = "c" + std::to_string(c);
        column.type = c == 3 ? SqlType::varchar(100) : SqlType::integer();
        column.width_class = c == 3 ? 16 : 4;
        table->columns.push_back(column);
    }
    table->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>();
    MemoryStore store;
    TableWriter writer(store, table, [] { return std::string("k"); });
    const i16 flat[5] = {1, 2, 3, 4, 5};
    const i64 constant = 77;
    const std::string long_text = "a text longer than twelve bytes";
    const TextView entries[2] = {makeTextView("tiny"), makeTextView(long_text)};
    const u8 codes[5] = {0, 1, 0, 1, 1};
    const u64 validity = 0b11101;
    std::vector<Vector> vectors = {
        {.kind = PhysicalKind::kI16, .data = flat, .validity = &validity},
        {.kind = PhysicalKind::kI64, .form = VectorForm::kConstant, .data = &constant},
        {.kind = PhysicalKind::kText,
         .form = VectorForm::kDictionary,
         .code_width = 1,
         .dictionary_size = 2,
         .data = entries,
         .codes = codes}};
    const u16 selection[3] = {1, 3, 4};
    REQUIRE(writer.append({.rows = 5, .selected = 3, .selection = selection, .columns = vectors}));
    const u64 null_bit = 0;
    for (Vector& vector : vectors)
        vector = {.kind = PhysicalKind::kI8,
                  .form = VectorForm::kConstant,
                  .data = flat,
                  .validity = &null_bit};
    REQUIRE(writer.append({.rows = 2, .selected = 2, .columns = vectors}));
    const auto output = writer.finish();
    REQUIRE(output.has_value());
    REQUIRE(output->segments.size() == 1);
    const MemorySegment& memory = *output->segments[0]->memory;
    REQUIRE(memory.rows() == 5);
    const Vector first = memory.slice(memory.columns()[0], 0);
    CHECK(first.isNull(0));
    CHECK(int(first.integerAt(1)) == 4);
    CHECK(int(first.integerAt(2)) == 5);
    CHECK(first.isNull(3));
    CHECK(first.kind == PhysicalKind::kI8);
    CHECK(int(memory.slice(memory.columns()[1], 0).integerAt(2)) == 77);
    const Vector third = memory.slice(memory.columns()[2], 0);
    CHECK(asStringView(third.valueAt<TextView>(0)) == long_text);
    CHECK(third.isNull(4));
}

TEST_CASE("width classes, ranges and metadata answers") {
    TestTable test(35);
    test.insert(100000);
    test.insert(100);
    const auto width = [&](u32 id) { return int(test.table->findColumn(id)->width_class); };
    CHECK(width(kNumber) == 4);
    CHECK(width(kRandom) == 2);
    CHECK(width(kWide) == 16);
    CHECK(width(kFixed) == 1);
    u64 nulls = 0;
    i128 min = 1000, max = -1000;
    for (const auto& row : test.reference) {
        const Cell& cell = row[kRandom - 1];
        nulls += cell.is_null;
        if (cell.is_null) continue;
        min = std::min(min, cell.integer);
        max = std::max(max, cell.integer);
    }
    const MetadataAnswer answer = metadataAnswer(*test.table, kRandom);
    CHECK(answer.exact);
    CHECK(answer.rows == 100100);
    CHECK(answer.nulls == nulls);
    CHECK(bool(answer.min == min));
    CHECK(bool(answer.max == max));
}

TEST_CASE("statistics learn of columns that were added since") {
    TestTable test(37);
    test.insert(5000);
    auto altered = std::make_shared<catalog::Table>(*test.table);
    for (const u32 id : {50u, 51u}) {
        catalog::Column column;
        column.id = id;
        column.name = "later" + std::to_string(id);
        column.type = id == 50 ? SqlType::integer() : SqlType::varchar(20);
        if (id == 50)
            column.backfill = std::make_shared<const catalog::BackfillValue>(
                catalog::BackfillValue{.integer = 7});
        altered->columns.push_back(column);
    }
    const auto statistics = withAddedColumns(test.table->statistics, *altered);
    REQUIRE(statistics != nullptr);
    CHECK(statistics->rows == 5000);
    const catalog::ColumnStatistics* seven = statistics->find(50);
    REQUIRE(seven != nullptr);
    CHECK(seven->distinct == 1);
    CHECK(seven->null_fraction == 0);
    CHECK(seven->has_range);
    CHECK(bool(seven->min == 7));
    CHECK(bool(seven->max == 7));
    CHECK(statistics->find(51)->null_fraction == 1);
    REQUIRE(statistics->sample->rows() == 2048);
    const Vector sevens = statistics->sample->slice(*statistics->sample->find(50), 0);
    const Vector nulls = statistics->sample->slice(*statistics->sample->find(51), 0);
    for (u32 row = 0; row < 2048; ++row) {
        REQUIRE(sevens.integerAt(row) == 7);
        REQUIRE(nulls.isNull(row));
    }
    CHECK(withAddedColumns(statistics, *altered) == statistics);
    CHECK(withAddedColumns(nullptr, *altered) == nullptr);
    const auto merged = mergeStatistics(statistics.get(), *statistics, 1);
    CHECK(merged->find(50)->distinct == doctest::Approx(1).epsilon(0.01));
    const Vector again = merged->sample->slice(*merged->sample->find(50), 0);
    for (u32 row = 0; row < 2048; ++row) REQUIRE(again.integerAt(row) == 7);
}

TEST_CASE("statistics of loads and of ANALYZE") {
    TestTable test(36);
    test.insert(50000);
    test.insert(50000);
    const auto analyzed = analyzeTable(test.store, test.cache, test.table, {});
    REQUIRE(analyzed.has_value());
    for (const catalog::TableStatistics* statistics :
         {test.table->statistics.get(),
          static_cast<const catalog::TableStatistics*>(analyzed->get())}) {
        CHECK(statistics->rows == 100000);
        const auto near = [&](u32 id, f64 truth) {
            const f64 distinct = statistics->find(id)->distinct;
            CHECK(distinct > truth * 0.9);
            CHECK(distinct < truth * 1.1);
        };
        near(kNumber, 100000);
        near(kRandom, 2001);
        near(kSorted, 2500);
        near(kMode, 12);
        near(kFixed, 1);
        CHECK(statistics->find(kRandom)->null_fraction == doctest::Approx(0.1).epsilon(0.1));
        CHECK(statistics->find(kMode)->average_bytes == doctest::Approx(6));
        CHECK(bool(statistics->find(kNumber)->max == 99999));
        REQUIRE(statistics->sample != nullptr);
        REQUIRE(statistics->sample->rows() == 2048);
        f64 sum = 0;
        const Vector numbers = statistics->sample->slice(*statistics->sample->find(kNumber), 0);
        std::set<i64> different;
        for (u32 i = 0; i < 2048; ++i) {
            sum += f64(numbers.integerAt(i));
            different.insert(i64(numbers.integerAt(i)));
        }
        CHECK(different.size() == 2048); // without replacement
        CHECK(sum / 2048 == doctest::Approx(50000).epsilon(0.1));
    }
    const auto stopped =
        analyzeTable(test.store, test.cache, test.table, [] { return canceledError(true); });
    REQUIRE_FALSE(stopped.has_value());
    CHECK(stopped.error().message == "canceling statement due to statement timeout");
}

TEST_CASE("HyperLogLog estimates within five percent over six orders of magnitude") {
    for (const u64 truth : {1u, 10u, 1000u, 10000u, 1000000u}) {
        HyperLogLog sketch, half, other_half;
        for (u64 i = 0; i < truth; ++i) {
            const u64 hash = kernels::hashInteger(kernels::i64(i * 7));
            sketch.add(hash);
            (i % 2 == 0 ? half : other_half).add(hash);
        }
        half.merge(other_half.registers());
        CHECK(half.registers() == sketch.registers());
        CHECK(sketch.estimate() == doctest::Approx(f64(truth)).epsilon(0.05));
    }
}

TEST_CASE("more rows than a segment holds become several segments") {
    auto table = std::make_shared<catalog::Table>();
    catalog::Column column;
    column.id = 1;
    column.name = "n";
    column.type = SqlType::bigInt();
    table->columns.push_back(column);
    table->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>();
    MemoryStore store;
    u32 keys = 0;
    TableWriter writer(store, table, [&] { return "k" + std::to_string(++keys); });
    i64 next = 0;
    VectorBuffer buffer(PhysicalKind::kI64);
    const u32 total = kSegmentRows * 2 + 5;
    while (u32(next) < total) {
        const u32 rows = std::min<u32>(1000, total - u32(next));
        for (u32 i = 0; i < rows; ++i) buffer.values<i64>()[i] = next++;
        Vector vector = buffer.view(false);
        REQUIRE(writer.append({.rows = rows, .selected = rows, .columns = {&vector, 1}}));
        REQUIRE(writer.bufferedBytes() <= u64(kSegmentRows) * 8);
    }
    const auto output = writer.finish();
    REQUIRE(output.has_value());
    CHECK(output->rows == total);
    CHECK(output->segments.size() == 3);
    u64 rows = 0, bytes = 0;
    for (const auto& segment : output->segments) {
        CHECK(segment->rows <= kSegmentRows);
        rows += segment->rows;
        bytes += segment->object_bytes;
    }
    CHECK(rows == total);
    CHECK(bytes < total); // ascending numbers pack to almost nothing
}
