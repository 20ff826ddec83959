"""What compiling the largest generated function of TPC-H costs, at -O1 and -O2, best of 20."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import arguments, report, tpch_data
from harness.server import ROOT, WORK, BlueshiftServer


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
    size, number, text = max(found)
    file = WORK / "largest.cpp"
    file.write_text(text)
    function = re.search(r'extern "C" bool (\w+)\(', text).group(1)
    subprocess.run(["cmake", "--build", ROOT / "build" / "release", "--target", "jit_bench"], check=True,
                   stdout=subprocess.DEVNULL)
    bench = ROOT / "build" / "release" / "bench" / "jit_bench"
    output = subprocess.run([bench, file, function, str(options.rounds)], check=True, capture_output=True, text=True).stdout
    lines = [f"{len(found)} functions; the largest has {len(text.splitlines())} lines, {size} bytes, and belongs to "
             f"Q{number}. Processor: {report.processor()}.", "", *[f"- {line}" for line in output.splitlines()]]
    report.write_section("5-compile-cost", "Compiling generated code", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
