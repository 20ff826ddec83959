"""TPC-H with little memory against much, and DuckDB with as little beside it; every answer is compared.

Resident memory is the largest the kernel saw while the queries ran, less the block cache's share (a third
of --memory), which is a cache and not the queries'.
"""
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import duckdb

from harness import arguments, report, tpch_data
from harness.server import WORK, BlueshiftServer


def rows_of(cursor, sql):
    begin = time.perf_counter()
    rows = cursor.execute(sql).fetchall()
    return time.perf_counter() - begin, sorted(map(str, rows))


def run_ours(options, place, memory, queries):
    """(seconds of each query: median of rounds, answers, peak resident bytes)."""
    times = {number: [] for number, _ in queries}
    answers = {}
    with BlueshiftServer(options.binary, "memory", options.port, options.threads, memory, place=place) as server, \
            server.connect() as connection:
        connection.prepare_threshold = None
        cursor = connection.cursor()
        meter = server.meter()
        for round_number in range(options.rounds + 1):  # the first reads the data and is not counted
            for number, sql in queries:
                try:
                    took, rows = rows_of(cursor, sql)
                except Exception as error:
                    took, rows = float("nan"), [f"error: {error}"]
                if round_number > 0:
                    times[number].append(took)
                answers[number] = rows
        return {number: statistics.median(values) for number, values in times.items()}, answers, meter.peak_bytes()


def run_duckdb(options, file, queries):
    times = {}
    with duckdb.connect(str(file), config={"threads": options.threads, "memory_limit": options.duckdb_memory}) as peer:
        for number, sql in queries:
            try:
                times[number] = statistics.median(rows_of(peer, sql)[0] for _ in range(options.rounds))
            except duckdb.Error as error:
                times[number] = None
                print(f"DuckDB, Q{number}: {str(error).splitlines()[0]}", file=sys.stderr)
    return times


def main():
    parser = arguments.parser(__doc__, 1)
    parser.add_argument("--memory", default="1GiB")
    parser.add_argument("--much", default="16GiB")
    parser.add_argument("--duckdb-memory", default="1GB")
    parser.add_argument("--place", help="a loaded place to use and keep")
    options = parser.parse_args()
    folder = tpch_data.csv_folder(options.sf)
    queries = tpch_data.queries()
    place = options.place or str(WORK / f"place-sf{options.sf:g}")
    if not options.place and not pathlib.Path(place).exists():
        with BlueshiftServer(options.binary, "memory", options.port, options.threads, "8GiB", place=place) as server, \
                server.connect() as connection:
            tpch_data.load_blueshift(connection, folder)
    much, right, _ = run_ours(options, place, options.much, queries)
    little, found, peak = run_ours(options, place, options.memory, queries)
    wrong = [number for number, _ in queries if right[number] != found[number]]
    file = WORK / "memory.duckdb"
    try:
        with duckdb.connect(str(file)) as peer:
            tpch_data.load_duckdb(peer, folder)
        theirs = run_duckdb(options, file, queries)
    finally:
        for path in WORK.glob(file.name + "*"):
            path.unlink()
    share = int(float(options.memory.removesuffix("GiB")) * 2**30 / 3)
    sums = sum(little.values()) / sum(much.values())
    lines = [f"- sum of the queries with {options.memory} / with {options.much}: **{sums:.2f}**",
             f"- {len(queries) - len(wrong)} of {len(queries)} answers equal those with {options.much}",
             f"- peak resident memory {report.megabytes(peak)}, beyond the block cache's share "
             f"**{report.megabytes(peak - share)}**", "",
             f"| query | {options.much} ms | {options.memory} ms | ratio | DuckDB {options.duckdb_memory} ms |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for number, _ in queries:
        other = "fails" if theirs[number] is None else f"{1000 * theirs[number]:.0f}"
        lines.append(f"| Q{number} | {1000 * much[number]:.0f} | {1000 * little[number]:.0f} | "
                     f"{little[number] / much[number]:.2f} | {other} |")
    if wrong:
        lines += ["", f"Answers differ: {wrong}"]
    report.write_section("7-memory", f"TPC-H scale factor {options.sf:g} with {options.memory}, "
                         f"{options.threads} threads", lines)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
