"""Runs a fuzzer from seeds made here: run.py NAME [--runs N | --seconds N] [--seed N] [--input FILE]

Seeds: the statements of test/sql for `parse`, messages of usual sessions for `protocol`, rows in every
layout for `copy`. What crashed is kept as build/fuzz/NAME/crash-..., to be run again with --input. The program
is build/debug/test/fuzz_NAME. Without --runs or --seconds it goes on until something is found.
"""
import argparse
import glob
import os
import re
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def statements():
    for path in sorted(glob.glob(f"{ROOT}/test/sql/tpch/*.sql")):
        yield open(path).read().encode()
    for path in sorted(glob.glob(f"{ROOT}/test/sql/*/*.slt")):
        for record in open(path).read().split("\n\n"):
            lines = [line for line in record.split("\n") if not line.startswith("#")]
            while lines and re.match(r"(connection|skipif|loop|endloop|option|halt)\b", lines[0]):
                del lines[0]
            if lines and re.match(r"(statement|query)\b", lines[0]):
                yield "\n".join(lines[1:]).split("\n----")[0].encode()


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def text(value):
    return value.encode() + b"\0"


def sessions():
    """Bytes of clients; before them the byte that chooses trust and who sends the start-up packet."""
    startup = struct.pack("!i", 196608) + b"user\0admin\0database\0dev\0\0"
    startup = struct.pack("!i", len(startup) + 4) + startup
    query = message(b"Q", text("select 1"))
    parse = message(b"P", text("s") + text("select $1") + struct.pack("!hi", 1, 23))
    bind = message(b"B", text("p") + text("s") + struct.pack("!hhhi", 1, 1, 1, 4) + b"\0\0\0\7" + struct.pack("!hh", 1, 1))
    extended = (parse + message(b"D", b"S" + text("s")) + bind + message(b"D", b"P" + text("p"))
                + message(b"E", text("p") + struct.pack("!i", 0)) + message(b"C", b"P" + text("p")) + message(b"S"))
    copy = (message(b"Q", text("copy t from stdin")) + message(b"d", b"1\t2\n") + message(b"c")
            + message(b"Q", text("copy t from stdin")) + message(b"f", text("no more")))
    scram = message(b"p", text("SCRAM-SHA-256") + struct.pack("!i", 21) + b"n,,n=,r=fyko+d2lbbFgO")
    end = message(b"X")
    for body in (query + end, extended + end, copy + end, message(b"H") + query, query * 20, extended * 3,
                 message(b"Q", text("")), message(b"F", b"\0" * 10), message(b"Q", text("begin; select 1; commit"))):
        yield b"\0" + body
    for first in (startup, struct.pack("!ii", 8, 80877103), struct.pack("!ii", 8, 80877104),
                  struct.pack("!iiii", 16, 80877102, 1, 2)):
        yield b"\2" + first + query + end
    yield b"\1" + scram + query
    yield b"\3" + startup + message(b"p", text("md5" + "0" * 32)) + query


def loads():
    """Texts of COPY; before each the byte that chooses its layout."""
    rows = [["1", "2.50", "Oslo", "2024-02-29", "2024-02-29 12:00:00+01", "1.5e3", "true"],
            ["-7", "", "a b", "", "", "", "f"], ["x", "99999999999", "much too long a text", "2023-02-29", "now", "1e999", "?"]]
    for layout, delimiter in enumerate(["|", "|", ",", ",", ",", "\t"]):
        lines = [delimiter.join(row) for row in rows]
        quoted = delimiter.join(f'"{value}"' for value in rows[0])
        escaped = delimiter.join(f"\\{value}\\{delimiter}" for value in rows[0])
        for text in ("\n".join(lines), "\r\n".join(lines) + "\r\n", quoted + "\n" + quoted, escaped + "\n",
                     '"open' + delimiter + "\n" + lines[0], lines[0] + delimiter + "\n", "1\n" + lines[0] + "\n\\.\n",
                     "\ufeff" + lines[0] + "\n", "\\N\n", '"a""b"\n"c\nd"\n', "\u00e4\u20ac\n"):
            for flags in (0, 60, 66, 192):
                yield bytes([flags - flags % 6 + layout]) + text.encode()
        yield bytes([layout]) + b"\xff\xfe\0\n" + lines[0].encode()


SEEDS = {"copy": loads, "parse": statements, "protocol": sessions}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(SEEDS))
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--input")
    arguments = parser.parse_args()
    program = f"{ROOT}/build/debug/test/fuzz_{arguments.name}"
    if arguments.input:
        sys.exit(subprocess.run([program, arguments.input]).returncode)
    kept = f"{ROOT}/build/fuzz/{arguments.name}/"
    os.makedirs(kept, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="blueshift-fuzz-") as corpus:
        seeds = sorted(set(SEEDS[arguments.name]()))
        for number, seed in enumerate(seeds):
            with open(f"{corpus}/{number:05}", "wb") as file:
                file.write(seed)
        print(f"{len(seeds)} seeds", flush=True)
        ended = subprocess.run([program, f"-runs={arguments.runs}", f"-max_total_time={arguments.seconds}",
                                f"-seed={arguments.seed}", "-max_len=4096", "-timeout=20", "-print_final_stats=1",
                                f"-artifact_prefix={kept}", corpus], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = ended.stdout.decode(errors="replace")
    if ended.returncode != 0:
        print(output[-20000:])
        sys.exit(1)
    found = re.search(r"number_of_executed_units: (\d+)", output)
    print(f"{found.group(1) if found else 'no'} inputs, nothing found")
    sys.exit(0 if found else 1)


main()
