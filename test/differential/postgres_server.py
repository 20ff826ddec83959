"""A private PostgreSQL 15 for tests: own directory, free loopback port, gone at the end."""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

import psycopg

BINARIES = "/usr/lib/postgresql/15/bin"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresServer:
    """with PostgresServer() as server: psycopg.connect(server.conninfo()). With a port: that server."""

    def __init__(self, port=None):
        self.port = port
        self.folder = None

    def __enter__(self):
        if self.port is None:
            self.start()
        with self.connect("postgres", "postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'admin'").fetchone():
                connection.execute("CREATE ROLE admin SUPERUSER LOGIN")
        return self

    def start(self):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="blueshift-postgres-")
        data = os.path.join(self.folder, "data")
        # PostgreSQL refuses to run as root.
        self.identity = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.run("initdb", "-D", data, "-U", "postgres", "--locale=C", "-E", "UTF8", "--auth=trust")
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off -c max_connections=60"
        self.run("pg_ctl", "-D", data, "-o", options, "-l", os.path.join(self.folder, "log"), "-w", "start")

    def run(self, program, *arguments):
        subprocess.run([os.path.join(BINARIES, program), *arguments], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.identity)

    def __exit__(self, *unused):
        if self.folder is not None:
            self.run("pg_ctl", "-D", os.path.join(self.folder, "data"), "-m", "immediate", "-w", "stop")
            shutil.rmtree(self.folder, ignore_errors=True)

    def conninfo(self, user="admin", dbname="postgres"):
        return f"host=127.0.0.1 port={self.port} user={user} dbname={dbname}"

    def connect(self, user="admin", dbname="postgres"):
        return psycopg.connect(self.conninfo(user, dbname), autocommit=True)

    def fresh_database(self, name):
        """Drops and makes the database, and drops all roles that tests made."""
        with self.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            for (role,) in connection.execute(
                    "SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg_%' AND rolname NOT IN "
                    "('postgres', 'admin')").fetchall():
                connection.execute(f'DROP ROLE "{role}"')
            connection.execute(f"CREATE DATABASE {name} OWNER admin")
