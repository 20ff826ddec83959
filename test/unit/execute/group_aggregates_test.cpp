// What each aggregate computes, through a grouping without keys, by one worker and by several.
#include <doctest/doctest.h>

#include <cmath>

#include "execute/group/group.h"
#include "unit/execute/rows_fixture.h"

using namespace blueshift;
using namespace blueshift::execute;
using namespace blueshift::execute::test;

namespace {

struct Outcome {
    Cell cell;
    std::string sqlstate;
};

Outcome compute(std::string_view name, const Table& args, bool distinct = false, u32 workers = 1,
                std::vector<compile::SortKeySpec> order_by = {}) {
    compile::SinkInfo info;
    info.input = slotsOf(args);
    std::vector<SqlType> types;
    std::vector<u16> slots;
    for (u16 a = 0; a < args.size(); ++a) {
        types.push_back(args[a].type);
        slots.push_back(a);
    }
    const auto bound = functions::bindAggregate(name, types);
    compile::GroupSink sink;
    sink.calls.push_back({.aggregate = bound.aggregate,
                          .args = slots,
                          .arg_types = types,
                          .result = bound.result,
                          .distinct = distinct,
                          .order_by = std::move(order_by)});
    info.output = {{.type = bound.result, .kind = naturalKind(bound.result)}};
    info.sink = sink;
    TestContext context;
    auto op = makeGroupSink(info);
    feed(*op, args, workers, 16, 5, context.context);
    const auto rows = readAll(*op, 1, context.context);
    if (context.context.failed()) return {{}, context.context.eval.error->sqlstate};
    REQUIRE(rows.size() == 1);
    return {rows[0][0], ""};
}

Column numbers(SqlType type, std::vector<std::optional<i128>> values,
               std::optional<PhysicalKind> kind = std::nullopt) {
    Column column{.kind = kind.value_or(naturalKind(type)), .type = type};
    for (const auto& value : values) column.cells.push_back(value ? Cell::of(*value) : Cell{});
    return column;
}
Column reals(std::vector<f64> values) {
    Column column{.kind = PhysicalKind::kF64, .type = SqlType::doublePrecision()};
    for (const f64 value : values) column.cells.push_back(Cell::real(value));
    return column;
}
Column strings(std::vector<std::string> values) {
    Column column{.kind = PhysicalKind::kText, .type = SqlType::varchar(99)};
    for (auto& value : values) column.cells.push_back(Cell::of(value));
    return column;
}

} // namespace

TEST_CASE("AVG truncates integers and rounds decimals half away from zero") {
    CHECK(bool(
        compute("avg", {numbers(SqlType::integer(), {1, 2, 2, std::nullopt})}).cell.integer == 1));
    CHECK(bool(compute("avg", {numbers(SqlType::integer(), {-1, -2, -2})}).cell.integer == -1));
    CHECK(bool(compute("avg", {numbers(SqlType::decimal(10, 2), {100, 101})}).cell.integer == 101));
    CHECK(bool(compute("avg", {numbers(SqlType::decimal(10, 2), {-100, -101})}).cell.integer ==
               -101));
    CHECK(compute("avg", {numbers(SqlType::integer(), {std::nullopt})}).cell.null);
    CHECK(compute("avg", {reals({1, 2})}).cell.floating == 1.5);
}

TEST_CASE("SUM is exact in 128 bits and refuses what its type cannot hold") {
    const i128 big = i128(1) << 62;
    CHECK(bool(
        compute("sum", {numbers(SqlType::bigInt(), {big, big, -big, -big, 7})}).cell.integer == 7));
    CHECK(compute("sum", {numbers(SqlType::bigInt(), {big, big})}).sqlstate == "22003");
    const i128 huge = i128(99999999999999999) * 1000000000000000000;
    const auto sum = compute("sum", {numbers(SqlType::decimal(38, 4), {huge, huge, -5})}, false, 3);
    CHECK(bool(sum.cell.integer == huge * 2 - 5));
    CHECK(compute("sum", {numbers(SqlType::decimal(38, 0), {huge * 600, huge * 600})}).sqlstate ==
          "22003");
    CHECK(bool(compute("sum", {numbers(SqlType::bigInt(), {3, 3, 4}, PhysicalKind::kI8)}, true)
                   .cell.integer == 7));
}

TEST_CASE("MIN, MAX and ANY_VALUE of text ignore trailing blanks, floats know NaN") {
    const Table words{
        strings({"pear ", "apple", "a much longer word than twelve bytes", "apple  ", "zoo"})};
    CHECK(compute("max", words, false, 2).cell.text == "zoo");
    CHECK(compute("min", words, false, 2).cell.text == "a much longer word than twelve bytes");
    const Table odd{reals({1, NAN, -3})};
    CHECK(std::isnan(compute("max", odd).cell.floating));
    CHECK(compute("min", odd).cell.floating == -3);
    CHECK(bool(
        compute("any_value", {numbers(SqlType::bigInt(), {std::nullopt, 4, 4})}).cell.integer ==
        4));
    CHECK(compute("max", {numbers(SqlType::date(), {std::nullopt})}).cell.null);
}

TEST_CASE("variances of a sample need two rows") {
    const Table one{reals({5})};
    CHECK(compute("stddev", one).cell.null);
    CHECK(compute("var_samp", one).cell.null);
    CHECK(compute("stddev_pop", one).cell.floating == 0);
    std::vector<f64> values;
    for (int i = 0; i < 100; ++i) values.push_back(1e9 + i);
    for (const u32 workers : {1u, 4u}) {
        CHECK(compute("variance", {reals(values)}, false, workers).cell.floating ==
              doctest::Approx(841.6666667));
        CHECK(compute("stddev_pop", {reals(values)}, false, workers).cell.floating ==
              doctest::Approx(28.86607));
    }
}

TEST_CASE("MEDIAN and percentiles interpolate and keep types") {
    CHECK(bool(
        compute("median", {numbers(SqlType::integer(), {4, 1, 2, 3})}, false, 2).cell.integer ==
        25));
    CHECK(bool(compute("median", {numbers(SqlType::decimal(9, 2), {300, 100, 200})}).cell.integer ==
               2000));
    CHECK(compute("median", {reals({1, 4})}).cell.floating == 2.5);
    CHECK(bool(compute("median", {numbers(SqlType::date(), {10, 20, 30})}).cell.integer == 20));
    const Table quarter{reals({0.25, 0.25, 0.25}), numbers(SqlType::integer(), {30, 10, 20})};
    CHECK(bool(compute("percentile_cont", quarter, false, 1, {{1, false, false}}).cell.integer ==
               150000));
    CHECK(bool(compute("percentile_cont", quarter, false, 1, {{1, true, false}}).cell.integer ==
               250000));
    CHECK(bool(compute("percentile_disc", quarter, false, 1, {{1, false, false}}).cell.integer ==
               10));
    CHECK(
        bool(compute("percentile_disc", quarter, false, 1, {{1, true, false}}).cell.integer == 30));
    const Table wrong{reals({1.5}), numbers(SqlType::integer(), {3})};
    CHECK(compute("percentile_cont", wrong).sqlstate == "22023");
}

TEST_CASE("bits and truth values") {
    CHECK(bool(
        compute("bit_and", {numbers(SqlType::integer(), {7, 6, std::nullopt})}).cell.integer == 6));
    CHECK(bool(compute("bit_or", {numbers(SqlType::integer(), {1, 6})}).cell.integer == 7));
    CHECK(bool(compute("bool_and", {numbers(SqlType::boolean(), {1, 0})}).cell.integer == 0));
    CHECK(bool(compute("bool_or", {numbers(SqlType::boolean(), {0, 1})}).cell.integer == 1));
    CHECK(compute("bool_or", {numbers(SqlType::boolean(), {std::nullopt})}).cell.null);
}

TEST_CASE("approximate counts stay within two percent") {
    for (const i64 distinct : {0, 5, 900, 5000, 200000}) {
        std::vector<std::optional<i128>> values;
        for (i64 i = 0; i < distinct * 2; ++i) values.push_back(i128(i % distinct) * 7919);
        if (values.empty()) values.push_back(std::nullopt);
        const auto count =
            compute("approximate_count", {numbers(SqlType::bigInt(), values)}, false, 2);
        CHECK(f64(count.cell.integer) == doctest::Approx(f64(distinct)).epsilon(0.02));
    }
}

TEST_CASE("LISTAGG stops at 65535 bytes") {
    const Table words{strings({std::string(40000, 'x'), std::string(40000, 'y')})};
    CHECK(compute("listagg", words).sqlstate == "54000");
    const Table fine{strings({"x", "y"}), strings({"-", "-"})};
    CHECK(compute("listagg", fine).cell.text == "x-y");
}

TEST_CASE("binding names result types and refuses what there is not") {
    const auto result = [](std::string_view name, SqlType type) {
        return functions::bindAggregate(name, {&type, 1}).result;
    };
    CHECK(result("sum", SqlType::smallInt()) == SqlType::bigInt());
    CHECK(result("sum", SqlType::decimal(12, 3)) == SqlType::decimal(38, 3));
    CHECK(result("avg", SqlType::real()) == SqlType::doublePrecision());
    CHECK(result("count", SqlType::text()) == SqlType::bigInt());
    CHECK(result("max", SqlType::varchar(7)) == SqlType::varchar(7));
    const auto state = [](std::string_view name, SqlType type) -> std::string {
        try {
            functions::bindAggregate(name, {&type, 1});
        } catch (const SqlError& error) {
            return error.error().sqlstate + error.error().message;
        }
        return "";
    };
    CHECK(state("sum", SqlType::boolean()) == "42883function sum(boolean) does not exist");
    CHECK(state("max", SqlType::boolean()) == "42883function max(boolean) does not exist");
    CHECK(state("lower", SqlType::text()).starts_with("42883"));
    CHECK(functions::isAggregateName("listagg"));
    CHECK_FALSE(functions::isAggregateName("lower"));
}
