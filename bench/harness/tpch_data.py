"""TPC-H data as CSV with a header, made once per scale factor, and its tables in both dialects."""
import pathlib
import re
import subprocess
import sys

from harness.server import ROOT, WORK

TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]
SCHEMA = ROOT / "bench" / "tpch" / "schema.sql"
QUERIES = ROOT / "test" / "sql" / "tpch"


def csv_folder(scale, tables=TABLES):
    folder = WORK / f"tpch-sf{scale:g}"
    folder.mkdir(parents=True, exist_ok=True)
    generator = pathlib.Path(sys.executable).parent / "tpchgen-cli"
    for table in tables:
        # A file appears under its name when it is whole.
        target = folder / f"{table}.csv"
        if not target.exists():
            part = folder / "unfinished"
            subprocess.run([str(generator), "csv", "-s", f"{scale:g}", "-T", table, "-o", str(part),
                            "--overwrite", "--quiet"], check=True)
            (part / target.name).rename(target)
            part.rmdir()
    return folder


def statements(text):
    without_comments = re.sub(r"--[^\n]*", "", text)
    return [part.strip() for part in without_comments.split(";") if part.strip()]


def schema(tables=TABLES):
    """CREATE TABLE statements as blueshift takes them, by table."""
    found = {re.match(r"CREATE TABLE (\w+)", text).group(1): text for text in statements(SCHEMA.read_text())}
    return [found[table] for table in tables]


def sort_keys():
    """ORDER BY list of each table with a sort key, as blueshift's schema has it."""
    return {re.match(r"CREATE TABLE (\w+)", text).group(1): found.group(1)
            for text in statements(SCHEMA.read_text()) if (found := re.search(r"SORTKEY \(([^)]*)\)", text))}


def plain_schema(tables=TABLES):
    """The same for other systems: no distribution, no order, no indexes behind primary keys."""
    result = []
    for text in schema(tables):
        text = re.sub(r"\)\s*(DISTSTYLE|DISTKEY|SORTKEY|COMPOUND)[^;]*$", ")", text)
        result.append(re.sub(r",\s*PRIMARY KEY \([^)]*\)", "", text))
    return result


def queries():
    """(number, SQL) of the 22 queries; the fraction of Q11 stays that of scale factor 1."""
    return [(number, statements((QUERIES / f"q{number:02}.sql").read_text())[0]) for number in range(1, 23)]


def load_blueshift(connection, folder, tables=TABLES):
    for create in schema(tables):
        connection.execute(create)
    for table in tables:
        connection.execute(f"COPY {table} FROM '{folder / (table + '.csv')}' CSV IGNOREHEADER 1")
    connection.execute("ANALYZE")


def load_duckdb(connection, folder, tables=TABLES):
    """The same rows in the order that blueshift's sort keys ask for: over the whole table, where
    blueshift sorts within segments."""
    keys = sort_keys()
    for table, create in zip(tables, plain_schema(tables)):
        connection.execute(create)
        source = f"'{folder / (table + '.csv')}' (HEADER)"
        if table not in keys:
            connection.execute(f"COPY {table} FROM {source}")
            continue
        connection.execute(f"CREATE TEMP TABLE unsorted AS FROM {table} LIMIT 0")
        connection.execute(f"COPY unsorted FROM {source}")
        connection.execute(f"INSERT INTO {table} FROM unsorted ORDER BY {keys[table]}")
        connection.execute("DROP TABLE unsorted")
    connection.execute("ANALYZE")
    connection.execute("CHECKPOINT")
