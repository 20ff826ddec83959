"""Tables, and queries whose answers never change, for sessions that disturb one another.

`facts` and `kinds` are read only: every answer over them is known from the start. `accounts` and
`savings` keep their common sum, `counters` has a row a session, and `ledger_N` takes batches of rows
that know how many they are.
"""
FACTS = 200_000
KINDS = 500
ACCOUNTS = 60
DEPOSIT = 1000
LEDGERS = 4

# Name -> SQL. Rows are compared in order when the name ends in `ordered`, else as a multiset.
QUERIES = {
    "point": "SELECT v, k, t FROM facts WHERE v = 77777",
    "range": "SELECT count(*), sum(k), min(t), max(t) FROM facts WHERE v BETWEEN 50000 AND 90000",
    "filter": "SELECT count(*), sum(v) FROM facts WHERE t LIKE '%99%' AND k % 7 = 3",
    "group": "SELECT k, count(*), sum(v), min(t) FROM facts GROUP BY k",
    "large_group": "SELECT count(*), sum(n) FROM (SELECT v, t, count(*) AS n FROM facts GROUP BY v, t) g",
    "distinct": "SELECT count(DISTINCT v), count(DISTINCT t) FROM facts",
    "rollup": "SELECT k % 5, k % 3, sum(v) FROM facts GROUP BY ROLLUP (1, 2)",
    "join": "SELECT name, count(*), sum(v) FROM facts JOIN kinds ON k = id GROUP BY name",
    "large_join": "SELECT count(*), sum(a.k) FROM facts a JOIN facts b ON a.v = b.v AND a.t = b.t",
    "outer_join": "SELECT count(*), count(b.v) FROM facts a LEFT JOIN facts b ON a.v = b.v + 150000",
    "anti_join": "SELECT count(*) FROM facts WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE id = v)",
    "full_join": "SELECT count(*), sum(a.v), sum(b.v) FROM (SELECT v FROM facts WHERE v < 120000) a "
                 "FULL JOIN (SELECT v FROM facts WHERE v > 80000) b ON a.v = b.v",
    "window": "SELECT sum(n), max(r) FROM (SELECT count(*) OVER (PARTITION BY v % 5000 ORDER BY t) AS n, "
              "row_number() OVER (PARTITION BY k ORDER BY v) AS r FROM facts) w",
    "qualify": "SELECT v, k FROM facts WHERE k < 40 QUALIFY row_number() OVER (PARTITION BY k ORDER BY t, v) = 1",
    "top_ordered": "SELECT t, v FROM facts ORDER BY t DESC, v LIMIT 100",
    "sort_ordered": "SELECT v, t FROM facts WHERE v % 8 = 0 ORDER BY t, v",
    "union": "SELECT count(*), sum(v) FROM (SELECT v FROM facts UNION SELECT v + 100000 FROM facts) u",
    "except": "SELECT count(*) FROM (SELECT v, k FROM facts EXCEPT SELECT v, k FROM facts WHERE k < 250) e",
    "scalar": "SELECT count(*) FROM facts WHERE v > (SELECT avg(v) FROM facts) AND k IN (SELECT id FROM kinds)",
    "correlated": "SELECT id, (SELECT sum(v) FROM facts WHERE k = id) FROM kinds WHERE id < 60",
    "rows": "SELECT * FROM facts WHERE v < 20000",
}


def normal(name, rows):
    return rows if name.endswith("ordered") else sorted(rows, key=repr)


def create(connection):
    for sql in (
        "CREATE TABLE facts (v BIGINT NOT NULL, k INT NOT NULL, t VARCHAR(64) NOT NULL) DISTKEY (v)",
        "CREATE TABLE kinds (id INT NOT NULL, name VARCHAR(20)) DISTSTYLE ALL",
        "CREATE TABLE accounts (id INT NOT NULL, balance BIGINT NOT NULL)",
        "CREATE TABLE savings (id INT NOT NULL, balance BIGINT NOT NULL)",
        "CREATE TABLE counters (session INT NOT NULL, n BIGINT NOT NULL)",
        *(f"CREATE TABLE ledger_{i} (session INT, batch INT, size INT, n BIGINT, mark INT)" for i in range(LEDGERS)),
    ):
        connection.execute(sql)
    with connection.cursor().copy("COPY facts FROM STDIN CSV") as copy:
        for begin in range(0, FACTS, 50_000):
            copy.write("".join(f"{i},{i * 31 % KINDS},a text of more than twelve bytes {i * 7919 % FACTS}\n"
                               for i in range(begin, min(FACTS, begin + 50_000))))
    with connection.cursor().copy("COPY kinds FROM STDIN CSV") as copy:
        copy.write("".join(f"{i},kind {i % 50}\n" for i in range(KINDS)))
    for table in ("accounts", "savings"):
        connection.execute(f"INSERT INTO {table} SELECT v, {DEPOSIT} FROM facts WHERE v < {ACCOUNTS}")


def answers(connection):
    return {name: normal(name, connection.execute(sql).fetchall()) for name, sql in QUERIES.items()}


SUM_OF_MONEY = ("SELECT (SELECT sum(balance) FROM accounts) + (SELECT sum(balance) FROM savings), "
                "(SELECT count(*) FROM accounts) + (SELECT count(*) FROM savings)")
ALL_MONEY = (2 * ACCOUNTS * DEPOSIT, 2 * ACCOUNTS)


def torn_batches(ledger):
    """Finds batches of which only a part can be seen; there must never be one."""
    return (f"SELECT session, batch, count(*), max(size), sum(n), min(mark), max(mark) FROM ledger_{ledger} "
            "GROUP BY session, batch HAVING count(*) <> max(size) OR count(*) <> min(size) "
            "OR sum(n) <> max(size) * (max(size) - 1) / 2 OR min(mark) <> max(mark)")
