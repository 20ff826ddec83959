"""TPC-H on several nodes in one process against one node, the same threads, in alternating rounds.

Also what each query moved between nodes, by its Network lines in EXPLAIN ANALYZE.
"""
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import BlueshiftServer
from harness.timing import seconds

CO_LOCATED = [
    ("orders with lineitem", "SELECT count(*), sum(l_quantity) FROM orders JOIN lineitem ON o_orderkey = l_orderkey"),
    ("part with partsupp", "SELECT count(*), sum(ps_availqty) FROM part JOIN partsupp ON p_partkey = ps_partkey"),
]


def networks(cursor, sql):
    """Bytes moved, of each Network line."""
    lines = [row[0] for row in cursor.execute("EXPLAIN ANALYZE " + sql).fetchall()]
    return [int(found.group(1)) for line in lines if (found := re.search(r"Network .*moved=(\d+) B", line))]


def labels(cursor, sql):
    """DS_ labels of the joins."""
    lines = [row[0] for row in cursor.execute("EXPLAIN " + sql).fetchall()]
    return re.findall(r"DS_\w+", "\n".join(lines))


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--nodes", type=int, default=3)
    options = parser.parse_args()
    folder = tpch_data.csv_folder(options.sf)
    queries = tpch_data.queries()
    with BlueshiftServer(options.binary, "one-node", 0, options.threads, "4GiB") as one, \
            BlueshiftServer(options.binary, "nodes", 0, options.threads, "4GiB", nodes=options.nodes) as several, \
            one.connect() as first, several.connect() as second:
        cursors = []
        for connection in (first, second):
            tpch_data.load_blueshift(connection, folder)
            connection.prepare_threshold = None
            cursors.append(connection.cursor())
        answers = [[sorted(map(str, cursor.execute(sql).fetchall())) for _, sql in queries] for cursor in cursors]
        wrong = [number for (number, _), a, b in zip(queries, *answers) if a != b]
        rounds = []
        for index in range(options.rounds):
            taken = [{}, {}]
            for which in (0, 1) if index % 2 == 0 else (1, 0):
                for number, sql in queries:
                    taken[which][number] = seconds(cursors[which], sql)
            rounds.append(taken)
        moved = {number: sum(networks(cursors[1], sql)) for number, sql in queries}
        together = [(name, labels(cursors[1], sql), networks(cursors[1], sql)) for name, sql in CO_LOCATED]
    ratios = [sum(taken[1].values()) / sum(taken[0].values()) for taken in rounds]
    lines = [report.ratio_line(f"Sum of the queries, {options.nodes} nodes / one node, per round", ratios), ""]
    for name, found, sizes in together:
        # The last Network line gathers one row of results at the leader.
        lines.append(f"- {name}: {', '.join(found)}; moved to group or gather results: {sum(sizes)} B, "
                     "for the join: " + ("0 B" if found == ["DS_DIST_NONE"] else "see the labels"))
    lines += ["", "| query | one node ms | nodes ms | ratio | moved bytes |", "| --- | ---: | ---: | ---: | ---: |"]
    for number, _ in queries:
        a, b = (1000 * statistics.median(taken[which][number] for taken in rounds) for which in (0, 1))
        lines.append(f"| Q{number} | {a:.1f} | {b:.1f} | {b / a:.2f} | {moved[number]:,} |")
    if wrong:
        lines += ["", f"Answers differ: {wrong}"]
    report.write_section("6-nodes", f"{options.nodes} nodes in one process, TPC-H scale factor {options.sf:g}, hot, "
                         f"{options.threads} threads", lines)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
