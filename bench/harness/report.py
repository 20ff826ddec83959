"""Statistics of a run and its section of bench/report.md."""
import datetime
import os
import pathlib
import platform
import shlex
import statistics
import sys

from harness.server import ROOT, WORK


def quartiles(values):
    if len(values) == 1:
        return values[0], values[0], values[0]
    lower, middle, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, middle, upper


def ratio_line(what, ratios):
    lower, middle, upper = quartiles(ratios)
    line = f"{what}: median **{middle:.2f}**, quartiles {lower:.2f} to {upper:.2f}, {len(ratios)} rounds."
    if len(ratios) < 7:
        line += " Fewer than seven rounds: not a result."
    if upper - lower > 0.25 * middle:
        line += " The quartiles differ by more than 25 %: repeat on a quiet machine."
    return line


def megabytes(count):
    return f"{count / 2**20:,.0f} MiB"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def write_section(name, title, lines):
    """Prints the section and keeps it for `report.py`; says how to make it again."""
    script = pathlib.Path(sys.argv[0]).resolve().relative_to(ROOT)
    command = shlex.join([".venv/bin/python", str(script), *sys.argv[1:]])
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    load = os.getloadavg()[0]
    text = "\n".join([f"## {title}", "", f"`{command}`, {day}; load average at the end {load:.1f}.", "",
                      *lines, ""])
    sections = WORK / "sections"
    sections.mkdir(parents=True, exist_ok=True)
    (sections / f"{name}.md").write_text(text)
    print(text)


def assemble():
    sections = sorted((WORK / "sections").glob("*.md"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    head = ["# Measured", "", "Made by `make bench`; do not edit. What is measured and how: bench/README.md.",
            f"Machine: {processor()}, {os.cpu_count()} cores, {memory:.0f} GiB.", ""]
    long_runs = ROOT / "bench" / "long_runs.md"  # what takes hours, with its commands
    text = "\n".join(head) + "\n" + "\n".join(section.read_text() for section in [*sections, long_runs])
    (ROOT / "bench" / "report.md").write_text(text)


if __name__ == "__main__":
    assemble()
