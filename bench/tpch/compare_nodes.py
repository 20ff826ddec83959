"""TPC-H on several nodes in one process against one node, with the same threads, in alternating rounds.

    bench/tpch/compare_nodes.py [--sf 0.1] [--nodes 3] [--rounds 3] [--threads 2]

Prints the median of each query on both, the sums and their ratio, and the bytes that each query moved.
"""
import argparse
import glob
import os
import re
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "test", "differential"))
sys.path.insert(0, os.path.join(ROOT, "test", "tpch"))
from blueshift_server import BlueshiftServer  # noqa: E402
from tables import STYLES, TABLES, generate  # noqa: E402


def load(connection, folder):
    for table, columns in TABLES.items():
        connection.execute(f"CREATE TABLE {table} ({columns}) {STYLES[table]}")
        connection.execute(f"COPY {table} FROM '{folder}/{table}.parquet' FORMAT AS PARQUET")


def run(connection, statements):
    begin = time.monotonic()
    for statement in statements:
        connection.execute(statement).fetchall() if statement.lstrip().lower().startswith(("select", "with")) \
            else connection.execute(statement)
    return time.monotonic() - begin


def moved(connection, text):
    try:
        lines = connection.execute(f"EXPLAIN ANALYZE {text}").fetchall()
    except Exception:  # a query of several statements
        return None
    found = {}
    for (line,) in lines:
        for part in re.findall(r"Network .*moved=(\d+) B", line):
            found[line] = int(part)
    return sum(found.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sf", default="0.1")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blueshift-nodes-") as folder, \
            BlueshiftServer(memory="3GiB", threads=arguments.threads) as one, \
            BlueshiftServer(memory="3GiB", threads=arguments.threads, nodes=arguments.nodes) as several:
        os.chmod(folder, 0o755)
        generate(folder, arguments.sf, "parquet")
        connections = [one.connect(), several.connect()]
        for connection in connections:
            load(connection, folder)
        sums = [0.0, 0.0]
        for path in sorted(glob.glob(os.path.join(ROOT, "test", "sql", "tpch", "q*.sql"))):
            with open(path, encoding="ascii") as file:
                text = "\n".join(line for line in file.read().split("\n") if not line.startswith("--"))
            statements = [part for part in text.split(";") if part.strip()]
            times = [[], []]
            for _ in range(arguments.rounds):
                for which, connection in enumerate(connections):
                    times[which].append(run(connection, statements))
            medians = [statistics.median(values) for values in times]
            sums = [total + median for total, median in zip(sums, medians)]
            bytes_moved = moved(connections[1], statements[0]) if len(statements) == 1 else None
            print(f"{os.path.basename(path)}: {medians[0] * 1e3:8.1f} ms, {arguments.nodes} nodes "
                  f"{medians[1] * 1e3:8.1f} ms, moved {bytes_moved} B", flush=True)
        print(f"sum: {sums[0]:.3f} s, {arguments.nodes} nodes {sums[1]:.3f} s, ratio {sums[1] / sums[0]:.2f}")


if __name__ == "__main__":
    main()
