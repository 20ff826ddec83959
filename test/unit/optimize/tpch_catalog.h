// tpch_catalog.h: the TPC-H schema with row counts, distinct counts and ranges of scale factor 1,
// and statements bound against it.
#pragma once

#include "bind/bind.h"
#include "parse/parse.h"
#include "unit/optimize/plan_kit.h"

namespace blueshift::optimize::test {

struct ColumnSpec {
    std::string_view name;
    SqlType type;
    f64 distinct;
};

inline std::shared_ptr<catalog::Table> tpchTable(catalog::Oid oid, std::string name, u32 rows,
                                                 std::vector<ColumnSpec> columns,
                                                 std::vector<u32> key) {
    auto table = std::make_shared<catalog::Table>();
    table->oid = oid;
    table->name = std::move(name);
    auto statistics = std::make_shared<catalog::TableStatistics>();
    statistics->rows = rows;
    auto segment = std::make_shared<catalog::Segment>();
    segment->rows = rows;
    for (const ColumnSpec& spec : columns) {
        const u32 id = table->next_column_id++;
        catalog::Column column{
            .id = id, .name = std::string(spec.name), .type = spec.type, .not_null = true};
        const bool integer = isIntegerKind(naturalKind(spec.type));
        column.width_class = integer ? u8(widthOf(naturalKind(spec.type))) : 16;
        table->columns.push_back(column);
        catalog::ColumnStatistics about;
        about.distinct = spec.distinct;
        about.average_bytes = 20;
        statistics->columns.emplace_back(id, about);
        catalog::ColumnRange range;
        range.has_range = integer;
        // Dates of TPC-H lie between 1992-01-01 and 1998-12-31.
        range.min = spec.type.kind == TypeKind::kDate ? -2922 : 1;
        range.max =
            spec.type.kind == TypeKind::kDate ? -366 : i128(std::max(spec.distinct, 50.0)) * 4;
        segment->column_ids.push_back(id);
        segment->ranges.push_back(range);
    }
    table->keys.push_back({.name = "pk", .primary = true, .columns = std::move(key)});
    auto segments = std::make_shared<std::vector<catalog::SegmentEntry>>();
    segments->push_back({segment, nullptr});
    table->segments = segments;
    table->statistics = statistics;
    return table;
}

inline std::shared_ptr<const catalog::CatalogSnapshot> tpchCatalog() {
    auto snapshot = std::make_shared<catalog::CatalogSnapshot>(*catalog::makeEmptyCatalog());
    const SqlType key = SqlType::bigInt();
    const SqlType number = SqlType::integer();
    const SqlType money = SqlType::decimal(15, 2);
    const SqlType date = SqlType::date();
    const auto text = [](int n) { return SqlType::varchar(n); };
    const auto chars = [](int n) { return SqlType::character(n); };
    const auto add = [&](std::shared_ptr<catalog::Table> table) {
        snapshot->tables[table->oid] = table;
    };
    add(tpchTable(100001, "region", 5,
                  {{"r_regionkey", key, 5}, {"r_name", text(25), 5}, {"r_comment", text(152), 5}},
                  {1}));
    add(tpchTable(100002, "nation", 25,
                  {{"n_nationkey", key, 25},
                   {"n_name", text(25), 25},
                   {"n_regionkey", key, 5},
                   {"n_comment", text(152), 25}},
                  {1}));
    add(tpchTable(100003, "supplier", 10000,
                  {{"s_suppkey", key, 10000},
                   {"s_name", chars(25), 10000},
                   {"s_address", text(40), 10000},
                   {"s_nationkey", key, 25},
                   {"s_phone", chars(15), 10000},
                   {"s_acctbal", money, 9955},
                   {"s_comment", text(101), 10000}},
                  {1}));
    add(tpchTable(100004, "customer", 150000,
                  {{"c_custkey", key, 150000},
                   {"c_name", text(25), 150000},
                   {"c_address", text(40), 150000},
                   {"c_nationkey", key, 25},
                   {"c_phone", chars(15), 150000},
                   {"c_acctbal", money, 140000},
                   {"c_mktsegment", chars(10), 5},
                   {"c_comment", text(117), 150000}},
                  {1}));
    add(tpchTable(100005, "part", 200000,
                  {{"p_partkey", key, 200000},
                   {"p_name", text(55), 200000},
                   {"p_mfgr", chars(25), 5},
                   {"p_brand", chars(10), 25},
                   {"p_type", text(25), 150},
                   {"p_size", number, 50},
                   {"p_container", chars(10), 40},
                   {"p_retailprice", money, 20000},
                   {"p_comment", text(23), 130000}},
                  {1}));
    add(tpchTable(100006, "partsupp", 800000,
                  {{"ps_partkey", key, 200000},
                   {"ps_suppkey", key, 10000},
                   {"ps_availqty", number, 9999},
                   {"ps_supplycost", money, 99865},
                   {"ps_comment", text(199), 800000}},
                  {1, 2}));
    add(tpchTable(100007, "orders", 1500000,
                  {{"o_orderkey", key, 1500000},
                   {"o_custkey", key, 100000},
                   {"o_orderstatus", chars(1), 3},
                   {"o_totalprice", money, 1400000},
                   {"o_orderdate", date, 2406},
                   {"o_orderpriority", chars(15), 5},
                   {"o_clerk", chars(15), 1000},
                   {"o_shippriority", number, 1},
                   {"o_comment", text(79), 1400000}},
                  {1}));
    add(tpchTable(100008, "lineitem", 6001215,
                  {{"l_orderkey", key, 1500000},
                   {"l_partkey", key, 200000},
                   {"l_suppkey", key, 10000},
                   {"l_linenumber", number, 7},
                   {"l_quantity", money, 50},
                   {"l_extendedprice", money, 930000},
                   {"l_discount", money, 11},
                   {"l_tax", money, 9},
                   {"l_returnflag", chars(1), 3},
                   {"l_linestatus", chars(1), 2},
                   {"l_shipdate", date, 2526},
                   {"l_commitdate", date, 2466},
                   {"l_receiptdate", date, 2554},
                   {"l_shipinstruct", chars(25), 4},
                   {"l_shipmode", chars(10), 7},
                   {"l_comment", text(44), 4500000}},
                  {1, 4}));
    auto loose = tpchTable(100009, "t", 1000,
                           {{"a", number, 1000}, {"b", number, 10}, {"c", number, 100}}, {1});
    for (catalog::Column& column : loose->columns) column.not_null = false;
    loose->keys.clear();
    add(loose);
    auto other = tpchTable(100010, "s", 10000,
                           {{"x", number, 5000}, {"y", number, 100}, {"z", number, 10}}, {1});
    for (catalog::Column& column : other->columns) column.not_null = false;
    other->keys.clear();
    add(other);
    snapshot->indexNames();
    return snapshot;
}

/// One statement bound against the catalog.
struct Bound {
    Arena arena;
    functions::SessionFacts session;
    catalog::SourceRegistry sources;
    bind::BindContext context;
    bind::QueryPlan plan;

    Bound(std::shared_ptr<const catalog::CatalogSnapshot> catalog, std::string_view sql) {
        context.arena = &arena;
        context.catalog = std::move(catalog);
        context.sources = &sources;
        context.session = &session;
        context.search_path = {"public"};
        context.text = sql;
        plan = bind::bindQuery(*parse::parseQuery(sql, arena), context);
    }
};

} // namespace blueshift::optimize::test
