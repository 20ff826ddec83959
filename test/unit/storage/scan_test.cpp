// What a scan delivers is what was written, whatever the predicates, vectors, deletes and filters.
#include <thread>

#include "scan_fixture.h"
#include "storage/segment_format.h"

using namespace blueshift;
using namespace blueshift::storage;
using Op = ScanPredicate::Op;

namespace {

ScanPredicate compare(u32 column, Op op, Value value) {
    return {.column_id = column, .op = op, .values = {value}};
}

void deleteRows(TestTable& test, const std::map<u64, u64>& ids, const std::set<u64>& numbers) {
    auto next = std::make_shared<catalog::Table>(*test.table);
    auto segments = *test.table->segments;
    for (catalog::SegmentEntry& entry : segments) {
        auto deletes = std::make_shared<catalog::DeleteVector>();
        deletes->bits.resize((entry.segment->rows + 63) / 64);
        for (const u64 number : numbers) {
            const u64 id = ids.at(number);
            if (id >> kRowIdShift != entry.segment->id) continue;
            setBit(deletes->bits.data(), u32(id & ((1u << kRowIdShift) - 1)));
            ++deletes->deleted_rows;
        }
        if (deletes->deleted_rows > 0) entry.deletes = deletes;
    }
    next->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>(segments);
    test.table = next;
    test.deleted = numbers;
}

} // namespace

TEST_CASE("random predicates over objects and inline rows against a naive filter") {
    TestTable test(21);
    test.insert(140000);
    test.insert(300);
    CHECK(test.table->segments->front().segment->memory == nullptr);
    CHECK(test.table->segments->back().segment->memory != nullptr);
    const auto all = test.scan({});
    REQUIRE(keysOf(all) == test.expected({}));
    std::set<u64> ids;
    for (const auto& [number, id] : all) ids.insert(id);
    CHECK(ids.size() == all.size());

    std::set<u64> gone;
    for (u64 n = 0; n < test.reference.size(); n += 1 + test.random() % 37) gone.insert(n);
    for (const bool with_deletes : {false, true}) {
        if (with_deletes) deleteRows(test, all, gone);
        for (u32 round = 0; round < 60; ++round) {
            ScanOptions options;
            for (u32 p = 0; p < 1 + test.random() % 3; ++p)
                options.predicates.push_back(test.randomPredicate());
            options.vector_rows = round % 3 == 0 ? 7 : round % 3 == 1 ? 1000 : 1024;
            REQUIRE(keysOf(test.scan(options)) == test.expected(options.predicates));
        }
    }
}

TEST_CASE("a sort key orders each segment, and ranges skip blocks and vectors") {
    TestTable test(22);
    auto keyed = std::make_shared<catalog::Table>(*test.table);
    keyed->sort_key = {kSorted, kMode};
    test.table = keyed;
    // Numbers are written in a shuffled order of kSorted: rotate the counter.
    test.insert(200000);
    const ScanPredicate narrow =
        compare(kSorted, Op::kEqual, Value::ofInteger(500, SqlType::date()));
    const auto found = test.scan({.predicates = {narrow}});
    REQUIRE(keysOf(found) == test.expected({narrow}));
    CHECK(found.size() == 40);
    CHECK(test.rows_read <= 2 * kVectorRows);
    CHECK(test.blocks_skipped > 0);
    const auto nothing =
        test.scan({.predicates = {compare(kSorted, Op::kGreater,
                                          Value::ofInteger(1000000, SqlType::date()))}});
    CHECK(nothing.empty());
    CHECK(test.rows_read == 0);
}

TEST_CASE("rows are stored in the order of the sort key, NULLs last") {
    TestTable test(23);
    auto keyed = std::make_shared<catalog::Table>(*test.table);
    keyed->sort_key = {kRandom, kComment};
    test.table = keyed;
    for (const u32 rows : {100000u, 200u}) {
        const size_t before = test.table->segments->size();
        test.insert(rows);
        const TableScan scan(test.store, test.cache, test.table, {.columns = {kRandom, kComment}});
        const auto state = scan.makeState();
        std::optional<std::pair<Cell, Cell>> last;
        u32 compared = 0;
        for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
            scan.start(*state, morsel);
            if (rows == 200 && morsel + 1 < scan.morselCount()) continue;
            Batch batch;
            while (*scan.next(*state, batch))
                for (u32 i = 0; i < batch.selected; ++i) {
                    std::pair<Cell, Cell> now{TestTable::cellAt(batch.columns[0], i),
                                              TestTable::cellAt(batch.columns[1], i)};
                    if (last) {
                        const auto rank = [](const Cell& c) {
                            return std::pair(c.is_null, c.integer);
                        };
                        REQUIRE(rank(last->first) <= rank(now.first));
                        if (rank(last->first) == rank(now.first) && !last->second.is_null)
                            REQUIRE((now.second.is_null ||
                                     kernels::compareText(makeTextView(last->second.text),
                                                          makeTextView(now.second.text)) <= 0));
                        ++compared;
                    }
                    last = now;
                }
        }
        CHECK(compared == rows - 1);
        CHECK(test.table->segments->size() == before + 1);
    }
}

TEST_CASE("join filters drop only rows without a partner, and rest when they drop few") {
    TestTable test(24);
    test.insert(150000);
    test.insert(100);
    for (const u32 column :
         {u32(kRandom), u32(kSorted), u32(kMode), u32(kComment), u32(kWide), u32(kFixed)}) {
        for (const bool published : {false, true}) {
            JoinFilter filter;
            std::set<std::string> text_keys;
            std::set<i128> keys;
            filter.bloom.resize(1024);
            filter.bloom_shift = 54;
            const bool is_text = column == kMode || column == kComment;
            const auto add = [&](u64 hash) {
                filter.bloom[hash >> filter.bloom_shift] |= JoinFilter::bloomMask(hash);
            };
            for (u32 k = 0; k < 40; ++k) {
                const Cell& cell = test.reference[test.random() % 150000][column - 1];
                if (cell.is_null) continue;
                if (is_text) {
                    text_keys.insert(cell.text);
                    add(kernels::hashText(makeTextView(cell.text)));
                    continue;
                }
                keys.insert(cell.integer);
                add(kernels::hashInteger(cell.integer));
                filter.min = filter.has_range ? std::min(filter.min, cell.integer) : cell.integer;
                filter.max = filter.has_range ? std::max(filter.max, cell.integer) : cell.integer;
                filter.has_range = true;
            }
            filter.ready = published;
            const auto found =
                test.scan({.join_filters = {{.column_id = column, .filter = &filter}}});
            u64 partners = 0, kept_partners = 0;
            for (u64 n = 0; n < test.reference.size(); ++n) {
                const Cell& cell = test.reference[n][column - 1];
                const bool partner = !cell.is_null && (is_text ? text_keys.contains(cell.text)
                                                               : keys.contains(cell.integer));
                partners += partner;
                kept_partners += partner && found.contains(n);
            }
            CHECK(partners > 0);
            CHECK(kept_partners == partners);
            if (!published) CHECK(found.size() == test.reference.size());
            else if (column == kSorted) CHECK(found.size() < test.reference.size() / 2);
            CHECK(filter.rows_passed <= filter.rows_tested);
        }
    }
    JoinFilter empty;
    empty.build_empty = true;
    empty.ready = true;
    CHECK(test.scan({.join_filters = {{.column_id = kMode, .filter = &empty}}}).empty());

    JoinFilter useless;
    useless.bloom.assign(1024, ~u64{0});
    useless.bloom_shift = 54;
    useless.ready = true;
    CHECK(test.scan({.join_filters = {{.column_id = kFixed, .filter = &useless}}}).size() ==
          test.reference.size());
    CHECK(useless.rows_tested < test.reference.size());
}

TEST_CASE("a tiny cache evicts and the scan stays right; pinned blocks survive") {
    TestTable test(25);
    test.insert(140000);
    test.cache.setLimit(1000);
    REQUIRE(keysOf(test.scan({})) == test.expected({}));
    // The last morsel's blocks are no longer pinned; one more load lets the cache shrink.
    test.cache.setLimit(1000);
    CHECK(test.cache.bytes() <= 1000);
    test.cache.setLimit(256 << 20);
    REQUIRE(keysOf(test.scan({})) == test.expected({}));
    CHECK(test.cache.bytes() > 1000000);
    test.cache.clear();
    CHECK(test.cache.bytes() == 0);
}

TEST_CASE("workers that share a scan decode each block once") {
    TestTable test(26);
    test.insert(200000);
    const TableScan scan(test.store, test.cache, test.table, {.columns = {kNumber, kMode}});
    std::atomic<u64> sum{0};
    const auto work = [&] {
        const auto state = scan.makeState();
        for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
            scan.start(*state, morsel);
            Batch batch;
            while (true) {
                const Result<bool> more = scan.next(*state, batch);
                if (!more || !*more) break;
                for (u32 i = 0; i < batch.rows; ++i) sum += u64(batch.columns[0].integerAt(i));
            }
        }
    };
    std::thread other(work);
    work();
    other.join();
    CHECK(sum == 2 * (u64{200000} * 199999 / 2));
    u64 stored = 0;
    const std::string& key = test.table->segments->front().segment->object_key;
    const auto file = openSegment(test.store, key, {});
    REQUIRE(file.has_value());
    for (const u32 column : {u32(kNumber), u32(kMode)})
        for (const BlockEntry& block : (*file)->footer.find(column)->blocks) stored += block.bytes;
    CHECK(scan.counters().bytes_read == stored + (*file)->bytes_read);
}

TEST_CASE("a column that an old segment lacks is NULL there") {
    TestTable test(27);
    test.insert(70000);
    test.insert(10);
    auto altered = std::make_shared<catalog::Table>(*test.table);
    catalog::Column added;
    added.id = 50;
    added.name = "later";
    added.type = SqlType::integer();
    altered->columns.push_back(added);
    u64 nulls = 0;
    const TableScan scan(test.store, test.cache, altered,
                         {.columns = {50}, .predicates = {{.column_id = 50, .op = Op::kIsNull}}});
    const auto state = scan.makeState();
    for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
        scan.start(*state, morsel);
        Batch batch;
        while (*scan.next(*state, batch))
            for (u32 i = 0; i < batch.selected; ++i)
                nulls += batch.columns[0].isNull(batch.rowAt(i));
    }
    CHECK(nulls == 70010);
    CHECK(TableScan(test.store, test.cache, altered,
                    {.columns = {50}, .predicates = {{.column_id = 50, .op = Op::kIsNotNull}}})
              .morselCount() == 0);
}

TEST_CASE("a column that an old segment lacks has the value that it was added with") {
    TestTable test(29);
    test.insert(70000);
    test.insert(10);
    struct Added {
        SqlType type;
        catalog::BackfillValue value;
        u8 width = 16;
        Value same, less;
    };
    const std::string text = "a text of more than thirty-two bytes, cut in bounds";
    const i128 wide = (i128{1} << 100) + 7;
    const SqlType decimal = SqlType::decimal(38, 2);
    const Added cases[] = {
        {SqlType::integer(),
         {.integer = -3},
         1,
         Value::ofInteger(-3, SqlType::integer()),
         Value::ofInteger(-4, SqlType::integer())},
        {SqlType::bigInt(), {.integer = 1 << 20}, 8, Value::ofBigInt(1 << 20), Value::ofBigInt(0)},
        {decimal,
         {.integer = wide},
         16,
         Value::ofInteger(wide, decimal),
         Value::ofInteger(0, decimal)},
        {SqlType::doublePrecision(), {.floating = 2.5}, 16, Value::ofFloat(2.5), Value::ofFloat(1)},
        {SqlType::real(),
         {.floating = 0.25},
         16,
         Value::ofFloat(0.25, SqlType::real()),
         Value::ofFloat(-1, SqlType::real())},
        {SqlType::varchar(60), {.text = text}, 16, Value::ofText(text), Value::ofText("a text")},
    };
    for (const Added& added : cases) {
        CAPTURE(formatType(added.type));
        auto altered = std::make_shared<catalog::Table>(*test.table);
        catalog::Column column;
        column.id = 50;
        column.name = "later";
        column.type = added.type;
        column.width_class = added.width;
        column.backfill = std::make_shared<const catalog::BackfillValue>(added.value);
        altered->columns.push_back(column);
        const auto count = [&](std::vector<ScanPredicate> predicates, JoinFilter* filter) {
            ScanOptions options{.columns = {50}, .predicates = std::move(predicates)};
            if (filter != nullptr) options.join_filters = {{.column_id = 50, .filter = filter}};
            const TableScan scan(test.store, test.cache, altered, options);
            const auto state = scan.makeState();
            u64 rows = 0, same = 0;
            for (u32 morsel = 0; morsel < scan.morselCount(); ++morsel) {
                scan.start(*state, morsel);
                Batch batch;
                while (*scan.next(*state, batch)) {
                    REQUIRE(batch.columns[0].kind == scanKind(column));
                    rows += batch.selected;
                    for (u32 i = 0; i < batch.selected; ++i) {
                        const Cell cell = TestTable::cellAt(batch.columns[0], batch.rowAt(i));
                        same += !cell.is_null && TestTable::order(cell, added.same) == 0;
                    }
                }
            }
            REQUIRE(same == rows);
            return rows;
        };
        CHECK(count({}, nullptr) == 70010);
        CHECK(count({compare(50, Op::kEqual, added.same)}, nullptr) == 70010);
        CHECK(count({compare(50, Op::kNotEqual, added.same)}, nullptr) == 0);
        CHECK(count({compare(50, Op::kEqual, added.less)}, nullptr) == 0);
        CHECK(count({compare(50, Op::kGreater, added.less)}, nullptr) == 70010);
        CHECK(count({compare(50, Op::kLessEqual, added.less)}, nullptr) == 0);
        CHECK(count({{.column_id = 50, .op = Op::kIsNull}}, nullptr) == 0);
        CHECK(count({{.column_id = 50, .op = Op::kIsNotNull}}, nullptr) == 70010);
        CHECK(count({{.column_id = 50, .op = Op::kIn, .values = {added.less, added.same}}},
                    nullptr) == 70010);
        if (!isIntegerKind(naturalKind(added.type))) continue;
        JoinFilter filter;
        filter.has_range = true;
        for (const bool hit : {true, false}) {
            filter.min = filter.max = hit ? added.same.integer : added.less.integer;
            for (const bool published : {true, false}) {
                filter.ready.store(published);
                const u64 rows = count({}, &filter);
                CHECK(rows == (hit || !published ? 70010 : 0));
            }
        }
    }
}

TEST_CASE("a segment without a column that the catalog names is damaged") {
    for (const u32 rows : {1500u, 10u}) {
        TestTable test(30);
        test.insert(rows);
        auto altered = std::make_shared<catalog::Table>(*test.table);
        catalog::Column added;
        added.id = 50;
        added.name = "later";
        added.type = SqlType::integer();
        altered->columns.push_back(added);
        auto segment = std::make_shared<catalog::Segment>(*test.table->segments->front().segment);
        segment->column_ids.push_back(50);
        segment->ranges.push_back({.null_count = rows});
        altered->segments = std::make_shared<const std::vector<catalog::SegmentEntry>>(
            std::vector<catalog::SegmentEntry>{{segment, nullptr}});
        const TableScan scan(test.store, test.cache, altered, {.columns = {50}});
        const auto state = scan.makeState();
        scan.start(*state, 0);
        Batch batch;
        const Result<bool> more = scan.next(*state, batch);
        REQUIRE_FALSE(more.has_value());
        CHECK(more.error().sqlstate == sqlstate::kDataCorrupted);
    }
}

TEST_CASE("any damaged byte of an object is an error or changes nothing") {
    TestTable test(28);
    test.insert(1500);
    const catalog::Segment& segment = *test.table->segments->front().segment;
    REQUIRE(segment.memory == nullptr);
    std::vector<u8>& object = test.store.objects[segment.object_key];
    u32 refused = 0;
    const size_t step = object.size() / 1500 + 1;
    for (size_t at = 0; at < object.size(); at += step) {
        const u8 before = object[at];
        object[at] ^= u8(1 + test.random() % 255);
        test.cache.clear();
        std::optional<Error> error;
        const auto found = test.scan({}, &error);
        if (error) {
            ++refused;
            REQUIRE(error->sqlstate == sqlstate::kDataCorrupted);
        } else {
            REQUIRE(found.size() == 1500);
        }
        object[at] = before;
    }
    CHECK(refused > 1000);
    const std::vector<u8> whole = object;
    for (size_t size = 0; size < whole.size(); size += 97) {
        object.assign(whole.begin(), whole.begin() + size);
        test.cache.clear();
        std::optional<Error> error;
        test.scan({}, &error);
        REQUIRE(error.has_value());
    }
}
