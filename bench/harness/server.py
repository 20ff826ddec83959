"""A private blueshift server, and what the kernel knows about a process."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "bench"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ProcessMeter:
    """CPU seconds, peak resident bytes and bytes read from disk of a process, since reset()."""

    def __init__(self, process_id):
        self.folder = pathlib.Path("/proc") / str(process_id)
        self.reset()

    def reset(self):
        try:
            (self.folder / "clear_refs").write_text("5")  # sets VmHWM back to the current size
        except OSError:
            pass
        self.cpu_start = self.cpu_total()
        self.read_start = self.read_total()

    def cpu_total(self):
        fields = (self.folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def read_total(self):
        for line in (self.folder / "io").read_text().splitlines():
            if line.startswith("read_bytes:"):
                return int(line.split()[1])
        return 0

    def cpu_seconds(self):
        return self.cpu_total() - self.cpu_start

    def bytes_read(self):
        return self.read_total() - self.read_start

    def peak_bytes(self):
        for line in (self.folder / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no VmHWM in {self.folder}/status")


class BlueshiftServer:
    """with BlueshiftServer(...) as server: server.connect(). The place goes away at the end, unless given."""

    def __init__(self, binary, name, port=0, threads=2, memory=None, place=None, nodes=1):
        self.binary = str(pathlib.Path(binary).resolve())
        self.port = port or free_port()
        self.kept = place is not None
        self.place = pathlib.Path(place).resolve() if place else WORK / f"place-{name}-{os.getpid()}"
        self.log = WORK / f"server-{name}.log"
        self.options = ["--threads", str(threads), "--nodes", str(nodes)]
        if memory:
            self.options += ["--memory", memory]
        self.process = None

    def __enter__(self):
        self.place.mkdir(parents=True, exist_ok=self.kept)
        WORK.mkdir(parents=True, exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def remove(self):
        if not self.kept:
            shutil.rmtree(self.place, ignore_errors=True)

    def __exit__(self, *unused):
        try:
            self.stop()
        finally:
            self.remove()

    def start(self):
        """Starts the process and returns the seconds until the first query was answered."""
        begin = time.perf_counter()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data", str(self.place), "--port", str(self.port), "--trust",
                 *self.options], stdout=log, stderr=log, cwd=self.place)
        try:
            first_answer(self.conninfo(), "SELECT 1", self.process, begin + 60)
        except BaseException:
            self.stop()
            raise
        return time.perf_counter() - begin

    def stop(self):
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def conninfo(self):
        return f"host=127.0.0.1 port={self.port} user=admin dbname=dev"

    def connect(self):
        return psycopg.connect(self.conninfo(), autocommit=True)

    def meter(self):
        return ProcessMeter(self.process.pid)


def first_answer(conninfo, query, process, deadline):
    """Connects again and again until the query is answered; OSError-like failures mean not yet."""
    while True:
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                return connection.execute(query).fetchall()
        except psycopg.OperationalError as error:
            if process is not None and process.poll() is not None:
                raise RuntimeError(f"server ended with exit code {process.returncode}") from error
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.002)
