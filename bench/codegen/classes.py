"""Generated code against our own interpreter by class of pipeline, in several processes, compile time apart.

Each process runs every query hot, `off` and `force` by turns; its ratio is that of the medians.
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import WORK, BlueshiftServer
from harness.timing import seconds

TPCH = dict(tpch_data.queries())
CLASSES = {
    "aggregation": [
        ("Q1", TPCH[1]),
        ("sums by two keys", "SELECT l_shipmode, l_returnflag, sum(l_quantity), sum(l_extendedprice * (1 - l_discount)), "
                             "avg(l_tax), count(*) FROM lineitem GROUP BY l_shipmode, l_returnflag"),
        ("sums by supplier", "SELECT max(s), max(c) FROM (SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount)) AS s, "
                             "count(*) AS c FROM lineitem GROUP BY l_suppkey)"),
    ],
    "filter": [
        ("Q6", TPCH[6]),
        ("Q6 without its dates", "SELECT sum(l_extendedprice * l_discount) FROM lineitem "
                                 "WHERE l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"),
    ],
    "probe": [("Q3", TPCH[3]), ("Q12", TPCH[12]), ("Q14", TPCH[14])],
}


def ratios_of_process(options, place):
    """{query: (off, force)} in seconds."""
    found = {}
    with BlueshiftServer(options.binary, "classes", options.port, options.threads, "8GiB", place=place) as server, \
            server.connect() as connection:
        connection.prepare_threshold = None
        cursor = connection.cursor()
        for queries in CLASSES.values():
            for name, sql in queries:
                times = {"off": [], "force": []}
                for index in range(options.rounds + 1):
                    for mode in times:
                        cursor.execute(f"SET codegen TO {mode}")
                        took = seconds(cursor, sql)
                        if index > 0:  # the first run reads the data and compiles
                            times[mode].append(took)
                found[name] = tuple(statistics.median(values) for values in times.values())
    return found


def main():
    parser = arguments.parser(__doc__, 5)
    parser.add_argument("--place", help="a loaded place to use and keep")
    parser.add_argument("--processes", type=int, default=5)
    options = parser.parse_args()
    place = options.place or str(WORK / f"place-sf{options.sf:g}")
    if not options.place and not pathlib.Path(place).exists():
        with BlueshiftServer(options.binary, "classes", options.port, options.threads, "8GiB", place=place) as server, \
                server.connect() as connection:
            tpch_data.load_blueshift(connection, tpch_data.csv_folder(options.sf))
    runs = [ratios_of_process(options, place) for _ in range(options.processes)]
    lines = ["| class | query | off ms | force / off, median of processes | each process |",
             "| --- | --- | ---: | ---: | --- |"]
    for kind, queries in CLASSES.items():
        for name, _ in queries:
            ratios = [run[name][1] / run[name][0] for run in runs]
            off = 1000 * statistics.median(run[name][0] for run in runs)
            lines.append(f"| {kind} | {name} | {off:.1f} | {statistics.median(ratios):.2f} | "
                         f"{' '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    report.write_section("4-codegen-classes", f"Generated code by class of pipeline, TPC-H scale factor {options.sf:g}, "
                         f"hot, {options.threads} threads, {options.processes} processes", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
