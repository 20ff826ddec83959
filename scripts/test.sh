#!/usr/bin/env bash
# The README's test command: two build trees (optimised; ASan + UBSan), one ctest run in all.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${1:-$(nproc)}
cmake --preset release >/dev/null
cmake --build build/release -j "$jobs"
ln -sf src/blueshift build/release/blueshift
cmake --preset debug >/dev/null
cmake --build build/debug -j "$jobs" --target sanitized_tests
cd build/release
exec ctest --output-on-failure -j "$jobs" --timeout 1500
