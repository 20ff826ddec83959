"""TPC-H in a mode of slt_runner, compared with DuckDB.

    check_modes.py --runner build/release/test/slt_runner --mode interpreted [--sf 0.01] [--format csv|parquet]

Writes one script that makes the tables, loads generated files by COPY and asks the 22 queries, lets
`slt_runner --rewrite` fill in what came out, and compares that by the rule of answers.py. So every
mode of slt_runner, and every build of it, is checked alike, and the runner says what the mode proved.
"""
import argparse
import datetime
import decimal
import os
import re
import subprocess
import sys
import tempfile

import duckdb

from answers import first_difference
from tables import STYLES, TABLES, generate, load_duckdb, queries

# How the text of a value is read, by the column letters of the runner.
READERS = {"I": int, "D": decimal.Decimal, "R": float, "T": str, "M": datetime.date.fromisoformat,
           "B": {"t": True, "f": False}.get}


def script(folder, file_format):
    options = "FORMAT AS PARQUET" if file_format == "parquet" else "CSV IGNOREHEADER 1"
    records = ["# The TPC-H queries, to be filled in.", "option memory 2048"]
    for table, columns in TABLES.items():
        records.append(f"statement ok\nCREATE TABLE {table} ({columns}) {STYLES[table]}")
        records.append(f"statement ok\nCOPY {table} FROM '{folder}/{table}.{file_format}' {options}")
        records.append(f"query ?\nSELECT '{table}', count(*) FROM {table}\n----")
    for _, sql in queries():
        body = re.sub(r"--[^\n]*", "", sql).strip().rstrip(";")
        body = "\n".join(line for line in body.split("\n") if line.strip())
        records.append(f"query ?\n{body}\n----")
    return "\n\n".join(records) + "\n"


def answers(text):
    """(SQL, rows) of the queries in a script that was filled in."""
    for record in text.split("\n\n"):
        lines = record.strip("\n").split("\n")
        while lines and lines[0].startswith("#"):
            del lines[0]
        if not lines or not lines[0].startswith("query "):
            continue
        types = lines[0].split(" ")[1]
        cut = lines.index("----")
        rows = []
        for line in lines[cut + 1:]:
            values = ["" if value == "(empty)" else value for value in line.split("\t")]
            rows.append(tuple(None if value == "NULL" else READERS[letter](value)
                              for letter, value in zip(types, values, strict=True)))
        yield "\n".join(lines[1:cut]), rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", required=True)
    parser.add_argument("--mode", required=True)
    parser.add_argument("--sf", default="0.01")
    parser.add_argument("--format", default="csv", choices=["csv", "parquet"])
    arguments = parser.parse_args()
    failed = checked = 0
    with tempfile.TemporaryDirectory(prefix="blueshift-tpch-") as folder:
        generate(folder, arguments.sf, arguments.format)
        path = os.path.join(folder, "tpch.slt")
        with open(path, "w") as file:
            file.write(script(folder, arguments.format))
        ended = subprocess.run([arguments.runner, "--mode", arguments.mode, "--rewrite", path],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(ended.stdout.replace(folder + "/", ""), end="")
        if ended.returncode != 0:
            sys.exit(1)
        duck = duckdb.connect()
        load_duckdb(duck, folder, arguments.format)
        for sql, ours in answers(open(path).read()):
            checked += 1
            result = duck.execute(sql)
            names = [column[0].lower() for column in result.description]
            wrong = first_difference(sql, names, ours, result.fetchall())
            if wrong is not None:
                failed += 1
                print(f"FAIL  {' '.join(sql.split())[:60]} ...: {wrong}")
    wanted = 22 + len(TABLES)
    print(f"{checked - failed} of {wanted} answers agree with DuckDB")
    sys.exit(0 if failed == 0 and checked == wanted else 1)


if __name__ == "__main__":
    main()
