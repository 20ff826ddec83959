#!/usr/bin/env bash
# make bench: the numbers of bench/report.md. SF (1) and ROUNDS (7) may be set; SF10=1 adds what is
# measured at scale factor 10, which takes 40 GB of disk and half an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
binary=build/release/blueshift
[ -x "$python" ] || { echo "bench: $python is missing; run: make deps" >&2; exit 1; }
[ -x "$binary" ] || { echo "bench: $binary is missing; run: make build" >&2; exit 1; }

rm -rf build/bench/sections
status=0
run() { "$python" "$@" || { status=1; echo "bench: $1 failed" >&2; }; }
run bench/tpch/compare.py --sf "${SF:-1}" --rounds "${ROUNDS:-7}"
run bench/copy/compare.py --sf "${SF:-1}" --rounds "${ROUNDS:-7}"
run bench/latency/compare.py --sf "${SF:-1}" --rounds "${ROUNDS:-7}"
run bench/codegen/compare.py --sf "${SF:-1}" --rounds "${ROUNDS:-7}"
run bench/codegen/compile_cost.py --sf 0.01
run bench/tpch/compare_nodes.py --sf "${SF:-1}" --rounds "${ROUNDS:-7}"
if [ "${SF10:-0}" != 0 ]; then
    run bench/tpch/compare.py --sf 10 --rounds "${ROUNDS:-7}"
    run bench/codegen/classes.py --sf 10
    run bench/memory/compare.py --sf 10
    run bench/copy/compare.py --sf 10 --rounds 1 --memory 2GiB
fi
PYTHONPATH=bench "$python" -m harness.report
exit $status
