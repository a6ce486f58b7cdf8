#!/bin/sh
# venv.sh LOCKFILE: create .venv where there is none, install the locked packages into it, then
# the project itself, editable and built by the locked build tool. PYTHON names another Python.
set -eu
. "$(dirname "$0")/apt.sh"
lock=$1
venv=.venv

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        # A name on the PATH may be a shim that cannot run, so ask it.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    if [ -z "$python" ]; then
        echo "No Python 3.11 or newer was found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv;" >&2
        echo "macOS: brew install python), or name it: make PYTHON=/path/to/python3 ..." >&2
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if ! command -v apt-get >/dev/null 2>&1; then
            echo "$python has no module ensurepip: install $package, or name another Python: make PYTHON=..." >&2
            exit 1
        fi
        echo "Installing $package"
        apt_get update
        apt_get install -y --no-install-recommends "$package"
    fi
    echo "Creating $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

pip() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input "$@"
}

echo "Installing $lock"
pip --require-hashes -r "$lock"
pip --no-deps --no-build-isolation --editable .
