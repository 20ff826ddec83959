"""What compiling the largest generated functions of TPC-H costs, at -O1 and -O2, best of 20."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import ROOT, WORK, BlueshiftServer

LONGEST = 5
PROCESSES = 3


def segments(cursor, sql):
    """The texts of a query's generated functions."""
    lines = [row[0] for row in cursor.execute("EXPLAIN (CODEGEN) " + sql).fetchall()]
    texts, current = [], None
    for line in lines:
        if re.match(r"// pipeline \d+: ", line):
            if current:
                texts.append("\n".join(current) + "\n")
            current = [] if "steps" in line else None
        elif current is not None:
            current.append(line)
    if current:
        texts.append("\n".join(current) + "\n")
    return texts


def main():
    options = arguments.parser(__doc__, 20).parse_args()
    with BlueshiftServer(options.binary, "compile-cost", options.port, options.threads) as server, \
            server.connect() as connection:
        cursor = connection.cursor()
        tpch_data.load_blueshift(connection, tpch_data.csv_folder(options.sf))
        found = [(len(text), number, text) for number, sql in tpch_data.queries() for text in segments(cursor, sql)]
    subprocess.run(["cmake", "--build", ROOT / "build" / "release", "--target", "jit_bench"], check=True,
                   stdout=subprocess.DEVNULL)
    bench = ROOT / "build" / "release" / "bench" / "jit_bench"
    file = WORK / "generated.cpp"
    lines = [f"{len(found)} functions; those with the longest texts, in {PROCESSES} processes. "
             f"Processor: {report.processor()}.", "",
             "| query | lines | bytes | -O1 ms, best | each process | -O2 ms, best | each process |",
             "| --- | ---: | ---: | ---: | --- | ---: | --- |"]
    for size, number, text in sorted(found, reverse=True)[:LONGEST]:
        file.write_text(text)
        function = re.search(r'extern "C" bool (\w+)\(', text).group(1)
        best = []
        for _ in range(PROCESSES):
            output = subprocess.run([bench, file, function, str(options.rounds)], check=True, capture_output=True,
                                    text=True).stdout
            best.append([float(value) for value in re.findall(r"best ([\d.]+) ms", output)])
        columns = [f"{min(times):.1f} | {' '.join(f'{time:.1f}' for time in times)}" for times in zip(*best)]
        lines.append(f"| Q{number} | {len(text.splitlines())} | {size} | {' | '.join(columns)} |")
    report.write_section("5-compile-cost", f"Compiling generated code, best of {options.rounds}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
