"""Random queries in blueshift, PostgreSQL 15 and DuckDB; a difference is printed small.

    run.py [--queries 2000] [--seed N] [--per-schema 100] [--mode MODE]

A mode is a way of running that server and settings bring about, and it proves that it was in force:
its counters in stv_engine_counters are above zero at the end.

An answer counts as wrong when the two others agree with each other and not with blueshift, or when
only one of them can run the query and blueshift disagrees with that one. The same SQLSTATE as
PostgreSQL is agreement. Exit code 1 when any answer is wrong or the server dies.
"""
import argparse
import collections
import datetime
import decimal
import logging
import os
import random
import sys
import time

import duckdb
import psycopg

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blueshift_server import BlueshiftServer  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from query_generator import QueryGenerator  # noqa: E402

SHOWN = 10

# mode: nodes, codegen, what the server injects, counters that prove it
MODES = {
    "interpreted": (1, "off", "", []),
    "auto": (1, "auto", "", []),
    "compiled": (1, "force", "", ["rows generated"]),
    "vectors7": (1, "off", "vectors7", []),
    "tiers": (1, "force", "tiers", ["tier switches"]),
    "spill": (1, "auto", "spill", ["bytes spilled"]),
    "nodes3": (3, "auto", "", ["batches serialised"]),
    "nodes3_spill_compiled": (3, "force", "spill,small-shares", ["batches serialised", "bytes spilled", "rows generated"]),
}


class Failed:
    def __init__(self, error):
        self.sqlstate = getattr(error, "sqlstate", None) or type(error).__name__
        self.text = str(error).split("\n")[0]

    def __repr__(self):
        return f"error {self.sqlstate} {self.text}"


def plain(value):
    """One form for the types that the engines spell differently."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        return float(f"{float(value):.9g}") + 0.0
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return float(value.days) if value.seconds == 0 else value.total_seconds()
    return str(value)


def sort_key(row):
    return tuple((value is None, str(type(value)), str(value)) for value in row)


class Engine:
    def __init__(self, name):
        self.name = name

    def answer(self, query):
        try:
            rows = [tuple(plain(value) for value in row) for row in self.rows(query.text())]
        except (psycopg.Error, duckdb.Error, decimal.InvalidOperation, ValueError, OverflowError) as error:
            return Failed(error)
        return rows if query.ordered else sorted(rows, key=sort_key)


class WireEngine(Engine):
    def __init__(self, name, connect):
        super().__init__(name)
        self.connect = connect
        self.connection = None

    def prepare(self, statements):
        if self.connection is not None:
            self.connection.close()
        self.connection = self.connect()
        for text in statements:
            self.connection.execute(text)

    def rows(self, text):
        return self.connection.execute(text).fetchall()


class DuckEngine(Engine):
    def prepare(self, statements):
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET integer_division = true")
        for text in statements:
            self.connection.execute(text)

    def rows(self, text):
        return self.connection.execute(text).fetchall()


class DifferentialRun:
    def __init__(self, arguments, server, postgres):
        self.arguments = arguments
        self.server = server
        self.random = random.Random(arguments.seed)
        self.blueshift = WireEngine("blueshift", self.connect_blueshift)
        self.others = [WireEngine("PostgreSQL", lambda: postgres.connect(dbname="differential")), DuckEngine("DuckDB")]
        self.postgres = postgres
        self.counts = collections.Counter()
        self.kinds = collections.Counter()
        self.failures = []

    def connect_blueshift(self):
        connection = self.server.connect()
        connection.execute("SET statement_timeout TO 30000")
        if MODES[self.arguments.mode][0] > 1:
            connection.execute("SET share_small_tables TO on")
        connection.execute(f"SET codegen TO {MODES[self.arguments.mode][1]}")
        return connection

    def verdict(self, query):
        """(state, answers): state is agree, differ, undecided or refused."""
        mine = self.blueshift.answer(query)
        theirs = [engine.answer(query) for engine in self.others]
        valid = [answer for answer in theirs if not isinstance(answer, Failed)]
        same_refusal = isinstance(mine, Failed) and isinstance(theirs[0], Failed) and mine.sqlstate == theirs[0].sqlstate
        if not valid or same_refusal:
            return "refused", [mine, *theirs]
        if any(answer != valid[0] for answer in valid):
            return "undecided", [mine, *theirs]
        return ("agree" if mine == valid[0] else "differ"), [mine, *theirs]

    def run(self):
        schema_number = 0
        while self.counts["queries"] < self.arguments.queries and len(self.failures) < 200:
            schema_number += 1
            generator = QueryGenerator(random.Random(self.random.random()))
            statements = generator.schema()
            self.postgres.fresh_database("differential")
            for engine in self.others:
                engine.prepare(statements)
            reset = [f"DROP TABLE IF EXISTS {name}" for name in ("t0", "t1", "t2", "t3", "t4")]
            self.blueshift.prepare(reset + statements)
            for _ in range(self.arguments.per_schema):
                if self.counts["queries"] >= self.arguments.queries:
                    break
                self.counts["queries"] += 1
                self.one(generator.query(), statements, reset)
            self.others[0].connection.close()
            self.others[0].connection = None

    def one(self, query, statements, reset):
        state, answers = self.verdict(query)
        self.counts[state] += 1
        if isinstance(answers[0], Failed) and self.lost():
            self.counts["crashes"] += 1
            self.recover()
        if state == "undecided" and isinstance(answers[0], Failed):
            self.counts["undecided but refused by blueshift"] += 1
        if state != "differ":
            return
        kind = f"{answers[0].sqlstate} {answers[0].text[:60]}" if isinstance(answers[0], Failed) else "rows differ"
        self.kinds[kind] += 1
        if self.kinds[kind] <= 3:
            self.report(self.minimise(query), statements, len(self.failures))
        self.failures.append(kind)

    def lost(self):
        return self.server.process.poll() is not None or self.blueshift.connection.closed

    def recover(self):
        if self.server.process.poll() is not None:
            self.server.process = None
            self.server.start()
        self.blueshift.connection = self.connect_blueshift()

    def minimise(self, query):
        for _ in range(30):
            for smaller in query.smaller():
                state, _ = self.verdict(smaller)
                if self.lost():
                    self.recover()
                if state == "differ":
                    query = smaller
                    break
            else:
                return query
        return query

    def report(self, query, statements, number):
        _, answers = self.verdict(query)
        if self.lost():
            self.recover()
        print(f"-- difference {number + 1}, seed {self.arguments.seed}")
        if self.arguments.tables:
            print(";\n".join(statements) + ";")
        print(query.text() + ";")
        for engine, answer in zip([self.blueshift, *self.others], answers):
            if isinstance(answer, Failed):
                print(f"   {engine.name}: {answer}")
            else:
                print(f"   {engine.name}: {len(answer)} rows {answer[:SHOWN]}")
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--per-schema", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--tables", action="store_true", help="print the tables of each difference")
    parser.add_argument("--mode", default="auto", choices=MODES, help="how blueshift runs")
    parser.add_argument("--postgres-port", type=int, default=None)
    arguments = parser.parse_args()
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    begin = time.monotonic()
    nodes, _, injected, proofs = MODES[arguments.mode]
    options = ["--inject", injected] if injected else []
    with BlueshiftServer(nodes=nodes, options=options) as server, PostgresServer(arguments.postgres_port) as postgres:
        run = DifferentialRun(arguments, server, postgres)
        run.run()
        counters = dict(server.connect().execute("SELECT name, value FROM stv_engine_counters").fetchall())
    counts = run.counts
    print(f"seed {arguments.seed}: {counts['queries']} queries in {time.monotonic() - begin:.0f} s: "
          f"{counts['agree']} agree, {len(run.failures)} differ, {counts['undecided']} undecided because the others "
          f"disagree, {counts['refused']} refused by both others, {counts['crashes']} crashes")
    for kind, count in run.kinds.most_common():
        print(f"   {count} x {kind}")
    if counts["agree"] < counts["queries"] // 2:
        print("FAIL fewer than half of the queries could be compared")
        sys.exit(1)
    for name in proofs:
        print(f"proved: {counters[name]} {name}" if counters[name] else f"FAIL not in force: no {name}")
    unproved = [name for name in proofs if not counters[name]]
    sys.exit(1 if run.failures or counts["crashes"] or unproved else 0)


if __name__ == "__main__":
    main()
