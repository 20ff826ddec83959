"""psycopg 3 (libpq): connect, statements, binary, cursors, cancel, COPY, errors, large results."""
import datetime
import decimal
import threading

import psycopg

from target import check, expect_error, run_checks


def connect(target, **changes):
    autocommit = changes.pop("autocommit", True)
    return psycopg.connect(**target.keywords(**changes), autocommit=autocommit)


@check
def connects(target):
    "a connection reports its parameters"
    with connect(target) as connection:
        assert connection.info.parameter_status("server_version") == "8.0.2"
        assert connection.info.parameter_status("client_encoding") == "UTF8"
        assert connection.info.parameter_status("standard_conforming_strings") == "on"
        assert connection.info.parameter_status("integer_datetimes") == "on"
        assert connection.info.backend_pid > 0


@check
def refuses_unknown_database(target):
    "an unknown database is 3D000"
    try:
        connect(target, dbname="no_such_database").close()
    except psycopg.OperationalError as error:
        assert "no_such_database" in str(error), error
    else:
        raise AssertionError("connected to a database that does not exist")


@check
def refuses_wrong_password(target):
    "a wrong password and an unknown user look alike (skipped under --trust)"
    try:
        connect(target, password=target.password + "x").close()
    except psycopg.OperationalError as error:
        wrong_password = str(error)
    else:
        return  # the server trusts this machine
    try:
        connect(target, user="no_such_user").close()
    except psycopg.OperationalError as error:
        unknown_user = str(error)
    else:
        raise AssertionError("connected as a user that does not exist")
    assert wrong_password.replace(target.user, "no_such_user") == unknown_user


@check
def proves_by_scram(target):
    "a client that is none of Redshift's is asked for SCRAM-SHA-256, nothing weaker"
    connect(target, require_auth="scram-sha-256").close()
    try:
        connect(target, require_auth="md5").close()
    except psycopg.OperationalError as error:
        assert "authentication method requirement" in str(error), error
    else:
        raise AssertionError("connected by MD5")


@check
def simple_results(target):
    "text results and command tags"
    with connect(target) as connection:
        cursor = connection.execute("select 1, 'two', null, 2.50, true")
        assert cursor.fetchall() == [(1, "two", None, decimal.Decimal("2.50"), True)]
        assert cursor.statusmessage == "SELECT 1"


@check
def several_statements(target):
    "several statements in one message give several results, and an error undoes them all"
    with connect(target) as connection:
        connection.execute("drop table if exists wire_several")
        connection.execute("create table wire_several (a int)")
        cursor = connection.execute("insert into wire_several values (1); select count(*) from wire_several")
        assert cursor.nextset()
        assert cursor.fetchone() == (1,)
        expect_error("22012", lambda: connection.execute(
            "insert into wire_several values (2); select 1 / (a - a) from wire_several"))
        assert connection.execute("select count(*) from wire_several").fetchone() == (1,)
        connection.execute("drop table wire_several")


@check
def empty_query(target):
    "an empty query is no error"
    with connect(target) as connection:
        connection.execute("")
        connection.execute("  ;  ")


@check
def parameters(target):
    "parameters in text form, typed and inferred"
    with connect(target) as connection:
        row = connection.execute("select %s::int + 1, %s::varchar, %s::numeric(10,2), %s::date",
                                 (41, "text", decimal.Decimal("1.25"), datetime.date(2024, 2, 29))).fetchone()
        assert row == (42, "text", decimal.Decimal("1.25"), datetime.date(2024, 2, 29)), row
        assert connection.execute("select %s::int is null", (None,)).fetchone() == (True,)


@check
def prepared(target):
    "a prepared statement runs again and again"
    with connect(target) as connection:
        for number in range(20):
            row = connection.execute("select %s::bigint * 2", (number,), prepare=True).fetchone()
            assert row == (number * 2,)


@check
def prepared_eviction(target):
    "statements that the driver drops by DEALLOCATE"
    with connect(target) as connection:
        connection.prepared_max = 2
        for number in range(6):
            row = connection.execute(f"select %s::int + {number}", (1,), prepare=True).fetchone()
            assert row == (number + 1,)


@check
def binary(target):
    "binary results and parameters of every basic type"
    sql = ("select 7::smallint, -7::int, 9000000000::bigint, 1.5::real, -2.25::float8, true, "
           "'gr\u00fc\u00df'::varchar(20), date '2024-02-29', timestamp '2024-02-29 12:34:56.789', "
           "123456789.0123::numeric(20,4), -0.0001::numeric(20,4), 10000::numeric(20,0)")
    expected = (7, -7, 9000000000, 1.5, -2.25, True, "gr\u00fc\u00df", datetime.date(2024, 2, 29),
                datetime.datetime(2024, 2, 29, 12, 34, 56, 789000), decimal.Decimal("123456789.0123"),
                decimal.Decimal("-0.0001"), decimal.Decimal("10000"))
    with connect(target) as connection:
        for use_binary in (False, True):
            row = connection.cursor(binary=use_binary).execute(sql).fetchone()
            assert row == expected, row
        cursor = connection.cursor(binary=True)
        row = cursor.execute("select %b::int, %b::float8, %b::numeric(20,4), %b::date, %b::varchar, %b::bool",
                             (5, 0.5, decimal.Decimal("-12.5"), datetime.date(1999, 12, 31), "x", False)).fetchone()
        assert row == (5, 0.5, decimal.Decimal("-12.5"), datetime.date(1999, 12, 31), "x", False), row


@check
def description(target):
    "row descriptions carry names, types and modifiers"
    with connect(target) as connection:
        cursor = connection.execute("select 1 as one, 'x'::varchar(12) as text, 1.5::numeric(7,3) as number")
        names = [column.name for column in cursor.description]
        assert names == ["one", "text", "number"], names
        assert cursor.description[0].type_code == 23
        assert cursor.description[1].type_code == 1043 and cursor.description[1].display_size == 12
        assert cursor.description[2].precision == 7 and cursor.description[2].scale == 3


@check
def large_result(target):
    "100,000 rows arrive whole and in order"
    with connect(target) as connection:
        rows = connection.execute("select i, i * 2 from generate_series(1, 100000) as s(i) order by i").fetchall()
        assert len(rows) == 100000
        assert rows[0] == (1, 2) and rows[-1] == (100000, 200000)
        assert all(row[0] == index + 1 for index, row in enumerate(rows))


@check
def streamed_result(target):
    "single-row mode"
    with connect(target) as connection:
        total = sum(row[0] for row in connection.cursor().stream(
            "select i from generate_series(1, 20000) as s(i)"))
        assert total == 20000 * 20001 // 2


@check
def server_cursor(target):
    "DECLARE, FETCH and CLOSE in pieces"
    with connect(target, autocommit=False) as connection:
        with connection.cursor(name="wire_cursor") as cursor:
            cursor.execute("select i from generate_series(1, 1000) as s(i) order by i")
            assert [row[0] for row in cursor.fetchmany(10)] == list(range(1, 11))
            assert len(cursor.fetchall()) == 990


@check
def pipeline(target):
    "a pipeline of statements with one Sync; an error undoes what came before"
    with connect(target) as connection:
        connection.execute("drop table if exists wire_pipeline")
        connection.execute("create table wire_pipeline (a int)")
        with connection.pipeline():
            for number in range(10):
                connection.execute("insert into wire_pipeline values (%s)", (number,))
        assert connection.execute("select count(*) from wire_pipeline").fetchone() == (10,)

        def failing():
            with connection.pipeline():
                connection.execute("insert into wire_pipeline values (%s)", (99,))
                connection.execute("select 1 / (a - a) from wire_pipeline")
        expect_error("22012", failing)
        assert connection.execute("select count(*) from wire_pipeline where a = 99").fetchone() == (0,)
        connection.execute("drop table wire_pipeline")


@check
def transactions(target):
    "blocks commit, roll back, and refuse statements after an error"
    with connect(target) as connection:
        connection.execute("drop table if exists wire_block")
        connection.execute("create table wire_block (a int)")
        connection.execute("begin")
        connection.execute("insert into wire_block values (1)")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        expect_error("42P01", lambda: connection.execute("select * from wire_no_such_table"))
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        expect_error("25P02", lambda: connection.execute("select 1"))
        connection.execute("rollback")
        assert connection.execute("select count(*) from wire_block").fetchone() == (0,)
        with connection.transaction():
            connection.execute("insert into wire_block values (2)")
        assert connection.execute("select a from wire_block").fetchall() == [(2,)]
        connection.execute("drop table wire_block")


@check
def error_positions(target):
    "errors carry SQLSTATE and a position in characters"
    with connect(target) as connection:
        error = expect_error("42703", lambda: connection.execute("select '\u00e4\u00f6\u00fc', no_such_column from generate_series(1, 2)"))
        assert error.diag.statement_position == "15", error.diag.statement_position
        assert error.diag.severity == "ERROR"
        error = expect_error("42601", lambda: connection.execute("selekt 1"))
        assert error.diag.statement_position == "1"
        error = expect_error("42703", lambda: connection.execute("select 1; select no_such_column from generate_series(1, 2)"))
        assert error.diag.statement_position == "18", error.diag.statement_position
        assert connection.execute("select 1").fetchone() == (1,)


@check
def cancel(target):
    "a running statement is cancelled, and the session goes on"
    with connect(target) as connection:
        started = threading.Event()
        stop = threading.Event()

        def canceller():
            started.wait()
            # Until the statement has begun a request has nothing to stop, so it is repeated.
            while not stop.wait(0.05):
                connection.cancel()
        thread = threading.Thread(target=canceller)
        thread.start()
        try:
            started.set()
            expect_error("57014", lambda: connection.execute(
                "select count(*) from generate_series(1, 100000000) as a(i), generate_series(1, 1000) as b(j) "
                "where (i * 7 + j) % 1000003 = 5"))
        finally:
            stop.set()
            thread.join()
        for _ in range(5):  # a late request may hit one more statement
            try:
                assert connection.execute("select 1").fetchone() == (1,)
                break
            except psycopg.errors.QueryCanceled:
                continue
        else:
            raise AssertionError("the session does not recover")


@check
def cancel_between_statements(target):
    "a cancel request between statements is for nobody, an open cursor included"
    with connect(target) as connection:
        connection.execute("begin")
        connection.execute("declare c cursor for select i from generate_series(1, 300000) as s(i)")
        connection.execute("declare other cursor for select i from generate_series(1, 300000) as s(i)")
        rows = connection.execute("fetch 10 from c").fetchall() + connection.execute("fetch 1 from other").fetchall()
        connection.cancel()
        connection.execute("close other")
        rows += connection.execute("fetch all from c").fetchall()
        assert len(rows) == 300001, len(rows)
        connection.execute("commit")


@check
def binary_arrays(target):
    "arrays and vectors of the catalog in binary, and a regproc as the OID of its function"
    with connect(target) as connection, connection.cursor(binary=True) as cursor:
        cursor.execute("drop table if exists wire_arrays")
        cursor.execute("create table wire_arrays (a int, b int, c int, primary key (b, c))")
        row = cursor.execute(
            "select conkey, array(select 'a' union all select 'b,\"c' order by 1), array(select 'a' where false),"
            " array(select null::varchar) from pg_constraint where conname = 'wire_arrays_pkey'").fetchone()
        assert row == ([2, 3], ["a", 'b,"c'], [], [None]), row
        cursor.execute("drop table wire_arrays")
        vector, procedure, oid, none, head = cursor.execute(
            "select proargtypes, proname::regproc, oid, 0::regproc, ''::int2vector from pg_proc"
            " where proname = 'split_part'").fetchone()
        word = lambda number: number.to_bytes(4, "big")  # noqa: E731
        assert vector == b"".join(map(word, (1, 0, 26, 3, 0, 4, 25, 4, 25, 4, 23))), vector
        assert procedure == word(oid) and none == word(0), (procedure, oid, none)
        assert head == b"".join(map(word, (1, 0, 21, 0, 0))), head


@check
def copy_in_and_out(target):
    "COPY FROM STDIN and TO STDOUT, with an error and a client that gives up"
    with connect(target) as connection:
        connection.execute("drop table if exists wire_copy")
        connection.execute("create table wire_copy (a int, b varchar(50))")
        cursor = connection.cursor()
        with cursor.copy("copy wire_copy from stdin") as copy:
            for number in range(10000):
                copy.write_row((number, None if number % 10 == 0 else f"tab\there {number}"))
        assert cursor.rowcount in (10000, -1)
        assert connection.execute("select count(*), count(b) from wire_copy").fetchone() == (10000, 9000)
        with cursor.copy("copy wire_copy to stdout") as copy:
            rows = [row for row in copy.rows()]
        assert len(rows) == 10000
        assert ("1", "tab\there 1") in rows and ("10", None) in rows

        def bad():
            with cursor.copy("copy wire_copy from stdin") as copy:
                copy.write("1\tfine\nnot a number\tbad\n")
        try:
            bad()
        except psycopg.Error as error:
            assert error.sqlstate is not None
        else:
            raise AssertionError("a bad row was accepted")

        class Changed(Exception):
            pass

        def gives_up():
            with cursor.copy("copy wire_copy from stdin") as copy:
                copy.write("20000\tx\n")
                raise Changed()
        try:
            gives_up()
        except (Changed, psycopg.Error):
            pass
        assert connection.execute("select count(*) from wire_copy").fetchone() == (10000,)
        connection.execute("drop table wire_copy")


@check
def settings(target):
    "SET of a reported setting reaches the client"
    with connect(target) as connection:
        connection.execute("set application_name to 'wire test'")
        assert connection.info.parameter_status("application_name") == "wire test"


@check
def many_connections(target):
    "fifty connections at once"
    connections = [connect(target) for _ in range(50)]
    try:
        for number, connection in enumerate(connections):
            assert connection.execute(f"select {number}").fetchone() == (number,)
        assert len({connection.info.backend_pid for connection in connections}) == 50
    finally:
        for connection in connections:
            connection.close()


if __name__ == "__main__":
    run_checks()
