"""Sixteen sessions of mixed statements on little memory, cancelled, timed out and cut off at random.

    stress.py [--seconds 60] [--seed N] [--nodes 1] [--sessions 16] [--memory 24MiB]

Every statement must end, and as it may; answers over tables that never change stay the same; money
keeps its sum; what was acknowledged is there, what was cancelled is there whole or not at all, also
after the server was started again. None runs out of memory: each could run alone, so it waits at
admission or spills. In the end nothing runs, waits, holds memory or a temporary file.
"""
import argparse
import os
import random
import sys
import time

import psycopg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from blueshift_server import BlueshiftServer  # noqa: E402
from spill_faults import named_files, spill_files  # noqa: E402

import workload  # noqa: E402
from sessions import Journal, StressSession  # noqa: E402

HANG_SECONDS = 120      # no statement here takes a tenth of this when it runs alone
SETTLE_SECONDS = 20
STOP_SECONDS = 10


def most_memory(connection, parts=None):
    """Runs the query with the largest least memory that the limit admits; its number of groupings.

    With `parts` it must be admitted: nothing else may hold memory.
    """
    def run(count):
        connection.execute("SELECT count(*) FROM (" + " UNION ALL ".join(
            f"SELECT id FROM kinds WHERE id < {i} GROUP BY id" for i in range(count)) + ") u")
    if parts is not None:
        run(parts)
        return parts
    low, high = 1, 400
    while low + 1 < high:
        middle = (low + high) // 2
        try:
            run(middle)
            low = middle
        except psycopg.Error as error:
            if error.sqlstate != "53200" or "at least" not in str(error):
                raise
            high = middle
    return low


def disturb(sessions, chance, journal, seconds):
    """Cancels and cuts off until the time is up; reports statements that do not end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not journal.failures:
        time.sleep(chance.random() * 0.06)
        victim = chance.choice(sessions)
        if chance.random() < 0.03:
            victim.cut_off()
        else:
            victim.cancel()
        report_hanging(sessions, journal)


def report_hanging(sessions, journal):
    for session in sessions:
        since = session.since
        if since is not None and time.monotonic() - since > HANG_SECONDS:
            journal.fail(f"{session.name} hangs in {session.doing!r} for {time.monotonic() - since:.0f} s")
            session.since = None


def end(sessions, journal):
    for session in sessions:
        session.ending.set()
    while any(session.is_alive() for session in sessions) and not any("hangs" in f for f in journal.failures):
        report_hanging(sessions, journal)
        time.sleep(0.05)


def check_tables(connection, sessions, journal, when):
    def expect(sql, rows):
        found = connection.execute(sql).fetchall()
        if found != rows:
            journal.fail(f"{when}: {sql} gave {str(found)[:500]}, not {str(rows)[:500]}")
    expect(workload.SUM_OF_MONEY, [workload.ALL_MONEY])
    counted = dict(connection.execute("SELECT session, n FROM counters").fetchall())
    for session in sessions:
        n = counted.get(session.number)
        if n is None or not session.increments <= n <= session.increments + session.maybe_increments:
            journal.fail(f"{when}: the counter of {session.name} is {n}, not {session.increments} "
                         f"to {session.increments + session.maybe_increments}")
    for ledger in range(workload.LEDGERS):
        expect(workload.torn_batches(ledger), [])
        stored = {(s, b): n for s, b, n in connection.execute(
            f"SELECT session, batch, count(*) FROM ledger_{ledger} GROUP BY session, batch").fetchall()}
        for session in sessions:
            if session.ledger != ledger:
                continue
            for batch, counts in session.batches.items():
                n = stored.pop((session.number, batch), 0)
                if n not in counts:
                    journal.fail(f"{when}: batch {batch} of {session.name} has {n} rows, not {sorted(counts)}")
        if stored:
            journal.fail(f"{when}: nobody stored {stored}")


def settled(server, connection):
    """What is left over of statements that have all ended; empty when nothing is."""
    left = []
    if spill_files(server) or named_files(server):
        left.append(f"temporary files {spill_files(server)} {named_files(server)}")
    for what, sql in {
        "running statements": "SELECT pid, query FROM stv_recents WHERE status = 'Running' AND pid <> pg_backend_pid()",
        "queries in flight": "SELECT pid, text FROM stv_inflight WHERE pid <> pg_backend_pid()",
        "locks": "SELECT * FROM stv_locks",
        "sessions": "SELECT process, user_name FROM stv_sessions WHERE process <> pg_backend_pid()",
    }.items():
        rows = connection.execute(sql).fetchall()
        if rows:
            left.append(f"{what} {rows}")
    return left


def check_settled(server, connection, journal, parts):
    last = time.monotonic() + SETTLE_SECONDS
    while (left := settled(server, connection)) and time.monotonic() < last:
        time.sleep(0.05)
    for what in left:
        journal.fail(f"left over: {what}")
    try:
        connection.execute("SET statement_timeout TO 20000")
        most_memory(connection, parts)
    except psycopg.Error as error:
        journal.fail(f"memory is not given back: a query of {parts} groupings ended with {error}")


def stop(server, journal):
    begin = time.monotonic()
    code = server.stop()
    seconds = time.monotonic() - begin
    if code != 0 or seconds > STOP_SECONDS:
        journal.fail(f"the server stopped with exit code {code} after {seconds:.1f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--memory", default="24MiB")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.nodes} nodes", flush=True)
    journal = Journal()
    with BlueshiftServer(memory="1GiB", nodes=options.nodes) as ample:
        with ample.connect() as connection:
            workload.create(connection)
            connection.execute(f"INSERT INTO counters SELECT v, 0 FROM facts WHERE v < {options.sessions}")
            answers = workload.answers(connection)
        stop(ample, journal)
        sessions = disturbed(options, ample.place, answers, journal)
        ample.start()
        with ample.connect() as connection:
            check_tables(connection, sessions, journal, "after a restart")
            if workload.answers(connection) != answers:
                journal.fail("answers differ after a restart")
        stop(ample, journal)
    for needed in ("done", "57014"):
        if not journal.endings.get(needed):
            journal.fail(f"no statement ended with {needed}: nothing was tested")
    print(f"{len(journal.failures)} failures; repeat with --seed {options.seed}" if journal.failures
          else "all is as it should be")
    sys.exit(1 if journal.failures else 0)


def disturbed(options, place, answers, journal):
    """The test proper, on little memory; `answers` were found with plenty."""
    with BlueshiftServer(place=place, memory=options.memory, nodes=options.nodes) as server:
        with server.connect() as connection:
            parts = most_memory(connection)
            # Alone, each query finishes within the memory.
            if workload.answers(connection) != answers:
                journal.fail("little memory changes answers")
        codegen = ("auto", "force", "off")
        sessions = [StressSession(server, i, options.seed, journal, answers, i % 4 == 0, codegen[i % 3])
                    for i in range(options.sessions)]
        for session in sessions:
            session.start()
        disturb(sessions, random.Random(options.seed), journal, options.seconds)
        end(sessions, journal)
        endings = ", ".join(f"{name}: {count}" for name, count in sorted(journal.endings.items(), key=str))
        print(f"statements ended so: {endings}", flush=True)
        if server.process.poll() is not None:
            sys.exit(f"FAIL  the server ended with exit code {server.process.returncode}")
        if any(session.is_alive() for session in sessions):
            sys.exit("FAIL  a session does not end")
        with server.connect() as connection:
            check_tables(connection, sessions, journal, "at the end")
            check_settled(server, connection, journal, parts)
        stop(server, journal)
        return sessions


if __name__ == "__main__":
    main()
