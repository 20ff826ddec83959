"""redshift_connector, AWS's Python driver: each result protocol, parameters, metadata, errors."""
import datetime
import decimal
import hashlib
import secrets

import psycopg
import redshift_connector
from redshift_connector.core import Connection

from target import check, expect_error, run_checks

Decimal = decimal.Decimal
decimal.getcontext().prec = 38   # the driver scales binary decimals by Python's arithmetic
VERSIONS = (0, 1, 2)   # of client_protocol_version; the last is the driver's own choice


def connect(target, **changes):
    keywords = dict(host=target.host, port=target.port, user=target.user, password=target.password,
                    database=target.database, ssl=False, timeout=60)
    keywords.update(changes)
    return redshift_connector.connect(**keywords)


def rows(connection, statement, parameters=None):
    cursor = connection.cursor()
    cursor.execute(statement, parameters)
    return [tuple(row) for row in cursor.fetchall()]


def fails(sqlstate, message, action):
    """The driver's errors are dictionaries of the fields of ErrorResponse."""
    try:
        action()
    except redshift_connector.Error as error:
        fields = error.args[0]
        assert fields["C"] == sqlstate and message in fields["M"], fields
        return fields
    raise AssertionError(f"expected SQLSTATE {sqlstate}, but nothing failed")


@check
def connects(target):
    "what the driver asks for at start-up is granted; the server tells what the driver must know"
    for version in VERSIONS:
        with connect(target, client_protocol_version=version, application_name="wire test") as connection:
            status = dict(connection.parameter_statuses)
            assert status[b"server_version"] == b"8.0.2", status
            assert status[b"server_protocol_version"] == str(version).encode(), status
            assert connection._client_protocol_version == version
            assert (status[b"datashare_enabled"], status[b"external_database"]) == (b"off", b"off"), status
            assert status[b"client_encoding"].lower() in (b"utf8", b"unicode"), status
            assert status[b"integer_datetimes"] == status[b"standard_conforming_strings"] == b"on", status
            assert status[b"application_name"] == b"wire test", status
            assert b"search_path" in status and b"show_discovery" not in status, status
            assert rows(connection, "show application_name") == [("wire test",)]


def requests_seen(target, **changes):
    """The codes of the authentication requests that the driver got."""
    codes = []
    original = Connection.handle_AUTHENTICATION_REQUEST

    def recorded(self, data, cursor):
        codes.append(int.from_bytes(data[:4], "big"))
        return original(self, data, cursor)
    Connection.handle_AUTHENTICATION_REQUEST = recorded
    try:
        connect(target, **changes).close()
    except redshift_connector.Error:
        pass
    finally:
        Connection.handle_AUTHENTICATION_REQUEST = original
    return codes


@check
def proves_passwords(target):
    "the driver gets Redshift's digest, never SCRAM, and MD5 when the user has nothing else"
    assert requests_seen(target) == [13, 0]
    assert requests_seen(target, password="wrong") == [13]
    assert requests_seen(target, user="no_such_user") == [13]
    with connect(target) as connection:
        cursor = connection.cursor()
        cursor.execute("drop user if exists md5_only")
        cursor.execute(f"create user md5_only password 'md5{hashlib.md5(b'Secret123md5_only').hexdigest()}'")
        assert any(b"can log in with Redshift's drivers only" in notice[b"M"] for notice in connection.notices)
        connection.commit()
    assert requests_seen(target, user="md5_only", password="Secret123") == [5, 0]
    assert requests_seen(target, user="md5_only", password="Secret124") == [5]
    try:
        psycopg.connect(**target.keywords(user="md5_only", password="Secret123")).close()
        raise AssertionError("a client that is none of Redshift's got in by MD5")
    except psycopg.OperationalError as error:
        assert 'password authentication failed for user "md5_only"' in str(error), error


@check
def refuses(target):
    "a wrong password and an unknown user look alike; an unknown database is named"
    wrong = fails("28P01", "password authentication failed for user",
                  lambda: connect(target, password=secrets.token_hex(8)))
    unknown = fails("28P01", "password authentication failed for user",
                    lambda: connect(target, user="no_such_user"))
    assert wrong["M"].replace(target.user, "no_such_user") == unknown["M"] and wrong["H"] == unknown["H"]
    fields = fails("3D000", 'database "nosuch" does not exist', lambda: connect(target, database="nosuch"))
    assert '"dev"' in fields["H"], fields


@check
def values(target):
    "values of every type, in text and in binary, as each protocol version asks for them"
    for version in VERSIONS:
        with connect(target, client_protocol_version=version) as connection:
            row, = rows(connection, """
                select 7::smallint, -7::int, 9000000000::bigint, 1.5::real, -2.25::float8, true, false,
                       'ab'::char(5), 'wörd'::varchar(9), date '2024-02-29', time '12:34:56.5',
                       timetz '12:34:56+02', timestamp '2024-02-29 12:34:56.789012',
                       timestamptz '2024-02-29 12:34:56+02', -123.45::numeric(10,2),
                       12345678901234567890123456.789::numeric(38,3), null::int, null::numeric(5,1)""")
            utc = datetime.timezone.utc
            assert row == (7, -7, 9000000000, 1.5, -2.25, True, False, "ab   ", "wörd", datetime.date(2024, 2, 29),
                           datetime.time(12, 34, 56, 500000), datetime.time(10, 34, 56, tzinfo=utc),
                           datetime.datetime(2024, 2, 29, 12, 34, 56, 789012),
                           datetime.datetime(2024, 2, 29, 10, 34, 56, tzinfo=utc), Decimal("-123.45"),
                           Decimal("12345678901234567890123456.789"), None, None), row
            (months, micros), = rows(connection, "select interval '1 year 2 months', interval '3 days 04:05:06.5'")
            assert (months.months, micros.microseconds) == (14, 273906500000), (months, micros)
            (vector, names), = rows(connection, "select proargtypes, array(select 'a' union all select 'b,c')"
                                                " from pg_proc where proname = 'split_part'")
            assert str(vector).split() == ["25", "25", "23"] and names == ["a", "b,c"], (vector, names)
            (oid, procedure), = rows(connection, "select oid, typanalyze from pg_type where typname = 'int4'")
            assert (oid, procedure) == (23, 0), (oid, procedure)


@check
def parameters(target):
    "prepared statements run with parameters of each type, again and again"
    when = datetime.datetime(2020, 1, 2, 3, 4, 5, 678901)
    for version in VERSIONS:
        with connect(target, client_protocol_version=version) as connection:
            statement = ("select %s::int + 1, %s::bigint, %s::varchar, %s::float8, %s::timestamp, %s::boolean,"
                         " %s::date, %s::numeric(12,3)")
            for number in range(3):
                row, = rows(connection, statement, (number, 2 ** 40 + number, f"é☃'{number}", number / 4, when,
                                                    None if number == 2 else number == 1,
                                                    datetime.date(1999, 12, 31), Decimal("-9.125")))
                assert row == (number + 1, 2 ** 40 + number, f"é☃'{number}", number / 4, when,
                               None if number == 2 else number == 1, datetime.date(1999, 12, 31),
                               Decimal("-9.125")), row


@check
def changes(target):
    "executemany and insert counts, transactions, and a statement after an error"
    with connect(target) as connection:
        cursor = connection.cursor()
        cursor.execute("drop table if exists wire_changes")
        cursor.execute("create table wire_changes (a int, b varchar(20), n numeric(10,2))")
        connection.commit()
        nine = [(i, None if i % 3 == 0 else f"row {i}", Decimal(i) / 4) for i in range(1, 10)]
        cursor.execute("insert into wire_changes values (%s, %s, %s)", (0, "zero", Decimal("0.5")))
        assert cursor.rowcount == 1
        cursor.executemany("insert into wire_changes values (%s, %s, %s)", nine)
        assert cursor.rowcount == 9, cursor.rowcount
        connection.rollback()
        assert rows(connection, "select count(*) from wire_changes") == [(0,)]
        cursor.executemany("insert into wire_changes values (%s, %s, %s)", nine)
        cursor.execute("update wire_changes set n = n + 1 where a > 5")
        assert cursor.rowcount == 4, cursor.rowcount
        connection.commit()
        assert rows(connection, "select count(b), sum(n) from wire_changes") == [(6, Decimal("15.25"))]
        fails("22P02", "invalid input syntax", lambda: cursor.execute("insert into wire_changes values ('x', '', 1)"))
        fails("25P02", "current transaction is aborted", lambda: cursor.execute("select 1"))
        connection.rollback()
        assert rows(connection, "select max(a) from wire_changes") == [(9,)]
        cursor.execute("drop table wire_changes")
        connection.commit()


@check
def large_results(target):
    "a large result comes complete, in pieces as the client asks"
    with connect(target) as connection:
        cursor = connection.cursor()
        cursor.execute("select i, 'row ' || i, i::numeric(12,2) / 4 from generate_series(1, 50000) as s(i) order by i")
        seen = 0
        while piece := cursor.fetchmany(777):
            for number, text, quarter in piece:
                seen += 1
                assert (number, text, quarter) == (seen, f"row {seen}", Decimal(seen) / 4), (number, text, quarter)
        assert seen == 50000


@check
def metadata(target):
    "catalogs, schemas, tables, columns and primary keys, as tools ask for them"
    with connect(target) as connection:
        cursor = connection.cursor()
        cursor.execute("drop table if exists wire_metadata")
        cursor.execute("create table wire_metadata (id bigint primary key, name varchar(20) not null,"
                       " amount numeric(10,2) default 1.5, day date, at timestamptz, letter char(3), ok boolean)")
        cursor.execute("drop schema if exists wire_schema")
        cursor.execute("create schema wire_schema")
        connection.commit()
        assert cursor.get_catalogs() == (["dev"],)
        schemas = [row[0] for row in cursor.get_schemas()]
        assert {"public", "pg_catalog", "information_schema", "wire_schema"} <= set(schemas), schemas
        assert [row[0] for row in cursor.get_schemas(schema_pattern="wire%")] == ["wire_schema"]
        found = cursor.get_tables(schema_pattern="public", table_name_pattern="wire_metadata", types=["TABLE"])
        assert [row[:4] for row in found] == [["dev", "public", "wire_metadata", "TABLE"]], found
        assert not cursor.get_tables(schema_pattern="wire_schema")
        found = cursor.get_columns(schema_pattern="public", tablename_pattern="wire_metadata")
        # name, JDBC type, type, size, digits, nullable, default, position
        told = [tuple(row[i] for i in (3, 4, 5, 6, 8, 10, 12, 16)) for row in found]
        assert told == [("id", -5, "int8", 19, 0, 0, None, 1), ("name", 12, "varchar", 20, 0, 0, None, 2),
                        ("amount", 2, "numeric", 10, 2, 1, "1.5", 3), ("day", 91, "date", 13, 0, 1, None, 4),
                        ("at", 2014, "timestamptz", 35, 0, 1, None, 5), ("letter", 1, "bpchar", 3, 0, 1, None, 6),
                        ("ok", -7, "bool", 1, 0, 1, None, 7)], told
        found = cursor.get_primary_keys(schema="public", table="wire_metadata")
        assert found == (["dev", "public", "wire_metadata", "id", 1, "wire_metadata_pkey"],), found
        cursor.execute("select * from wire_metadata")
        assert [(column[0], column[1]) for column in cursor.description] == [
            ("id", 20), ("name", 1043), ("amount", 1700), ("day", 1082), ("at", 1184), ("letter", 1042), ("ok", 16)]
        cursor.execute("select name as other, m.id + 1 as more, amount, nspname as label"
                       " from wire_metadata m, pg_namespace n")
        origins = [tuple(field[part] for part in ("label", "catalog_name", "schema_name", "table_name", "column_name",
                                                  "nullable", "searchable")) for field in cursor.ps["row_desc"]]
        assert origins == [(b"other", b"dev", b"public", b"wire_metadata", b"name", 0, 1),
                           (b"more", b"", b"", b"", b"", 0, 0),
                           (b"amount", b"dev", b"public", b"wire_metadata", b"amount", 1, 1),
                           (b"label", b"dev", b"pg_catalog", b"pg_namespace", b"nspname", 1, 1)], origins
        connection.rollback()
        cursor.execute("drop table wire_metadata")
        cursor.execute("drop schema wire_schema")
        connection.commit()


@check
def mistakes(target):
    "errors carry SQLSTATE, place and remedy, and the session goes on"
    with connect(target) as connection:
        for statement, sqlstate, message, place in (
                ("select * from no_such_table", "42P01", 'relation "no_such_table" does not exist', "15"),
                ("select nosuch from pg_class", "42703", 'column "nosuch" does not exist', "8"),
                ("selct 1", "42601", 'syntax error at or near "selct"', "1")):
            fields = fails(sqlstate, message, lambda: rows(connection, statement))
            assert fields["P"] == place and fields["H"], fields
            connection.rollback()
        fails("22012", "division by zero",
              lambda: rows(connection, "select 1 / (i - 9000) from generate_series(1, 10000) as s(i)"))
        connection.rollback()
        assert rows(connection, "select 1") == [(1,)]


if __name__ == "__main__":
    run_checks()
