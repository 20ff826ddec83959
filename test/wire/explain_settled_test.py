"""EXPLAIN ANALYZE on three nodes: a join that was left open says what it became, and by which rows."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402

FEW = "(SELECT t, MIN(k) AS k FROM build GROUP BY t HAVING COUNT(*) > 1)"
# What follows the estimates of the Network lines of the build side and of the other side.
CASES = {
    "SELECT COUNT(*) FROM probe JOIN build ON probe.k = build.k":
        (r"settled: redistributed, 5,001 rows, \d+ kB; moved=", r"settled: redistributed; moved="),
    f"SELECT COUNT(*), MIN(t) FROM probe JOIN {FEW} b ON probe.k = b.k":
        (r"settled: broadcast, 1 row, \d+ B; moved=", r"settled: kept; moved=0 B"),
}


def prepare(connection):
    connection.execute("SET share_small_tables TO on")
    for sql in ("CREATE TABLE probe (k INT, n INT) DISTSTYLE EVEN",
                "CREATE TABLE build (k INT, t VARCHAR(20)) DISTSTYLE EVEN",
                "INSERT INTO probe SELECT n, n % 7 FROM (SELECT ROW_NUMBER() OVER () AS n FROM pg_type t, pg_type u "
                "LIMIT 6000)",
                "INSERT INTO build SELECT k, 'a' || k FROM probe WHERE k <= 5000", "ANALYZE probe", "ANALYZE build",
                "INSERT INTO build VALUES (17, 'a17')"):
        connection.execute(sql)


def main():
    failed = 0
    with BlueshiftServer(nodes=3) as server, server.connect() as connection:
        prepare(connection)
        for sql, (of_build, of_probe) in CASES.items():
            lines = [row[0] for row in connection.execute("EXPLAIN ANALYZE " + sql).fetchall()]
            for wanted in (of_build, of_probe):
                if not any("XN Network" in line and re.search(wanted, line) for line in lines):
                    failed += 1
                    print(f"FAIL  no line with {wanted!r}:", *lines, sep="\n      ")
            plain = [row[0] for row in connection.execute("EXPLAIN " + sql).fetchall()]
            if any("settled" in line for line in plain):
                failed += 1
                print("FAIL  EXPLAIN alone cannot know:", *plain, sep="\n      ")
    print(f"{failed} of {len(CASES)} cases failed" if failed else "ok    settled exchanges are shown")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
