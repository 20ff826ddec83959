"""TPC-H: loads generated data into a server by COPY, runs the 22 queries, compares with DuckDB.

    check_answers.py [--sf 0.01] [--format csv|parquet] [--queries 1,3,15] [--nodes 3]

The rule of comparison is in answers.py. Exit code 1 when an answer differs or a query fails.
check_modes.py asks the same of each mode of slt_runner.
"""
import argparse
import os
import sys
import tempfile
import time

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))
from answers import first_difference  # noqa: E402
from blueshift_server import BlueshiftServer  # noqa: E402
from tables import STYLES, TABLES, generate, load_duckdb, queries  # noqa: E402


def load(connection, duck, folder, file_format):
    load_duckdb(duck, folder, file_format)
    for table, columns in TABLES.items():
        path = os.path.join(folder, f"{table}.{file_format}")
        connection.execute(f"CREATE TABLE {table} ({columns}) {STYLES[table]}")
        if file_format == "parquet":
            connection.execute(f"COPY {table} FROM '{path}' FORMAT AS PARQUET")
        else:
            with connection.cursor().copy(f"COPY {table} FROM STDIN CSV IGNOREHEADER 1") as copy:
                with open(path, "rb") as file:
                    while piece := file.read(1 << 20):
                        copy.write(piece)
        ours = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        theirs = duck.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if ours != theirs or ours == 0:
            raise SystemExit(f"{table}: {ours} rows loaded, the files hold {theirs}")


def peak_memory(server):
    """Most MiB that the server's process has had in memory."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sf", default="0.01")
    parser.add_argument("--format", default="csv", choices=["csv", "parquet"])
    parser.add_argument("--queries", default="")
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--nodes", type=int, default=1)
    arguments = parser.parse_args()
    wanted = [int(n) for n in arguments.queries.split(",") if n]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="blueshift-tpch-") as folder, \
            BlueshiftServer(memory=arguments.memory, nodes=arguments.nodes) as server:
        os.chmod(folder, 0o755)
        generate(folder, arguments.sf, arguments.format)
        connection = server.connect()
        duck = duckdb.connect()
        start = time.monotonic()
        load(connection, duck, folder, arguments.format)
        print(f"loaded scale factor {arguments.sf} from {arguments.format} in {time.monotonic() - start:.1f} s, "
              f"at most {peak_memory(server)} MiB")
        # A new process: what loading took, or left with the allocator, is another matter.
        connection.close()
        server.stop()
        server.start()
        connection = server.connect()
        total = 0.0
        for number, sql in queries():
            if wanted and number not in wanted:
                continue
            try:
                start = time.monotonic()
                cursor = connection.execute(sql)
                ours = cursor.fetchall()
                seconds = time.monotonic() - start
                names = [column.name.lower() for column in cursor.description]
                wrong = first_difference(sql, names, ours, duck.execute(sql).fetchall())
            except Exception as error:
                wrong, seconds, ours = f"{type(error).__name__}: {error}", 0.0, []
            total += seconds
            if wrong is None:
                print(f"ok    Q{number:02} {len(ours)} rows, {seconds * 1000:.1f} ms", flush=True)
            else:
                failed += 1
                print(f"FAIL  Q{number:02} {wrong}", flush=True)
        print(f"sum {total:.2f} s, at most {peak_memory(server)} MiB in memory")
    print(f"{failed} answers differ" if failed else "all answers agree with DuckDB")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
