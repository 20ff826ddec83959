"""`blueshift serve` on a private directory and a free port, for tests that talk to a server."""
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY = " serves "


def find_binary():
    for name in (os.environ.get("BLUESHIFT"), f"{ROOT}/build/release/src/blueshift", f"{ROOT}/build/release/blueshift"):
        if name and os.path.exists(name):
            return name
    raise SystemExit("no blueshift binary: run make build, or set BLUESHIFT")


class BlueshiftServer:
    """start() returns when clients may connect; kill() is SIGKILL; the place stays until close().

    With a password clients must give it, without one everybody on this machine is trusted.
    """

    def __init__(self, place=None, memory="1GiB", threads=2, nodes=1, password=None, before=None, options=()):
        self.binary = find_binary()
        self.folder = None
        if place is None:
            self.folder = tempfile.mkdtemp(prefix="blueshift-test-")
            place = os.path.join(self.folder, "place")
        self.place = place
        self.password = password
        self.before = before   # runs in the process before the server, to set limits
        self.arguments = ["--memory", memory, "--threads", str(threads), "--nodes", str(nodes), *options]
        self.process = None
        self.port = None
        self.start_seconds = 0.0

    def start(self, patience=60):
        begin = time.monotonic()
        environment = dict(os.environ)
        if self.password is not None:
            environment["BLUESHIFT_PASSWORD"] = self.password
        self.process = subprocess.Popen(
            self.command(0), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tempfile.gettempdir(),
            env=environment, preexec_fn=self.before)
        output = b""
        while READY.encode() not in output:
            left = patience - (time.monotonic() - begin)
            ready, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                raise RuntimeError(f"the server did not start: {output.decode(errors='replace')}")
            output += piece
        line = next(line for line in output.decode().split("\n") if READY in line)
        self.port = int(line.rsplit(":", 1)[1])
        self.start_seconds = time.monotonic() - begin
        return self

    def command(self, port):
        trust = ["--trust"] if self.password is None else []
        return [self.binary, "serve", "--data", self.place, "--port", str(port), *trust, *self.arguments]

    def connect(self, **keywords):
        chosen = dict(host="127.0.0.1", port=self.port, user="admin", dbname="dev", autocommit=True,
                      connect_timeout=20)
        if self.password is not None:
            chosen["password"] = self.password
        return psycopg.connect(**{**chosen, **keywords})

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
        self.process = None
        return code

    def close(self):
        self.kill()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.close()
