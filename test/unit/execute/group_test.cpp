// Grouping against a map of naive states: every kind, form and size, many workers, sets, DISTINCT.
#include "execute/group/group.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "unit/execute/rows_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

struct Wanted {
    std::string name;
    std::vector<u16> args;
    bool distinct = false;
    u16 filter = compile::kNoSlot;
    std::vector<compile::SortKeySpec> order_by = {};
};

compile::SinkInfo groupInfo(const Table& table, const std::vector<u16>& keys,
                            const std::vector<Wanted>& calls, std::vector<u64> sets = {}) {
    compile::SinkInfo info;
    compile::GroupSink sink;
    info.input = slotsOf(table);
    for (const u16 key : keys) {
        sink.keys.push_back({key});
        info.output.push_back(info.input[key]);
    }
    for (const Wanted& wanted : calls) {
        std::vector<SqlType> types;
        for (const u16 arg : wanted.args) types.push_back(table[arg].type);
        const auto bound = functions::bindAggregate(wanted.name, types);
        sink.calls.push_back({.aggregate = bound.aggregate,
                              .args = wanted.args,
                              .arg_types = types,
                              .result = bound.result,
                              .distinct = wanted.distinct,
                              .filter = wanted.filter,
                              .order_by = wanted.order_by});
        info.output.push_back({.type = bound.result, .kind = naturalKind(bound.result)});
    }
    sink.grouping_sets = std::move(sets);
    sink.has_grouping_id = !sink.grouping_sets.empty();
    if (sink.has_grouping_id) info.output.push_back({.type = SqlType::bigInt()});
    info.sink = std::move(sink);
    return info;
}

std::string keyText(const std::vector<Cell>& row, const Table& table,
                    const std::vector<u16>& keys) {
    std::string text;
    for (size_t k = 0; k < keys.size(); ++k) {
        Cell cell = row[k];
        cell.text = trimmed(cell.text);
        if (cell.floating == 0) cell.floating = 0;
        text += show(cell, table[keys[k]].kind) + "|";
    }
    return text;
}

struct Naive {
    u64 rows = 0;
    u64 values = 0;
    i128 sum = 0;
    i128 least = 0;
    i128 greatest = 0;
    std::set<i128> distinct;
};

Column integers(PhysicalKind kind, SqlType type, size_t rows, u64 range, u32 null_percent,
                u64 seed) {
    std::mt19937_64 random(seed);
    Column column{.kind = kind, .type = type, .nullable = null_percent > 0};
    for (size_t i = 0; i < rows; ++i) {
        if (random() % 100 < null_percent) column.cells.emplace_back();
        else column.cells.push_back(Cell::of(i128(random() % range) - i128(range / 2)));
    }
    return column;
}

Column texts(size_t rows, u64 range, u32 null_percent, u64 seed) {
    std::mt19937_64 random(seed);
    Column column{
        .kind = PhysicalKind::kText, .type = SqlType::varchar(60), .nullable = null_percent > 0};
    for (size_t i = 0; i < rows; ++i) {
        if (random() % 100 < null_percent) {
            column.cells.emplace_back();
            continue;
        }
        const u64 value = random() % range;
        std::string text =
            (value % 3 == 0 ? "a rather long text value number " : "t") + std::to_string(value);
        text.append(random() % 3, ' ');
        column.cells.push_back(Cell::of(text));
    }
    return column;
}

/// Groups by `keys` and checks COUNT, COUNT(v), SUM, MIN, MAX, COUNT(DISTINCT) of integer column v.
void checkGroups(const Table& table, const std::vector<u16>& keys, u16 v, u32 workers,
                 u32 batch_rows, u64 seed) {
    CAPTURE(workers);
    CAPTURE(batch_rows);
    std::map<std::string, Naive> expected;
    const size_t rows = table[0].cells.size();
    for (size_t i = 0; i < rows; ++i) {
        std::vector<Cell> key;
        for (const u16 k : keys) key.push_back(table[k].cells[i]);
        Naive& state = expected[keyText(key, table, keys)];
        ++state.rows;
        const Cell& cell = table[v].cells[i];
        if (cell.null) continue;
        state.least = state.values == 0 ? cell.integer : std::min(state.least, cell.integer);
        state.greatest = state.values == 0 ? cell.integer : std::max(state.greatest, cell.integer);
        ++state.values;
        state.sum += cell.integer;
        state.distinct.insert(cell.integer);
    }
    const auto info = groupInfo(table, keys,
                                {{"count", {}},
                                 {"count", {v}},
                                 {"sum", {v}},
                                 {"min", {v}},
                                 {"max", {v}},
                                 {"count", {v}, true}});
    TestContext context(batch_rows);
    auto sink = makeGroupSink(info);
    feed(*sink, table, workers, batch_rows, seed, context.context);
    const auto result = readAll(*sink, u32(info.output.size()), context.context);
    REQUIRE_FALSE(context.context.failed());
    REQUIRE(result.size() == expected.size());
    const size_t n = keys.size();
    for (const auto& row : result) {
        const std::string key = keyText(row, table, keys);
        CAPTURE(key);
        const auto at = expected.find(key);
        REQUIRE(at != expected.end());
        const Naive& state = at->second;
        REQUIRE(u64(row[n].integer) == state.rows);
        REQUIRE(u64(row[n + 1].integer) == state.values);
        REQUIRE(row[n + 2].null == (state.values == 0));
        REQUIRE(bool(row[n + 2].integer == state.sum));
        REQUIRE(bool(row[n + 3].integer == state.least));
        REQUIRE(bool(row[n + 4].integer == state.greatest));
        REQUIRE(u64(row[n + 5].integer) == state.distinct.size());
        expected.erase(at);
    }
}

} // namespace

TEST_CASE("groups of every kind of key equal the naive ones") {
    const size_t rows = 5000;
    Table table;
    table.push_back(integers(PhysicalKind::kI8, SqlType::bigInt(), rows, 5, 10, 1));
    table.push_back(integers(PhysicalKind::kI32, SqlType::integer(), rows, 700, 10, 2));
    table.push_back(integers(PhysicalKind::kI64, SqlType::bigInt(), rows, 90, 0, 3));
    table.push_back(integers(PhysicalKind::kI128, SqlType::decimal(38, 2), rows, 50, 5, 4));
    table.push_back(texts(rows, 12, 10, 5));
    table.push_back(texts(rows, 2000, 0, 6));
    Column floats{.kind = PhysicalKind::kF64, .type = SqlType::doublePrecision()};
    for (size_t i = 0; i < rows; ++i) {
        if (i % 9 == 0) floats.cells.emplace_back();
        else floats.cells.push_back(Cell::real(i % 9 == 1 ? -0.0 : f64(i % 4)));
    }
    table.push_back(floats);
    const std::vector<std::vector<u16>> key_sets = {{},  {0}, {1},    {2},       {3},    {4},
                                                    {5}, {6}, {0, 4}, {4, 6, 3}, {5, 1}, {0, 0, 4}};
    for (const auto& keys : key_sets) {
        CAPTURE(keys.size());
        checkGroups(table, keys, 1, 1, kVectorRows, 11);
        checkGroups(table, keys, 2, 3, kVectorRows, 12);
        checkGroups(table, keys, 3, 2, 7, 13);
    }
}

TEST_CASE("many groups are partitioned and merged") {
    Table table;
    const size_t rows = 150000;
    table.push_back(integers(PhysicalKind::kI64, SqlType::bigInt(), rows, 60000, 1, 21));
    table.push_back(integers(PhysicalKind::kI16, SqlType::integer(), rows, 300, 5, 22));
    checkGroups(table, {0}, 1, 1, kVectorRows, 23);
    checkGroups(table, {0}, 1, 4, kVectorRows, 24);
    checkGroups(table, {}, 0, 2, kVectorRows, 25);
}

TEST_CASE("nearly unique keys stop the lookup and still meet their twins") {
    const size_t rows = 300000;
    Table table;
    table.push_back(integers(PhysicalKind::kI64, SqlType::bigInt(), rows, 1ull << 40, 0, 31));
    for (size_t i = 0; i < rows; i += 1000) table[0].cells[i] = table[0].cells[0];
    table.push_back(integers(PhysicalKind::kI8, SqlType::integer(), rows, 10, 5, 32));
    checkGroups(table, {0}, 1, 2, kVectorRows, 33);
}

TEST_CASE("a skewed key is one group of all workers") {
    Table table;
    const size_t rows = 100000;
    table.push_back(integers(PhysicalKind::kI64, SqlType::bigInt(), rows, 50000, 0, 41));
    for (size_t i = 0; i < rows; ++i) {
        if (i % 10 != 0) table[0].cells[i] = Cell::of(7);
    }
    table.push_back(integers(PhysicalKind::kI64, SqlType::bigInt(), rows, 1000, 0, 42));
    checkGroups(table, {0}, 1, 3, kVectorRows, 43);
}

TEST_CASE("no rows: one group without keys, none with keys") {
    Table table{integers(PhysicalKind::kI64, SqlType::bigInt(), 0, 1, 0, 1)};
    TestContext context;
    const auto all = groupInfo(table, {}, {{"count", {}}, {"sum", {0}}, {"count", {0}, true}});
    auto sink = makeGroupSink(all);
    feed(*sink, table, 2, 100, 1, context.context);
    const auto rows = readAll(*sink, 3, context.context);
    REQUIRE(rows.size() == 1);
    CHECK(bool(rows[0][0].integer == 0));
    CHECK(rows[0][1].null);
    CHECK(bool(rows[0][2].integer == 0));
    const auto keyed = groupInfo(table, {0}, {{"count", {}}});
    auto none = makeGroupSink(keyed);
    feed(*none, table, 2, 100, 1, context.context);
    CHECK(readAll(*none, 2, context.context).empty());
}

TEST_CASE("grouping sets count each set apart and name what they leave out") {
    const size_t rows = 3000;
    Table table;
    table.push_back(integers(PhysicalKind::kI32, SqlType::integer(), rows, 7, 10, 51));
    table.push_back(texts(rows, 4, 10, 52));
    const std::vector<u64> sets = {3, 1, 0, 1};
    const auto info = groupInfo(table, {0, 1}, {{"count", {}}}, sets);
    TestContext context;
    auto sink = makeGroupSink(info);
    feed(*sink, table, 2, 500, 53, context.context);
    std::map<std::string, int> expected;
    for (const u64 set : sets) {
        std::map<std::string, int> counts;
        for (size_t i = 0; i < rows; ++i) {
            std::vector<Cell> key{table[0].cells[i], table[1].cells[i]};
            for (u32 k = 0; k < 2; ++k) {
                if ((set >> k & 1) == 0) key[k] = {};
            }
            ++counts[keyText(key, table, {0, 1}) + std::to_string(~set & 3)];
        }
        for (const auto& [key, count] : counts) ++expected[key + "=" + std::to_string(count)];
    }
    std::map<std::string, int> found;
    for (const auto& row : readAll(*sink, 4, context.context))
        ++found[keyText(row, table, {0, 1}) + std::to_string(int(row[3].integer)) + "=" +
                std::to_string(int(row[2].integer))];
    CHECK(found == expected);

    Table empty{{.cells = {}}, {.kind = PhysicalKind::kText, .type = SqlType::varchar(9)}};
    const auto no_rows = groupInfo(empty, {0, 1}, {{"count", {}}}, {3, 0});
    auto grand = makeGroupSink(no_rows);
    feed(*grand, empty, 1, 10, 1, context.context);
    const auto total = readAll(*grand, 4, context.context);
    REQUIRE(total.size() == 1);
    CHECK(total[0][0].null);
    CHECK(bool(total[0][3].integer == 3));
}

TEST_CASE("filters and ordered aggregates see the right rows in the right order") {
    const size_t rows = 4000;
    Table table;
    table.push_back(integers(PhysicalKind::kI16, SqlType::integer(), rows, 40, 5, 61));
    table.push_back(texts(rows, 500, 10, 62));
    table.push_back(integers(PhysicalKind::kI64, SqlType::bigInt(), rows, 1ull << 30, 0, 63));
    table.push_back(integers(PhysicalKind::kI8, SqlType::boolean(), rows, 2, 10, 64));
    for (Cell& cell : table[3].cells) cell.integer = cell.integer != 0;
    Column delimiter{.kind = PhysicalKind::kText, .type = SqlType::varchar(2), .nullable = false};
    delimiter.cells.assign(rows, Cell::of(std::string(", ")));
    table.push_back(delimiter);
    const auto info = groupInfo(table, {0},
                                {{"count", {}, false, 3},
                                 {"listagg", {1, 4}, false, compile::kNoSlot, {{2, true, false}}},
                                 {"listagg", {1, 4}, true, compile::kNoSlot, {{1, false, false}}}});
    for (const u32 workers : {1u, 3u}) {
        TestContext context;
        auto sink = makeGroupSink(info);
        feed(*sink, table, workers, 300, 65, context.context);
        std::map<std::string, std::vector<size_t>> members;
        for (size_t i = 0; i < rows; ++i)
            members[show(table[0].cells[i], PhysicalKind::kI16)].push_back(i);
        const auto result = readAll(*sink, 4, context.context);
        REQUIRE_FALSE(context.context.failed());
        REQUIRE(result.size() == members.size());
        for (const auto& row : result) {
            auto list = members[show(row[0], PhysicalKind::kI16)];
            int passed = 0;
            for (const size_t i : list)
                passed += !table[3].cells[i].null && table[3].cells[i].integer;
            CHECK(int(row[1].integer) == passed);
            std::sort(list.begin(), list.end(), [&](size_t a, size_t b) {
                return table[2].cells[a].integer > table[2].cells[b].integer;
            });
            std::string text;
            std::set<std::string> distinct;
            for (const size_t i : list) {
                const Cell& cell = table[1].cells[i];
                if (cell.null) continue;
                if (!distinct.empty()) text += ", ";
                text += cell.text;
                distinct.insert(trimmed(cell.text));
            }
            CHECK(row[2].text == text);
            std::string distinct_found;
            std::string distinct_text;
            for (const std::string& one : distinct)
                distinct_text += (distinct_text.empty() ? "" : ",") + one;
            // DISTINCT keeps one spelling of texts that differ in trailing blanks.
            for (size_t at = 0; at < row[3].text.size();) {
                const size_t end = std::min(row[3].text.find(", ", at), row[3].text.size());
                distinct_found += (at == 0 ? "" : ",") + trimmed(row[3].text.substr(at, end - at));
                at = end + 2;
            }
            CHECK(distinct_found == distinct_text);
        }
    }
}

TEST_CASE("a refused grant is 53200, not a crash") {
    Table table{integers(PhysicalKind::kI64, SqlType::bigInt(), 200000, 1ull << 40, 0, 71)};
    const auto info = groupInfo(table, {0}, {{"count", {}}, {"count", {0}, true}});
    for (const u64 limit : {1000ull, 100000ull, 3000000ull}) {
        TestContext context(kVectorRows, MemoryMode::kPlenty);
        context.memory.limit = limit;
        auto sink = makeGroupSink(info);
        feed(*sink, table, 2, 1024, 72, context.context);
        REQUIRE(context.context.failed());
        CHECK(context.context.eval.error->sqlstate == "53200");
    }
}
