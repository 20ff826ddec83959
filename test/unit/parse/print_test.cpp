// What the parser reads, the printer writes, and the parser reads again to the same.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "parse/parse.h"
#include "unit/parse/corpus.h"
#include "unit/parse/parse_support.h"

using namespace blueshift;
using namespace blueshift::parse;

TEST_CASE("printed statements are a fixed point") {
    for (std::string text : corpus::kStatements) {
        CAPTURE(text);
        std::string first;
        std::string second;
        CHECK_NOTHROW(first = printed(text));
        CAPTURE(first);
        CHECK_NOTHROW(second = printed(first));
        CHECK(!first.empty());
        CHECK(first == second);
    }
}

TEST_CASE("printed statements keep their tokens") {
    // A printer that forgets a clause would still reach a fixed point.
    CHECK(
        printed("select top 3 distinct a as b into temp table x from t where c group by d having e "
                "qualify f order by g desc nulls last") ==
        "SELECT TOP 3 DISTINCT a AS b INTO TEMP TABLE x FROM t WHERE c GROUP BY d HAVING e QUALIFY "
        "f "
        "ORDER BY g DESC NULLS LAST");
    CHECK(printed("select sum(distinct a) filter (where b) over (partition by c order by d rows 1 "
                  "preceding) from t") ==
          "SELECT sum(DISTINCT a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 "
          "PRECEDING AND CURRENT ROW) FROM t");
    CHECK(
        printed("create table t (a int default 1 encode az64 distkey not null, primary key (a)) "
                "diststyle key sortkey (a)") ==
        "CREATE TABLE t (a int DEFAULT 1 ENCODE az64 DISTKEY NOT NULL, PRIMARY KEY (a)) DISTSTYLE "
        "KEY COMPOUND SORTKEY(a)");
    CHECK(printed("select (a + b) * c - (d - e), a.b[0].c, 'x'::int") ==
          "SELECT (a + b) * c - (d - e), a.b[0].c, 'x'::int");
    CHECK(
        printed("merge into t using s on a = b when matched then update set c = d when not matched "
                "then insert (e) values (f)") ==
        "MERGE INTO t USING s ON a = b WHEN MATCHED THEN UPDATE SET c = d WHEN NOT MATCHED THEN "
        "INSERT (e) VALUES (f)");
    CHECK(printed("grant select (a), update on s.t to role r with grant option, group g") ==
          "GRANT select (a), update ON TABLE s.t TO ROLE r WITH GRANT OPTION, GROUP g");
    CHECK(printed("with a as (select 1) delete from t x using a where true") ==
          "WITH a AS (SELECT 1) DELETE FROM t AS x USING a WHERE TRUE");
}

TEST_CASE("the queries of TPC-H parse and print to a fixed point") {
    std::filesystem::path folder =
        std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "sql" / "tpch";
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".sql") files.insert(entry.path());
    CHECK(files.size() == 22);
    for (const auto& path : files) {
        CAPTURE(path.string());
        std::stringstream text;
        text << std::ifstream(path).rdbuf();
        Arena arena;
        List<Statement*> statements;
        REQUIRE_NOTHROW(statements = parse::parse(text.str(), arena));
        REQUIRE(statements.size() == 1);
        REQUIRE(statements[0]->is<Select>());
        std::string first = print(*statements[0]);
        CHECK(first == printed(first));
    }
}

TEST_CASE("names are quoted where they must be") {
    CHECK(quoteName("a_1$") == "a_1$");
    CHECK(quoteName("select") == "\"select\"");
    CHECK(quoteName("Upper") == "\"Upper\"");
    CHECK(quoteName("a\"b") == "\"a\"\"b\"");
    CHECK(quoteName("1a") == "\"1a\"");
    CHECK(quoteName("#t") == "\"#t\"");
    CHECK(quoteName("") == "\"\"");
    CHECK(quoteText("it's") == "'it''s'");
}

TEST_CASE("secrets are not printed") {
    CHECK(printed("create user u password 'Secret1'") == "CREATE USER u PASSWORD '***'");
    CHECK(printed("copy t from 's3://x' access_key_id 'AKIA' secret_access_key 'abc'") ==
          "COPY t FROM 's3://x' access_key_id '***' secret_access_key '***'");
}

TEST_CASE("redact replaces secrets, also in texts that do not parse") {
    CHECK(redact("create user u password 'a''b' valid until 'x'") ==
          "create user u password '***' valid until 'x'");
    CHECK(redact("COPY t FROM 's3://b' CREDENTIALS AS 'k' CSV") ==
          "COPY t FROM 's3://b' CREDENTIALS AS '***' CSV");
    CHECK(redact(
              "copy t from 'x' access_key_id 'a' secret_access_key $$b$$ session_token E'c\\'d'") ==
          "copy t from 'x' access_key_id '***' secret_access_key '***' session_token '***'");
    CHECK(redact("alter user u password /* c */ 'a'\n 'b'; select 'c'") ==
          "alter user u password /* c */ '***'; select 'c'");
    CHECK(redact("frobnicate password = 'x' y") == "frobnicate password = '***' y");
    CHECK(redact("select 'password', 1") == "select 'password', 1");
    CHECK(redact("alter user u password 'open") == "alter user u password ***");
    CHECK(redact("select 1 ") == "select 1 ");
    CHECK(redact("") == "");
}
