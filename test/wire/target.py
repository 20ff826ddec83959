"""The server that a wire test talks to: PORT [USER [PASSWORD [DATABASE]]] on the command line.

Each script runs its checks in order, prints one line a check, and exits 1 when any of them failed.
"""
import os
import sys
import traceback


class Target:
    def __init__(self, arguments):
        if len(arguments) < 2:
            sys.exit(f"usage: {os.path.basename(arguments[0])} PORT [USER [PASSWORD [DATABASE]]]")
        self.host = "127.0.0.1"
        self.port = int(arguments[1])
        self.user = arguments[2] if len(arguments) > 2 else "admin"
        self.password = arguments[3] if len(arguments) > 3 else os.environ.get("BLUESHIFT_PASSWORD", "")
        self.database = arguments[4] if len(arguments) > 4 else "dev"

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


def run_checks():
    target = Target(sys.argv)
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
