"""Damage below the server: a full disk, a file size limit, flipped, cut and missing objects."""
import glob
import os
import random
import resource
import subprocess

import psycopg

from blueshift_server import BlueshiftServer
from mistakes import refused

MIB = 1 << 20


class SmallDisk:
    """A tmpfs of a few MiB; `supported` is False where this process may not mount one."""

    def __init__(self, folder, mebibytes):
        self.path = os.path.join(folder, "disk")
        os.makedirs(self.path)
        ended = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "blueshift-test", self.path],
                               capture_output=True, text=True)
        self.supported = ended.returncode == 0
        self.reason = ended.stderr.strip()

    def fill(self, name):
        """Writes a file until nothing more fits; not a page is left."""
        descriptor = os.open(os.path.join(self.path, name), os.O_CREAT | os.O_WRONLY)
        try:
            size = MIB
            while size >= 1:
                try:
                    if os.write(descriptor, b"x" * size) < size:
                        size //= 2
                except OSError:
                    size //= 2
        finally:
            os.close(descriptor)

    def remove(self, name):
        os.unlink(os.path.join(self.path, name))

    def close(self):
        if self.supported:
            subprocess.run(["umount", self.path], check=True)


class Batches:
    """Batches that were acknowledged; their rows do not compress."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kept = {}   # batch -> (rows, sum of values)
        self.next = 0

    def make(self, rows):
        self.next += 1
        return self.next, [(self.next, self.random.randrange(1 << 60), self.random.randbytes(60).hex())
                           for _ in range(rows)]

    def keep(self, batch, rows):
        self.kept[batch] = (len(rows), sum(value for _, value, _ in rows))

    def copy(self, connection, count):
        batch, rows = self.make(count)
        with connection.cursor().copy("COPY filler FROM STDIN CSV") as copy:
            copy.write("".join("{},{},{}\n".format(*row) for row in rows))
        self.keep(batch, rows)

    def insert(self, connection, count=1):
        batch, rows = self.make(count)
        connection.execute("INSERT INTO filler VALUES " + ", ".join("({}, {}, '{}')".format(*row) for row in rows))
        self.keep(batch, rows)

    def compare(self, connection):
        found = {batch: (rows, int(total)) for batch, rows, total in connection.execute(
            "SELECT batch, count(*), sum(value::DECIMAL(38,0)) FROM filler GROUP BY batch").fetchall()}
        assert found == self.kept, f"rows of {len(found)} batches, acknowledged {len(self.kept)}"


def until_full(action, most):
    """Repeats until 53100, which must say what to do. Returns how often it succeeded."""
    for count in range(most):
        try:
            action()
        except psycopg.Error as error:
            assert error.sqlstate == "53100", f"{error.sqlstate} {error}"
            assert error.diag.message_hint, f"no remedy: {error}"
            return count
    raise AssertionError(f"{most} times, and the disk is not full")


def full_disk(folder):
    "a full disk: 53100 with the remedy, nothing acknowledged lost, and writing goes on once there is space"
    disk = SmallDisk(folder, 48)
    if not disk.supported:
        print(f"note: a tmpfs cannot be mounted here ({disk.reason}): only the file size limit is tested", flush=True)
        return
    server = BlueshiftServer(place=os.path.join(disk.path, "place"), memory="512MiB")
    try:
        with open(os.path.join(disk.path, "ballast"), "wb") as ballast:
            ballast.write(b"x" * (12 * MIB))
        batches = Batches(7)
        server.start()
        connection = server.connect()
        connection.execute("CREATE TABLE filler (batch INTEGER, value BIGINT, noise VARCHAR(120))")
        connection.execute("CREATE TABLE spare AS SELECT 1 AS one")
        assert until_full(lambda: batches.copy(connection, 20000), 1000) >= 2
        until_full(lambda: batches.insert(connection), 100_000)
        disk.fill("last pages")
        for statement in ("INSERT INTO filler VALUES (0, 1, 'x')", "UPDATE filler SET value = 1",
                          "DELETE FROM filler WHERE batch = 1", "CREATE TABLE another (a INTEGER)",
                          "INSERT INTO filler SELECT * FROM filler"):
            refused("53100", lambda sql=statement: connection.execute(sql))
        batches.compare(connection)
        # Dropping makes room, so it works on a full disk.
        connection.execute("DROP TABLE spare")
        disk.fill("more pages")
        for end in (server.kill, server.stop):
            connection.close()
            end()
            server.start()
            connection = server.connect()
            batches.compare(connection)
            refused("53100", lambda: batches.insert(connection))
        disk.remove("ballast")
        for _ in range(2):
            batches.insert(connection, 50)
            batches.copy(connection, 5000)
            connection.execute("UPDATE filler SET noise = 'changed' WHERE batch = 1")
            batches.compare(connection)
            connection.close()
            server.kill()
            server.start()
            connection = server.connect()
            batches.compare(connection)
        connection.close()
        assert server.stop() == 0
    finally:
        server.close()
        disk.close()


def file_size_limit(folder):
    "a limit on file sizes is 53100 with the remedy, like a full disk, and no signal ends the server"
    server = BlueshiftServer(place=os.path.join(folder, "limited"), memory="512MiB",
                             before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB)))
    try:
        server.start()
        batches = Batches(8)
        connection = server.connect()
        connection.execute("CREATE TABLE filler (batch INTEGER, value BIGINT, noise VARCHAR(120))")
        batches.copy(connection, 100)
        batches.insert(connection)
        batch, rows = batches.make(100_000)

        def large():
            with connection.cursor().copy("COPY filler FROM STDIN CSV") as copy:
                copy.write("".join("{},{},{}\n".format(*row) for row in rows))

        refused("53100", large)
        batches.compare(connection)
        batches.copy(connection, 100)
        connection.close()
        server.kill()
        server.start()
        with server.connect() as again:
            batches.compare(again)
            batches.insert(again)
            batches.compare(again)
    finally:
        server.close()


def flip(path, offset):
    """Inverts one byte; called twice it is as before."""
    with open(path, "r+b") as file:
        file.seek(offset, os.SEEK_END if offset < 0 else os.SEEK_SET)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x20]))


def damaged_objects(folder):
    "a damaged segment is XX001 that names object and block; other tables and columns are read as before"
    server = BlueshiftServer(place=os.path.join(folder, "damaged"), memory="512MiB")
    try:
        server.start()
        with server.connect() as connection:
            connection.execute("CREATE TABLE hurt (a BIGINT, b BIGINT, c VARCHAR(40))")
            connection.execute("CREATE TABLE whole (a BIGINT, b BIGINT, c VARCHAR(40))")
            for table in ("hurt", "whole"):
                with connection.cursor().copy(f"COPY {table} FROM STDIN CSV") as copy:
                    source = random.Random(3)
                    copy.write("".join(f"{source.randrange(1 << 50)},{i},city {i % 1000}\n" for i in range(100_000)))
            oid = connection.execute("SELECT oid FROM pg_class WHERE relname = 'hurt'").fetchone()[0]
            sums = "SELECT count(*), sum(a % 1000003), sum(b), min(c) FROM {}"
            before = {table: connection.execute(sums.format(table)).fetchone() for table in ("hurt", "whole")}
        assert server.stop() == 0
        objects = [path for path in glob.glob(os.path.join(server.place, "data", str(oid), "*", "*"))]
        assert objects, "the rows are in no object"
        segment = objects[0]
        key = os.path.relpath(segment, server.place)

        def hurt(query, *named):
            server.start()
            with server.connect() as connection:
                refused("XX001", lambda: connection.execute(query).fetchall(), key, *named)
                # Asked again it is the same, and the server goes on.
                refused("XX001", lambda: connection.execute(query).fetchall(), key, *named)
                assert connection.execute(sums.format("whole")).fetchone() == before["whole"]
                connection.execute("INSERT INTO hurt VALUES (1, 1, 'x')")
                connection.execute("DELETE FROM whole WHERE false")
                if named:
                    found = connection.execute("SELECT sum(b) FROM hurt WHERE c <> 'x'").fetchone()
                    assert found == (before["hurt"][2],), found
            server.kill()

        # The first block of the first column begins behind the mark: header of 24 bytes, then values.
        for offset in (8 + 2, 8 + 24 + 1000):
            flip(segment, offset)
            hurt("SELECT sum(a) FROM hurt", "block 0", "column")
            flip(segment, offset)
        for offset in (-1, -20, -40):
            flip(segment, offset)
            hurt("SELECT sum(b) FROM hurt")
            flip(segment, offset)
        whole = open(segment, "rb").read()
        with open(segment, "r+b") as file:
            file.truncate(len(whole) // 2)
        hurt("SELECT sum(b) FROM hurt")
        with open(segment, "wb") as file:
            file.write(whole)
        server.start()
        with server.connect() as connection:
            found = connection.execute(sums.format("hurt WHERE c <> 'x'")).fetchone()
            assert found == before["hurt"], found
        server.kill()
    finally:
        server.close()


def damaged_log(folder):
    "a damaged log record keeps the server from starting: XX001 and its name; mended, all is there"
    server = BlueshiftServer(place=os.path.join(folder, "log-damage"), memory="512MiB")
    try:
        server.start()
        with server.connect() as connection:
            connection.execute("CREATE TABLE kept (a INTEGER)")
            for i in range(5):
                connection.execute(f"INSERT INTO kept VALUES ({i})")
        server.kill()
        record = sorted(glob.glob(os.path.join(server.place, "log", "*")))[-2]
        flip(record, 140)
        ended = subprocess.run(server.command(0), capture_output=True, text=True, timeout=60)
        assert ended.returncode == 1, ended
        for text in ("XX001", os.path.join("log", os.path.basename(record))):
            assert text in ended.stderr, ended.stderr
        flip(record, 140)
        server.start()
        with server.connect() as connection:
            assert connection.execute("SELECT count(*), sum(a) FROM kept").fetchone() == (5, 10)
    finally:
        server.close()
