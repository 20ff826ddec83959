"""ADBC's PostgreSQL driver, alone and under Polars: every query becomes COPY (query) TO STDOUT (FORMAT binary)."""
import datetime
import decimal
import time

import adbc_driver_postgresql.dbapi as adbc
import polars
import psycopg

from target import check, expect_error, run_checks

Decimal = decimal.Decimal


def address(target, **changes):
    chosen = dict(user=target.user, password=target.password, dbname=target.database, host=target.host,
                  port=target.port)
    chosen.update(changes)
    return "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**chosen)


def connect(target, **changes):
    return adbc.connect(address(target, **changes), autocommit=True)


def rows(connection, statement, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return plain(cursor.fetch_polars())


def plain(frame):
    """Rows of a frame; NUMERIC, which arrives as text with a name, as decimals."""
    kept = frame.with_columns(polars.col(name).ext.storage() for name, kind in frame.schema.items()
                              if isinstance(kind, polars.Extension) if kind.ext_name() == "arrow.opaque")
    numeric = [index for index, kind in enumerate(frame.schema.values()) if "numeric" in str(kind)]
    return [tuple(Decimal(cell) if index in numeric and cell is not None else cell for index, cell in enumerate(row))
            for row in kept.rows()]


def fails(message, action):
    try:
        action()
    except Exception as error:
        assert message in str(error), error
        return error
    raise AssertionError(f"expected {message}, but nothing failed")


@check
def values(target):
    "values of every type that PostgreSQL has too"
    expected = {
        "7::smallint": 7, "-7::int": -7, "9000000000::bigint": 9000000000, "1.5::real": 1.5, "-2.25::float8": -2.25,
        "true": True, "false": False, "'ab'::char(5)": "ab   ", "'wörd'::varchar(9)": "wörd", "'a' || 'b'": "ab",
        "date '2024-02-29'": datetime.date(2024, 2, 29), "time '12:34:56.5'": datetime.time(12, 34, 56, 500000),
        "timestamp '1969-12-31 23:59:59.999999'": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
        "timestamptz '2024-02-29 12:34:56+02'":
            datetime.datetime(2024, 2, 29, 10, 34, 56, tzinfo=datetime.timezone.utc),
        "0::numeric(10,2)": Decimal("0.00"), "-123.45::numeric(10,2)": Decimal("-123.45"),
        "12345678901234567890123456.789::numeric(38,3)": Decimal("12345678901234567890123456.789"),
        "0.0001::numeric(8,4)": Decimal("0.0001"), "10000::numeric(18,0)": Decimal("10000"),
        "-99999999999999999999999999999999999999::numeric(38,0)": Decimal("-" + "9" * 38),
        "null::int": None, "null::varchar": None, "null::numeric(5,1)": None, "null::date": None,
        "current_user": target.user, "array(select 'a' union all select 'b,c' order by 1)": ["a", "b,c"],
        # No types of Arrow: the bytes as they came.
        "timetz '12:34:56+02'": ((10 * 3600 + 34 * 60 + 56) * 1000000).to_bytes(8, "big") + bytes(4),
        "interval '1 year 2 months'": (14).to_bytes(4, "big"),
        "interval '3 days 04:05:06.5'": (273906500000).to_bytes(8, "big"),
    }
    statement = "select " + ", ".join(f"{text} as c{number}" for number, text in enumerate(expected))
    with connect(target) as connection:
        row, = rows(connection, statement)
    for (text, value), found in zip(expected.items(), row, strict=True):
        assert found == value and type(found) is type(value), (text, value, found)


@check
def frames(target):
    "Polars reads a frame: a table, no rows, NULLs, a hundred thousand rows"
    with psycopg.connect(**target.keywords(), autocommit=True) as maker:
        maker.execute("drop table if exists wire_frames")
        maker.execute("create table wire_frames (a int, b varchar(20), n numeric(10,2), day date)")
        maker.execute("insert into wire_frames select i, case when i % 3 <> 0 then 'row ' || i end, i / 4.0,"
                      " date '2000-01-01' + i from generate_series(1, 100000) as s(i)")
    frame = polars.read_database_uri("select * from wire_frames order by a", address(target), engine="adbc")
    assert frame.shape == (100000, 4) and frame.columns == ["a", "b", "n", "day"], frame
    assert frame["a"].to_list() == list(range(1, 100001))
    assert frame["b"].null_count() == 33333 and frame["b"][99999] == "row 100000", frame
    assert plain(frame)[9] == (10, "row 10", Decimal("2.50"), datetime.date(2000, 1, 11)), plain(frame)[9]
    grouped = polars.read_database_uri("select a % 7 as k, count(*) as c, sum(a) as s from wire_frames"
                                       " group by 1 order by 1", address(target), engine="adbc")
    assert grouped.rows() == [(k, len(range(k or 7, 100001, 7)), sum(range(k or 7, 100001, 7))) for k in range(7)]
    empty = polars.read_database_uri("select * from wire_frames where a < 0", address(target), engine="adbc")
    assert empty.shape == (0, 4) and empty.columns == ["a", "b", "n", "day"], empty
    with psycopg.connect(**target.keywords(), autocommit=True) as maker:
        maker.execute("drop table wire_frames")


@check
def parameters(target):
    "statements with parameters, changes and their counts"
    with connect(target) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists wire_adbc")
        cursor.execute("create table wire_adbc (a int, b varchar(20))")
        cursor.execute("insert into wire_adbc select i, 'row ' || i from generate_series(1, 100) as s(i)")
        assert rows(connection, "select count(*), max(b) from wire_adbc") == [(100, "row 99")]
        assert rows(connection, "select a, b from wire_adbc where a = $1", (42,)) == [(42, "row 42")]
        assert rows(connection, "select count(*) from wire_adbc where b <= $1", ("row 2",)) == [(13,)]
        cursor.execute("drop table wire_adbc")


@check
def binary_copy(target):
    "each message of a binary copy is a row; the head goes with the first, the end alone, as PostgreSQL sends them"
    head = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    row = [b"\0\1\0\0\0\4" + number.to_bytes(4, "big") for number in (1, 2, 3)]
    with psycopg.connect(**target.keywords(), autocommit=True) as connection, connection.cursor() as cursor:
        for last, expected in ((3, [head + row[0], row[1], row[2], b"\xff\xff"]), (0, [head + b"\xff\xff"])):
            statement = f"copy (select i from generate_series(1, {last}) as s(i) order by 1) to stdout (format binary)"
            with cursor.copy(statement) as copy:
                messages = [bytes(message) for message in copy]
            assert messages == expected, messages
            assert cursor.rowcount == last, cursor.rowcount
        with cursor.copy("copy (select i, 'x' || i, i / 4.0 from generate_series(1, 5000) as s(i) order by 1)"
                         " to stdout (format binary)") as copy:
            copy.set_types(["int4", "varchar", "numeric"])
            found = list(copy.rows())
        assert found == [(i, f"x{i}", Decimal(i) / 4) for i in range(1, 5001)], found[:3]
        with cursor.copy("copy (select 'two' || chr(10) || 'lines', 1) to stdout (format csv)") as copy:
            assert [bytes(message) for message in copy] == [b'"two\nlines",1\n']


@check
def mistakes(target):
    "errors carry message and SQLSTATE, also in the middle of the rows; the session goes on"
    with connect(target) as connection:
        error = fails('relation "no_such_table" does not exist',
                      lambda: rows(connection, "select * from no_such_table"))
        assert all(part in str(error) for part in ("42P01", "LINE 1", "HINT")), error
        fails("division by zero", lambda: rows(
            connection, "select i, 10 / (900000 - i) as q from generate_series(1, 1000000) as s(i)"))
        assert rows(connection, "select 1 as one") == [(1,)]
    fails("password authentication failed", lambda: connect(target, password="wrong"))
    with psycopg.connect(**target.keywords(), autocommit=True) as connection, connection.cursor() as cursor:
        taken = 0

        def take():
            nonlocal taken
            with cursor.copy("copy (select 10 / (900000 - i) from generate_series(1, 1000000) as s(i) order by i)"
                             " to stdout (format binary)") as copy:
                for _ in copy:
                    taken += 1
        error = expect_error("22012", take)
        assert taken < 1000000 and "HINT" in str(error), (taken, error)
        assert connection.execute("select 1").fetchone() == (1,)


LARGE = ("copy (select i, 'a line of some length to fill the stream ' || i from generate_series(1, 3000000) as s(i))"
         " to stdout (format binary)")


def server_memory(target):
    """Kilobytes that the server has in memory, when it is one of this test."""
    with open(f"/proc/{target.process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@check
def cancelled(target):
    "a copy under way is cancelled, ends with 57014, and the session goes on"
    with psycopg.connect(**target.keywords(), autocommit=True) as connection, connection.cursor() as cursor:
        def take():
            with cursor.copy(LARGE) as copy:
                for number, _ in enumerate(copy):
                    if number == 1000:
                        connection.cancel()
        expect_error("57014", take)
        assert connection.execute("select 1").fetchone() == (1,)


@check
def many_rows(target):
    "a large result arrives whole, and a slow client holds it back instead of filling the server's memory"
    with psycopg.connect(**target.keywords(), autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy(LARGE) as copy:
            taken = sum(len(message) for _, message in zip(range(1000), copy))
            before = server_memory(target) if target.process else 0
            time.sleep(1)
            if target.process:
                grown = server_memory(target) - before
                assert grown < 60_000, f"the server grew by {grown} kB while nobody read"
            total = taken + sum(len(message) for message in copy)
        expected = sum(2 + 4 + 4 + 4 + len(f"a line of some length to fill the stream {i}") for i in range(1, 3000001))
        assert total == expected + 19 + 2, (total, expected)
        assert cursor.rowcount == 3000000, cursor.rowcount


if __name__ == "__main__":
    run_checks()
