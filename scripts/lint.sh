#!/usr/bin/env bash
# Formatting, layers, file lengths, names, then clang-tidy on recently changed files (ALL=1: all).
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
python3 scripts/check_layers.py || status=1
python3 scripts/check_files.py || status=1

mapfile -t sources < <(git ls-files 'src/*.cpp' 'src/*.h' 'test/*.cpp' 'test/*.h' 'bench/*.cpp')
existing=()
for file in "${sources[@]}"; do [ -f "$file" ] && existing+=("$file"); done
if ! clang-format-19 --dry-run -Werror "${existing[@]}" 2>/tmp/blueshift-format.$$; then
    grep -o '^[^:]*' /tmp/blueshift-format.$$ | sort | uniq -c | sort -rn | head -20
    echo 'lint: run `clang-format-19 -i` on these files'
    status=1
fi
rm -f /tmp/blueshift-format.$$

if [ "${ALL:-0}" = 1 ]; then
    mapfile -t tidy < <(git ls-files 'src/*.cpp')
else
    base=$(git rev-list -1 --before='2 days ago' HEAD 2>/dev/null)
    [ -n "$base" ] || base=$(git rev-list --max-parents=0 HEAD | tail -n 1)
    mapfile -t tidy < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' | shuf --random-source=<(yes) | head -n 12)
fi
if [ ${#tidy[@]} -gt 0 ]; then
    cmake --preset release >/dev/null
    cmake --build build/release --target bs_storage_formats >/dev/null # headers made by the build
    printf '%s\n' "${tidy[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-19 -p build/release --quiet 2>/dev/null || status=1
fi
[ $status = 0 ] && echo 'lint: clean'
exit $status
