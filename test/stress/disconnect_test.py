"""Clients that vanish in the middle: the server notices, stops the statement and gives everything back.

    disconnect_test.py [--nodes 1]

A client vanishes in three ways: it closes its socket with bytes unread (a reset), it shuts it down and
keeps it (no reset ever comes), or its process is gone, which is the first again.
"""
import argparse
import fcntl
import os
import socket
import sys
import termios
import time

import psycopg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from blueshift_server import BlueshiftServer  # noqa: E402
from spill_faults import spill_files  # noqa: E402

import cancel_test  # noqa: E402

PATIENCE = 20  # seconds; the server looks several times a second

# What runs when its client vanishes. None of it ends by itself while the test waits.
STATEMENTS = {
    "a long query": "SELECT count(*) FROM facts a JOIN facts b ON a.k = b.k JOIN facts c ON b.k = c.k "
                    "WHERE a.t || b.t || c.t LIKE '%x%'",
    "a large result": "SELECT * FROM facts a JOIN facts b ON a.k = b.k",
    "a large sorted result": "SELECT * FROM facts ORDER BY t",
    "a wait for a lock": "DELETE FROM copies WHERE v = 8",
    "a COPY that waits for data": "COPY copies FROM STDIN CSV",
}


def start(server, sql):
    """Sends a Query message and does not look at the answer; the socket and the backend's number."""
    connection = server.connect()
    pid = connection.info.backend_pid
    twin = socket.socket(fileno=os.dup(connection.fileno()))
    connection.pgconn.send_query(sql.encode())
    while connection.pgconn.flush():
        pass
    return connection, twin, pid


def wait_until(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"in vain waited for {what}")
        time.sleep(0.01)


# Neither counts: an aggregate would wait for memory when a test holds all of it.
def sessions(watcher, pid):
    return len(watcher.execute(f"SELECT process FROM stv_sessions WHERE process = {pid}").fetchall())


def running(watcher, pid):
    return len(watcher.execute("SELECT pid FROM stv_recents WHERE status = 'Running' AND "
                               f"pid = {pid}").fetchall())


def unread(client):
    """Bytes that have arrived and that the client has not read."""
    return int.from_bytes(fcntl.ioctl(client, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def wait_until_blocked(client):
    """Until the server cannot send any more: its client's buffer has stopped growing."""
    seen = [0]

    def full():
        time.sleep(0.1)
        seen.append(unread(client))
        return len(seen) > 5 and len(set(seen[-5:])) == 1 and seen[-1] > 1 << 16
    wait_until("the result to fill the client's buffer", full)


def vanish(server, watcher, name, how):
    with server.connect() as holder:
        holder.execute("BEGIN")
        if "lock" in name:
            holder.execute("DELETE FROM copies WHERE v = 7")
        connection, twin, pid = start(server, STATEMENTS[name])
        wait_until("the statement to run", lambda: running(watcher, pid))
        if "result" in name:
            wait_until_blocked(twin)
        begin = time.monotonic()
        if how == "closes":
            twin.close()
            connection.pgconn.finish()
        else:
            twin.shutdown(socket.SHUT_WR)
        wait_until("the session's end", lambda: not sessions(watcher, pid))
        seconds = time.monotonic() - begin
        if running(watcher, pid):
            raise AssertionError("the statement runs on without its session")
        holder.execute("ROLLBACK")
        twin.close()
        connection.pgconn.finish()
    wait_until("the end of temporary files", lambda: not spill_files(server))
    print(f"ok    {name}: the client {how}, gone after {seconds:.2f} s", flush=True)


def wait_for_memory(server, watcher):
    """One that waits to be admitted is not admitted after its client's end."""
    watcher.execute("CREATE TABLE kinds AS SELECT v AS id FROM small")
    parts = cancel_test.most_memory(watcher)
    with server.connect() as holder:
        cancel_test.hold_memory(holder, parts)
        connection, twin, pid = start(server, "SELECT k, count(*) FROM facts GROUP BY k")
        wait_until("the query to wait", lambda: running(watcher, pid))
        twin.close()
        connection.pgconn.finish()
        wait_until("the session's end", lambda: not sessions(watcher, pid))
    watcher.execute("DROP TABLE kinds")
    print("ok    a wait for memory: the client closes", flush=True)


def many_at_once(server, watcher):
    """Forty clients vanish together; the server serves on."""
    started = [start(server, sql) for _ in range(8) for sql in STATEMENTS.values()]
    for connection, twin, _ in started:
        twin.close()
        connection.pgconn.finish()
    wait_until("the end of all", lambda: all(not sessions(watcher, pid) for _, _, pid in started))
    wait_until("the end of temporary files", lambda: not spill_files(server))
    print(f"ok    {len(started)} clients vanish at once", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=1)
    options = parser.parse_args()
    failed = 0
    with BlueshiftServer(memory="64MiB", nodes=options.nodes) as server:
        with server.connect() as watcher:
            cancel_test.load(watcher)
            checks = [lambda n=name, h=how: vanish(server, watcher, n, h)
                      for name in STATEMENTS for how in ("closes", "shuts down")]
            for check in [*checks, lambda: wait_for_memory(server, watcher), lambda: many_at_once(server, watcher)]:
                try:
                    check()
                except (AssertionError, psycopg.Error) as error:
                    failed += 1
                    print(f"FAIL  {error}", flush=True)
            row = watcher.execute("SELECT count(*), sum(v) FROM facts").fetchone()
            if row != (cancel_test.ROWS, cancel_test.ROWS * (cancel_test.ROWS - 1) // 2):
                failed += 1
                print(f"FAIL  the table has {row}", flush=True)
        code = server.stop()
        if code != 0:
            failed += 1
            print(f"FAIL  exit code {code}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
