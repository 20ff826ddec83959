"""What every deliberate mistake must leave behind: one clear error, all earlier rows, a living server.

A mistake is a function marked with @mistake; its docstring says what it proves. It gets the Scene:
a running server, a connection to it and a private folder for files. After each one `Scene.unharmed`
asks the server for the rows that were acknowledged before, on the old connection and on a new one.
"""
import os
import traceback

import psycopg

EARLIER_ROWS = 5000
EARLIER = "SELECT count(*), sum(id), sum(length(note)), min(day), max(day) FROM earlier"

MISTAKES = []


def mistake(function):
    MISTAKES.append(function)
    return function


class Scene:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.connection = server.connect()
        self.connection.execute("CREATE TABLE earlier (id INTEGER NOT NULL, note VARCHAR(40), day DATE)")
        with self.connection.cursor().copy("COPY earlier FROM STDIN CSV") as copy:
            copy.write("".join(f"{i},note {i % 97},2024-01-{i % 28 + 1:02}\n" for i in range(EARLIER_ROWS)))
        self.connection.execute("INSERT INTO earlier VALUES (-1, 'by INSERT', '2023-12-31')")
        self.before = self.connection.execute(EARLIER).fetchone()
        assert self.before[0] == EARLIER_ROWS + 1, self.before

    def execute(self, sql):
        return self.connection.execute(sql)

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def write(self, name, content):
        """A file for COPY; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def copy_in(self, sql, content):
        with self.connection.cursor().copy(sql) as copy:
            copy.write(content)

    def unharmed(self):
        """The earlier rows are there and statements work, for the connection at hand and a new one."""
        with self.server.connect() as another:
            for connection in (self.connection, another):
                found = connection.execute(EARLIER).fetchone()
                assert found == self.before, f"earlier rows: {found}, expected {self.before}"
                connection.execute("INSERT INTO earlier VALUES (0, 'x', NULL)")
                connection.execute("DELETE FROM earlier WHERE id = 0 AND day IS NULL")
        assert self.connection.execute(EARLIER).fetchone() == self.before

    def reconnect(self):
        self.connection.close()
        self.connection = self.server.connect()


def parts_of(error):
    """Message, detail and hint of an error of the server."""
    diagnostics = error.diag
    return (diagnostics.message_primary or "", diagnostics.message_detail or "", diagnostics.message_hint or "")


def refused(sqlstate, action, *named, hint=True):
    """The action fails with this SQLSTATE, names each text in message or detail, and gives a remedy."""
    try:
        action()
    except psycopg.Error as error:
        assert error.sqlstate == sqlstate, f"expected {sqlstate}, got {error.sqlstate}: {error}"
        message, detail, remedy = parts_of(error)
        for text in named:
            assert text in message + "\n" + detail, f"the error does not name {text!r}: {message}\n{detail}"
        assert not hint or remedy, f"no remedy: {message}"
        return error
    raise AssertionError(f"expected {sqlstate}, but nothing failed")


def run_all(scene):
    """Makes every mistake; returns how many left something wrong."""
    failed = 0
    for function in MISTAKES:
        try:
            function(scene)
            scene.unharmed()
            print(f"ok    {function.__doc__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {function.__doc__}", flush=True)
            traceback.print_exc()
            scene.reconnect()
    return failed
