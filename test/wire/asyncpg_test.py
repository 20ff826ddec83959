"""asyncpg: binary both ways, named statements, portals with row limits, COPY."""
import asyncio
import datetime
import decimal
import io

import asyncpg

from target import check, run_checks


def with_connection(target, body):
    async def run():
        connection = await asyncpg.connect(host=target.host, port=target.port, user=target.user,
                                           password=target.password, database=target.database,
                                           timeout=20, ssl=False)
        try:
            return await body(connection)
        finally:
            # close() would send statements that Redshift does not know.
            connection.terminate()
    return asyncio.run(run())


@check
def binary_values(target):
    "binary values of the basic types"
    async def body(connection):
        row = await connection.fetchrow(
            "select 7::int2, -7::int4, 9000000000::int8, 1.5::float4, -2.25::float8, true, 'text'::varchar, "
            "date '2024-02-29', timestamp '2024-02-29 12:34:56.789', 123.4500::numeric(12,4)")
        assert tuple(row) == (7, -7, 9000000000, 1.5, -2.25, True, "text", datetime.date(2024, 2, 29),
                              datetime.datetime(2024, 2, 29, 12, 34, 56, 789000), decimal.Decimal("123.4500")), row
    with_connection(target, body)


@check
def binary_parameters(target):
    "binary parameters of inferred types"
    async def body(connection):
        row = await connection.fetchrow("select $1::int4 + 1, $2::varchar, $3::float8, $4::date, $5::numeric(12,2)",
                                        41, "x", 0.5, datetime.date(2000, 1, 1), decimal.Decimal("9.99"))
        assert tuple(row) == (42, "x", 0.5, datetime.date(2000, 1, 1), decimal.Decimal("9.99")), row
    with_connection(target, body)


@check
def portal_limits(target):
    "a cursor fetches in pieces through one portal"
    async def body(connection):
        seen = []
        async with connection.transaction():
            async for row in connection.cursor("select i from generate_series(1, 2500) as s(i) order by i", prefetch=100):
                seen.append(row[0])
        assert seen == list(range(1, 2501))
    with_connection(target, body)


@check
def suspended_portals(target):
    "a portal waits for its client beyond the statement time-out, and outlives another portal"
    async def body(connection):
        await connection.execute("set statement_timeout to 2000")
        async with connection.transaction():
            statement = await connection.prepare("select i from generate_series(1, 200000) as s(i)")
            one, two = await statement.cursor(), await statement.cursor()
            seen = [row[0] for row in await one.fetch(10)]
            assert len(await two.fetch(5)) == 5
            await asyncio.sleep(2.2)
            del two
            seen += [row[0] for row in await one.fetch(300000)]
            assert seen == list(range(1, 200001)), len(seen)
            assert await connection.fetchval("select 1") == 1
    with_connection(target, body)


@check
def repeated_statement(target):
    "one statement, many executions"
    async def body(connection):
        statement = await connection.prepare("select $1::int8 * 2")
        for number in range(50):
            assert await statement.fetchval(number) == number * 2
    with_connection(target, body)


@check
def copies_out(target):
    "COPY of a query and of a table to the client, in CSV and binary"
    async def body(connection):
        await connection.execute("drop table if exists wire_copied")
        await connection.execute("create table wire_copied (a int, b varchar(20))")
        await connection.execute("insert into wire_copied values (1, 'x, y'), (2, null)")
        out = io.BytesIO()
        tag = await connection.copy_from_query("select a, b from wire_copied where a < $1 order by a", 3, output=out,
                                               format="csv", header=True)
        assert (tag, out.getvalue()) == ("COPY 2", b'a,b\n1,"x, y"\n2,\n'), (tag, out.getvalue())
        out = io.BytesIO()
        tag = await connection.copy_from_table("wire_copied", columns=["a"], output=out, format="binary")
        cell = b"\0\1\0\0\0\4\0\0\0"
        assert tag == "COPY 2" and out.getvalue() == (
            b"PGCOPY\n\xff\r\n\0" + bytes(8) + cell + b"\1" + cell + b"\2\xff\xff"), (tag, out.getvalue())
        await connection.execute("drop table wire_copied")
    with_connection(target, body)


@check
def errors(target):
    "an error leaves the connection usable"
    async def body(connection):
        try:
            await connection.fetch("select no_such_column from generate_series(1, 2)")
        except asyncpg.PostgresError as error:
            assert error.sqlstate == "42703"
        else:
            raise AssertionError("no error")
        assert await connection.fetchval("select 1") == 1
    with_connection(target, body)


@check
def wrong_password(target):
    "a wrong password is 28P01 (skipped under --trust)"
    async def attempt():
        connection = await asyncpg.connect(host=target.host, port=target.port, user=target.user,
                                           password=target.password + "x", database=target.database,
                                           timeout=20, ssl=False)
        connection.terminate()
    try:
        asyncio.run(attempt())
    except asyncpg.PostgresError as error:
        assert error.sqlstate == "28P01", error


if __name__ == "__main__":
    run_checks()
