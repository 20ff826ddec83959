"""One session under stress: random statements, each of which must end as it may.

A `calm` session is never cancelled, timed out or cut off: it must not see SQLSTATE 57014.
"""
import asyncio
import os
import random
import socket
import threading
import time

import asyncpg
import psycopg
from psycopg.pq import TransactionStatus

import workload

# What a statement may end with, and what that says about its transaction.
CANCELLED = "57014"
ABSENT = {"40001": "serialization conflict", "40P01": "deadlock"}


class Journal:
    """What all sessions report: failures of the test, and how statements ended."""

    def __init__(self):
        self.lock = threading.Lock()
        self.failures = []
        self.endings = {}

    def fail(self, text):
        with self.lock:
            self.failures.append(text)
            print(f"FAIL  {text}", flush=True)

    def count(self, ending):
        with self.lock:
            self.endings[ending] = self.endings.get(ending, 0) + 1


class Gone(Exception):
    """The statement ended with an error; `absent`: it has certainly left nothing behind."""

    def __init__(self, absent):
        super().__init__()
        self.absent = absent


class StressSession(threading.Thread):
    def __init__(self, server, number, seed, journal, answers, calm, codegen):
        super().__init__(daemon=True, name=f"session {number}")
        self.server, self.number, self.journal, self.answers = server, number, journal, answers
        self.random = random.Random(seed * 1000 + number)
        self.calm, self.codegen = calm, codegen
        self.ending = threading.Event()
        self.connection = None
        self.cut = False        # somebody has shut the socket down
        self.doing, self.since = "", None
        self.timed = False      # a statement time-out is set
        self.batches = {}       # number -> the row counts that it may have
        self.next_batch = 0
        self.increments, self.maybe_increments = 0, 0
        self.ledger = number % workload.LEDGERS

    # ---- From other threads.
    def cancel(self):
        connection = self.connection
        if connection is not None and not self.calm:
            try:
                connection.cancel()
            except (psycopg.Error, OSError):
                pass  # it is between two connections

    def cut_off(self):
        connection = self.connection
        if connection is None or self.calm:
            return
        try:
            self.cut = True
            twin = socket.socket(fileno=os.dup(connection.fileno()))
            twin.shutdown(socket.SHUT_RDWR)
            twin.close()
        except (psycopg.Error, OSError):
            pass

    # ---- The session's own thread.
    def connect(self):
        self.cut = False
        self.connection = self.server.connect()
        self.timed = False
        self.connection.execute(f"SET codegen TO {self.codegen}")

    def reconnect(self):
        old, self.connection = self.connection, None
        if old is not None:
            old.close()
        while True:
            try:
                return self.connect()
            except psycopg.Error as error:
                if not self.cut and error.sqlstate != CANCELLED:
                    raise

    def run(self):
        actions = [(self.read, 12), (self.transfer, 3), (self.count_up, 2), (self.insert, 4), (self.copy, 2),
                   (self.mark, 2), (self.delete, 2), (self.cursors, 2), (self.prepared, 3), (self.slow_reader, 1),
                   (self.private_table, 1), (self.portals, 1), (self.set_timeout, 1), (self.mistake, 1)]
        functions, weights = [a for a, _ in actions], [w for _, w in actions]
        try:
            self.reconnect()
            while not self.ending.is_set():
                action = self.random.choices(functions, weights)[0]
                try:
                    action()
                    self.leave_block()
                except Gone:
                    pass
                if self.cut:
                    self.reconnect()
            self.connection.close()
        except Exception as error:  # a mistake of the test or of the server: either fails it
            self.journal.fail(f"{self.name} in {self.doing!r}: {type(error).__name__} {error}")
        self.since = None

    def guarded(self, what, function):
        """Runs it and sorts out how it ended."""
        self.doing, self.since = what, time.monotonic()
        try:
            result = function()
            self.journal.count("done")
            return result
        except psycopg.Error as error:
            state = error.sqlstate
            if self.cut and (state is None or state.startswith("08")):
                self.journal.count("cut off")
                self.reconnect()
                raise Gone(False) from None
            self.journal.count(state)
            if state not in ABSENT and not (state == CANCELLED and not self.calm):
                self.journal.fail(f"{self.name} in {what!r}: {state} {error}")
            self.leave_block()
            raise Gone(state in ABSENT) from None
        finally:
            self.since = None

    def execute(self, sql, parameters=None, **keywords):
        return self.guarded(sql[:200], lambda: self.connection.execute(sql, parameters, **keywords))

    def leave_block(self):
        """Out of any transaction block, whatever is cancelled on the way."""
        while not self.cut and self.connection.info.transaction_status != TransactionStatus.IDLE:
            try:
                self.connection.execute("ROLLBACK")
            except psycopg.Error as error:
                if error.sqlstate != CANCELLED and not self.cut:
                    raise
        if self.cut:
            self.reconnect()

    def check(self, name, rows):
        if workload.normal(name, rows) != self.answers[name]:
            self.journal.fail(f"{self.name}: {name} gave another answer: {str(rows)[:300]} "
                              f"instead of {str(self.answers[name])[:300]}")

    def query(self):
        name = self.random.choice(list(workload.QUERIES))
        return name, workload.QUERIES[name]

    # ---- Actions.
    def read(self):
        name, sql = self.query()
        self.check(name, self.execute(sql).fetchall())

    def prepared(self):
        low = self.random.randrange(workload.FACTS // 2)
        high = low + self.random.randrange(workload.FACTS // 2)
        row = self.execute("SELECT count(*), sum(v) FROM facts WHERE v >= %s AND v < %s", (low, high),
                           prepare=True).fetchone()
        expected = (high - low, (low + high - 1) * (high - low) // 2 if high > low else None)
        if row != expected:
            self.journal.fail(f"{self.name}: {row} for {low} to {high} instead of {expected}")

    def cursors(self):
        """Two cursors of one block, read in turns, the first closed before the second has ended."""
        self.execute("BEGIN")
        self.execute("DECLARE a CURSOR FOR SELECT v, t FROM facts ORDER BY v")
        self.execute("DECLARE b CURSOR FOR SELECT v, k FROM facts WHERE v < 150000")
        count = self.random.randrange(1, 3000)
        first = self.execute(f"FETCH {count} FROM a").fetchall()
        second = self.execute(f"FETCH {count} FROM b").fetchall()
        if [row[0] for row in first] != list(range(count)) or len(second) != count:
            self.journal.fail(f"{self.name}: cursors gave {len(first)} and {len(second)} rows, not {count}")
        self.execute("CLOSE a")
        if self.random.random() < 0.5:
            rest = self.execute("FETCH ALL FROM b").fetchall()
            if len({row[0] for row in second + rest}) != 150_000:
                self.journal.fail(f"{self.name}: a cursor gave {len(second) + len(rest)} rows, not 150000")
        self.execute("COMMIT")

    def portals(self):
        """Portals with a row limit, by the extended protocol, on a connection of their own."""
        async def work():
            connection = await asyncpg.connect(host="127.0.0.1", port=self.server.port, user="admin", database="dev")
            try:
                async with connection.transaction():
                    statement = await connection.prepare("SELECT v, k, t FROM facts WHERE v < $1")
                    one, two = await statement.cursor(90_000), await statement.cursor(60_000)
                    seen = len(await one.fetch(2000)) + len(await two.fetch(10))
                    if self.random.random() < 0.5:
                        await asyncio.sleep(self.random.random() * 0.3)
                    del one
                    rows = await two.fetch(100_000)
                    seen += len(rows)
                    if seen != 62_000 or await connection.fetchval("SELECT count(*) FROM kinds") != workload.KINDS:
                        self.journal.fail(f"{self.name}: portals gave {seen} rows, not 62000")
            finally:
                await connection.close(timeout=30)
        self.doing, self.since = "portals", time.monotonic()
        try:
            asyncio.run(work())
            self.journal.count("done")
        except asyncpg.PostgresError as error:
            self.journal.count(error.sqlstate)
            if error.sqlstate not in ABSENT:
                self.journal.fail(f"{self.name} in portals: {error.sqlstate} {error}")
        self.since = None

    def slow_reader(self):
        def work():
            count = 0
            for _ in self.connection.cursor().stream("SELECT v, t FROM facts ORDER BY t"):
                count += 1
                if count % 20_000 == 0 and not self.ending.is_set():
                    time.sleep(self.random.random() * 0.2)
            return count
        count = self.guarded("slow reader", work)
        if count != workload.FACTS:
            self.journal.fail(f"{self.name}: a slow reader got {count} rows")

    def transfer(self):
        """Money changes its place; under snapshot isolation nobody ever sees another sum."""
        sums = self.random.randrange(1, 50)
        tables = self.random.sample(["accounts", "savings"], 2) if self.random.random() < 0.5 else ["accounts"] * 2
        self.execute("BEGIN")
        for table, sign in zip(tables, "-+"):
            self.execute(f"UPDATE {table} SET balance = balance {sign} {sums} "
                         f"WHERE id = {self.random.randrange(workload.ACCOUNTS)}")
        if self.random.random() < 0.3:
            self.check_money()
        self.execute("ROLLBACK" if self.random.random() < 0.2 else "COMMIT")

    def check_money(self):
        row = self.execute(workload.SUM_OF_MONEY).fetchone()
        if row != workload.ALL_MONEY:
            self.journal.fail(f"{self.name}: the sum of money is {row}, not {workload.ALL_MONEY}")

    def count_up(self):
        try:
            cursor = self.execute(f"UPDATE counters SET n = n + 1 WHERE session = {self.number}")
            if cursor.rowcount != 1:
                self.journal.fail(f"{self.name}: {cursor.rowcount} rows counted up")
            self.increments += 1
        except Gone as gone:
            self.maybe_increments += not gone.absent
            raise

    def store(self, size, action):
        batch = self.next_batch
        self.next_batch += 1
        self.change(batch, size, lambda: action(batch))

    def change(self, batch, after, action):
        """A batch that has `after` rows when the action succeeds, and may have them when it is cancelled."""
        before = self.batches.get(batch, {0})
        try:
            action()
            self.batches[batch] = {after}
        except Gone as gone:
            self.batches[batch] = before if gone.absent else before | {after}
            raise

    def insert(self):
        size = self.random.choice([1, 3, 40, 2000])
        table = f"ledger_{self.ledger}"
        head = f"INSERT INTO {table} "

        def of_select(batch):
            self.execute(f"{head}SELECT {self.number}, {batch}, {size}, v, 0 FROM facts WHERE v < {size}")

        def of_values(batch):
            rows = ",".join(f"({self.number},{batch},{size},{i},0)" for i in range(size))
            self.execute(f"{head}VALUES {rows}")

        def of_block(batch):
            self.execute("BEGIN")
            for begin in range(0, size, 700):
                end = min(size, begin + 700)
                self.execute(f"{head}SELECT {self.number}, {batch}, {size}, v, 0 FROM facts "
                             f"WHERE v >= {begin} AND v < {end}")
            mine = self.execute(f"SELECT count(*) FROM {table} WHERE session = {self.number} AND batch = {batch}")
            if mine.fetchone() != (size,):
                self.journal.fail(f"{self.name}: a block does not see its own rows of batch {batch}")
            self.execute("COMMIT")

        def of_several(batch):
            middle = size // 2
            self.execute(";".join(f"{head}SELECT {self.number}, {batch}, {size}, v, 0 FROM facts WHERE {which}"
                                  for which in (f"v < {middle}", f"v >= {middle} AND v < {size}")))
        self.store(size, self.random.choice([of_select, of_values, of_block, of_several]))

    def copy(self):
        size = self.random.choice([10, 500, 5000])
        give_up = self.random.random() < 0.2

        def work(batch):
            def send():
                with self.connection.cursor().copy(f"COPY ledger_{self.ledger} FROM STDIN CSV") as copy:
                    for i in range(size):
                        copy.write(f"{self.number},{batch},{size},{i},0\n")
                        if give_up and i == size // 2:
                            raise KeyError("the client gives up")
            try:
                self.guarded(f"COPY of {size} rows", send)
            except KeyError:
                raise Gone(True) from None
        self.store(size, work)

    def own_batch(self):
        here = [batch for batch, sizes in self.batches.items() if sizes != {0}]
        return self.random.choice(here) if here else None

    def mark(self):
        batch = self.own_batch()
        if batch is not None:
            self.execute(f"UPDATE ledger_{self.ledger} SET mark = mark + 1 "
                         f"WHERE session = {self.number} AND batch = {batch}")

    def delete(self):
        batch = self.own_batch()
        if batch is None:
            return
        self.change(batch, 0, lambda: self.execute(
            f"DELETE FROM ledger_{self.ledger} WHERE session = {self.number} AND batch = {batch}"))

    def private_table(self):
        """A table of the session's own, made, changed and dropped; temporary or not."""
        name = f"own_{self.number}_{self.next_batch}"
        self.next_batch += 1
        kind = self.random.choice(["TEMPORARY", ""])
        self.execute(f"CREATE {kind} TABLE {name} AS SELECT v, k FROM facts WHERE v < 30000")
        self.execute(f"UPDATE {name} SET k = -1 WHERE v % 3 = 0")
        self.execute(f"DELETE FROM {name} WHERE k = -1 AND v % 2 = 0")
        row = self.execute(f"SELECT count(*), count(CASE WHEN k = -1 THEN 1 END) FROM {name}").fetchone()
        if row != (25_000, 5_000):
            self.journal.fail(f"{self.name}: {name} has {row}")
        self.execute(f"DROP TABLE {name}")

    def set_timeout(self):
        if not self.calm:
            self.execute(f"SET statement_timeout TO {0 if self.timed else self.random.choice([5, 50, 300])}")
            self.timed = not self.timed

    def mistake(self):
        """An error of the statement, alone and in a block: the session goes on."""
        for block in (False, True):
            if block:
                self.execute("BEGIN")
            self.doing, self.since = "a division by zero", time.monotonic()
            try:
                self.connection.execute("SELECT sum(1000 / (v - 150000)) FROM facts")
                self.journal.fail(f"{self.name}: a division by zero went unnoticed")
            except psycopg.Error as error:
                if self.cut and error.sqlstate is None:
                    self.reconnect()
                    return
                allowed = {"22012", *ABSENT} | (set() if self.calm else {CANCELLED})
                if error.sqlstate not in allowed:
                    self.journal.fail(f"{self.name}: division by zero gave {error.sqlstate} {error}")
            self.since = None
            self.leave_block()
