"""Opening a place, and count(*) over the simple protocol; PostgreSQL 15 beside both."""
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "test" / "differential"))

from harness import arguments, report, tpch_data
from harness.server import ROOT, WORK, BlueshiftServer, first_answer
from postgres_server import PostgresServer

QUERY = "SELECT count(*) FROM lineitem"
FIRST_QUERY = "SELECT count(*), max(l_shipdate) FROM lineitem WHERE l_orderkey < 1000"


def build_client():
    tools = WORK / "tools"
    subprocess.run(["cmake", "-S", str(ROOT / "bench"), "-B", str(tools), "-G", "Ninja",
                    "-DCMAKE_CXX_COMPILER=clang++-19"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(tools), "bench_latency"], check=True, stdout=subprocess.DEVNULL)
    return tools / "bench_latency"


def loop(client, conninfo, query, repeats):
    """(the answer, microseconds: p25, p50, p75, p99)."""
    done = subprocess.run([str(client), conninfo, query, str(repeats)], check=True, text=True,
                          stdout=subprocess.PIPE)
    fields = done.stdout.split()
    return fields[0], [float(field) for field in fields[1:]]


def open_ours(server):
    """Seconds from starting the process on the existing place to the answer of a first query."""
    server.stop()
    begin = time.perf_counter()
    server.start()
    first_answer(server.conninfo(), FIRST_QUERY, server.process, begin + 60)
    return time.perf_counter() - begin


def open_postgres(server):
    data = os.path.join(server.folder, "data")
    server.run("pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
    options = f"-p {server.port} -h 127.0.0.1 -k {server.folder}"
    begin = time.perf_counter()
    # No -w: pg_ctl would wait in steps of a tenth of a second.
    server.run("pg_ctl", "-D", data, "-o", options, "-l", os.path.join(server.folder, "log"), "-W", "start")
    first_answer(server.conninfo(), FIRST_QUERY, None, begin + 60)
    return time.perf_counter() - begin


def load_postgres(server, folder):
    with server.connect() as connection:
        connection.execute(tpch_data.plain_schema(["lineitem"])[0])
        with connection.cursor().copy("COPY lineitem FROM STDIN (FORMAT csv, HEADER)") as copy, \
                open(folder / "lineitem.csv", "rb") as file:
            while piece := file.read(1 << 20):
                copy.write(piece)
        connection.execute("VACUUM ANALYZE lineitem")


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--repeats", type=int, default=1000, help="statements in blueshift's loop (1000)")
    parser.add_argument("--postgres-repeats", type=int, default=50, help="the same for PostgreSQL (50)")
    options = parser.parse_args()
    folder = tpch_data.csv_folder(options.sf, ["lineitem"])
    client = build_client()
    with BlueshiftServer(options.binary, "latency", options.port, options.threads) as server, \
            PostgresServer() as postgres:
        with server.connect() as connection:
            tpch_data.load_blueshift(connection, folder, ["lineitem"])
        load_postgres(postgres, folder)
        opens, peer_opens = [], []
        for _ in range(options.rounds):
            opens.append(open_ours(server))
            peer_opens.append(open_postgres(postgres))
        count, ours = loop(client, server.conninfo(), QUERY, options.repeats)
        expected, peer = loop(client, postgres.conninfo(), QUERY, options.postgres_repeats)
    if count != expected:
        print(f"count(*) is {count}, expected {expected}", file=sys.stderr)
        return 1
    lines = [f"`{QUERY}`, {int(count):,} rows, libpq, simple protocol, one connection, microseconds:", "",
             "| system | statements | p25 | median | p75 | p99 |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, repeats, values in (("blueshift", options.repeats, ours),
                                  ("PostgreSQL 15", options.postgres_repeats, peer)):
        lines.append(f"| {name} | {repeats} | " + " | ".join(f"{value:,.0f}" for value in values) + " |")
    lines += ["", f"Opening an existing place after a clean stop, from the start of the process to the answer of "
              f"`{FIRST_QUERY}`, {options.rounds} times, median (largest):", ""]
    for name, seconds in (("blueshift", opens), ("PostgreSQL 15", peer_opens)):
        lines.append(f"- {name}: {statistics.median(seconds):.3f} s ({max(seconds):.3f} s)")
    report.write_section("3-latency", f"Latency, scale factor {options.sf:g}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
