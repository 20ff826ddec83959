"""What a psql user meets on the first day: every describe command, completion, mistakes.

The commands go through the real psql, unaligned; checks compare rows and columns. Labels are lower
case as in Redshift, where quoted names fold.
"""
import os
import pty
import re
import select
import subprocess
import tempfile
import time

import psycopg

from target import check, run_checks

SCHEMA = """
CREATE TABLE stores (id INTEGER NOT NULL PRIMARY KEY, city VARCHAR(20) NOT NULL, opened DATE,
                     UNIQUE (city, opened)) DISTSTYLE ALL;
CREATE TABLE sales (store INTEGER NOT NULL REFERENCES stores (id), day DATE SORTKEY,
                    amount NUMERIC(10,2) DEFAULT 0, note TEXT);
CREATE VIEW large_sales AS SELECT store, amount FROM sales WHERE amount > 100;
CREATE SCHEMA ops;
CREATE TABLE ops.jobs (name VARCHAR(10));
CREATE GROUP readers;
CREATE USER ann PASSWORD 'Secret123x' IN GROUP readers;
GRANT SELECT, INSERT ON sales TO ann;
GRANT SELECT ON stores TO GROUP readers;
GRANT USAGE ON SCHEMA ops TO ann;
COMMENT ON TABLE sales IS 'what was sold';
COMMENT ON COLUMN sales.note IS 'free text';
COMMENT ON SCHEMA ops IS 'operations';
INSERT INTO stores VALUES (1, 'Rome', '2020-01-01'), (2, 'Oslo', NULL);
INSERT INTO sales VALUES (1, '2026-01-01', 500, 'x');
"""


def environment(target):
    return {**os.environ, "PGPASSWORD": target.password, "PSQLRC": "/dev/null", "PAGER": "cat",
            "PGCLIENTENCODING": "UTF8", "PGCONNECT_TIMEOUT": "20"}


def run(target, *commands, user=None, password=None):
    """Standard output and standard error of psql -c COMMAND -c .."""
    arguments = ["psql", "-X", "-A", "-P", "footer=off", "-h", target.host, "-p", str(target.port),
                 "-U", user or target.user, "-d", target.database, "-v", "VERBOSITY=verbose"]
    for command in commands:
        arguments += ["-c", command]
    env = environment(target)
    if password is not None:
        env["PGPASSWORD"] = password
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=env,
                          stdin=subprocess.DEVNULL)
    return done.stdout.rstrip("\n"), done.stderr.rstrip("\n")


def shown(target, command):
    """The lines that psql prints; nothing may go wrong."""
    output, errors = run(target, command)
    assert errors == "", f"{command}: {errors}"
    return output.split("\n")


def expect(target, command, *lines):
    found = shown(target, command)
    assert found == list(lines), f"{command} printed\n" + "\n".join(found)


def expect_some(target, command, header, *lines):
    """The header, and each of these lines among others."""
    found = shown(target, command)
    assert found[0] == header, f"{command}: {found[0]}"
    for line in lines:
        assert line in found, f"{command} has no line {line!r}:\n" + "\n".join(found[:40])
    return found


@check
def setup(target):
    "psql makes the objects that the other checks describe"
    output, errors = run(target, SCHEMA)
    assert errors == "", errors


@check
def relations(target):
    r"\d \dt \dv \dm \ds \di \dE with and without + list what is there"
    expect(target, r"\d", "List of relations", "schema|name|type|owner",
           "public|large_sales|view|admin", "public|sales|table|admin", "public|stores|table|admin")
    expect(target, r"\dt", "List of relations", "schema|name|type|owner", "public|sales|table|admin",
           "public|stores|table|admin")
    expect(target, r"\dt ops.*", "List of relations", "schema|name|type|owner", "ops|jobs|table|admin")
    expect(target, r"\dt *.jo?s", "List of relations", "schema|name|type|owner", "ops|jobs|table|admin")
    expect(target, r"\dv", "List of relations", "schema|name|type|owner", "public|large_sales|view|admin")
    expect(target, r"\di", "List of relations", "schema|name|type|owner|table",
           "public|stores_city_opened_key|index|admin|stores", "public|stores_pkey|index|admin|stores")
    for command in (r"\d+", r"\dt+"):
        found = shown(target, command)
        assert found[1] == "schema|name|type|owner|persistence|size|description"
        row = next(line for line in found if line.startswith("public|sales|")).split("|")
        assert row[2:5] == ["table", "admin", "permanent"] and row[6] == "what was sold", row
        assert re.fullmatch(r"\d+ (bytes|kB)", row[5]) and row[5] != "0 bytes", row
    expect(target, r"\dv+", "List of relations", "schema|name|type|owner|persistence|size|description",
           "public|large_sales|view|admin|permanent|0 bytes|")
    expect(target, r"\di+ stores_pkey", "List of relations",
           "schema|name|type|owner|table|persistence|size|description",
           "public|stores_pkey|index|admin|stores|permanent|0 bytes|")
    for command in (r"\dm", r"\ds", r"\dE"):
        assert run(target, command) == ("", "Did not find any relations."), command
    assert run(target, r"\dt nosuch")[1] == 'Did not find any relation named "nosuch".'
    found = shown(target, r"\dvS pg_cl*")
    assert "pg_catalog|pg_class|view|admin" in found, found


@check
def table(target):
    r"\d TABLE shows columns, keys and both ends of a foreign key"
    expect(target, r"\d stores", 'Table "public.stores"', "Column|Type|Collation|Nullable|Default",
           "id|integer||not null|", "city|character varying(20)||not null|", "opened|date|||",
           "Indexes:", '    "stores_pkey" PRIMARY KEY, btree (id)',
           '    "stores_city_opened_key" UNIQUE CONSTRAINT, btree (city, opened)', "Referenced by:",
           '    TABLE "sales" CONSTRAINT "sales_store_fkey" FOREIGN KEY (store) REFERENCES stores(id)')
    expect(target, r"\d sales", 'Table "public.sales"', "Column|Type|Collation|Nullable|Default",
           "store|integer||not null|", "day|date|||", "amount|numeric(10,2)|||0", "note|text|||",
           "Foreign-key constraints:",
           '    "sales_store_fkey" FOREIGN KEY (store) REFERENCES stores(id)')
    expect(target, r"\d+ sales", 'Table "public.sales"',
           "Column|Type|Collation|Nullable|Default|Storage|Stats target|Description",
           "store|integer||not null||plain||", "day|date||||plain||",
           "amount|numeric(10,2)|||0|extended||", "note|text||||extended||free text",
           "Foreign-key constraints:",
           '    "sales_store_fkey" FOREIGN KEY (store) REFERENCES stores(id)')
    expect(target, r"\d stores_pkey", 'Index "public.stores_pkey"', "Column|Type|Definition", "id|integer|id", 'primary key, btree, for table "public.stores"')
    expect(target, r"\d ops.jobs", 'Table "ops.jobs"', "Column|Type|Collation|Nullable|Default",
           "name|character varying(10)|||")
    assert run(target, r"\d nosuch")[1] == 'Did not find any relation named "nosuch".'


@check
def view(target):
    r"\d VIEW, \d+ VIEW and \sv show columns and definition"
    expect(target, r"\d large_sales", 'View "public.large_sales"', "Column|Type|Collation|Nullable|Default",
           "store|integer|||", "amount|numeric(10,2)|||")
    text = "SELECT store, amount FROM sales WHERE amount > 100"
    expect(target, r"\d+ large_sales", 'View "public.large_sales"',
           "Column|Type|Collation|Nullable|Default|Storage|Description",
           "store|integer||||plain|", "amount|numeric(10,2)||||extended|", "View definition:", text + ";")
    expect(target, r"\sv large_sales", "CREATE OR REPLACE VIEW public.large_sales AS", text)
    assert '"public.stores" is not a view' in run(target, r"\sv stores")[1]


@check
def schemas(target):
    r"\dn and \dn+ show schemas, owners and rights"
    expect(target, r"\dn", "List of schemas", "name|owner", "ops|admin", "public|admin")
    found = shown(target, r"\dn+ ops")
    assert found == ["List of schemas", "name|owner|access privileges|description",
                     "ops|admin|admin=UC/admin", "ann=U/admin|operations"], found


@check
def functions(target):
    r"\df, \df+, \da, \do, \sf and \dL show built-in functions, aggregates and operators"
    header = "schema|name|result data type|argument data types|type"
    assert shown(target, r"\df") == ["List of functions", header]
    expect(target, r"\df upper", "List of functions", header, "pg_catalog|upper|text|text|func")
    expect(target, r"\df pg_catalog.split_part", "List of functions", header,
           "pg_catalog|split_part|text|text, text, integer|func")
    found = shown(target, r"\df+ upper")
    assert found[1] == header + ("|volatility|owner|security|access privileges|language|source code"
                                 "|description")
    assert found[2] == "pg_catalog|upper|text|text|func|immutable|admin|invoker||internal|upper|", found
    assert shown(target, r"\df upp text")[1:] == [header]
    expect_some(target, r"\dfa sum", "List of functions", "pg_catalog|sum|bigint|integer|agg")
    header = "schema|name|result data type|argument data types|description"
    assert shown(target, r"\da") == ["List of aggregate functions", header]
    expect_some(target, r"\da sum", "List of aggregate functions", header,
                "pg_catalog|sum|bigint|integer|", "pg_catalog|sum|numeric|numeric|")
    expect_some(target, r"\da count", "List of aggregate functions", "pg_catalog|count|bigint|*|")
    header = "schema|name|left arg type|right arg type|result type|description"
    assert shown(target, r"\do") == ["List of operators", header]
    expect_some(target, r"\do +", "List of operators", header,
                "pg_catalog|+|bigint|bigint|bigint|", "pg_catalog|+|date|bigint|date|")
    expect_some(target, r"\do ||", "List of operators", "pg_catalog||||text|text|text|")
    assert '"upper" is built in' in run(target, r"\sf upper")[1]
    assert 'more than one function named "round"' in run(target, r"\sf round")[1]
    assert '"round" is built in' in run(target, r"\sf round(numeric)")[1]
    assert 'function "nosuch" does not exist' in run(target, r"\sf nosuch")[1]
    assert shown(target, r"\dL") == ["List of languages", "name|owner|trusted|description"]
    assert shown(target, r"\dL+")[1].startswith("name|owner|trusted|internal language|call handler")


@check
def types(target):
    r"\dT, \dT+, \dD, \dC, \dO and \dc show types and casts"
    assert shown(target, r"\dT") == ["List of data types", "schema|name|description"]
    expect(target, r"\dTS int4", "List of data types", "schema|name|description", "pg_catalog|integer|")
    header = "schema|name|internal name|size|elements|owner|access privileges|description"
    assert shown(target, r"\dT+") == ["List of data types", header]
    expect(target, r"\dTS+ numeric", "List of data types", header,
           "pg_catalog|numeric|numeric|var||admin||")
    expect_some(target, r"\dTS trigger", "List of data types", "pg_catalog|trigger|")
    assert shown(target, r"\dD") == ["List of domains", "schema|name|type|collation|nullable|default|check"]
    header = "source type|target type|function|implicit?"
    expect_some(target, r"\dC", "List of casts", header, "integer|bigint||yes",
                "character varying|text|(binary coercible)|yes", "text|integer|(with inout)|no")
    expect_some(target, r"\dC+ int8", "List of casts", header + "|description", "integer|bigint||yes|")
    assert shown(target, r"\dO")[1].startswith("schema|name|collate|ctype")
    expect_some(target, r"\dOS", "List of collations", "pg_catalog|C|C|C|C|libc|yes")
    for command in (r"\dc", r"\dc+"):
        assert shown(target, command)[1].startswith("schema|name|source|destination|default?"), command


@check
def roles(target):
    r"\du \du+ \dg \drds show users, groups and their members"
    expected = ["List of roles", "Role name|Attributes|Member of"]
    for command in (r"\du", r"\dg"):
        found = shown(target, command)
        assert found[:2] == expected, found
        assert any(line.startswith("admin|Superuser, Create role, Create DB") for line in found), found
        assert "ann||{readers}" in found, found
        assert "readers|Cannot login|{}" in found, found
    found = shown(target, r"\du+ ann")
    assert found == ["List of roles", "Role name|Attributes|Member of|Description", "ann||{readers}|"], found
    assert run(target, r"\drds")[1] == "Did not find any settings."


@check
def rights(target):
    r"\dp, \z and \ddp show access privileges"
    for command in (r"\dp", r"\z"):
        found = shown(target, command)
        assert found == ["Access privileges", "schema|name|type|access privileges|column privileges",
                         "public|large_sales|view||",
                         "public|sales|table|admin=arwdRxtDAP/admin", "ann=ra/admin|",
                         "public|stores|table|admin=arwdRxtDAP/admin", "group readers=r/admin|"], found
    assert shown(target, r"\ddp") == ["Default access privileges", "owner|schema|type|access privileges"]


@check
def databases(target):
    r"\l \l+ \db \db+ show databases and tablespaces"
    header = "name|owner|encoding|collate|ctype|icu locale|locale provider|access privileges"
    expect(target, r"\l", "List of databases", header, "dev|admin|UTF8|C|C||libc|")
    found = shown(target, r"\l+")
    assert found[1] == header + "|size|tablespace|description"
    assert re.fullmatch(r"dev\|admin\|UTF8\|C\|C\|\|libc\|\|\d+ (bytes|kB)\|pg_default\|", found[2]), found
    expect(target, r"\db", "List of tablespaces", "name|owner|location", "pg_default|admin|",
           "pg_global|admin|")
    assert shown(target, r"\db+")[1].startswith("name|owner|location|access privileges|options|size")


@check
def absent_things(target):
    "commands about what does not exist here print empty lists, or that the server has none"
    for command in (r"\dx", r"\des", r"\deu", r"\dew", r"\dF", r"\dFd", r"\dFp", r"\dFt", r"\dl", r"\lo_list",
                    r"\dconfig nosuch", r"\dAc", r"\dAo", r"\dAp"):
        lines = shown(target, command)
        assert len(lines) == 2, (command, lines)
    assert run(target, r"\dx+")[1] == "Did not find any extensions."
    for command in (r"\dy", r"\dA", r"\dRp", r"\dRs", r"\dX", r"\dP"):
        output, errors = run(target, command)
        assert output == "" and "does not support" in errors, (command, output, errors)
    assert shown(target, r"\dd") == ["Object descriptions", "schema|name|object|description"]


@check
def session(target):
    r"\conninfo, \encoding, \password's statement and \dconfig work"
    assert f'as user "admin" on host "127.0.0.1" (address' in shown(target, r"\conninfo")[0] or \
        'as user "admin" on host "127.0.0.1"' in shown(target, r"\conninfo")[0]
    expect(target, r"\encoding", "UTF8")
    found = shown(target, r"\dconfig search_path")
    assert found == ["List of configuration parameters", "parameter|value", "search_path|$user, public"], found


@check
def copies_out(target):
    r"\copy (query) to a file of the client, and of a table, in text, CSV and binary; COPY TO STDOUT prints"
    with tempfile.TemporaryDirectory() as folder:
        def copied(command, options=""):
            path = os.path.join(folder, "out")
            output, errors = run(target, rf"\copy {command} to '{path}' {options}")
            assert errors == "" and output.startswith("COPY "), (output, errors)
            with open(path, "rb") as file:
                return output, file.read()
        query = "(select id, city || chr(9) || 'x', opened from stores order by id)"
        assert copied(query) == ("COPY 2", b"1\tRome\\tx\t2020-01-01\n2\tOslo\\tx\t\\N\n")
        assert copied(query, "with (format csv, header, force_quote (id))") == (
            "COPY 2", b'id,?column?,opened\n"1",Rome\tx,2020-01-01\n"2",Oslo\tx,\n')
        assert copied("sales (amount, note, store)", "csv null 'none'") == ("COPY 1", b"500.00,x,1\n")
        assert copied("sales (amount, store)", "(format binary)") == (
            "COPY 1", b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\2\0\0\0\x0a\0\1\0\0\0\0\0\2\1\xf4"
            b"\0\0\0\4\0\0\0\1\xff\xff")
        assert copied("(select 1 where false)", "(format binary)") == (
            "COPY 0", b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff")
    expect(target, "COPY stores (id, city) TO STDOUT", "1\tRome", "2\tOslo")
    output, errors = run(target, "COPY (SELECT i, 10 / (60000 - i) FROM generate_series(1, 70000) AS s(i) ORDER BY i) TO STDOUT",
                         "SELECT 'after'")
    assert "22012: division by zero" in errors and output.split("\n")[-2:] == ["?column?", "after"], errors
    assert run(target, r"\copy nosuch to '/dev/null'")[1].startswith('ERROR:  42P01: relation "nosuch"')


def typed(target, keys, until):
    """What psql shows on a terminal after these keys, up to the text; the last line is the newest."""
    arguments = ["psql", "-X", "-h", target.host, "-p", str(target.port), "-U", target.user, "-d", target.database]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("psql", arguments, {**environment(target), "TERM": "dumb"})
    output = b""

    def read_to(text):
        nonlocal output
        deadline = time.monotonic() + 30
        while text.encode() not in output:
            ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text!r} in {output!r}"
            output += os.read(terminal, 4096)

    try:
        read_to("dev=# ")
        output = b""
        os.write(terminal, keys.encode())
        read_to(until)
        return output.decode()
    finally:
        os.close(terminal)
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
        os.waitpid(pid, 0)


@check
def completion(target):
    "the Tab key completes tables, columns, schemas, users and settings"
    typed(target, "SELECT * FROM lar\t", "large_sales ")
    typed(target, "SELECT * FROM ops.j\t", "ops.jobs ")
    typed(target, "UPDATE stores SET ci\t", "city ")
    typed(target, "DROP TABLE sto\t", "stores ")
    typed(target, "GRANT SELECT ON sales TO an\t", "ann ")
    typed(target, "SET search\t", "search_path ")
    typed(target, "\\d large\t", "large_sales ")
    typed(target, "COMMENT ON SCHEMA op\t", "ops ")
    typed(target, "\\df split_p\t", "split_part ")


def fails(target, command, sqlstate, message, hint=None, caret=None):
    """One error: its SQLSTATE, message, hint, and the word that the caret points at."""
    output, errors = run(target, command)
    lines = errors.split("\n")
    assert lines[0] == f"ERROR:  {sqlstate}: {message}", errors
    assert errors.count("ERROR:") == 1, errors
    if hint is not None:
        assert any(line.startswith("HINT:  ") and hint in line for line in lines), errors
    if caret is not None:
        at = next(i for i, line in enumerate(lines) if line.strip() == "^")
        place = lines[at].index("^")
        assert lines[at - 1][place:].startswith(caret), errors


@check
def mistakes(target):
    "each mistake of a new user gives one error with SQLSTATE, place and remedy"
    fails(target, "SELECT amout FROM sales", "42703", 'column "amout" does not exist', '"amount"', "amout")
    fails(target, "SELCT 1", "42601", 'syntax error at or near "SELCT"', "SELECT", "SELCT")
    fails(target, "SELECT * FORM sales", "42601", 'syntax error at or near "FORM"', "FROM", "FORM")
    fails(target, "SELECT * FROM sale", "42P01", 'relation "sale" does not exist', '"sales"', "sale")
    fails(target, "INSERT INTO sales VALUES ('x', NULL, 1, NULL)", "22P02",
          'invalid input syntax for integer: "x"', "whole number", "'x'")
    fails(target, "SELECT * FROM sales WHERE day > 'never'", "22007",
          'invalid input syntax for type date: "never"', "YYYY-MM-DD", "'never'")
    fails(target, "SELECT 1 / 0", "22012", "division by zero", "NULLIF")
    fails(target, "COPY sales FROM '/nosuch/file.csv' CSV", "58P01",
          'could not read file "/nosuch/file.csv": No such file or directory', "server")
    fails(target, "SELECT 'abc", "42601", "unterminated quoted string", "written twice", "'abc")
    fails(target, "DROP TABLE sales", "2BP01",
          "cannot drop table sales because other objects depend on it", "CASCADE")
    fails(target, "INSERT INTO ops.jobs VALUES ('much too long a name')", "22001",
          "value too long for type character varying(10)", "longer type", "'much")
    fails(target, "SELECT lenght(city) FROM stores", "42883",
          "function lenght(character varying) does not exist", '"length"', "lenght")
    fails(target, "CREATE TABLE t (a integr)", "42704", 'type "integr" does not exist', '"integer"', "integr")
    fails(target, "CREATE TABLE stores (a INT)", "42P07", 'relation "stores" already exists', "IF NOT EXISTS")
    fails(target, "DROP TABLE nosuch", "42P01", 'table "nosuch" does not exist', "IF EXISTS")
    fails(target, "ALTER TABLE stores DROP COLUMN citi", "42703",
          'column "citi" of relation "stores" does not exist', '"city"')
    fails(target, "SELECT * FROM stores s WHERE stores.id = 1", "42P01",
          'missing FROM-clause entry for table "stores"', '"s"', "stores.id")
    fails(target, "BEGIN READ ONLY; DELETE FROM sales", "25006",
          "cannot execute DELETE in a read-only transaction", "READ WRITE")


@check
def wrong_password(target):
    "a wrong password and an unknown database are told apart, with no stack of errors"
    errors = run(target, "SELECT 1", password="wrong")[1]
    assert errors.count("FATAL:") == 1 and 'password authentication failed for user "admin"' in errors, errors
    try:
        psycopg.connect(**target.keywords(dbname="nosuch")).close()
        raise AssertionError("an unknown database was opened")
    except psycopg.OperationalError as error:
        assert 'database "nosuch" does not exist' in str(error), error


if __name__ == "__main__":
    run_checks()
