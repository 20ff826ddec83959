"""Every mistake a user, a client or a disk can make: one clear error, nothing lost, the server goes on.

    bad_input_test.py

The mistakes are in copy_mistakes.py, statement_mistakes.py and storage_mistakes.py. The full disk is a
small tmpfs of its own, which needs the right to mount: root's, or that of a user namespace, in which
the test then runs itself. Without either it says so, and tests a limit on file sizes instead.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402
import copy_mistakes  # noqa: E402,F401
import mistakes  # noqa: E402
import statement_mistakes  # noqa: E402
import storage_mistakes  # noqa: E402

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


def enter_namespace():
    """A user who is not root may mount in a user namespace, where the system allows one."""
    if os.geteuid() == 0 or shutil.which("unshare") is None:
        return
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0:
        os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, os.path.abspath(__file__)])


def main():
    enter_namespace()
    failed = count = 0
    with tempfile.TemporaryDirectory(prefix="blueshift-mistakes-") as folder:
        with BlueshiftServer() as server:
            failed += mistakes.run_all(mistakes.Scene(server, folder))
            count += len(mistakes.MISTAKES)
        with BlueshiftServer(password="Right-secret-1") as server:
            alone = [(statement_mistakes.wrong_password, server)]
            alone += [(check, folder) for check in (storage_mistakes.full_disk, storage_mistakes.file_size_limit,
                                                    storage_mistakes.damaged_objects, storage_mistakes.damaged_log)]
            for check, argument in alone:
                count += 1
                try:
                    check(argument)
                    print(f"ok    {check.__doc__}", flush=True)
                except Exception:
                    failed += 1
                    print(f"FAIL  {check.__doc__}", flush=True)
                    traceback.print_exc()
    print(f"{count - failed} of {count} kinds of mistakes passed")
    sys.exit(1 if failed else 0)


main()
