#!/bin/sh
# bench_venv.sh: benchmarks/.venv with the locked runtime, the project and the packages that it is
# measured against (benchmarks/requirements.txt). Run by `make bench`, after .venv is there.
set -eu
venv=benchmarks/.venv
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    .venv/bin/python -m venv --clear "$venv"
fi
pip() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input "$@"
}
pip --require-hashes -r requirements.lock
pip -r benchmarks/requirements.txt
pip --no-deps --no-build-isolation --editable .
