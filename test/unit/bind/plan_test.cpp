// Golden plans: what the clauses of SELECT become.
#include "unit/bind/fixture.h"

using blueshift::test::Fixture;

TEST_CASE("a filter, a computed column and an alias in ORDER BY") {
    CHECK(Fixture().plan("select a, b+1 as z, z*2 from t where a > 3 order by z desc limit 5") ==
          R"(
result a = t.a integer, z bigint, ?column? bigint
  limit 5
    sort z desc
      map z := (t.b + 1), ?column? := ((t.b + 1) * 2)
        filter (t.a > 3)
          scan t
)");
}

TEST_CASE("grouping by ordinal, HAVING, an aggregate only in ORDER BY") {
    CHECK(Fixture().plan("select c, count(*), sum(n) from t group by 1 having sum(n) > 10 order by "
                         "2 desc, max(d)") == R"(
result c character varying(20), count bigint, sum numeric(38,2)
  sort count desc, max
    filter (sum > 10.00)
      aggregate by c := t.c [count := count(), sum := sum(t.n), max := max(t.d)]
        scan t
)");
}

TEST_CASE("correlated subqueries stay expressions") {
    CHECK(Fixture().plan("select a from t where exists (select 1 from u where u.a = t.a) and b in "
                         "(select a from u)") == R"(
result a = t.a integer
  filter ((subplan) AND (subplan))
    subplan exists
      map ?column? := 1
        filter (u.a#8 = t.a)
          scan u
    subplan t.b = any (a)
      map a := (u.a#11)::bigint
        scan u
    scan t
)");
    CHECK(Fixture().plan("select t.a + 1, (select max(u.a) from u where u.a = t.a + 1) from t "
                         "group by t.a + 1") == R"(
result ?column? integer, max = max#12 integer
  map max#12 := (subplan)
    subplan scalar (max#11)
      aggregate [max#11 := max(u.a)]
        filter (u.a = ?column?)
          scan u
    aggregate by ?column? := (t.a + 1)
      scan t
)");
    CHECK(Fixture().plan(
              "select count(*) from t having exists (select 1 from u where u.a = max(t.a))") == R"(
result count bigint
  filter (subplan)
    subplan exists
      map ?column? := 1
        filter (u.a = max)
          scan u
    aggregate [count := count(), max := max(t.a)]
      scan t
)");
    CHECK(Fixture().plan(
              "select t.a from t where t.a = (select max(u.a) from u where u.a = (select "
              "min(region.r_regionkey) from region where region.r_regionkey = t.b))") == R"(
result a = t.a integer
  filter (t.a = (subplan))
    subplan scalar (max)
      aggregate [max := max(u.a)]
        filter ((u.a)::bigint = (subplan))
          subplan scalar (min)
            aggregate [min := min(region.r_regionkey)]
              filter (region.r_regionkey = t.b)
                scan region
          scan u
    scan t
)");
}

TEST_CASE("a common table read once is inlined, one read twice is shared") {
    CHECK(Fixture().plan(
              "with w as (select a, count(*) n from t group by a) select * from w where n > 1") ==
          R"(
result a integer, n = count bigint
  filter (count > 1)
    aggregate by a := t.a [count := count()]
      scan t
)");
    CHECK(Fixture().plan("with w as (select a, count(*) n from t group by a) select * from w x "
                         "join w y on x.a = y.n") == R"(
result a = a#10 integer, n = n#11 bigint, a = a#12 integer, n = n#13 bigint
  inner join on ((a#10)::bigint = n#13)
    cte scan 0
    cte scan 0
cte 0 w
  aggregate by a#8 := t.a [count := count()]
    scan t
)");
    CHECK(Fixture().plan("with a as (select a from t), b as (select a from a), c as (select x.a "
                         "from b x, b y) select * from c") == R"(
result a = a#9 integer
  inner join
    cte scan 0
    cte scan 0
cte 0 b
  scan t
)");
    CHECK(Fixture().plan("with recursive r as (select a from t) select * from r") == R"(
result a = t.a integer
  scan t
)");
}

TEST_CASE("USING merges columns") {
    CHECK(Fixture().plan("select a, e from t join u using (a)") == R"(
result a = t.a integer, e = u.e character varying(5)
  inner join on (t.a = u.a)
    scan t
    scan u
)");
    CHECK(Fixture().plan("select a, e from t full join u using (a)") == R"(
result a integer, e = u.e character varying(5)
  map a := COALESCE(t.a, u.a)
    full join on (t.a = u.a)
      scan t
      scan u
)");
    CHECK(Fixture().plan("select a, e from t right join u using (a)") == R"(
result a = u.a integer, e = u.e character varying(5)
  right join on (t.a = u.a)
    scan t
    scan u
)");
}

TEST_CASE("set operations share types and fold neighbours") {
    CHECK(Fixture().plan("select a from t union select a from u union all select 1 order by 1") ==
          R"(
result a = a#12 integer
  sort a#12
    union all (a#11) (?column?)
      distinct a#11
        union all (t.a) (u.a)
          scan t
          scan u
      map ?column? := 1
        values ()
)");
    CHECK(Fixture().plan("select a from t intersect select b from t except select 5") == R"(
result a = a#20 bigint
  except (a#17) (?column?#19)
    intersect (a#16) (t.b#9)
      map a#16 := (t.a#0)::bigint
        scan t
      scan t
    map ?column?#19 := (?column?#18)::bigint
      map ?column?#18 := 5
        values ()
)");
    CHECK(Fixture().plan("select 'x' union all select c from t") == R"(
result ?column? = ?column?#10 character varying(65535)
  union all (?column?#8) (c)
    map ?column?#8 := 'x'::text
      values ()
    map c := (t.c)::character varying(65535)
      scan t
)");
    CHECK(Fixture().plan("select null union select 1") == R"(
result ?column? = ?column?#2 integer
  distinct ?column?#2
    union all (?column?#1) (?column?#0)
      map ?column?#1 := NULL
        values ()
      map ?column?#0 := 1
        values ()
)");
}

TEST_CASE("several windows, aggregates below them") {
    CHECK(Fixture().plan("select max(a) over w, min(b) over (w rows between 1 preceding and "
                         "current row) from t window w as (partition by c order by d)") == R"(
result max integer, min bigint
  window partition by t.c order by t.d [max := max(t.a) range unbounded preceding to current row, min := min(t.b) rows 1 preceding to current row]
    scan t
)");
    CHECK(Fixture().plan("select sum(count(*)) over (order by a), rank() over (partition by a "
                         "order by max(b) desc) from t group by a") == R"(
result sum bigint, rank bigint
  window partition by a order by max desc [rank := rank()]
    window order by a [sum := sum(count) range unbounded preceding to current row]
      aggregate by a := t.a [count := count(), max := max(t.b)]
        scan t
)");
    CHECK(Fixture().plan("select a from t qualify row_number() over (order by b) = 1") == R"(
result a = t.a integer
  filter (row_number = 1)
    window order by t.b [row_number := row_number()]
      scan t
)");
    CHECK(Fixture().plan(
              "select listagg(c, ',') within group (order by b) over (partition by a) from t") ==
          R"(
result listagg character varying(65535)
  window partition by t.a order by t.b [listagg := listagg(t.c, ','::text)]
    scan t
)");
}

TEST_CASE("grouping sets") {
    CHECK(Fixture().plan("select a, b, grouping(a, b), count(*) from t group by rollup(a, b)") ==
          R"(
result a integer, b bigint, grouping = grouping#12 integer, count bigint
  map grouping#12 := ((((grouping#10 / 1) % 2) * 2) + (((grouping#10 / 2) % 2) * 1))::integer
    aggregate by a := t.a, b := t.b [count := count()] sets 3 1 0
      scan t
)");
    CHECK(Fixture().plan("select a, count(*) from t group by a, cube(b, c)") == R"(
result a integer, count bigint
  aggregate by a := t.a, b := t.b, c := t.c [count := count()] sets 7 5 3 1
    scan t
)");
}

TEST_CASE("lateral subqueries are dependent joins") {
    CHECK(Fixture().plan("select l.s from t, lateral (select t.a + u.a as s from u) l") == R"(
result s integer
  inner join dependent
    scan t
    map s := (t.a + u.a)
      scan u
)");
}

TEST_CASE("views take the names they were created with") {
    CHECK(Fixture().plan("select * from v where key = 2") == R"(
result key = a integer, rows = count bigint
  filter (a = 2)
    aggregate by a := t.a [count := count()]
      scan t
)");
}

TEST_CASE("table functions and system sources") {
    CHECK(Fixture().plan("select * from generate_series(1, 10) g where g > 3") == R"(
result g = g.generate_series bigint
  filter (g.generate_series > 3)
    source generate_series(1, 10) g
)");
    CHECK(Fixture().plan("select relname from pg_class") == R"(
result relname = pg_class.relname name
  source pg_class
)");
    CHECK(Fixture().plan("select * from two_columns() as x(p text, q bigint)") == R"(
result p = x.p text, q bigint
  map q := (x.q)::bigint
    source two_columns x
)");
    CHECK(Fixture().plan("select * from current_database()") == R"(
result current_database name
  map current_database := current_database()
    values ()
)");
}

TEST_CASE("aliases of the select list; a column of FROM wins") {
    CHECK(Fixture().plan("select a as b1, b1 + 1 as c1 from t where b1 > 3 and c1 < 5") == R"(
result b1 = t.a integer, c1 integer
  map c1 := (t.a + 1)
    filter ((t.a > 3) AND ((t.a + 1) < 5))
      scan t
)");
    CHECK(Fixture().plan("select a + 1 as b, b from t") == R"(
result b integer, b = t.b bigint
  map b := (t.a + 1)
    scan t
)");
}

TEST_CASE("distinct hides what is below") {
    CHECK(Fixture().plan("select distinct a, c from t order by c") == R"(
result a = t.a integer, c = t.c character varying(20)
  sort t.c
    distinct t.a, t.c
      scan t
)");
}

TEST_CASE("rows are compared column by column") {
    CHECK(Fixture().plan("select a from t where (a, b) in ((1, 2), (3, 4)) or (a, b) < (5, 6) or "
                         "(a, b) in (select a, a from u)") == R"(
result a = t.a integer
  filter (((t.a = 1) AND (t.b = 2)) OR ((t.a = 3) AND (t.b = 4)) OR (t.a < 5) OR ((t.a = 5) AND (t.b < 6)) OR (subplan))
    subplan t.a, t.b = any (u.a, a)
      map a := (u.a)::bigint
        scan u
    scan t
)");
}

TEST_CASE("constants decide terms and arms") {
    CHECK(Fixture().plan("select a from t where 1 = 1 and (a > 1 or 2 > 3)") == R"(
result a = t.a integer
  filter (t.a > 1)
    scan t
)");
    CHECK(Fixture().plan("select case when 1 = 2 then 5 when a > 1 then 6 else n end from t") == R"(
result n numeric(12,2)
  map n := CASE WHEN (t.a > 1) THEN 6.00 ELSE t.n END
    scan t
)");
}

TEST_CASE("a subquery on the left side of another keeps its plan when a common table moves") {
    CHECK(Fixture().plan(
              "with w as (select a from t) select 1 from u where (select max(a) from w) in "
              "(select r_regionkey from region)") == R"(
result ?column? integer
  map ?column? := 1
    filter (subplan)
      subplan (subplan)::bigint = any (region.r_regionkey)
        scan region
      subplan scalar (max)
        aggregate [max := max(t.a)]
          scan t
      scan u
)");
}
