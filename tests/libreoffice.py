"""A headless LibreOffice Calc for the tests: open a workbook, change it, recalculate, read it.

`calc` (a fixture in conftest.py) is a `CalcSession`. LibreOffice's Python bridge can be imported by
the system's Python only, so a worker (calc_worker.py) runs there and the session speaks JSON lines
with it. Calc trusts the values that a file was saved with: nothing changes before `recalculate`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

WANTED = (25, 2)
START_LIMIT = 90.0  # seconds; a cold start on a busy machine
COMMAND_LIMIT = 120.0
_MAC = Path("/Applications/LibreOffice.app/Contents")
ERROR_NAMES = {
    501: "Err:501",
    502: "Err:502",
    503: "#NUM!",
    504: "Err:504",
    508: "Err:508",
    509: "Err:509",
    511: "Err:511",
    519: "#VALUE!",
    522: "Err:522 (circular)",
    524: "#REF!",
    525: "#NAME?",
    532: "#DIV/0!",
    32767: "#N/A",
}


class CalcError(Exception):
    """LibreOffice is missing, refused a request, hung or died."""


class CalcCell(NamedTuple):
    """One cell as Calc sees it. Booleans and dates are numbers; an error has value None."""

    value: float | str | None
    error: int
    formula: str  # text that looks like a formula comes as '=... with a leading apostrophe
    kind: str  # "empty", "number", "text" or "formula"

    @property
    def error_name(self) -> str:
        """Excel's name of the error, such as `#NAME?`; empty when there is none."""
        return ERROR_NAMES.get(self.error, f"Err:{self.error}") if self.error else ""


class CalcSession:
    """One LibreOffice process, started at the first use and again after it hung or died."""

    def __init__(
        self,
        soffice: str,
        python: str,
        folder: Path,
        *,
        extensions: Path | None = None,
        prepare: Callable[[Path], None] | None = None,
    ) -> None:
        """`extensions`: a folder of unpacked extensions; `prepare` gets each new profile folder."""
        self._soffice = soffice
        self._python = python
        self._folder = folder
        self._extensions = extensions
        self._prepare = prepare
        self._worker: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self.office_pid = 0
        self._starts = 0
        atexit.register(self.stop)

    def open(self, path: Path) -> CalcBook:
        """Open a copy of a workbook; use it in a `with` block, or close it.

        A copy, so that the file stays as it is and no lock of a killed LibreOffice lies beside it.
        """
        if not path.is_file():
            raise CalcError(f"{path} does not exist")
        copy = Path(tempfile.mkdtemp(dir=self._folder)) / path.name
        shutil.copyfile(path, copy)
        return CalcBook(self, self.ask("open", path=str(copy.resolve())))

    def ask(self, command: str, *, limit: float = COMMAND_LIMIT, **arguments: Any) -> Any:
        """Send one request to the worker and wait for its answer, `limit` seconds at most."""
        if self._worker is None or self._worker.poll() is not None:
            self._start()
        assert self._worker is not None
        assert self._worker.stdin is not None
        try:
            self._worker.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._worker.stdin.flush()
        except OSError as error:
            self.stop()
            raise CalcError(f"LibreOffice ended before {command!r}: {error}") from error
        return self._answer(command, limit)

    def stop(self) -> None:
        """End LibreOffice and the worker, by their process groups."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        assert worker.stdin is not None
        with contextlib.suppress(OSError):
            worker.stdin.close()  # asks the worker to quit
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(15)
        for group in (self.office_pid, worker.pid):
            _kill_group(group)
        worker.wait(15)
        self.office_pid = 0

    def _start(self) -> None:
        self.stop()
        self._starts += 1
        profile = self._folder / f"profile-{os.getpid()}-{self._starts}"
        if self._prepare is not None:
            self._prepare(profile)
        more = []
        if self._extensions is not None:
            more = [f"-env:BUNDLED_EXTENSIONS={self._extensions.as_uri()}"]
        log = (self._folder / "calc_worker.log").open("a", encoding="utf-8")
        with log:
            worker = subprocess.Popen(
                [
                    self._python,
                    str(Path(__file__).with_name("calc_worker.py")),
                    self._soffice,
                    str(profile),
                    str(START_LIMIT),
                    *more,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,
                env=_clean_environment(),
            )
        self._worker = worker
        self._answers = queue.Queue()
        threading.Thread(target=_collect, args=(worker, self._answers), daemon=True).start()
        self.office_pid = self._answer("start", START_LIMIT + 10)

    def _answer(self, command: str, limit: float) -> Any:
        try:
            line = self._answers.get(timeout=limit)
        except queue.Empty:
            self._kill()
            raise CalcError(f"LibreOffice did not answer {command!r} in {limit:g} s") from None
        if not line:
            self._kill()
            log = (self._folder / "calc_worker.log").read_text(encoding="utf-8")
            raise CalcError(f"LibreOffice ended during {command!r}:\n{log[-2000:]}")
        answer = json.loads(line)
        if "failed" in answer:
            raise CalcError(answer["failed"])
        return answer["ok"]

    def _kill(self) -> None:
        _kill_group(self.office_pid)  # the worker then sees its call fail and ends by itself
        self.stop()


class CalcBook:
    """An open workbook. Ranges are written as in Excel: `A1`, `B2:D9`; rows count from 1."""

    def __init__(self, session: CalcSession, document: int) -> None:
        self._session = session
        self._document = document

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close without saving."""
        self._ask("close")

    def sheet_names(self) -> list[str]:
        """All sheets in their order."""
        names: list[str] = self._ask("sheet_names")
        return names

    def used_range(self, sheet: str) -> str:
        """The range from A1 to the last used cell, such as `A1:H40`."""
        used: str = self._ask("used_range", sheet=sheet)
        return used

    def recalculate(self) -> None:
        """Compute every formula anew; Calc does not do so when it opens a file."""
        self._ask("recalculate")

    def read(self, sheet: str, cells: str) -> list[list[CalcCell]]:
        """The cells of a range, row by row."""
        rows = self._ask("read", sheet=sheet, range=cells)
        return [[CalcCell(*cell) for cell in row] for row in rows]

    def cell(self, sheet: str, cell: str) -> CalcCell:
        """One cell."""
        return self.read(sheet, cell)[0][0]

    def values(self, sheet: str, cells: str) -> list[list[float | str | None]]:
        """The values of a range; an error in it is a CalcError, never a silent None."""
        rows = self.read(sheet, cells)
        wrong = [cell for row in rows for cell in row if cell.error]
        if wrong:
            raise CalcError(f"{sheet}!{cells}: {wrong[0].formula} gives {wrong[0].error_name}")
        return [[cell.value for cell in row] for row in rows]

    def value(self, sheet: str, cell: str) -> float | str | None:
        """The value of one cell; an error in it is a CalcError."""
        return self.values(sheet, cell)[0][0]

    def set_value(self, sheet: str, cell: str, value: float) -> None:
        """Put a number into a cell."""
        self._ask("set_value", sheet=sheet, cell=cell, value=value)

    def set_text(self, sheet: str, cell: str, text: str) -> None:
        """Put a text into a cell, also one that starts with `=`."""
        self._ask("set_text", sheet=sheet, cell=cell, text=text)

    def set_formula(self, sheet: str, cell: str, formula: str) -> None:
        """Put a formula into a cell: English names, arguments separated by `;`."""
        self._ask("set_formula", sheet=sheet, cell=cell, formula=formula)

    def insert_rows(self, sheet: str, row: int, count: int = 1) -> None:
        """Insert empty rows above `row`."""
        self._ask("insert_rows", sheet=sheet, row=row, count=count)

    def delete_rows(self, sheet: str, row: int, count: int = 1) -> None:
        """Delete rows from `row` on."""
        self._ask("delete_rows", sheet=sheet, row=row, count=count)

    def sort(
        self, sheet: str, cells: str, *, by: str, ascending: bool = True, header: bool = False
    ) -> None:
        """Sort the rows of a range by the column with letter `by`."""
        self._ask("sort", sheet=sheet, range=cells, column=by, ascending=ascending, header=header)

    def copy(self, sheet: str, cells: str, to_cell: str, *, to_sheet: str | None = None) -> None:
        """Copy a range and paste it with its top left corner on `to_cell`."""
        self._ask("copy", sheet=sheet, range=cells, to_sheet=to_sheet or sheet, to_cell=to_cell)

    def to_pdf(self, path: Path) -> Path:
        """Print the workbook as it is now into a PDF."""
        self._ask("to_pdf", path=str(path.resolve()))
        if not path.is_file() or not path.stat().st_size:
            raise CalcError(f"LibreOffice wrote no {path}")
        return path

    def _ask(self, command: str, **arguments: Any) -> Any:
        return self._session.ask(command, document=self._document, **arguments)


@cache
def find_soffice() -> str:
    """Path of a LibreOffice that is new enough; CalcError says what is missing."""
    named = os.environ.get("XL_REBAL_SOFFICE")
    places = (shutil.which("soffice"), shutil.which("libreoffice"), str(_MAC / "MacOS/soffice"))
    found = [place for place in ((named,) if named else places) if place and Path(place).exists()]
    if not found:
        raise CalcError(f"no LibreOffice {WANTED[0]}.{WANTED[1]} or newer: run 'make libreoffice'")
    try:
        printed = _run([found[0], "--version"], limit=60)
    except CalcError as error:
        raise CalcError(f"{found[0]} does not tell its version: {error}") from error
    version = re.search(r"(\d+)\.(\d+)", printed)
    if version is None or (int(version[1]), int(version[2])) < WANTED:
        raise CalcError(f"{found[0]} is {printed.strip()}; {WANTED[0]}.{WANTED[1]} is needed")
    return found[0]


@cache
def find_uno_python() -> str:
    """Path of a Python that can import LibreOffice's bridge."""
    named = os.environ.get("XL_REBAL_UNO_PYTHON")
    program = Path(find_soffice()).resolve().parent
    places = ("/usr/bin/python3", str(program / "python"), str(_MAC / "Resources/python"))
    for python in (named,) if named else places:
        if Path(python).exists():
            with contextlib.suppress(CalcError):
                _run([python, "-c", "import uno"], limit=60)
                return python
    raise CalcError(
        "no Python can import LibreOffice's bridge 'uno': install python3-uno "
        "or name such a Python in XL_REBAL_UNO_PYTHON"
    )


def find_pdftoppm() -> str:
    """Path of the program that turns PDF pages into pictures."""
    found = shutil.which("pdftoppm")
    if not found:
        raise CalcError("no pdftoppm: run 'make libreoffice', or install poppler")
    return found


def render_pages(xlsx: Path, outdir: Path, *, dpi: int = 80) -> list[Path]:
    """The printed pages of a workbook as PNG files in `outdir`, in order."""
    outdir.mkdir(parents=True, exist_ok=True)
    pdf = outdir / f"{xlsx.stem}.pdf"
    pdf.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [find_soffice(), "--headless", "--norestore", "--nologo"]
        command += [f"-env:UserInstallation={Path(profile).as_uri()}"]
        command += ["--convert-to", "pdf", "--outdir", str(outdir), str(xlsx)]
        printed = _run(command, limit=COMMAND_LIMIT)
    if not pdf.is_file() or not pdf.stat().st_size:  # it exits 0 on failure
        raise CalcError(f"LibreOffice made no PDF of {xlsx}: {printed.strip()}")
    stem = f"{xlsx.stem}-page"
    for old in outdir.glob(f"{stem}-*.png"):
        old.unlink()
    _run([find_pdftoppm(), "-png", "-r", str(dpi), str(pdf), str(outdir / stem)], limit=60)
    pages = sorted(outdir.glob(f"{stem}-*.png"))
    if not pages:
        raise CalcError(f"pdftoppm made no page of {pdf}")
    return pages


def running_session(folder: Path) -> Iterator[CalcSession]:
    """A session that ends with the generator; the body of the `calc` fixture."""
    session = CalcSession(find_soffice(), find_uno_python(), folder)
    try:
        yield session
    finally:
        session.stop()


def _run(command: list[str], *, limit: float) -> str:
    """Standard output and error of a finished command; its whole group is killed at the limit."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,  # a file, not a pipe: a leftover child cannot make us wait
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_clean_environment(),
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise CalcError(f"{command[0]} took more than {limit:g} s") from None
        finally:
            _kill_group(process.pid)
            process.wait(15)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if code:
        raise CalcError(f"{command[0]} ended with {code}: {printed.strip()[-2000:]}")
    return printed


def _collect(worker: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert worker.stdout is not None
    with worker.stdout:
        for line in worker.stdout:
            answers.put(line)
    answers.put("")  # the worker has ended


def _kill_group(group: int) -> None:
    if group:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _clean_environment() -> dict[str, str]:
    """Ours without what steers Python: the system's Python must not see the project's packages."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "DISPLAY")
    return {name: value for name, value in os.environ.items() if name not in unwanted}
