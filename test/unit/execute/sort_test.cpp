// Sort and top-n against std::sort over cells.
#include "execute/sort/sort.h"

#include <doctest/doctest.h>

#include <cmath>

#include "unit/execute/rows_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

int compareCells(const Cell& a, const Cell& b, PhysicalKind kind) {
    if (kind == PhysicalKind::kText) {
        const std::string x = trimmed(a.text);
        const std::string y = trimmed(b.text);
        return x < y ? -1 : x > y;
    }
    if (!isIntegerKind(kind)) {
        if (std::isnan(a.floating) || std::isnan(b.floating))
            return int(std::isnan(a.floating)) - int(std::isnan(b.floating));
        return a.floating < b.floating ? -1 : a.floating > b.floating;
    }
    return a.integer < b.integer ? -1 : a.integer > b.integer;
}

int compareRows(const Table& table, const std::vector<compile::SortKeySpec>& keys,
                const std::vector<Cell>& a, const std::vector<Cell>& b) {
    for (const auto& key : keys) {
        const Cell& x = a[key.slot];
        const Cell& y = b[key.slot];
        if (x.null || y.null) {
            if (x.null && y.null) continue;
            return x.null == key.nulls_first ? -1 : 1;
        }
        const int order = compareCells(x, y, table[key.slot].kind);
        if (order != 0) return key.descending ? -order : order;
    }
    return 0;
}

Table mixedTable(size_t rows, u64 seed) {
    std::mt19937_64 random(seed);
    Table table;
    table.push_back({.kind = PhysicalKind::kI32, .type = SqlType::integer()});
    table.push_back({.kind = PhysicalKind::kText, .type = SqlType::varchar(80)});
    table.push_back({.kind = PhysicalKind::kF64, .type = SqlType::doublePrecision()});
    table.push_back(
        {.kind = PhysicalKind::kI128, .type = SqlType::decimal(38, 0), .nullable = false});
    table.push_back({.kind = PhysicalKind::kI8, .type = SqlType::smallInt()});
    for (size_t i = 0; i < rows; ++i) {
        table[0].cells.push_back(random() % 10 == 0 ? Cell{} : Cell::of(i128(random() % 50) - 25));
        std::string text = random() % 2 == 0 ? "" : "a common prefix of many bytes ";
        for (u64 n = random() % 4; n > 0; --n)
            text += char(random() % 5 == 0 ? ' ' : 'a' + random() % 3);
        text.append(random() % 3, ' ');
        table[1].cells.push_back(random() % 10 == 0 ? Cell{} : Cell::of(text));
        const f64 floats[] = {0.0, -0.0, 1.5, -1.5, 1e300, -1e300, INFINITY, -INFINITY, NAN};
        table[2].cells.push_back(random() % 10 == 0 ? Cell{} : Cell::real(floats[random() % 9]));
        i128 wide = i128(i64(random())) << 60;
        if (random() % 2 == 0) wide = i128(random() % 9) - 4;
        table[3].cells.push_back(Cell::of(wide));
        table[4].cells.push_back(random() % 10 == 0 ? Cell{} : Cell::of(i128(i8(random()))));
    }
    return table;
}

void checkSort(const Table& table, const std::vector<compile::SortKeySpec>& keys, i64 limit,
               i64 offset, u32 workers, u32 batch_rows) {
    CAPTURE(limit);
    CAPTURE(workers);
    compile::SinkInfo info;
    info.input = slotsOf(table);
    info.output = info.input;
    info.sink = compile::SortSink{
        .columns = {0, 1, 2, 3, 4}, .keys = keys, .limit = limit, .offset = offset};
    TestContext context(batch_rows);
    auto sink = makeSortSink(info);
    feed(*sink, table, workers, batch_rows, 99, context.context);
    const auto found = readAll(*sink, 5, context.context);
    REQUIRE_FALSE(context.context.failed());

    std::vector<std::vector<Cell>> expected(table[0].cells.size());
    for (size_t i = 0; i < expected.size(); ++i) {
        for (const Column& column : table) expected[i].push_back(column.cells[i]);
    }
    std::sort(expected.begin(), expected.end(),
              [&](const auto& a, const auto& b) { return compareRows(table, keys, a, b) < 0; });
    const size_t begin = std::min<size_t>(expected.size(), size_t(offset));
    const size_t end =
        limit < 0 ? expected.size() : std::min(expected.size(), begin + size_t(limit));
    REQUIRE(found.size() == end - begin);
    for (size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        REQUIRE(compareRows(table, keys, found[i], expected[begin + i]) == 0);
    }
    if (limit >= 0 || offset > 0) return;
    // No row is lost or changed: the rows as texts are the same multiset.
    const auto asTexts = [&](const std::vector<std::vector<Cell>>& rows) {
        std::vector<std::string> all;
        for (const auto& row : rows) {
            std::string text;
            for (size_t c = 0; c < row.size(); ++c) text += show(row[c], table[c].kind) + "|";
            all.push_back(text);
        }
        std::sort(all.begin(), all.end());
        return all;
    };
    CHECK(asTexts(found) == asTexts(expected));
}

} // namespace

TEST_CASE("rows come sorted by keys of every kind and direction") {
    const Table table = mixedTable(6000, 5);
    std::mt19937_64 random(6);
    for (int round = 0; round < 40; ++round) {
        std::vector<compile::SortKeySpec> keys;
        for (u64 n = random() % 4 + 1; n > 0; --n)
            keys.push_back({u16(random() % 5), random() % 2 == 0, random() % 2 == 0});
        checkSort(table, keys, -1, i64(round % 3), 1 + u32(round % 3), round % 5 == 0 ? 7 : 1024);
    }
}

TEST_CASE("top-n equals the head of the full sort") {
    const Table table = mixedTable(30000, 8);
    std::mt19937_64 random(9);
    for (int round = 0; round < 40; ++round) {
        std::vector<compile::SortKeySpec> keys;
        for (u64 n = random() % 3 + 1; n > 0; --n)
            keys.push_back({u16(random() % 5), random() % 2 == 0, random() % 2 == 0});
        const i64 limits[] = {0, 1, 10, 1000, 9000, 40000};
        checkSort(table, keys, limits[round % 6], i64(random() % 20), 1 + u32(round % 3), 1024);
    }
}

TEST_CASE("large runs are merged in parts") {
    const Table table = mixedTable(200000, 11);
    checkSort(table, {{3, false, false}, {0, true, true}}, -1, 0, 4, 1024);
    checkSort(table, {{1, true, true}}, -1, 5, 3, 1024);
    checkSort(table, {{0, false, false}}, 150000, 100, 3, 1024);
}
