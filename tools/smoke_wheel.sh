#!/bin/sh
# Build the source archive, from it the wheel, install that with the locked packages into an empty
# environment, and run it in a folder that knows nothing of this project.
set -eu
project=$(pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM

fail() {
    echo "wheel smoke test: $1" >&2
    exit 1
}

version=$(.venv/bin/python -c 'import xl_rebal; print(xl_rebal.__version__)')
.venv/bin/python -m build --no-isolation --outdir "$folder/dist" . >"$folder/build.log" 2>&1 ||
    { cat "$folder/build.log" >&2; fail "the build failed"; }

.venv/bin/python -m venv "$folder/venv"
bin=$folder/venv/bin
"$bin/python" -m pip install -qq --disable-pip-version-check --no-input --require-hashes \
    -r requirements.lock
"$bin/python" -m pip install -qq --disable-pip-version-check --no-input --no-deps \
    "$folder/dist"/*.whl

mkdir "$folder/elsewhere"
cd "$folder/elsewhere"
unset PYTHONPATH
home=$("$bin/python" -c 'import xl_rebal; print(xl_rebal.__file__)')
case $home in "$project"/*) fail "imported from the checkout, not from the wheel: $home" ;; esac
case $("$bin/xl-rebal" --version) in
*"$version"*) ;;
*) fail "xl-rebal --version does not say $version" ;;
esac
"$bin/python" -m xl_rebal --version >/dev/null || fail "python -m xl_rebal does not run"
"$bin/xl-rebal" demo >demo.log || { cat demo.log >&2; fail "xl-rebal demo failed"; }
[ -s demo/report.xlsx ] || fail "xl-rebal demo wrote no demo/report.xlsx"
[ -f "$(dirname "$home")/py.typed" ] || fail "py.typed is not in the wheel"
"$bin/xl-rebal" build addin --out addin >addin.log 2>&1 ||
    { cat addin.log >&2; fail "xl-rebal build addin failed"; }
"$project/.venv/bin/xl-rebal" build addin --out checkout >addin.log 2>&1 ||
    { cat addin.log >&2; fail "xl-rebal build addin failed in the checkout"; }
cmp addin/xl_rebal.xlam checkout/xl_rebal.xlam ||
    fail "the wheel builds another add-in than the checkout"
"$bin/xl-rebal" build release --out release >release.log 2>&1 ||
    { cat release.log >&2; fail "xl-rebal build release failed"; }
"$project/.venv/bin/xl-rebal" build release --out checkout >release.log 2>&1 ||
    { cat release.log >&2; fail "xl-rebal build release failed in the checkout"; }
cmp release/*.zip checkout/*.zip || fail "the wheel builds another release than the checkout"
echo "wheel smoke test: $version works in an empty environment"
