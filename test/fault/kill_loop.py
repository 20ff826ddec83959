"""kill -9 again and again: what was acknowledged is there, what failed is not, the rest is whole.

    kill_loop.py [--kills 20] [--seed N] [--clients 3] [--restart-limit SECONDS]

Clients run INSERT, COPY, UPDATE, DELETE and transactions on batches of their own. Two kinds of kill:
`running` strikes at a random moment while a statement runs, of three clients. `upload` strikes when an
object of the only client's statement is written (its bytes are in a temporary file, its segment is in
place, or its log record is in place) and the answer is not sent yet. A kill that met no running
statement is repeated. After each restart all rows are compared with the model (batch_model.py).
"""
import argparse
import logging
import os
import random
import statistics
import sys
import threading
import time

import psycopg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402
from batch_model import CHECK, BatchModel, amount, payload  # noqa: E402
from directory_watch import CLOSE_WRITE, CREATE, MOVED_TO, DirectoryWatch  # noqa: E402

UNKNOWN = "08007"
# Conflicts, and the errors that the broken statements are made for.
REFUSALS = ("40001", "22012", "22P02", "22P04")
KINDS = ["insert", "copy", "update", "delete", "transaction", "rollback", "broken insert", "broken copy"]
WEIGHTS = [25, 20, 15, 8, 20, 4, 4, 4]
# What an upload kill waits for: how a file changes, and the folder of the place that it is in.
UPLOADS = {"bytes written": (CLOSE_WRITE, "tmp"), "segment in place": (MOVED_TO, "data"),
           "record in place": (CREATE, "log")}


class Client(threading.Thread):
    """Runs statements until its connection is lost."""

    def __init__(self, server, model, random_source, counts):
        super().__init__(daemon=True)
        self.server, self.model, self.random, self.counts = server, model, random_source, counts
        self.waiting = False      # a statement was sent and not answered
        self.kind = ""
        self.acknowledged = self.refusals = 0
        self.problem = None

    def run(self):
        try:
            with self.server.connect() as connection:
                while True:
                    self.step(connection)
        except psycopg.OperationalError:
            pass
        except Exception as error:
            self.problem = f"client {self.model.client}, {self.kind}: {type(error).__name__}: {error}"

    def step(self, connection):
        self.kind = self.random.choices(KINDS, WEIGHTS)[0]
        if not self.model.living() and self.kind in ("update", "delete", "transaction"):
            self.kind = "insert"
        changes, work = getattr(self, self.kind.replace(" ", "_"))(connection)
        self.model.begin(changes)
        self.waiting = True
        try:
            work()
        except psycopg.Error as error:
            if connection.closed or error.sqlstate is None or error.sqlstate == UNKNOWN:
                raise psycopg.OperationalError("lost") from error
            # An error is an answer: the statement left nothing. Inside a block, the block is over.
            connection.execute("ROLLBACK")
            self.refusals += 1
            self.model.refused()
            if error.sqlstate not in REFUSALS:
                raise RuntimeError(f"unexpected error {error.sqlstate} {error}") from error
        else:
            self.acknowledged += 1
            self.model.acknowledged()
            self.counts[self.kind] = self.counts.get(self.kind, 0) + 1
        self.waiting = False

    def rows(self, batch, count):
        return [(batch, seq, 0, amount(batch, seq), payload(batch, seq)) for seq in range(count)]

    def insert_text(self, batch, count):
        values = ", ".join("({}, {}, {}, {}, '{}')".format(*row) for row in self.rows(batch, count))
        return f"INSERT INTO ledger VALUES {values}"

    def insert(self, connection):
        batch, count = self.model.new_batch(), self.random.choice([1, 1, 3, 50])
        text = self.insert_text(batch, count)
        return {batch: (count, 0)}, lambda: connection.execute(text)

    def copy_rows(self, connection, rows):
        with connection.cursor().copy("COPY ledger FROM STDIN CSV") as copy:
            copy.write("".join("{},{},{},{},{}\n".format(*row) for row in rows))

    def copy(self, connection):
        batch, count = self.model.new_batch(), self.random.choice([10, 500, 5000, 20000])
        return {batch: (count, 0)}, lambda: self.copy_rows(connection, self.rows(batch, count))

    def broken_copy(self, connection):
        batch = self.model.new_batch()
        rows = self.rows(batch, 200) + [(batch, "x", 0, 0, "")]
        return {}, lambda: self.copy_rows(connection, rows)

    def broken_insert(self, connection):
        batch = self.model.new_batch()
        text = (f"INSERT INTO ledger SELECT {batch}, seq, 0, 100 / (seq - 2), '' FROM "
                "(SELECT DISTINCT seq FROM ledger UNION SELECT 2) q")
        return {}, lambda: connection.execute(text)

    def update_text(self, batch):
        return f"UPDATE ledger SET amount = amount + 7, version = version + 1 WHERE batch = {batch}"

    def update(self, connection):
        batch = self.random.choice(self.model.living())
        rows, version = self.model.states[batch]
        return {batch: (rows, version + 1)}, lambda: connection.execute(self.update_text(batch))

    def delete(self, connection):
        batch = self.random.choice(self.model.living())
        return {batch: None}, lambda: connection.execute(f"DELETE FROM ledger WHERE batch = {batch}")

    def transaction(self, connection, end="COMMIT"):
        """Inserts one batch, changes one and deletes one: all or nothing."""
        living = self.random.sample(self.model.living(), min(2, len(self.model.living())))
        fresh, count = self.model.new_batch(), self.random.choice([1, 20])
        changes = {fresh: (count, 0)}
        texts = [self.insert_text(fresh, count)]
        if living:
            rows, version = self.model.states[living[0]]
            changes[living[0]] = (rows, version + 1)
            texts.append(self.update_text(living[0]))
        if len(living) > 1:
            changes[living[1]] = None
            texts.append(f"DELETE FROM ledger WHERE batch = {living[1]}")

        def work():
            for text in ["BEGIN", *texts, end]:
                connection.execute(text)
        return changes, work

    def rollback(self, connection):
        _, work = self.transaction(connection, "ROLLBACK")
        return {}, work


class KillLoop:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.server = BlueshiftServer(memory="512MiB")
        self.models = [BatchModel(client + 1) for client in range(arguments.clients)]
        self.counts = {}
        self.kills = {"running": 0, "upload": 0}
        self.met = {"running": {}, "upload": {}}   # what was going on, and how often
        self.missed = 0
        self.outcomes = {kind: {"there": 0, "absent": 0} for kind in self.kills}
        self.acknowledged = self.refusals = 0
        self.restarts = []
        self.problems = []

    def run(self):
        self.server.start()
        with self.server.connect() as connection:
            connection.execute("CREATE TABLE ledger (batch BIGINT, seq INTEGER, version INTEGER, amount BIGINT, "
                               "payload VARCHAR(40))")
        wanted = self.arguments.kills
        uploads = wanted // 5
        attempts = 0
        while sum(self.kills.values()) < wanted and not self.problems:
            attempts += 1
            if attempts > wanted * 20:
                self.problems.append("kills hardly ever met a running statement")
                break
            kind = "upload" if self.kills["upload"] < uploads and attempts % 4 == 0 or \
                self.kills["running"] >= wanted - uploads else "running"
            self.round(kind)
        self.server.close()

    def round(self, kind):
        models = self.models if kind == "running" else [self.random.choice(self.models)]
        clients = [Client(self.server, model, random.Random(self.random.random()), self.counts)
                   for model in models]
        watch = DirectoryWatch(self.server.place)
        for client in clients:
            client.start()
        time.sleep(self.random.uniform(0.02, 0.25))
        deadline = time.monotonic() + 5
        if kind == "upload":
            point = self.random.choice(list(UPLOADS))
            struck = self.wait_for_upload(watch, UPLOADS[point], deadline)
        else:
            struck = True
            while not any(client.waiting for client in clients) and time.monotonic() < deadline:
                time.sleep(0)
        self.server.kill()
        for client in clients:
            client.join(30)
            if client.is_alive():
                self.problems.append("a client still waits after the server's death")
        watch.close()
        interrupted = [client.kind for client in clients if client.waiting]
        if struck and interrupted:
            self.kills[kind] += 1
            for what in interrupted if kind == "running" else [point]:
                self.met[kind][what] = self.met[kind].get(what, 0) + 1
        else:
            self.missed += 1
        self.problems.extend(client.problem for client in clients if client.problem)
        self.acknowledged += sum(client.acknowledged for client in clients)
        self.refusals += sum(client.refusals for client in clients)
        self.restart_and_check(kind)

    @staticmethod
    def wait_for_upload(watch, wanted, deadline):
        watch.drain()
        while time.monotonic() < deadline:
            for change, folder in watch.wait(0.5):
                if change == wanted[0] and folder.split("/")[0] == wanted[1]:
                    return True
        return False

    def restart_and_check(self, kind):
        begin = time.monotonic()
        self.server.start()
        with self.server.connect() as connection:
            connection.execute("SELECT count(*) FROM ledger").fetchone()
            self.restarts.append(time.monotonic() - begin)
            found = {row[0]: tuple(int(v) for v in row[1:]) for row in connection.execute(CHECK).fetchall()}
        for model in self.models:
            problems, outcome = model.check(found)
            self.problems.extend(problems)
            if outcome:
                self.outcomes[kind][outcome] += 1

    def report(self):
        kills, met = self.kills, self.met
        print(f"seed {self.arguments.seed}: {sum(kills.values())} kills, {kills['running']} while a statement ran, "
              f"{kills['upload']} between upload and reply; {self.missed} met no statement")
        print(f"{self.acknowledged} statements acknowledged, all there; {self.refusals} refused, all absent")
        for kind, name in (("running", "while a statement ran"), ("upload", "between upload and reply")):
            print(f"{name}: " + ", ".join(f"{what} {count}" for what, count in sorted(met[kind].items())) +
                  f"; without an answer: {self.outcomes[kind]['there']} there whole, "
                  f"{self.outcomes[kind]['absent']} absent")
        print("acknowledged by kind: " + ", ".join(f"{k} {n}" for k, n in sorted(self.counts.items())))
        if self.restarts:
            print(f"restart to first answer: median {statistics.median(self.restarts):.3f} s, "
                  f"longest {max(self.restarts):.3f} s")
            if max(self.restarts) > self.arguments.restart_limit:
                self.problems.append(f"a restart took more than {self.arguments.restart_limit} s")
        for problem in self.problems[:20]:
            print("FAIL", problem)
        return 1 if self.problems else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--restart-limit", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    loop = KillLoop(parser.parse_args())
    try:
        loop.run()
    finally:
        loop.server.close()
    sys.exit(loop.report())


main()
