"""Runs a wire test against a server of its own: with_server.py SCRIPT [--trust]"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))
from blueshift_server import BlueshiftServer  # noqa: E402

PASSWORD = None if "--trust" in sys.argv[2:] else "Wire-secret-1"

with BlueshiftServer(password=PASSWORD) as server:
    arguments = [sys.executable, os.path.join(HERE, sys.argv[1]), str(server.port), "admin"]
    code = subprocess.run(arguments + ([PASSWORD] if PASSWORD else [])).returncode
    if server.process.poll() is not None:
        sys.exit(f"the server ended with exit code {server.process.returncode}")
sys.exit(code)
