"""Temporary files: gone after success, failure, cancellation, time-out and kill -9; a full disk; memory.

    spill_faults.py

A server with little memory runs queries that must write their rows out. Whether it does is read from
the sizes of the nameless files that its process has open.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402

MEMORY = "24MiB"
ROWS = 2_000_000
PATIENCE = 120
TEXT = "a text of more than twelve bytes %d"
# One query for each operator that spills; `v` is unique, `k` repeats, `t` is long.
QUERIES = {
    "group": "SELECT count(*), sum(n) FROM (SELECT v, t, count(*) AS n FROM facts GROUP BY v, t) g",
    "distinct": "SELECT count(DISTINCT v), count(DISTINCT t) FROM facts",
    "join": "SELECT count(*), sum(a.k) FROM facts a JOIN facts b ON a.v = b.v AND a.t = b.t",
    "numbered": "SELECT count(*), sum(r - v) FROM (SELECT v, t, row_number() OVER (ORDER BY t, v) AS n, "
                "row_number() OVER (ORDER BY v) AS r FROM facts) w WHERE length(t) > n % 2",
    "sliding": "SELECT count(*), sum(s - k * 100) FROM (SELECT v, k, t, sum(k) OVER "
               "(ORDER BY k, v ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS s FROM facts) w "
               "WHERE length(t) > 0 AND v >= 100000",
    "loop": "SELECT count(*), count(s), sum(length(t)) FROM (SELECT 1999000 AS s UNION ALL SELECT -1) a "
            "FULL JOIN facts ON v > s AND length(t) > s",
    "window": "SELECT sum(n) FROM (SELECT count(*) OVER (PARTITION BY v % 50000 ORDER BY t) AS n FROM facts) w",
    "order": "SELECT v, t FROM facts ORDER BY t, v",
}
EXPECTED = {
    "group": (ROWS, ROWS),
    "distinct": (ROWS, ROWS),
    "join": (ROWS, ROWS // 1000 * 499_500),
    "numbered": (ROWS, ROWS),
    "sliding": (ROWS - 100_000, 0),
    "loop": (ROWS + 1, ROWS + 1, sum(len(TEXT % i) for i in range(ROWS))),
}


def spill_files(server):
    """Sizes of the nameless files below .../spill or --temp that the server has open."""
    sizes, folder = [], f"/proc/{server.process.pid}/fd"
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            target = os.readlink(path)
            if target.endswith("(deleted)") and ("/spill/" in target or "blueshift-temp" in target):
                sizes.append(os.stat(path).st_size)
        except OSError:
            pass
    return sizes


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"in vain waited for {what}")
        time.sleep(0.002)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def named_files(server):
    folder = os.path.join(server.place, "spill")
    return os.listdir(folder) if os.path.isdir(folder) else []


class Running(threading.Thread):
    """A statement on a connection of its own."""

    def __init__(self, server, sql, settings=()):
        super().__init__(daemon=True)
        self.connection = server.connect()
        for setting in settings:
            self.connection.execute(setting)
        self.sql, self.rows, self.state, self.message = sql, None, None, ""
        self.start()

    def run(self):
        try:
            self.rows = self.connection.execute(self.sql).fetchall()
        except psycopg.Error as error:
            self.state, self.message = error.sqlstate or "lost", str(error)


def check_blocks(connection, table):
    """Little memory makes segments smaller, not tiny: 2 million values are 31 blocks at least."""
    plan = "".join(row[0] for row in connection.execute(f"EXPLAIN ANALYZE SELECT sum(v) FROM {table}").fetchall())
    blocks = int(re.search(r"blocks=(\d+)", plan).group(1))
    check(31 < blocks < 200, f"{table} has {blocks} blocks")


def resident(server, field):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) >> 10 for line in file if line.startswith(field))


def load(server):
    with server.connect() as connection:
        connection.execute("CREATE TABLE facts (v BIGINT NOT NULL, k BIGINT NOT NULL, t VARCHAR(64) NOT NULL)")
        with connection.cursor().copy("COPY facts FROM STDIN CSV") as copy:
            for begin in range(0, ROWS, 50_000):
                copy.write("".join(f"{i},{i % 1000},{TEXT % (i * 7919 % ROWS)}\n"
                                   for i in range(begin, begin + 50_000)))
        check_blocks(connection, "facts")


def expect_gone(server, when):
    wait_for(f"the end of temporary files {when}", lambda: not spill_files(server))
    check(not named_files(server), f"{named_files(server)} are left {when}")


def answers(server):
    for name, sql in QUERIES.items():
        most = 0
        statement = Running(server, sql)
        while statement.is_alive():
            most = max([most, *spill_files(server)])
            statement.join(0.002)
        check(statement.state is None, f"{name}: {statement.state} {statement.message}")
        if name in EXPECTED:
            check(statement.rows == [EXPECTED[name]], f"{name}: {statement.rows}")
        if name == "order":
            check(len(statement.rows) == ROWS, f"order: {len(statement.rows)} rows")
            check(all(a[1] <= b[1] for a, b in zip(statement.rows, statement.rows[1:])), "order: not in order")
        check(most > 0, f"{name}: nothing was written out")
        expect_gone(server, f"after {name}")
        print(f"ok    {name}: {most >> 20} MiB in the largest file", flush=True)


def failures(server):
    statement = Running(server, "SELECT 1 / (count(*) - count(*)) FROM (SELECT v, t FROM facts GROUP BY v, t) g")
    statement.join()
    check(statement.state == "22012", f"division: {statement.state} {statement.message}")
    expect_gone(server, "after an error")
    for name in ("group", "join", "window", "numbered", "sliding", "loop", "order"):
        # At three sizes of the largest file: while filling, later, later still.
        for size in (1, 4 << 20, 16 << 20):
            statement = Running(server, QUERIES[name])
            wait_for("rows on disk", lambda: max(spill_files(server), default=0) >= size or not statement.is_alive())
            cancelled = statement.is_alive()
            begin = time.monotonic()
            statement.connection.cancel()
            statement.join()
            if cancelled and statement.state is not None:
                check(statement.state == "57014", f"{name}: {statement.state} {statement.message}")
                print(f"ok    {name} cancelled at {size} bytes, {(time.monotonic() - begin) * 1000:.0f} ms", flush=True)
            expect_gone(server, f"after cancelling {name}")
    statement = Running(server, QUERIES["join"], ["SET statement_timeout TO 300"])
    statement.join()
    check(statement.state == "57014", f"time-out: {statement.state} {statement.message}")
    expect_gone(server, "after a time-out")
    print("ok    errors, cancellation and time-out leave nothing", flush=True)


def slow_reader(server):
    """The query ends and gives its memory back while its client has read next to nothing."""
    sql = "SELECT v, t, count(*) FROM facts GROUP BY v, t"
    with server.connect() as connection, connection.cursor() as cursor:
        rows = cursor.stream(sql)
        next(rows)
        # Another query that needs all memory runs to its end meanwhile.
        other = Running(server, QUERIES["distinct"])
        other.join()
        check(other.rows == [(ROWS, ROWS)], f"beside a slow reader: {other.state} {other.message}")
        check(spill_files(server), "the result is not on disk")
        check(sum(1 for _ in rows) == ROWS - 1, "rows of the slow reader are missing")
    expect_gone(server, "after a slow reader")
    print("ok    a slow reader's result waits on disk", flush=True)


def writes(server):
    """Rows that wait for their segment stay within the memory: two segments of facts would be 150 MiB."""
    changes = [("CREATE TABLE", "CREATE TABLE copied AS SELECT * FROM facts"),
               ("INSERT", "INSERT INTO inserted SELECT * FROM facts"),
               ("UPDATE", "UPDATE inserted SET k = k + 1")]
    with server.connect() as connection:
        connection.execute("CREATE TABLE inserted (v BIGINT NOT NULL, k BIGINT NOT NULL, t VARCHAR(64) NOT NULL)")
        for name, sql in changes:
            with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")  # the peak begins anew
            before = resident(server, "VmRSS")
            connection.execute(sql)
            grown = resident(server, "VmHWM") - before
            check(grown < 90, f"{name} took {grown} MiB of a server with {MEMORY}")
            print(f"ok    {name} of {ROWS} rows took {grown} MiB", flush=True)
        for table, more in (("copied", 0), ("inserted", 1)):
            check_blocks(connection, table)
            found = connection.execute(f"SELECT count(*), count(DISTINCT v), sum(k - v % 1000) FROM {table}").fetchone()
            check(found == (ROWS, ROWS, more * ROWS), f"{table}: {found}")
            connection.execute(f"DROP TABLE {table}")


def kill(server):
    statement = Running(server, QUERIES["join"])
    wait_for("rows on disk", lambda: max(spill_files(server), default=0) > 1 << 20)
    server.kill()
    statement.join()
    check(not named_files(server), f"{named_files(server)} are left after kill -9")
    server.start()
    with server.connect() as connection:
        check(connection.execute("SELECT count(*) FROM facts").fetchone() == (ROWS,), "rows were lost")
    print("ok    kill -9 leaves nothing", flush=True)


def refused(server):
    with server.connect() as connection:
        try:
            connection.execute("SELECT count(*) FROM " + " CROSS JOIN ".join(
                f"(SELECT v FROM facts WHERE v < 2 GROUP BY v) a{i}" for i in range(40)))
            raise AssertionError("a query beyond the least memory was admitted")
        except psycopg.Error as error:
            check(error.sqlstate == "53200" and "at least" in str(error), f"refused with {error.sqlstate} {error}")
        check(connection.execute("SELECT 1").fetchone() == (1,), "the connection is of no more use")
    print("ok    too little memory is refused at admission, with the bytes", flush=True)


def full_disk(place):
    if os.geteuid() != 0:
        print("note  a full disk needs root: the unit test has one", flush=True)
        return
    folder = tempfile.mkdtemp(prefix="blueshift-temp")
    try:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False).returncode != 0:
            print("note  tmpfs cannot be mounted here: the unit test has a full disk", flush=True)
            return
        try:
            server = BlueshiftServer(place=place, memory=MEMORY, options=["--temp", folder])
            with server:
                large = Running(server, QUERIES["join"])
                while large.is_alive():
                    check(server.connect().execute("SELECT count(*) FROM facts").fetchone() == (ROWS,), "beside it")
                check(large.state == "53100", f"full disk: {large.state} {large.message}")
                expect_gone(server, "after a full disk")
            print("ok    a full disk fails its query alone: 53100", flush=True)
        finally:
            subprocess.run(["umount", folder], check=True)
    finally:
        os.rmdir(folder)


def main():
    with BlueshiftServer(memory=MEMORY) as server:
        load(server)
        refused(server)
        answers(server)
        writes(server)
        failures(server)
        slow_reader(server)
        kill(server)
        server.stop()
        full_disk(server.place)
    print("all is as it should be")


if __name__ == "__main__":
    main()
