"""Mistakes in what COPY is to load: wrong files, bad rows, missing columns, in text and in Parquet."""
import gzip
import os
import select

import duckdb

from mistakes import mistake, refused

TABLE = ("CREATE TABLE IF NOT EXISTS target (id INTEGER NOT NULL, price DECIMAL(8,2), city VARCHAR(10), "
         "day DATE, seen TIMESTAMP, flag BOOLEAN, weight DOUBLE PRECISION, small SMALLINT)")
GOOD = "{},12.50,Bergen,2024-02-29,2024-02-29 12:00:00,true,1.5,7\n"


def good_rows(count, first=0):
    return "".join(GOOD.format(first + i) for i in range(count))


def nothing_loaded(scene):
    assert scene.rows("SELECT count(*) FROM target") == [(0,)]


def load(scene, path, options="CSV"):
    return lambda: scene.execute(f"COPY target FROM '{path}' {options}")


@mistake
def absent_file(scene):
    "COPY: a file that is not there is named, with what to check"
    scene.execute(TABLE)
    path = os.path.join(scene.folder, "nowhere.csv")
    refused("58P01", load(scene, path), path)
    empty = os.path.join(scene.folder, "empty")
    os.makedirs(empty)
    refused("58P01", load(scene, empty), empty)
    refused("58P01", load(scene, os.path.join(scene.folder, "no", "such", "folder.csv")), "folder.csv")
    nothing_loaded(scene)


@mistake
def wrong_file(scene):
    "COPY: a file of another format is refused by its name"
    csv = scene.write("good.csv", good_rows(3))
    refused("22P04", load(scene, csv, "FORMAT AS PARQUET"), csv)
    refused("22P04", load(scene, csv, "CSV GZIP"), csv, "gzip")
    refused("22P04", load(scene, csv, "CSV ZSTD"), csv, "zstd")
    whole = gzip.compress(good_rows(20000).encode())
    cut = scene.write("cut.csv.gz", whole[:len(whole) // 2])
    refused("22P04", load(scene, cut, "CSV GZIP"), cut, "gzip")
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    path = scene.write("damaged.csv.gz", bytes(damaged))
    # A flipped bit may first show as a bad row: then the file and its line are named.
    refused("22P04", load(scene, path, "CSV GZIP"), path)
    binary = scene.write("program.csv", bytes(range(256)) * 40)
    refused("22P04", load(scene, binary), binary, "line 1")
    nothing_loaded(scene)


# Field to spoil, its bytes, SQLSTATE, how the error shows them, and the type it must name.
BAD_FIELDS = [
    ("id", "12x", "22P02", "12x", "integer"),
    ("id", "99999999999", "22003", "99999999999", "integer"),
    ("id", "", "23502", "''", "integer"),
    ("price", "1234567.00", "22003", "1234567.00", "numeric(8,2)"),
    ("price", "1,2.3", None, None, None),
    ("price", "twelve", "22P02", "twelve", "numeric(8,2)"),
    ("city", "a long city name", "22001", "a long city name", "character varying(10)"),
    ("city", b"B\xffrgen", "22021", "B\\xFFrgen", "character varying(10)"),
    ("day", "2023-02-29", "22008", "2023-02-29", "date"),
    ("day", "yesterdayish", "22007", "yesterdayish", "date"),
    ("seen", "2024-02-29 25:00:00", "22008", "2024-02-29 25:00:00", "timestamp without time zone"),
    ("flag", "perhaps", "22P02", "perhaps", "boolean"),
    ("weight", "1.5kg", "22P02", "1.5kg", "double precision"),
    ("small", "40000", "22003", "40000", "smallint"),
]
COLUMNS = ["id", "price", "city", "day", "seen", "flag", "weight", "small"]


@mistake
def bad_fields(scene):
    "COPY: a bad field is told with file, line, column, bytes, target type and remedy"
    for column, value, sqlstate, shown, target in BAD_FIELDS:
        if sqlstate is None:
            continue
        fields = GOOD.format(7).rstrip("\n").encode().split(b",")
        fields[COLUMNS.index(column)] = value if isinstance(value, bytes) else value.encode()
        content = good_rows(2000).encode() + b",".join(fields) + b"\n" + good_rows(500, 3000).encode()
        path = scene.write("bad.csv", content)
        where = ("line 2001", f'column "{column}"', shown, target)
        refused(sqlstate, load(scene, path), path, *where)
        refused(sqlstate, lambda data=content: scene.copy_in("COPY target FROM STDIN CSV", data), "STDIN", *where)
    nothing_loaded(scene)


@mistake
def bad_records(scene):
    "COPY: too few fields, too many, and an open quote name file, line, column and bytes"
    short = scene.write("short.csv", good_rows(10) + "11,1.00,Oslo\n" + good_rows(3))
    refused("22P04", load(scene, short), short, "line 11", 'column "day"', "date", "11,1.00,Oslo")
    long = scene.write("long.csv", good_rows(4) + GOOD.format(5).rstrip() + ",extra\n")
    refused("22P04", load(scene, long), long, "line 5", "extra")
    quote = scene.write("quote.csv", good_rows(2) + '3,1.00,"Oslo,2024-01-01\n' + good_rows(2))
    refused("22P04", load(scene, quote), quote, "line 3", 'column "city"', "Oslo")
    tabs = scene.write("tabs.csv", good_rows(2).replace(",", "\t"))
    refused("22P04", load(scene, tabs), tabs, "line 1", 'column "price"')
    nothing_loaded(scene)


@mistake
def missing_column(scene):
    "COPY: a column list names a column that is not there"
    path = scene.write("good.csv", good_rows(3))
    refused("42703", lambda: scene.execute(f"COPY target (id, prize) FROM '{path}' CSV"), "prize", hint=False)
    refused("42P01", lambda: scene.execute(f"COPY targets FROM '{path}' CSV"), "targets", hint=False)
    refused("42601", load(scene, path, "CSV DELIMITRE ';'"), hint=False)
    nothing_loaded(scene)


@mistake
def second_file_of_two(scene):
    "COPY of two files: the second is bad, nothing of the first stays"
    scene.write("part-1.csv", good_rows(70000))
    bad = scene.write("part-2.csv", good_rows(70000) + "x,1.00,,,,,,\n")
    error = refused("22P02", load(scene, os.path.join(scene.folder, "part-")), bad, "line 70001", 'column "id"')
    assert "part-1" not in str(error), error
    nothing_loaded(scene)
    listed = scene.rows("SELECT trim(filename), line_number, trim(colname), trim(type), trim(raw_field_value) "
                        "FROM stl_load_errors ORDER BY query DESC LIMIT 1")
    assert listed == [(bad, 70001, "id", "int4", "x")] or listed == [(bad, 70001, "id", "integer", "x")], listed


@mistake
def bad_row_in_transaction(scene):
    "COPY that fails inside a block undoes the block, nothing else"
    scene.execute("BEGIN")
    scene.execute("INSERT INTO target (id) VALUES (1)")
    refused("22P02", lambda: scene.copy_in("COPY target FROM STDIN CSV", good_rows(5) + "x" + good_rows(1)), "line 6")
    refused("25P02", lambda: scene.execute("SELECT 1"), hint=False)
    scene.execute("ROLLBACK")
    nothing_loaded(scene)


@mistake
def bad_parquet(scene):
    "COPY of Parquet: damaged files, missing columns, other types and bad values are told"
    def parquet(name, query):
        path = os.path.join(scene.folder, name)
        duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT PARQUET, ROW_GROUP_SIZE 2048)")
        return path

    scene.execute("CREATE TABLE parquet_target (id INTEGER NOT NULL, city VARCHAR(10))")

    def load_parquet(path):
        return lambda: scene.execute(f"COPY parquet_target FROM '{path}' FORMAT AS PARQUET")

    missing = parquet("missing.parquet", "SELECT range::INTEGER id FROM range(10)")
    refused("22P04", load_parquet(missing), missing, "1 columns")
    other = parquet("other.parquet", "SELECT 'a' id, 'b' city")
    refused("42804", load_parquet(other), other, '"id"', "integer")
    rows = "SELECT CASE WHEN range = 4000 THEN {} ELSE range END id, 'Oslo' || {} city FROM range(5000)"
    great = parquet("great.parquet", rows.format(1 << 40, "''"))
    refused("22003", load_parquet(great), great, "4001", 'column "id"', "integer", str(1 << 40))
    null = parquet("null.parquet", rows.format("NULL", "''"))
    refused("23502", load_parquet(null), null, "4001", 'column "id"', "integer")
    wide = parquet("wide.parquet", rows.format("range", "CASE WHEN range = 4000 THEN 'slo-Airport' ELSE '' END"))
    refused("22001", load_parquet(wide), wide, "4001", 'column "city"', "character varying(10)", "Osloslo-Airport")
    whole = open(null, "rb").read()
    cut = scene.write("cut.parquet", whole[:len(whole) - 100])
    refused("22P04", load_parquet(cut), cut)
    damaged = bytearray(whole)
    for at in range(40, 400):
        damaged[at] ^= 0xFF
    path = scene.write("damaged.parquet", bytes(damaged))
    refused("22P04", load_parquet(path), path)
    assert scene.rows("SELECT count(*) FROM parquet_target") == [(0,)]


@mistake
def silent_client(scene):
    "COPY FROM STDIN: a client that sends nothing for too long is told of the time-out, not of a request"
    scene.execute(TABLE)
    scene.execute("SET statement_timeout TO 100")

    def copy_silently():
        with scene.connection.cursor().copy("COPY target FROM STDIN CSV") as copy:
            copy.write(good_rows(1))
            select.select([scene.connection.fileno()], [], [])  # until the server says something
    refused("57014", copy_silently, "canceling statement due to statement timeout")
    scene.execute("RESET statement_timeout")
    nothing_loaded(scene)


@mistake
def slow_file(scene):
    "COPY: a file that takes too long is given up with the time-out's words"
    scene.execute(TABLE)
    path = scene.write("large.csv", good_rows(400_000))
    scene.execute("SET statement_timeout TO 20")
    refused("57014", load(scene, path), "canceling statement due to statement timeout")
    scene.execute("RESET statement_timeout")
    nothing_loaded(scene)
