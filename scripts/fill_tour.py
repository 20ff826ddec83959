"""Fills docs/tour.md with what a server of three nodes really prints: run after a change that it should show.

    .venv/bin/python scripts/fill_tour.py

A line `<!-- run: SQL -->` (or `<!-- run FROM..TO: SQL -->` for some of the lines) stands before a fenced block; the
block is replaced. TPC-H data of scale factor 0.1 is made in a temporary directory.
"""
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path += [os.path.join(ROOT, "test", "differential"), os.path.join(ROOT, "test", "tpch")]
from blueshift_server import BlueshiftServer  # noqa: E402
from tables import STYLES, TABLES, generate  # noqa: E402

TOUR = os.path.join(ROOT, "docs", "tour.md")
BLOCK = re.compile(r"<!-- run(?: (\d+)\.\.(\d+))?: (.*?) -->\n\n```(\w*)\n.*?```", re.DOTALL)


def query(name):
    with open(os.path.join(ROOT, "test", "sql", "tpch", name), encoding="ascii") as file:
        return "\n".join(line for line in file.read().split("\n") if not line.startswith("--")).split(";")[0].strip()


def printed(cursor):
    rows = [[str(value) for value in row] for row in cursor.fetchall()]
    if len(cursor.description) == 1:
        return [row[0] for row in rows]
    rows.insert(0, [column.name for column in cursor.description])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(value.ljust(width) for value, width in zip(row, widths)).rstrip() for row in rows]


def main():
    with tempfile.TemporaryDirectory(prefix="blueshift-tour-") as folder, BlueshiftServer(nodes=3) as server:
        os.chmod(folder, 0o755)
        generate(folder, "0.1", "parquet")
        connection = server.connect()
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns}) {STYLES[table]}")
            connection.execute(f"COPY {table} FROM '{folder}/{table}.parquet' FORMAT AS PARQUET")
        connection.execute("ANALYZE")

        def fill(match):
            first, last, sql, language = match.groups()
            text = re.sub(r"\bq(\d\d)\b", lambda found: query(found.group(0) + ".sql"), sql)
            cursor = connection.execute(text)
            lines = printed(cursor) if cursor.description else [cursor.statusmessage]
            if first:
                lines = lines[int(first) - 1:int(last)]
            limits = f" {first}..{last}" if first else ""
            return f"<!-- run{limits}: {sql} -->\n\n```{language}\n" + "\n".join(lines) + "\n```"

        with open(TOUR, encoding="utf-8") as file:
            text = file.read()
        text = BLOCK.sub(fill, text)
        with open(TOUR, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
