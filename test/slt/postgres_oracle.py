"""Checks the expectations of .slt files against PostgreSQL 15, or fills them in.

    postgres_oracle.py [--rewrite] [--port N] FILE-OR-FOLDER...

Without --port a private server is started on a free loopback port. Records that say
`skipif postgres REASON` are where Redshift and PostgreSQL differ. With --rewrite, rows and SQLSTATEs
are replaced by PostgreSQL's, and column letters where the file has `_`.
"""
import os
import sys

import psycopg
from psycopg import pq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from differential.postgres_server import PostgresServer  # noqa: E402

LETTERS = {16: "B", 20: "I", 21: "I", 23: "I", 26: "I", 700: "R", 701: "R", 1700: "D", 1082: "M", 1083: "M",
           1114: "M", 1184: "M", 1186: "M", 1266: "M"}
SETUP = ["SET TimeZone TO 'UTC'", "SET DateStyle TO 'ISO, MDY'",
         "SET IntervalStyle TO postgres", "SET lock_timeout TO '60s'", "SET client_min_messages TO error"]


class Record:
    def __init__(self):
        self.kind = ""
        self.line = 0
        self.connection = "main"
        self.user = "admin"
        self.skipped = False
        self.sql = ""
        self.outcome = ""
        self.rest = ""
        self.order = ""
        self.rows = []
        self.rows_begin = self.rows_end = 0
        self.in_loop = False

    def copy(self, name, value):
        made = Record()
        made.__dict__.update(self.__dict__)
        variable = "${" + name + "}"
        for field in ("sql", "connection", "rest"):
            setattr(made, field, getattr(self, field).replace(variable, str(value)))
        made.rows = [row.replace(variable, str(value)) for row in self.rows]
        made.in_loop = True
        return made


def read_script(path):
    lines = open(path).read().split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    records, loops, record, at = [], [], Record(), 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line or line[0] == "#":
            continue
        words = line.split()
        word = words[0]
        if word == "connection":
            record.connection = words[1]
            if len(words) > 2:
                record.user = words[2]
        elif word == "skipif":
            record.skipped |= words[1] == "postgres"
        elif word == "halt":
            break
        elif word == "option":
            pass
        elif word == "loop":
            loops.append((words[1], int(words[2]), int(words[3]), len(records)))
        elif word == "endloop":
            name, first, last, begin = loops.pop()
            body = records[begin:]
            del records[begin:]
            for value in range(first, last):
                records.extend(item.copy(name, value) for item in body)
        elif word in ("statement", "join"):
            record.kind, record.line, record.outcome = word, at, words[1]
            record.rest = " ".join(words[2:])
            if word == "statement":
                while at < len(lines) and lines[at]:
                    if lines[at][0] != "#":
                        record.sql += lines[at] + "\n"
                    at += 1
            records.append(record)
            record = Record()
        elif word == "query":
            record.kind, record.line, record.outcome = word, at, "rows"
            record.rest = words[1]
            record.order = words[2] if len(words) > 2 else ""
            while lines[at] != "----":
                if lines[at][0] != "#":
                    record.sql += lines[at] + "\n"
                at += 1
            at += 1
            record.rows_begin = at
            while at < len(lines) and lines[at]:
                record.rows.append(lines[at])
                at += 1
            record.rows_end = at
            records.append(record)
            record = Record()
        else:
            sys.exit(f"{path}:{at}: unknown directive {word}")
    return lines, records


def in_postgres(sql):
    """Blocks read one snapshot; a statement on its own that waited reads a new one."""
    words = sql.upper().split()
    if words[:1] in (["BEGIN"], ["START"]) and "ISOLATION" not in words:
        return sql + " ISOLATION LEVEL REPEATABLE READ"
    return sql


def shown(value):
    if value is None:
        return "NULL"
    text = value.decode()
    if text == "":
        return "(empty)"
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


class Answer:
    def __init__(self, result, order):
        self.status = result.status
        self.sqlstate = self.message = self.tag = self.letters = ""
        self.rows = []
        if result.status == pq.ExecStatus.FATAL_ERROR:
            self.sqlstate = result.error_field(pq.DiagnosticField.SQLSTATE).decode()
            self.message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY).decode()
            return
        self.tag = (result.command_status or b"").decode()
        if result.status != pq.ExecStatus.TUPLES_OK:
            return
        self.letters = "".join(LETTERS.get(result.ftype(c), "T") for c in range(result.nfields))
        rows = [[shown(result.get_value(r, c)) for c in range(result.nfields)] for r in range(result.ntuples)]
        self.rows = [v for row in rows for v in row] if order == "valuesort" else ["\t".join(r) for r in rows]
        if order:
            self.rows.sort(key=lambda text: text.encode())


class FileCheck:
    def __init__(self, server, path, rewrite):
        self.server, self.path, self.rewrite = server, path, rewrite
        self.failures = []
        self.sessions = {}

    def session(self, record):
        if record.connection not in self.sessions:
            made = pq.PGconn.connect(self.server.conninfo(user=record.user, dbname="slt").encode())
            if made.status != pq.ConnStatus.OK:
                raise RuntimeError(made.error_message.decode())
            for text in SETUP:
                made.exec_(text.encode())
            self.sessions[record.connection] = made
        return self.sessions[record.connection]

    def answer(self, record):
        session = self.session(record)
        if record.kind == "join":
            result, following = session.get_result(), True
            while following:
                following = session.get_result()
        elif record.outcome == "start":
            session.send_query(in_postgres(record.sql).encode())
            return None
        else:
            result = session.exec_(in_postgres(record.sql).encode())
        return Answer(result, record.order)

    def run(self):
        lines, records = read_script(self.path)
        self.server.fresh_database("slt")
        changes = []
        for record in records:
            if record.skipped:
                continue
            answer = self.answer(record)
            if answer is not None:
                self.check(record, answer)
                changes.append((record, answer))
        for session in self.sessions.values():
            session.finish()
        if self.rewrite:
            self.write(lines, changes)

    def check(self, record, answer):
        def fail(text):
            self.failures.append(f"  {self.path}:{record.line}: {text}")
        if record.outcome == "error":
            expected = record.rest.split()[0]
            if not self.rewrite and answer.sqlstate != expected:
                fail(f"expected {expected}, PostgreSQL: {answer.sqlstate or 'no error'} {answer.message}")
            elif self.rewrite and not answer.sqlstate:
                fail("expected an error, PostgreSQL has none")
        elif answer.sqlstate:
            fail(f"PostgreSQL: {answer.sqlstate} {answer.message}")
        elif record.kind == "query":
            if not self.rewrite and answer.rows != record.rows:
                fail("\n    expected\n      " + "\n      ".join(record.rows[:10]) +
                     "\n    PostgreSQL\n      " + "\n      ".join(answer.rows[:10]))
        elif record.rest and record.rest != answer.tag:
            fail(f"expected tag {record.rest}, PostgreSQL: {answer.tag}")

    def write(self, lines, changes):
        for record, answer in reversed(changes):
            if record.in_loop:
                continue
            words = lines[record.line - 1].split(" ")
            if record.outcome == "error" and answer.sqlstate:
                words[2] = answer.sqlstate
            if record.kind == "query" and answer.letters:
                if words[1] == "_":
                    words[1] = answer.letters
                lines[record.rows_begin:record.rows_end] = answer.rows
            lines[record.line - 1] = " ".join(words)
        with open(self.path, "w") as file:
            file.write("\n".join(lines) + "\n")


def main():
    arguments = sys.argv[1:]
    rewrite = "--rewrite" in arguments
    port = None
    if "--port" in arguments:
        at = arguments.index("--port")
        port = int(arguments[at + 1])
        del arguments[at:at + 2]
    files = []
    for name in arguments:
        if name.startswith("--"):
            continue
        if os.path.isdir(name):
            for folder, _, names in os.walk(name):
                files.extend(os.path.join(folder, n) for n in names if n.endswith(".slt"))
        else:
            files.append(name)
    if not files:
        sys.exit(__doc__)
    failed = 0
    with PostgresServer(port) as server:
        for path in sorted(files):
            check = FileCheck(server, path, rewrite)
            try:
                check.run()
            except Exception as error:
                check.failures.append(f"  {path}: {type(error).__name__}: {error}")
            for session in check.sessions.values():
                if session.status == pq.ConnStatus.OK:
                    session.finish()
            print("FAIL" if check.failures else "ok  ", path)
            for failure in check.failures:
                print(failure)
            failed += bool(check.failures)
    print(f"{len(files)} files, {failed} disagree with PostgreSQL")
    sys.exit(1 if failed else 0)


main()
