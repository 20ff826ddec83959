"""count(*) and 10,000 point queries a session: this build against an earlier one, by turns.

    git worktree add --detach ../before COMMIT; build it there; then --before ../before/build/release/src/blueshift
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import BlueshiftServer
from latency.compare import build_client, loop

STATEMENTS = {
    "count(*)": ("SELECT count(*) FROM lineitem", 2000),
    "point query": ("SELECT c_acctbal FROM customer WHERE c_custkey = 1007", 10000),
}


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--before", required=True, help="the program to compare with")
    options = parser.parse_args()
    client = build_client()
    folder = tpch_data.csv_folder(options.sf)
    with BlueshiftServer(options.before, "before", 0, options.threads) as before, \
            BlueshiftServer(options.binary, "after", 0, options.threads) as after:
        for server in (before, after):
            with server.connect() as connection:
                tpch_data.load_blueshift(connection, folder, ["lineitem", "customer"])
        medians = {name: ([], []) for name in STATEMENTS}
        for index in range(options.rounds):
            order = [(before, 0), (after, 1)] if index % 2 == 0 else [(after, 1), (before, 0)]
            for name, (sql, repeats) in STATEMENTS.items():
                answers = set()
                for server, place in order:
                    answer, quantiles = loop(client, server.conninfo(), sql, repeats)
                    answers.add(answer)
                    medians[name][place].append(quantiles[1])
                if len(answers) != 1:
                    print(f"{name}: the answers differ: {answers}", file=sys.stderr)
                    return 1
    lines = ["| statement | a session | before, median us | after, median us | after / before, per round: quartiles and median |",
             "| --- | ---: | ---: | ---: | --- |"]
    for name, (earlier, later) in medians.items():
        low, middle, high = statistics.quantiles([b / a for a, b in zip(earlier, later)], n=4)
        lines.append(f"| {name} | {STATEMENTS[name][1]:,} | {statistics.median(earlier):.0f} | "
                     f"{statistics.median(later):.0f} | {low:.2f} **{middle:.2f}** {high:.2f} |")
    report.write_section("3-latency-before", "Latency, this build against the one before generated code", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
