"""Cancels statements at every stage: each ends with 57014, and its session goes on.

    cancel_test.py [--repeat 7] [--nodes 1] [--stage NAME]

Statements that work are cancelled at points spread over the time that they take; statements that wait
(for memory, a lock, their client) while they wait. What is printed is the time from the request to the
end; nothing is asserted of it but that it is no hang.
"""
import argparse
import itertools
import os
import select
import statistics
import sys
import threading
import time

import psycopg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402
from stress import most_memory  # noqa: E402

ROWS = 1_000_000
HANG_SECONDS = 20
AMPLE, TIGHT = "1GiB", "32MiB"
NUMBERS = itertools.count()


def compiled():
    """A query whose code nobody has asked for before."""
    terms = " + ".join(f"CASE WHEN k % {i + 2} = {next(NUMBERS)} THEN v * {i} ELSE k END" for i in range(30))
    return f"SELECT k % 10, sum({terms}) FROM facts GROUP BY 1"


# Stage -> SQL, or what makes it. The statements work for a tenth of a second at least.
WORKING = {
    "parse and bind": "SELECT count(*) FROM small WHERE v IN (" + ",".join(map(str, range(500_000))) + ")",
    "many values": "SELECT count(*) FROM small WHERE " + " OR ".join(f"(v = {i} AND k > {i})" for i in range(20_000)),
    "compile": compiled,
    "scan": "SELECT count(*) FROM facts WHERE t SIMILAR TO '%(1|2)+3(4|5)*x%'",
    "scan and compute": "SELECT sum(length(md5(t))) FROM facts",
    "join build": "SELECT count(*) FROM small a JOIN (SELECT * FROM facts UNION ALL SELECT * FROM facts) b "
                  "ON a.v * 1.5 = b.v AND a.t <> b.t",
    "join probe": "SELECT count(*), sum(a.v) FROM facts a JOIN facts b ON a.k = b.k",
    "large join": "SELECT count(*) FROM facts a JOIN facts b ON a.v = b.v AND a.t = b.t",
    "nested loop": "SELECT count(*) FROM facts a JOIN small b ON a.v < b.v * b.k",
    "group": "SELECT count(*) FROM (SELECT v, t, count(*) AS n FROM facts GROUP BY v, t) g",
    "distinct": "SELECT count(DISTINCT t), count(DISTINCT v) FROM facts",
    "ordered aggregate": "SELECT sum(length(l)) FROM (SELECT k, listagg(v, ',') WITHIN GROUP (ORDER BY t) AS l "
                         "FROM facts WHERE v < 300000 GROUP BY k) l",
    "median": "SELECT median(v), percentile_cont(0.3) WITHIN GROUP (ORDER BY k) FROM facts",
    "sort": "SELECT sum(r * v) FROM (SELECT v, row_number() OVER (ORDER BY t, v) AS r FROM facts WHERE v < 300000) s",
    "order": "SELECT v, t FROM facts ORDER BY t, v",
    "window": "SELECT sum(n), max(l) FROM (SELECT count(*) OVER (PARTITION BY v % 50000 ORDER BY t) AS n, "
              "lag(v) OVER (PARTITION BY k ORDER BY t) AS l FROM facts) w",
    "sliding frame": "SELECT max(m) FROM (SELECT max(v) OVER (PARTITION BY k % 5 ORDER BY v ROWS BETWEEN 5000 "
                     "PRECEDING AND 5000 FOLLOWING) AS m FROM facts WHERE v < 200000) w",
    "set operation": "SELECT count(*) FROM (SELECT v, t FROM facts EXCEPT SELECT v + 1, t FROM facts) e",
    "generate rows": "SELECT count(*) FROM facts a CROSS JOIN small b WHERE a.k + b.k = -1",
    "result": "SELECT * FROM facts",
    "insert": "INSERT INTO copies SELECT v, k, t FROM facts",
    "create table as": "CREATE TEMPORARY TABLE made AS SELECT v, k, t FROM facts ORDER BY t",
    "update": "UPDATE copies SET t = t || 'x', k = k + 1",
    "delete": "DELETE FROM copies WHERE t LIKE '%1%2%3%'",
    "analyze": "ANALYZE facts",
    "explain analyze": "EXPLAIN ANALYZE SELECT v, t, count(*) FROM facts GROUP BY v, t",
}
# One window partition or one aggregate state must fit memory.
NEEDS_MEMORY = {"sort", "median", "sliding frame", "ordered aggregate"}


class Statement(threading.Thread):
    """A function of a connection, on a thread of its own; `state`: how it ended, None for well."""

    def __init__(self, connection, function):
        super().__init__(daemon=True)
        self.connection, self.function = connection, function
        self.state, self.message, self.ended = None, "", 0.0
        self.start()

    def run(self):
        try:
            self.function(self.connection)
        except psycopg.Error as error:
            self.state, self.message = error.sqlstate or "lost", str(error)
        self.ended = time.monotonic()

    def cancel(self):
        """Milliseconds from the request to the end; nothing when it had ended before."""
        begin = time.monotonic()
        running = self.is_alive()
        self.connection.cancel()
        self.join(HANG_SECONDS)
        if self.is_alive():
            raise AssertionError(f"does not end within {HANG_SECONDS} s of being cancelled")
        if self.state not in (None, "57014"):
            raise AssertionError(f"ended with {self.state} {self.message}")
        return (self.ended - begin) * 1000 if running and self.state == "57014" else None


def goes_on(connection):
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        connection.execute("ROLLBACK")
    row = connection.execute("SELECT count(*), sum(v) FROM small").fetchone()
    if row != (1000, 499_500):
        raise AssertionError(f"after being cancelled the session answers {row}")


def load(connection):
    for table in ("facts", "small", "copies"):
        connection.execute(f"CREATE TABLE {table} (v BIGINT NOT NULL, k INT NOT NULL, t VARCHAR(128) NOT NULL)")
    with connection.cursor().copy("COPY facts FROM STDIN CSV") as copy:
        for begin in range(0, ROWS, 50_000):
            copy.write("".join(f"{i},{i % 1000},a text of more than twelve bytes {i * 7919 % ROWS}\n"
                               for i in range(begin, begin + 50_000)))
    connection.execute("INSERT INTO small SELECT * FROM facts WHERE v < 1000")
    connection.execute("INSERT INTO copies SELECT * FROM facts WHERE v < 300000")


def run(sql):
    return lambda connection: connection.execute(sql).fetchall() if sql.startswith(("SELECT", "EXPLAIN")) \
        else connection.execute(sql)


def cancel_working(server, name, repeat):
    """How long each of the cancelled runs went on."""
    make = WORKING[name] if callable(WORKING[name]) else lambda: WORKING[name]
    with server.connect() as connection:
        connection.execute(f"SET codegen TO {'force' if name == 'compile' else 'auto'}")
        connection.execute("BEGIN")
        begin = time.monotonic()
        statement = Statement(connection, run(make()))
        statement.join(2)
        span = time.monotonic() - begin
        statement.cancel()
        taken = []
        for i in range(repeat * 6):
            connection.execute("ROLLBACK")
            connection.execute("BEGIN")  # what ends before it is cancelled leaves nothing behind
            statement = Statement(connection, run(make()))
            statement.join(span * (i % repeat + 0.5) / repeat)
            milliseconds = statement.cancel()
            if milliseconds is None:
                span *= 0.8  # the first run was slower: nothing was in the caches
            else:
                taken.append(milliseconds)
            if len(taken) == repeat:
                break
        goes_on(connection)
    return taken


def cancel_waiting(server, repeat, prepare, function, check=goes_on):
    """`prepare` makes another session hold what `function` then waits for."""
    with server.connect() as other, server.connect() as connection:
        prepare(other)
        taken = []
        for _ in range(repeat):
            statement = Statement(connection, function)
            statement.join(0.02)
            taken.append(statement.cancel())
            check(connection)
    if None in taken:
        raise AssertionError("did not wait until it was cancelled")
    return taken


def hold_memory(other, parts):
    """An open cursor over as many groupings as are admitted, and one for the total of most_memory."""
    other.execute("BEGIN")
    other.execute("DECLARE held CURSOR FOR " + " UNION ALL ".join(
        f"SELECT id FROM kinds WHERE id < {i} GROUP BY id" for i in range(parts + 1)))


def shown_as_waiting(server):
    """The view shows who waits for how much, without waiting itself."""
    end = time.monotonic() + HANG_SECONDS
    with server.connect() as watcher:
        while time.monotonic() < end:
            rows = watcher.execute("SELECT state, least_bytes, reserved_bytes, used_bytes, text FROM stv_query_memory "
                                   "WHERE least_bytes > 0").fetchall()
            waiting = [row for row in rows if row[0].strip() == "Waiting"]
            holding = [row for row in rows if row[0].strip() == "Running"]
            if waiting and holding:
                if waiting[0][2:4] != (0, 0) or not any(row[2] >= row[1] and row[3] <= row[2] for row in holding):
                    raise AssertionError(f"stv_query_memory shows {rows}")
                return
    raise AssertionError("stv_query_memory does not show the statement that waits")


def wait_for_memory(server, repeat):
    with server.connect() as connection:
        connection.execute("CREATE TABLE kinds AS SELECT v AS id FROM small")
        parts = most_memory(connection)

    def check(connection):
        if connection.execute("SELECT v FROM small WHERE v = 5").fetchall() != [(5,)]:
            raise AssertionError("a query that needs no memory does not go on")
    query = run("SELECT k, count(*) FROM facts GROUP BY k")
    try:
        with server.connect() as other, server.connect() as connection:
            hold_memory(other, parts)
            statement = Statement(connection, query)
            shown_as_waiting(server)
            statement.cancel()
        return cancel_waiting(server, repeat, lambda other: hold_memory(other, parts), query, check)
    finally:
        with server.connect() as connection:
            connection.execute("DROP TABLE kinds")


def wait_for_lock(server, repeat):
    def hold(other):
        other.execute("BEGIN")
        other.execute("DELETE FROM copies WHERE v = 7")
    return cancel_waiting(server, repeat, hold, run("DELETE FROM copies WHERE v = 8"))


def wait_for_copy_data(server, repeat):
    def server_rows(sql):
        with server.connect() as watcher:
            return watcher.execute(sql).fetchall()

    def copy_silently(connection):
        with connection.cursor().copy("COPY copies FROM STDIN CSV") as copy:
            copy.write("1,1,a row\n")
            shown = []
            end = time.monotonic() + HANG_SECONDS
            while not shown and time.monotonic() < end:
                shown = server_rows("SELECT least_bytes, reserved_bytes, used_bytes FROM stv_query_memory "
                                    "WHERE text LIKE 'COPY%'")
            if not shown or not 0 < shown[0][2] <= shown[0][1] >= shown[0][0] > 0:
                raise AssertionError(f"stv_query_memory shows a load's memory as {shown}")
            select.select([connection.fileno()], [], [])  # until the server says something
    return cancel_waiting(server, repeat, lambda _: None, copy_silently)


def slow_reader(server, repeat):
    """The client has read next to nothing; it reads on once it has cancelled."""
    taken = []
    with server.connect() as connection:
        for _ in range(repeat):
            rows = connection.cursor().stream("SELECT * FROM facts")
            for _ in range(10):
                next(rows)
            begin = time.monotonic()
            connection.cancel()
            try:
                count = sum(1 for _ in rows)
                raise AssertionError(f"a cancelled result went on to its end: {count} rows")
            except psycopg.errors.QueryCanceled:
                taken.append((time.monotonic() - begin) * 1000)
            goes_on(connection)
    return taken


def stages(server, memory, nodes, options):
    found = []
    waiting = {"waits for memory": wait_for_memory, "waits for a lock": wait_for_lock,
               "waits for COPY data": wait_for_copy_data, "slow reader": slow_reader}
    for name in [*WORKING, *waiting]:
        if options.stage not in (None, name) or (memory == TIGHT and name in NEEDS_MEMORY):
            continue
        try:
            taken = waiting[name](server, options.repeat) if name in waiting else \
                cancel_working(server, name, options.repeat)
            if not taken:
                raise AssertionError("was never cancelled: it ended before")
            print(f"ok    {name:20} {nodes} nodes, {memory}: {len(taken):2} cancelled, median "
                  f"{statistics.median(taken):6.1f} ms, largest {max(taken):6.1f} ms", flush=True)
        except (AssertionError, psycopg.Error) as error:
            found.append(name)
            print(f"FAIL  {name:20} {nodes} nodes, {memory}: {error}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--memory", choices=[AMPLE, TIGHT])
    parser.add_argument("--stage")
    options = parser.parse_args()
    failed = []
    with BlueshiftServer(memory=AMPLE, nodes=options.nodes) as first:
        with first.connect() as connection:
            load(connection)
        first.stop()
        for memory in [options.memory] if options.memory else [AMPLE, TIGHT]:
            with BlueshiftServer(place=first.place, memory=memory, nodes=options.nodes) as server:
                failed += stages(server, memory, options.nodes, options)
                if server.stop() != 0:
                    failed.append("the end of the server")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
