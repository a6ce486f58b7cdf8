# make demo   set up and run the main job on a sample: demo/report.xlsx
# make test   set up, with LibreOffice, and run every check
# make bench  every benchmark in one run; make bench WRITE=2026-11-25 writes docs/performance.md
# PYTHON=...  the Python (3.11 or newer) to make .venv with

BIN := .venv/bin
.NOTPARALLEL:
.PHONY: demo test libreoffice dev lint types imports wheel unit bench lock format clean

demo: .venv/.runtime
	$(BIN)/xl-rebal demo

test: libreoffice dev lint types imports wheel unit

libreoffice:
	sh tools/libreoffice.sh

dev: .venv/.dev

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.dev
	$(BIN)/mypy

imports: .venv/.dev
	$(BIN)/lint-imports

wheel: .venv/.dev
	sh tools/smoke_wheel.sh

# One worker for each core; all tests with LibreOffice run on the same one (tests/conftest.py).
unit: .venv/.dev
	$(BIN)/pytest -n auto --dist loadgroup

bench: .venv/.runtime
	sh tools/bench_venv.sh
	benchmarks/.venv/bin/python -m benchmarks $(if $(WRITE),--write --date $(WRITE)) $(BENCH)

# Keeps the versions that are locked and fit; make lock UPGRADE=--upgrade takes the newest.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --group build --universal \
	--python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate --no-config $(UPGRADE)
lock: .venv/.dev
	$(COMPILE) --extra addin --output-file requirements.lock
	$(COMPILE) --constraints requirements.lock --extra addin --extra dev --output-file requirements-dev.lock

format: .venv/.dev
	$(BIN)/ruff check --fix-only --exit-zero
	$(BIN)/ruff format

clean:
	rm -rf .venv benchmarks/.venv build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.runtime: requirements.lock pyproject.toml xl_rebal/__init__.py
	sh tools/venv.sh requirements.lock
	touch $@

.venv/.dev: requirements-dev.lock pyproject.toml xl_rebal/__init__.py
	sh tools/venv.sh requirements-dev.lock
	touch $@ .venv/.runtime
