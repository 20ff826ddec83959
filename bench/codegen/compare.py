"""Generated code against our own interpreter: TPC-H with codegen off, auto and force, by turns.

The first run of a query with `force` compiles and is not counted: the section tells what that cost.
A place made by an earlier run may be given with --place, which is then kept.
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import BlueshiftServer
from harness.timing import seconds

MODES = ["off", "auto", "force"]


def main():
    parser = arguments.parser(__doc__, 7)
    parser.add_argument("--place", help="a loaded place to use and keep")
    parser.add_argument("--queries", help="numbers, comma-separated (all)")
    options = parser.parse_args()
    queries = tpch_data.queries()
    if options.queries:
        wanted = {int(number) for number in options.queries.split(",")}
        queries = [query for query in queries if query[0] in wanted]
    times = {(number, mode): [] for number, _ in queries for mode in MODES}
    first = {}
    with BlueshiftServer(options.binary, "codegen", options.port, options.threads, "8GiB",
                         place=options.place) as server, server.connect() as connection:
        cursor = connection.cursor()
        connection.prepare_threshold = None
        if not options.place:
            tpch_data.load_blueshift(connection, tpch_data.csv_folder(options.sf))
        for number, sql in queries:
            cursor.execute("SET codegen TO off")
            seconds(cursor, sql)  # the data is warm from here on
            # A shape never seen: the interpreter's second run against the first one that compiles.
            for mode in MODES[:2]:
                cursor.execute(f"SET codegen TO {mode}")
                first[number, mode] = seconds(cursor, sql)
            for _ in range(9):
                first[number, "tenth"] = seconds(cursor, sql)
            cursor.execute("SET codegen TO force")
            seconds(cursor, sql)
        for index in range(options.rounds):
            for number, sql in queries:
                for mode in MODES if index % 2 == 0 else reversed(MODES):
                    cursor.execute(f"SET codegen TO {mode}")
                    times[number, mode].append(seconds(cursor, sql))
    lines = ["| query | off ms | auto / off | force / off | first auto / off |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for number, _ in queries:
        off = times[number, "off"]
        ratio = {mode: statistics.median(a / b for a, b in zip(times[number, mode], off)) for mode in MODES}
        lines.append(f"| Q{number} | {1000 * statistics.median(off):.1f} | {ratio['auto']:.2f} | "
                     f"{ratio['force']:.2f} | {first[number, 'auto'] / first[number, 'off']:.2f} |")
    tenth = [first[number, "auto"] / first[number, "tenth"] for number, _ in queries]
    lines += ["", "First run of a shape never seen, with `auto`, against its tenth: geometric mean of the queries "
              f"**{statistics.geometric_mean(tenth):.2f}**, largest {max(tenth):.2f}."]
    for mode in ("auto", "force"):
        sums = [sum(times[number, mode][i] for number, _ in queries) /
                sum(times[number, "off"][i] for number, _ in queries) for i in range(options.rounds)]
        lines += ["", report.ratio_line(f"Sum of the queries, {mode} / off, per round", sums)]
    report.write_section("4-codegen", f"Generated code and interpreter, TPC-H scale factor {options.sf:g}, "
                         f"hot, {options.threads} threads", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
