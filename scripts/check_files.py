#!/usr/bin/env python3
"""File rules: at most 800 lines, ASCII, header comments, no banned names, no tabs."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_LINES = 800
BANNED = re.compile(r"(^|_)(util|helper|common|misc|manager|handler|processor)s?\.(h|cpp|py)$")


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split()
    problems = []
    for name in listed:
        path = ROOT / name
        if path.suffix not in (".h", ".cpp", ".py", ".sh") or not path.is_file():
            continue
        data = path.read_bytes()
        lines = data.count(b"\n")
        if lines > MOST_LINES and name.startswith(("src/", "bench/")):
            problems.append(f"{name}: {lines} lines; split it by what it does")
        if name.startswith("src/") and any(byte > 127 for byte in data):
            problems.append(f"{name}: not ASCII")
        if BANNED.search(path.name):
            problems.append(f"{name}: say what the things in it have in common")
        if path.suffix == ".h" and name.startswith("src/") and not data.startswith(b"//"):
            problems.append(f"{name}: begins without its comment")
        if path.suffix in (".h", ".cpp") and b"\t" in data:
            problems.append(f"{name}: has tabs")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
