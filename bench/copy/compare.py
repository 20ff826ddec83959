"""COPY of lineitem from CSV: blueshift against DuckDB into a file database, taking turns."""
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import duckdb

from harness import arguments, report, tpch_data
from harness.server import WORK, BlueshiftServer

TABLE = ["lineitem"]


def load_ours(connection, file):
    """Seconds of one load into a fresh table, and the rows that are there afterwards."""
    connection.execute("DROP TABLE IF EXISTS lineitem")
    connection.execute(tpch_data.schema(TABLE)[0])
    begin = time.perf_counter()
    connection.execute(f"COPY lineitem FROM '{file}' CSV IGNOREHEADER 1")
    seconds = time.perf_counter() - begin
    return seconds, connection.execute("SELECT count(*) FROM lineitem").fetchone()[0]


def load_duckdb(path, file, options):
    config = {"threads": options.threads}
    if options.memory:
        config["memory_limit"] = options.memory
    try:
        with duckdb.connect(str(path), config=config) as connection:
            connection.execute(tpch_data.plain_schema(TABLE)[0])
            begin = time.perf_counter()
            connection.execute(f"COPY lineitem FROM '{file}' (HEADER)")
            seconds = time.perf_counter() - begin
            return seconds, connection.execute("SELECT count(*) FROM lineitem").fetchone()[0]
    finally:
        for part in path.parent.glob(path.name + "*"):
            part.unlink()


def read_once(file):
    """Neither system shall be the one that finds the file outside of the page cache."""
    with open(file, "rb") as source:
        while source.read(1 << 24):
            pass


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--memory", help="memory limit of both systems, such as 2GiB")
    options = parser.parse_args()
    file = tpch_data.csv_folder(options.sf, TABLE) / "lineitem.csv"
    read_once(file)
    peer_file = WORK / f"copy-{os.getpid()}.duckdb"
    ours, theirs, cpu = [], [], 0.0
    with BlueshiftServer(options.binary, "copy", options.port, options.threads, options.memory) as server, \
            server.connect() as connection:
        meter = server.meter()
        for index in range(options.rounds):
            for turn in (0, 1) if index % 2 == 0 else (1, 0):
                if turn == 0:
                    before = meter.cpu_total()
                    seconds, rows = load_ours(connection, file)
                    cpu += meter.cpu_total() - before
                    ours.append(seconds)
                else:
                    seconds, expected = load_duckdb(peer_file, file, options)
                    theirs.append(seconds)
            if rows != expected:
                print(f"{rows} rows, expected {expected}", file=sys.stderr)
                return 1
        peak, read = meter.peak_bytes(), meter.bytes_read()
    size = file.stat().st_size / 2**20
    lines = [report.ratio_line("Speed, blueshift / DuckDB, per round",
                               [b / a for a, b in zip(ours, theirs)]), "",
             f"- {rows:,} rows, {size:,.0f} MiB of CSV"]
    for name, seconds in (("blueshift", ours), ("DuckDB " + duckdb.__version__, theirs)):
        middle = statistics.median(seconds)
        lines.append(f"- {name}: {middle:.2f} s (median), {size / middle:,.0f} MiB/s")
    lines.append(f"- blueshift: {cpu / options.rounds:.2f} CPU seconds a load, peak resident memory "
                 f"{report.megabytes(peak)}, {report.megabytes(read)} read from disk in all rounds")
    limit = f", --memory {options.memory}" if options.memory else ""
    report.write_section(f"2-copy-sf{options.sf:g}" + ("-memory" if limit else ""),
                         f"COPY of lineitem from CSV, scale factor {options.sf:g}{limit}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
