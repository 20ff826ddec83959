// Window functions against a reference that looks at every row of the partition for every row.
#include "execute/window/window.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "unit/execute/rows_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;
using bind::FrameBound;
using bind::WindowFunction;

namespace {

// Columns of the test table.
constexpr u16 kPartition = 0;
constexpr u16 kOrder = 1;
constexpr u16 kValue = 2;
constexpr u16 kRowId = 3; // unique: makes the order total where it is a key
constexpr u16 kOffset = 4;

Table makeTable(size_t rows, u64 partitions, u64 seed) {
    std::mt19937_64 random(seed);
    Table table;
    table.push_back({.kind = PhysicalKind::kText, .type = SqlType::varchar(20)});
    table.push_back({.kind = PhysicalKind::kI16, .type = SqlType::smallInt()});
    table.push_back({.kind = PhysicalKind::kI32, .type = SqlType::integer()});
    table.push_back({.kind = PhysicalKind::kI64, .type = SqlType::bigInt(), .nullable = false});
    table.push_back({.kind = PhysicalKind::kI8, .type = SqlType::integer()});
    for (size_t i = 0; i < rows; ++i) {
        const u64 p = random() % partitions;
        std::string name = "p" + std::to_string(p) + std::string(random() % 2, ' ');
        table[0].cells.push_back(p == 0 ? Cell{} : Cell::of(name));
        table[1].cells.push_back(random() % 12 == 0 ? Cell{} : Cell::of(i128(random() % 30)));
        table[2].cells.push_back(random() % 4 == 0 ? Cell{} : Cell::of(i128(random() % 20) - 10));
        table[3].cells.push_back(Cell::of(i128(i)));
        table[4].cells.push_back(random() % 9 == 0 ? Cell{} : Cell::of(i128(random() % 4) + 1));
    }
    return table;
}

struct Reference {
    const Table& table;
    const compile::WindowSink& sink;
    std::map<std::string, std::vector<size_t>> partitions; // rows in order

    Reference(const Table& table_given, const compile::WindowSink& sink_given)
        : table(table_given), sink(sink_given) {
        for (size_t i = 0; i < table[0].cells.size(); ++i) {
            std::string key;
            if (!sink.partition_by.empty()) {
                Cell cell = table[kPartition].cells[i];
                cell.text = trimmed(cell.text);
                key = show(cell, PhysicalKind::kText);
            }
            partitions[key].push_back(i);
        }
        for (auto& [key, rows] : partitions)
            std::sort(rows.begin(), rows.end(),
                      [&](size_t a, size_t b) { return compare(a, b) < 0; });
    }
    int compare(size_t a, size_t b) const {
        for (const auto& key : sink.order_by) {
            const Cell& x = table[key.slot].cells[a];
            const Cell& y = table[key.slot].cells[b];
            if (x.null || y.null) {
                if (x.null && y.null) continue;
                return x.null == key.nulls_first ? -1 : 1;
            }
            if (x.integer != y.integer) return (x.integer < y.integer) != key.descending ? -1 : 1;
        }
        return 0;
    }
    /// Frame of row number `at` of a partition, by asking every row whether it belongs.
    std::vector<size_t> frame(const compile::WindowSink::Call& call,
                              const std::vector<size_t>& rows, i64 at) const {
        std::vector<size_t> members;
        const auto& frame = call.frame;
        for (i64 j = 0; j < i64(rows.size()); ++j) {
            const int peers = compare(rows[size_t(j)], rows[size_t(at)]);
            const auto after = [&](FrameBound bound, i64 offset) {
                switch (bound) {
                case FrameBound::kUnboundedPreceding: return true;
                case FrameBound::kPreceding: return j >= at - offset;
                case FrameBound::kCurrentRow: return frame.rows ? j >= at : j >= at || peers == 0;
                case FrameBound::kFollowing: return j >= at + offset;
                default: return false;
                }
            };
            const auto before = [&](FrameBound bound, i64 offset) {
                switch (bound) {
                case FrameBound::kUnboundedFollowing: return true;
                case FrameBound::kPreceding: return j <= at - offset;
                case FrameBound::kCurrentRow: return frame.rows ? j <= at : j <= at || peers == 0;
                case FrameBound::kFollowing: return j <= at + offset;
                default: return false;
                }
            };
            if (after(frame.start, frame.start_offset) && before(frame.end, frame.end_offset))
                members.push_back(rows[size_t(j)]);
        }
        return members;
    }
    Cell evaluate(const compile::WindowSink::Call& call, const std::vector<size_t>& rows,
                  i64 at) const {
        const size_t row = rows[size_t(at)];
        const i64 n = i64(rows.size());
        i64 before = 0, not_after = 0;
        std::set<i64> firsts;
        for (i64 j = 0; j < n; ++j) {
            const int order = compare(rows[size_t(j)], row);
            before += order < 0;
            not_after += order <= 0;
            if (order < 0 && (j + 1 == n || compare(rows[size_t(j)], rows[size_t(j + 1)]) != 0))
                firsts.insert(j);
        }
        const auto value = [&](size_t r) { return table[kValue].cells[r]; };
        switch (call.function) {
        case WindowFunction::kRowNumber: return Cell::of(at + 1);
        case WindowFunction::kRank: return Cell::of(before + 1);
        case WindowFunction::kDenseRank: return Cell::of(i64(firsts.size()) + 1);
        case WindowFunction::kPercentRank: return Cell::real(n == 1 ? 0 : f64(before) / f64(n - 1));
        case WindowFunction::kCumeDist: return Cell::real(f64(not_after) / f64(n));
        case WindowFunction::kLag:
        case WindowFunction::kLead: {
            const Cell& offset = table[kOffset].cells[row];
            if (offset.null) return {};
            const i64 step = call.function == WindowFunction::kLag ? -1 : 1;
            i64 left = i64(offset.integer);
            for (i64 j = at + step; j >= 0 && j < n; j += step) {
                if (call.ignore_nulls && value(rows[size_t(j)]).null) continue;
                if (--left == 0) return value(rows[size_t(j)]);
            }
            return {};
        }
        default: break;
        }
        std::vector<size_t> members = frame(call, rows, at);
        if (call.ignore_nulls) std::erase_if(members, [&](size_t r) { return value(r).null; });
        if (call.function == WindowFunction::kFirstValue)
            return members.empty() ? Cell{} : value(members.front());
        if (call.function == WindowFunction::kLastValue)
            return members.empty() ? Cell{} : value(members.back());
        if (call.function == WindowFunction::kNthValue) {
            const Cell& which = table[kOffset].cells[row];
            if (which.null || size_t(which.integer) > members.size()) return {};
            return value(members[size_t(which.integer) - 1]);
        }
        std::vector<i128> values;
        std::set<i128> seen;
        for (const size_t r : members) {
            if (value(r).null || (call.distinct && !seen.insert(value(r).integer).second)) continue;
            values.push_back(value(r).integer);
        }
        if (call.aggregate->name == "count") return Cell::of(i128(values.size()));
        if (values.empty()) return {};
        i128 result = values[0];
        for (size_t i = 1; i < values.size(); ++i)
            result = call.aggregate->name == "sum"   ? result + values[i]
                     : call.aggregate->name == "min" ? std::min(result, values[i])
                                                     : std::max(result, values[i]);
        return Cell::of(result);
    }
};

compile::WindowSink::Call ranking(WindowFunction function) {
    return {.function = function};
}
compile::WindowSink::Call valued(WindowFunction function, bool ignore_nulls,
                                 bind::WindowFrame frame) {
    const bool shifts = function == WindowFunction::kLag || function == WindowFunction::kLead ||
                        function == WindowFunction::kNthValue;
    return {.function = function,
            .args = shifts ? std::vector<u16>{kValue, kOffset} : std::vector<u16>{kValue},
            .result = SqlType::integer(),
            .ignore_nulls = ignore_nulls,
            .frame = frame};
}
compile::WindowSink::Call aggregated(std::string_view name, bool distinct,
                                     bind::WindowFrame frame) {
    const SqlType type = SqlType::integer();
    const auto bound = functions::bindAggregate(name, {&type, 1});
    return {.function = WindowFunction::kAggregate,
            .aggregate = bound.aggregate,
            .args = {kValue},
            .arg_types = {type},
            .result = bound.result,
            .distinct = distinct,
            .frame = frame};
}

compile::SinkInfo infoOf(const Table& table, bool partitioned,
                         std::vector<compile::SortKeySpec> order_by,
                         const std::vector<compile::WindowSink::Call>& calls) {
    compile::SinkInfo info;
    info.input = slotsOf(table);
    compile::WindowSink sink{.columns = {kRowId}, .order_by = std::move(order_by), .calls = calls};
    if (partitioned) sink.partition_by = {kPartition};
    info.output.push_back(info.input[kRowId]);
    for (const auto& call : calls) {
        const bool fraction = call.function == WindowFunction::kPercentRank ||
                              call.function == WindowFunction::kCumeDist;
        const PhysicalKind kind = fraction ? PhysicalKind::kF64 : PhysicalKind::kI64;
        info.output.push_back({.kind = kind});
    }
    info.sink = sink;
    return info;
}

void checkWindow(const Table& table, bool partitioned, std::vector<compile::SortKeySpec> order_by,
                 const std::vector<compile::WindowSink::Call>& calls, u32 workers, u32 batch_rows) {
    const auto info = infoOf(table, partitioned, std::move(order_by), calls);
    const auto& sink = std::get<compile::WindowSink>(info.sink);
    TestContext context(batch_rows);
    auto op = makeWindowSink(info);
    feed(*op, table, workers, batch_rows, 77, context.context);
    const auto result = readAll(*op, u32(info.output.size()), context.context);
    REQUIRE_FALSE(context.context.failed());
    REQUIRE(result.size() == table[0].cells.size());
    std::map<i64, const std::vector<Cell>*> by_id;
    for (const auto& row : result) by_id[i64(row[0].integer)] = &row;
    REQUIRE(by_id.size() == result.size());
    const Reference reference(table, sink);
    for (const auto& [key, rows] : reference.partitions) {
        for (size_t at = 0; at < rows.size(); ++at) {
            for (size_t c = 0; c < calls.size(); ++c) {
                const Cell expected = reference.evaluate(calls[c], rows, i64(at));
                const Cell& found = (*by_id[i64(rows[at])])[c + 1];
                CAPTURE(key);
                CAPTURE(at);
                CAPTURE(c);
                REQUIRE(found == expected);
            }
        }
    }
}

/// Results by row number, from an operator that may use `limit` bytes; 0: as many as it wants.
std::vector<std::vector<Cell>> resultsWithin(const compile::SinkInfo& info, const Table& table,
                                             u64 limit) {
    TestContext test(kVectorRows, limit == 0 ? MemoryMode::kPlenty : MemoryMode::kTight);
    if (limit > 0) test.memory.limit = limit;
    auto op = makeWindowSink(info);
    feed(*op, table, 2, kVectorRows, 91, test.context);
    auto rows = readAll(*op, u32(info.output.size()), test.context);
    REQUIRE_FALSE(test.context.failed());
    REQUIRE((op->spilledBytes() > 0) == (limit > 0));
    op->release(test.context);
    REQUIRE(test.memory.used == 0);
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return bool(a[0].integer < b[0].integer); });
    return rows;
}

const bind::WindowFrame kWhole{};
const bind::WindowFrame kGrowing{true, FrameBound::kUnboundedPreceding, FrameBound::kCurrentRow};
const bind::WindowFrame kPeers{false, FrameBound::kUnboundedPreceding, FrameBound::kCurrentRow};
const bind::WindowFrame kSliding{true, FrameBound::kPreceding, FrameBound::kFollowing, 3, 2};
const bind::WindowFrame kWide{true, FrameBound::kPreceding, FrameBound::kFollowing, 70, 45};
const bind::WindowFrame kBehind{true, FrameBound::kPreceding, FrameBound::kPreceding, 50, 2};
const bind::WindowFrame kAhead{true, FrameBound::kFollowing, FrameBound::kUnboundedFollowing, 2, 0};
const bind::WindowFrame kEmpty{true, FrameBound::kFollowing, FrameBound::kPreceding, 1, 1};

const std::vector<compile::SortKeySpec> kTotal = {{kOrder, false, false}, {kRowId, true, false}};
const std::vector<compile::SortKeySpec> kWithPeers = {{kOrder, true, true}};

} // namespace

TEST_CASE("ranks count rows before and peers") {
    const Table table = makeTable(600, 7, 1);
    const std::vector<compile::WindowSink::Call> calls = {
        ranking(WindowFunction::kRank), ranking(WindowFunction::kDenseRank),
        ranking(WindowFunction::kPercentRank), ranking(WindowFunction::kCumeDist)};
    checkWindow(table, true, kWithPeers, calls, 2, 100);
    checkWindow(table, false, kWithPeers, calls, 3, 7);
    checkWindow(table, true, {}, calls, 1, 1024);
    checkWindow(table, true, kTotal, {ranking(WindowFunction::kRowNumber)}, 2, 50);
}

TEST_CASE("lag, lead, first, last and nth value, with and without NULLs") {
    const Table table = makeTable(500, 5, 2);
    std::vector<compile::WindowSink::Call> calls;
    for (const bool ignore : {false, true}) {
        for (const auto function : {WindowFunction::kLag, WindowFunction::kLead})
            calls.push_back(valued(function, ignore, kWhole));
        for (const auto& frame : {kWhole, kGrowing, kSliding, kBehind, kAhead, kEmpty}) {
            for (const auto function : {WindowFunction::kFirstValue, WindowFunction::kLastValue,
                                        WindowFunction::kNthValue})
                calls.push_back(valued(function, ignore, frame));
        }
    }
    checkWindow(table, true, kTotal, calls, 2, 64);
    checkWindow(table, false, kTotal, calls, 1, 1024);
}

TEST_CASE("aggregates over whole, growing, peer and sliding frames") {
    const Table table = makeTable(700, 4, 3);
    std::vector<compile::WindowSink::Call> calls;
    for (const auto& frame : {kWhole, kGrowing, kSliding, kWide, kBehind, kAhead, kEmpty}) {
        for (const auto* name : {"count", "sum", "min", "max"}) {
            for (const bool distinct : {false, true})
                calls.push_back(aggregated(name, distinct, frame));
        }
    }
    checkWindow(table, true, kTotal, calls, 2, 128);
    checkWindow(table, false, kTotal, calls, 1, 1024);
    checkWindow(table, true, kWithPeers,
                {aggregated("sum", false, kPeers), aggregated("max", true, kPeers)}, 3, 99);
}

TEST_CASE("many partitions go through 64 parts") {
    const Table table = makeTable(60000, 20000, 4);
    checkWindow(table, true, kTotal,
                {ranking(WindowFunction::kRowNumber), aggregated("sum", false, kGrowing),
                 valued(WindowFunction::kLag, false, kWhole)},
                3, 1024);
}

TEST_CASE("ntile gives the first tiles one row more") {
    Table table = makeTable(11, 1, 5);
    for (Cell& cell : table[kOffset].cells) cell = Cell::of(4);
    compile::SinkInfo info;
    info.input = slotsOf(table);
    compile::WindowSink sink{.columns = {kRowId}, .order_by = {{kRowId, false, false}}};
    sink.calls.push_back({.function = WindowFunction::kNtile, .args = {kOffset}});
    info.output = {info.input[kRowId], {.kind = PhysicalKind::kI64}};
    info.sink = sink;
    TestContext context;
    auto op = makeWindowSink(info);
    feed(*op, table, 1, 100, 1, context.context);
    const int expected[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4};
    for (const auto& row : readAll(*op, 2, context.context))
        CHECK(int(row[1].integer) == expected[int(row[0].integer)]);

    for (Cell& cell : table[kOffset].cells) cell = Cell::of(0);
    auto refused = makeWindowSink(info);
    feed(*refused, table, 1, 100, 1, context.context);
    if (!context.context.failed()) readAll(*refused, 2, context.context);
    REQUIRE(context.context.failed());
    CHECK(context.context.eval.error->sqlstate == "22014");
}

TEST_CASE("one partition several times the memory equals the one in memory") {
    // 60,000 rows of 72 bytes, which need 9 MiB and more; 3 MiB hold blocks of what is looked at.
    const size_t count = 60'000;
    Table table = makeTable(count, 2, 6);
    for (size_t i = 0; i < count; ++i) // all but some in one partition
        table[kPartition].cells[i] = Cell::of(std::string(i % 50 == 0 ? "few" : "nearly all rows"));
    const bind::WindowFrame far{true, FrameBound::kPreceding, FrameBound::kFollowing, 20000, 10000};
    const bind::WindowFrame rest{true, FrameBound::kCurrentRow, FrameBound::kUnboundedFollowing};
    std::vector<compile::WindowSink::Call> ranks = {
        ranking(WindowFunction::kDenseRank), ranking(WindowFunction::kPercentRank),
        ranking(WindowFunction::kCumeDist), aggregated("sum", false, kPeers),
        aggregated("sum", true, kPeers)};
    std::vector<compile::WindowSink::Call> values = {ranking(WindowFunction::kRowNumber)};
    for (const bool ignore : {false, true}) {
        values.push_back(valued(WindowFunction::kLag, ignore, kWhole));
        values.push_back(valued(WindowFunction::kFirstValue, ignore, kGrowing));
        values.push_back(valued(WindowFunction::kNthValue, ignore, kSliding));
        values.push_back(valued(WindowFunction::kLastValue, ignore, far));
    }
    std::vector<compile::WindowSink::Call> sums;
    for (const auto& frame : {kWhole, kGrowing, kSliding, kWide, far, rest})
        sums.push_back(aggregated("sum", false, frame));
    sums.push_back(aggregated("median", false, kWide));
    sums.push_back(aggregated("sum", true, kGrowing));
    sums.push_back(aggregated("count", true, kSliding));
    for (const bool partitioned : {false, true}) {
        CAPTURE(partitioned);
        const auto check = [&](const auto& order, const auto& calls) {
            const auto info = infoOf(table, partitioned, order, calls);
            REQUIRE(resultsWithin(info, table, 3 << 20) == resultsWithin(info, table, 0));
        };
        check(kWithPeers, ranks); // which of several peers comes first is open
        check(kTotal, values);
        check(kTotal, sums);
    }
}

TEST_CASE("a state larger than memory fails with the name of its function") {
    const size_t count = 80'000;
    Table table = makeTable(count, 2, 7);
    const auto info = infoOf(table, false, kTotal, {aggregated("median", false, kWhole)});
    TestContext test(kVectorRows, MemoryMode::kTight);
    test.memory.limit = 1280 << 10; // blocks and 32,768 values, not twice as many
    auto op = makeWindowSink(info);
    feed(*op, table, 1, kVectorRows, 92, test.context);
    readAll(*op, 2, test.context);
    REQUIRE(test.context.eval.failed());
    CHECK(test.context.eval.error->sqlstate == sqlstate::kOutOfMemory);
    CAPTURE(test.context.eval.error->message);
    CHECK(test.context.eval.error->message.find("MEDIAN over the rows of a window frame") !=
          std::string::npos);
}

TEST_CASE("a stopped window of a large partition ends without an error of its own") {
    Table table = makeTable(60'000, 2, 8);
    for (Cell& cell : table[kOffset].cells) cell = Cell::of(4);
    auto info = infoOf(table, false, kTotal, {aggregated("sum", false, kWide)});
    auto& sink = std::get<compile::WindowSink>(info.sink);
    sink.calls.push_back({.function = WindowFunction::kNtile, .args = {kOffset}});
    info.output.push_back({.kind = PhysicalKind::kI64});
    TestContext test(kVectorRows, MemoryMode::kTight);
    auto op = makeWindowSink(info);
    feed(*op, table, 1, kVectorRows, 93, test.context);
    for (const u32 batches : {0u, 1u, 20u}) {
        test.stop.clear();
        const auto source = op->makeSource({0, 1, 2});
        source->open();
        const auto state = source->makeState(test.context);
        source->start(*state, 0, test.context);
        Batch batch;
        for (u32 b = 0; b < batches; ++b) REQUIRE(source->next(*state, batch, test.context));
        test.stop.request();
        CHECK_FALSE(source->next(*state, batch, test.context));
        CHECK_FALSE(test.context.eval.failed());
    }
}
