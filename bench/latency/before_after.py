"""count(*) and 10,000 point queries a session: this build against an earlier one, by turns.

In several processes of each, begun by turns: on two cores the kernel's choice of where the threads of a process wake
up makes half of the time of a point query, and stays for the life of the process.

    git worktree add --detach ../before COMMIT; build it there; then --before ../before/build/release/src/blueshift
"""
import os
import pathlib
import shutil
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import WORK, BlueshiftServer
from latency.compare import build_client, loop

STATEMENTS = {
    "count(*)": ("SELECT count(*) FROM lineitem", 2000),
    "point query": ("SELECT c_acctbal FROM customer WHERE c_custkey = 1007", 10000),
}


def measure(client, servers, rounds, medians):
    """Adds a median a round to `medians`; False when the answers differ."""
    for index in range(rounds):
        order = (0, 1) if index % 2 == 0 else (1, 0)
        for name, (sql, repeats) in STATEMENTS.items():
            answers = set()
            for which in order:
                answer, quantiles = loop(client, servers[which].conninfo(), sql, repeats)
                answers.add(answer)
                medians[name][which].append(quantiles[1])
            if len(answers) != 1:
                print(f"{name}: the answers differ: {answers}", file=sys.stderr)
                return False
    return True


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--before", required=True, help="the program to compare with")
    parser.add_argument("--processes", type=int, default=5)
    options = parser.parse_args()
    client = build_client()
    folder = tpch_data.csv_folder(options.sf)
    binaries = (options.before, options.binary)
    places = [WORK / f"place-latency-{index}-{os.getpid()}" for index in range(2)]
    medians = {name: ([], []) for name in STATEMENTS}
    try:
        for binary, place in zip(binaries, places):
            with BlueshiftServer(binary, "latency", 0, options.threads, place=place) as server, \
                    server.connect() as connection:
                tpch_data.load_blueshift(connection, folder, ["lineitem", "customer"])
        for process in range(options.processes):
            servers = [BlueshiftServer(binary, f"latency-{index}", 0, options.threads, place=places[index])
                       for index, binary in enumerate(binaries)]
            first, second = servers if process % 2 == 0 else reversed(servers)
            with first, second:
                if not measure(client, servers, options.rounds, medians):
                    return 1
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
    lines = ["| statement | a session | before, median us | after, median us | after / before, per round: quartiles and median |",
             "| --- | ---: | ---: | ---: | --- |"]
    for name, (earlier, later) in medians.items():
        low, middle, high = statistics.quantiles([b / a for a, b in zip(earlier, later)], n=4)
        lines.append(f"| {name} | {STATEMENTS[name][1]:,} | {statistics.median(earlier):.0f} | "
                     f"{statistics.median(later):.0f} | {low:.2f} **{middle:.2f}** {high:.2f} |")
    report.write_section("3-latency-before", f"Latency, this build against the one before generated code, {options.processes} processes",
                         lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
