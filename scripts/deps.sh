#!/usr/bin/env bash
# Installs everything blueshift needs; the only truth about dependencies. Idempotent: a second run
# does nothing and needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    # compiler, linker, build
    clang-19 llvm-19-dev libclang-19-dev libclang-cpp19-dev libclang-rt-19-dev lld-19 llvm-19
    clang-format-19 clang-tidy-19 ccache ninja-build cmake make git g++ pkg-config
    # libraries
    libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libxxhash-dev libsimdjson-dev libre2-dev libpcre2-dev
    libssl-dev libicu-dev libfmt-dev libcctz-dev libboost-dev libedit-dev libtomlplusplus-dev
    flatbuffers-compiler libflatbuffers-dev libpq-dev doctest-dev tzdata
    # Python tools, oracles and test clients
    python3 python3-venv python3-pip postgresql-15 postgresql-client-15 valgrind
)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${#missing[@]} Debian packages"
    sudo=''
    [ "$(id -u)" = 0 ] || sudo=sudo
    # The packages bring no running services: tests start their own.
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update -q >/dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q \
        --no-install-recommends "${missing[@]}" >/dev/null
fi

venv=.venv
want=$(sha256sum scripts/requirements.txt | cut -d' ' -f1)
if [ "$(cat $venv/.installed 2>/dev/null)" != "$want" ]; then
    echo "installing Python packages into .venv"
    [ -x $venv/bin/python ] || python3 -m venv $venv
    $venv/bin/python -m pip install -q --disable-pip-version-check -r scripts/requirements.txt
    echo "$want" > $venv/.installed
fi
bash scripts/fetch_arrow.sh build/deps/arrow "$PWD/$venv/bin/python"
