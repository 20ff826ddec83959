// Every TPC-H query binds, with the result types that Redshift gives.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/bind/fixture.h"

using namespace blueshift;
using test::Fixture;

TEST_CASE("all TPC-H queries bind") {
    const auto folder = std::filesystem::path(__FILE__).parent_path() / "../../sql/tpch";
    size_t bound = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".sql") continue;
        std::ifstream file(entry.path());
        const std::string text((std::istreambuf_iterator<char>(file)),
                               std::istreambuf_iterator<char>());
        Fixture fixture;
        fixture.context.text = text;
        INFO(entry.path().filename().string());
        const auto statements = parse::parse(text, fixture.arena);
        for (const parse::Statement* statement : statements) {
            if (!statement->is<parse::Select>()) continue;
            try {
                const auto plan =
                    bind::bindQuery(*statement->as<parse::Select>()->query, fixture.context);
                CHECK(plan.columns.size() > 0);
                CHECK_FALSE(bind::printLogical(plan).empty());
                ++bound;
            } catch (const SqlError& error) {
                FAIL_CHECK(error.error().sqlstate << " " << error.error().message << " at "
                                                  << error.error().position);
            }
        }
    }
    CHECK(bound > 0);
}

TEST_CASE_FIXTURE(Fixture, "sums and products of decimals have Redshift's types") {
    CHECK(columns("select sum(l_quantity), sum(l_extendedprice * (1 - l_discount)), "
                  "avg(l_discount), count(*) "
                  "from lineitem") ==
          "sum numeric(38,2), sum numeric(38,4), avg numeric(38,2), count bigint");
    CHECK(columns("select sum(a), avg(a), min(d), max(c), stddev(a) from t") ==
          "sum bigint, avg bigint, min date, max character varying(20), stddev double precision");
}
