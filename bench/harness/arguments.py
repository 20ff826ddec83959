"""The options every benchmark has."""
import argparse

from harness.server import ROOT


def parser(description, rounds):
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--sf", type=float, default=1.0, help="scale factor (1)")
    result.add_argument("--rounds", type=int, default=rounds, help=f"rounds ({rounds})")
    result.add_argument("--port", type=int, default=0, help="port of the server (0: any free port)")
    result.add_argument("--threads", type=int, default=2, help="threads of each system (2)")
    result.add_argument("--binary", default=str(ROOT / "build" / "release" / "src" / "blueshift"),
                        help="the program to measure")
    return result
