#!/usr/bin/env python3
"""Who may include whom: the layers of docs/architecture.md, read from #include lines."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src"

# A folder may include itself, and: whole folders, or single headers.
ALLOWED = {
    "kernels": [],
    "base": [],
    "types": ["base", "kernels"],
    "functions": ["base", "types", "kernels"],
    "objects": ["base"],
    "cluster": ["base", "types", "kernels"],
    "catalog": ["base", "types", "kernels", "functions", "objects", "storage/memory_segment.h",
                "storage/storage.h", "parse/parse.h"],
    "storage": ["base", "types", "kernels", "functions", "catalog", "objects"],
    "transaction": ["base", "types", "kernels", "functions", "catalog", "objects", "storage/storage.h",
                    "storage/memory_segment.h"],
    "parse": ["base", "types", "kernels"],
    "bind": ["base", "types", "kernels", "functions", "catalog", "transaction", "cluster", "parse"],
    "optimize": ["base", "types", "kernels", "functions", "catalog", "transaction", "cluster",
                 "bind/logical_plan.h"],
    "compile": ["base", "types", "kernels", "functions", "catalog", "transaction", "cluster",
                "optimize/physical_plan.h", "bind/logical_plan.h"],
    "execute": ["base", "types", "kernels", "functions", "catalog", "transaction", "cluster",
                "compile/group_ranges.h", "compile/program.h", "compile/segment.h",
                "optimize/physical_plan.h", "bind/logical_plan.h", "storage/storage.h",
                "objects/temporary_file.h", "objects/file_system.h", "exchange"],
    "exchange": ["base", "types", "kernels", "functions"],
    "ddl": ["base", "types", "kernels", "functions", "catalog", "transaction", "bind", "parse"],
    "session": ["base", "types", "kernels", "statement.h"],
    "shell": ["base", "types", "kernels", "statement.h"],
    # The engine assembles the stages for statement.cpp: it sees every front door.
    "engine": None,
}
# Libraries that stay in their folders.
EXTERNAL = [
    (re.compile(r"^(llvm|clang)/"), ("compile/jit",)),
    (re.compile(r"^arrow/flight/"), ("exchange", "cluster")),
    (re.compile(r"^(arrow|parquet)/"), ("storage/ingest", "exchange", "cluster")),
    (re.compile(r"^flatbuffers/|_generated[.]h$"), ("storage/segment_footer.cpp",)),
    (re.compile(r"^curl/"), ("objects",)),
    (re.compile(r"^boost/"), ("session", "web")),
]


def allowed(folder, target):
    rules = ALLOWED[folder]
    if rules is None:
        return True
    return any(target == rule or target.startswith(rule + "/") for rule in rules + [folder])


def main():
    broken = 0
    for path in sorted(ROOT.rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        relative = path.relative_to(ROOT)
        folder = relative.parts[0] if len(relative.parts) > 1 else ""
        for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
            found = re.match(r'\s*#include\s+(["<])([^">]+)[">]', line)
            if not found:
                continue
            target = found.group(2)
            if found.group(1) == '"' and folder and folder not in ALLOWED:
                print(f"{path}:{number}: folder {folder} has no rule in scripts/check_layers.py")
                broken += 1
            elif found.group(1) == '"' and folder and not allowed(folder, target):
                print(f"{path}:{number}: {folder}/ may not include {target}")
                broken += 1
            for pattern, places in EXTERNAL:
                if pattern.match(target) and not str(relative).startswith(places):
                    print(f"{path}:{number}: {target} belongs to {' or '.join(places)}")
                    broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
