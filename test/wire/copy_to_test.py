"""COPY TO STDOUT against PostgreSQL: the same messages, byte by byte, the same counts and SQLSTATEs."""
import atexit
import functools
import os
import sys

import psycopg

from target import check, run_checks

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from postgres_server import PostgresServer  # noqa: E402

TABLE = """
drop table if exists wire_out;
create table wire_out (id int, word varchar(60), n numeric(12,3), r float8, s real, ok boolean, day date,
                       at timestamp, zoned timestamptz, big bigint, small smallint, t time, padded char(6));
insert into wire_out values
    (1, 'plain', 1.5, 2.25, -0.5, true, '2024-02-29', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56+02', 9000000000,
     -7, '12:34:56.5', 'ab'),
    (2, null, null, null, null, null, null, null, null, null, null, null, null),
    (3, '', 0, 0, 0, false, '1969-12-31', '1999-12-31 23:59:59.999999', '1970-01-01 00:00:00+00', 0, 0, '00:00:00', ''),
    (4, 'comma, "quote"', -99999.999, 1e100, 1e-5, true, '0001-01-01', '0001-01-01 00:00:00', null, -1, 32767,
     '23:59:59.999999', 'abcdef'),
    (5, '\\.', 1000, -1e-100, 3, true, '9999-12-31', null, null, 9223372036854775807, -32768, null, 'x y'),
    (6, E'tab\\tline\\nreturn\\rback\\\\slash\\bell\\b', 0.001, 0.1, 0.1, true, null, null, null,
     -9223372036854775808, 1, null, null),
    (7, 'wörd ☃ \\N', 123456789.123, 12345678.9, 1.25, false, null, null, null, null, null, null, '\\N'),
    (8, ' blanks ', 10000, 1, 1, true, null, null, null, 10000, 10000, null, null);
"""
QUERIES = ["wire_out", "wire_out (word, id, n)", "(select * from wire_out order by id)",
           "(select word from wire_out where word <> '' order by 1)", "(select id, word from wire_out where id < 0)",
           "(select n, -n as m, id from wire_out order by id)"]
OPTIONS = ["", "csv", "csv header", "with csv quote '|' escape '!' delimiter ';'", "(format csv, force_quote *)",
           "(format csv, header true, force_quote (id), null 'NULL')", "(format csv, null '1.500')", "delimiter '|'",
           "(format text, header)", "with null as 'none' delimiter as ','", "(delimiter e'\\x01', null '')", "binary",
           "(format binary)", "(format 'binary', header false)", "(encoding 'utf8', header off)"]
REFUSED = ["copy wire_out to stdout (format xml)", "copy wire_out to stdout (format csv, format text)",
           "copy wire_out to stdout (format binary, delimiter ',')", "copy wire_out to stdout (format binary, null 'x')",
           "copy wire_out to stdout (format binary, header)", "copy wire_out to stdout (quote '|')",
           "copy wire_out to stdout (escape '|')", "copy wire_out to stdout (force_quote (id))",
           "copy wire_out to stdout (format csv, force_quote (nosuch))",
           "copy wire_out to stdout (format csv, force_null (id))", "copy wire_out to stdout (format csv, header match)",
           "copy wire_out to stdout (delimiter 'ab')", "copy wire_out to stdout (delimiter 'a')",
           "copy wire_out to stdout (delimiter '\\')", "copy wire_out to stdout (delimiter e'\\n')",
           "copy wire_out to stdout (null e'a\\nb')", "copy wire_out to stdout (format csv, null ',')",
           "copy wire_out to stdout (format csv, null '\"')", "copy wire_out to stdout (format csv, delimiter '\"')",
           "copy wire_out to stdout (format csv, quote 'ab')", "copy wire_out to stdout (header 5)",
           "copy wire_out to stdout (frobnicate)", "copy wire_view to stdout", "copy nosuch to stdout",
           "copy wire_out (nosuch) to stdout", "copy wire_out (id, id) to stdout", "copy (select nosuch from wire_out) to stdout",
           "copy (select 1 / (id - 5) from wire_out order by id) to stdout (format binary)",
           "copy (select 1 / (id - 5) from wire_out order by id) to stdout csv"]


def messages(connection, statement):
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            found = [bytes(message) for message in copy]
        return found, cursor.rowcount


def state(connection, statement):
    try:
        messages(connection, statement)
    except psycopg.Error as error:
        return error.sqlstate
    return "no error"


@functools.cache
def both(target):
    """Connections to the target and to a PostgreSQL that lives as long as this script, with equal tables."""
    postgres = PostgresServer()
    atexit.register(postgres.__exit__)
    postgres.__enter__()
    made = psycopg.connect(**target.keywords(), autocommit=True), psycopg.connect(postgres.conninfo(), autocommit=True)
    for connection in made:
        connection.execute("set timezone to 'UTC'")
        connection.execute("drop view if exists wire_view")
        connection.execute(TABLE)
        connection.execute("create view wire_view as select id from wire_out")
    return made


@check
def output(target):
    "tables and queries in every format, each message as PostgreSQL's"
    ours, theirs = both(target)
    for query in QUERIES:
        for options in OPTIONS:
            if "(id)" in options and query.startswith("(select word"):
                continue   # it names a column that is not copied
            statement = f"copy {query} to stdout {options}"
            found, expected = messages(ours, statement), messages(theirs, statement)
            assert expected[1] > 0 or "id < 0" in query, expected
            assert found == expected, f"{statement}\n{found}\n{expected}"


@check
def refused(target):
    "what PostgreSQL refuses is refused with the same SQLSTATE, and the session goes on"
    ours, theirs = both(target)
    different = [(statement, found, expected) for statement in REFUSED
                 if (found := state(ours, statement)) != (expected := state(theirs, statement))]
    assert not different, different
    assert "no error" not in [state(theirs, statement) for statement in REFUSED]
    assert messages(ours, "copy (select 1) to stdout") == ([b"1\n"], 1)


if __name__ == "__main__":
    run_checks()
