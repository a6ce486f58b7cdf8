#!/bin/sh
# bench_venv.sh: benchmarks/.venv with the locked runtime, the project and the packages that it is
# measured against (benchmarks/requirements.txt); build/bench with the peers of the backtest, which ask
# for versions of their own (benchmarks/requirements-backtest.txt). Run by `make bench`, after .venv is there.
set -eu
make_venv() {
    venv=$1
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        .venv/bin/python -m venv --clear "$venv"
    fi
}
pip() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input "$@"
}
make_venv benchmarks/.venv
pip --require-hashes -r requirements.lock
pip -r benchmarks/requirements.txt
pip --no-deps --no-build-isolation --editable .
make_venv build/bench
pip -r benchmarks/requirements-backtest.txt --editable .
