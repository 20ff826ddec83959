"""The server that a wire test talks to: one of its own, with a password, on a private directory and
a free port; or PORT [USER [PASSWORD [DATABASE]]] on the command line.

Each script runs its checks in order, prints one line a check, and exits 1 when any of them failed.
"""
import os
import secrets
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402


class Target:
    def __init__(self, port, user="admin", password="", database="dev", process=None):
        self.host = "127.0.0.1"
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.process = process   # the server's id when it is one of this test

    def keywords(self, **changes):
        keywords = dict(host=self.host, port=self.port, user=self.user, password=self.password,
                        dbname=self.database, connect_timeout=20)
        keywords.update(changes)
        return keywords


CHECKS = []


def check(function):
    """Marks a function as one check; its docstring says what it proves."""
    CHECKS.append(function)
    return function


def run_on(target):
    """The number of checks that failed."""
    failed = 0
    for function in CHECKS:
        try:
            function(target)
            print(f"ok    {function.__doc__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {function.__doc__}", flush=True)
            traceback.print_exc()
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed")
    return failed


def run_checks():
    if len(sys.argv) > 1:
        arguments = sys.argv[2:]
        if len(arguments) < 2:
            arguments = (arguments or ["admin"]) + [os.environ.get("BLUESHIFT_PASSWORD", "")]
        failed = run_on(Target(int(sys.argv[1]), *arguments))
    else:
        password = "P" + secrets.token_hex(8) + "1"
        with BlueshiftServer(password=password) as server:
            failed = run_on(Target(server.port, password=password, process=server.process.pid))
            if server.process.poll() is not None:
                sys.exit(f"the server ended with exit code {server.process.returncode}")
    sys.exit(1 if failed else 0)


def expect_error(sqlstate, action):
    """Runs the action and returns its error, which must have the SQLSTATE."""
    try:
        action()
    except Exception as error:
        found = getattr(error, "sqlstate", None)
        assert found == sqlstate, f"expected SQLSTATE {sqlstate}, got {found}: {error}"
        return error
    raise AssertionError(f"expected SQLSTATE {sqlstate}, but nothing failed")
