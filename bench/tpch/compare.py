"""TPC-H, hot: blueshift over loopback against DuckDB in process. Wrong answers fail, slow ones do not."""
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import duckdb

from harness import arguments, report, results, tpch_data
from harness.server import WORK, BlueshiftServer, ProcessMeter


def answer_ours(cursor, sql):
    return cursor.execute(sql).fetchall()


def answer_duckdb(connection, sql):
    return connection.execute(sql).fetchall()


def check(cursor, peer, queries):
    """Compares all answers; also the warm-up of both. Returns the differences, by query."""
    wrong = {}
    for number, sql in queries:
        theirs = answer_duckdb(peer, sql)
        names = [column[0] for column in peer.description]
        try:
            ours = answer_ours(cursor, sql)
        except Exception as error:
            wrong[number] = f"error: {error}".strip()
            continue
        oids = [column.type_code for column in cursor.description]
        found = results.difference(sql, names, oids, ours, theirs)
        if found:
            wrong[number] = found
    return wrong


def time_round(answer, connection, queries):
    seconds = {}
    for number, sql in queries:
        begin = time.perf_counter()
        answer(connection, sql)
        seconds[number] = time.perf_counter() - begin
    return seconds


class System:
    def __init__(self, answer, connection, meter):
        self.answer, self.connection, self.meter = answer, connection, meter
        self.rounds, self.cpu = [], 0.0

    def run(self, queries):
        before = self.meter.cpu_total()
        self.rounds.append(time_round(self.answer, self.connection, queries))
        self.cpu += self.meter.cpu_total() - before

    def median_ms(self, number):
        return 1000 * statistics.median(seconds[number] for seconds in self.rounds)


def section(options, ours, peer, queries, wrong):
    ratios = [sum(a.values()) / sum(b.values()) for a, b in zip(ours.rounds, peer.rounds)]
    lines = [report.ratio_line("Sum of the queries, blueshift / DuckDB, per round", ratios), ""]
    for name, system in (("blueshift", ours), ("DuckDB " + duckdb.__version__, peer)):
        total = statistics.median(sum(seconds.values()) for seconds in system.rounds)
        cpu = system.cpu / len(system.rounds)
        lines.append(f"- {name}: {1000 * total:,.0f} ms a round (median), {cpu:.2f} CPU seconds a round, "
                     f"peak {report.megabytes(system.meter.peak_bytes())}, "
                     f"{report.megabytes(system.meter.bytes_read())} read from disk")
    lines += ["", "DuckDB's peak and disk include the Python client. Its CPU seconds are those of its turns.",
              "", "| query | blueshift ms | DuckDB ms | ratio |", "| --- | ---: | ---: | ---: |"]
    for number, _ in queries:
        a, b = ours.median_ms(number), peer.median_ms(number)
        lines.append(f"| Q{number} | {a:.1f} | {b:.1f} | {a / b:.2f} |")
    for number in sorted(wrong):
        lines.append(f"| Q{number} | fail | | |")
    if wrong:
        lines += ["", f"{len(wrong)} queries failed and are in neither sum."]
    report.write_section(f"1-tpch-sf{options.sf:g}", f"TPC-H, scale factor {options.sf:g}, hot, {options.threads} threads and {options.memory} each",
                         lines)


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--memory", default="8GiB", help="memory limit of each system (8GiB)")
    parser.add_argument("--place", help="a loaded place of blueshift to use and keep")
    parser.add_argument("--peer-file", help="a DuckDB database to use and keep, loaded if it is not there")
    options = parser.parse_args()
    folder = tpch_data.csv_folder(options.sf)
    queries = tpch_data.queries()
    peer_file = pathlib.Path(options.peer_file or WORK / f"tpch-{os.getpid()}.duckdb")
    loaded = peer_file.exists()
    try:
        with BlueshiftServer(options.binary, "tpch", options.port, options.threads, options.memory,
                             place=options.place) as server, \
                server.connect() as connection, \
                duckdb.connect(str(peer_file), config={"threads": options.threads,
                                                       "memory_limit": options.memory}) as peer:
            if not options.place:
                tpch_data.load_blueshift(connection, folder)
            if not loaded:
                tpch_data.load_duckdb(peer, folder)
            cursor = connection.cursor()
            # Both systems read the text of every statement, as DuckDB's client does.
            connection.prepare_threshold = None
            # A stored result is no measurement.
            cursor.execute("SET enable_result_cache_for_session TO off")
            wrong = check(cursor, peer, queries)
            for number, found in wrong.items():
                print(f"Q{number}: {found}", file=sys.stderr)
            timed = [(number, sql) for number, sql in queries if number not in wrong]
            if timed:
                ours = System(answer_ours, cursor, server.meter())
                theirs = System(answer_duckdb, peer, ProcessMeter(os.getpid()))
                for index in range(options.rounds):
                    for system in (ours, theirs) if index % 2 == 0 else (theirs, ours):
                        system.run(timed)
                section(options, ours, theirs, timed, wrong)
    finally:
        if not options.peer_file:
            for path in WORK.glob(peer_file.name + "*"):
                path.unlink()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
