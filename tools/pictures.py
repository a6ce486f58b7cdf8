"""`python -m tools.pictures`: the pictures of the guides, rendered by LibreOffice from real workbooks.

Run from the project's folder; it writes docs/pictures/*.png. The workbooks are those that a user gets:
the template with the worksheet functions at work in it, and what the macros make of it.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xl_rebal
from tests.excel.calc_addin import unpack_extension, write_settings
from tests.libreoffice import CalcSession, find_pdftoppm, find_soffice, find_uno_python
from xl_rebal.excel import templates

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DPI = 90
# What is shown: sheets, and how much of their page in points.
HEIGHTS = {
    "Start": 470,
    "Holdings": 200,
    "Targets": 190,
    "Drift": 380,
    "Drift check": 250,
    "Trades": 190,
    "Plan": 150,
}

# Of the household template, as `household-taxes` and so on.
HOUSEHOLD_HEIGHTS = {"Taxes": 560, "Location": 400, "Letter": 700}
# Of the adviser's book, as `book-book` and so on.
BOOK_HEIGHTS = {"Book": 205, "Summary": 440}


@contextmanager
def office(folder: Path) -> Iterator[CalcSession]:
    """A LibreOffice with our functions."""
    unpack_extension(folder / "extensions")
    session = CalcSession(
        find_soffice(),
        find_uno_python(),
        folder,
        extensions=folder / "extensions",
        prepare=write_settings,
    )
    try:
        yield session
    finally:
        session.stop()


def pages(session: CalcSession, book: Path, folder: Path) -> dict[str, Path]:
    """The first printed page of every sheet, by the sheet's name (it stands in the page's foot)."""
    with session.open(book) as opened:
        names = opened.sheet_names()
        opened.recalculate()
        pdf = opened.to_pdf(folder / f"{book.stem}.pdf")
    run = [find_pdftoppm(), "-png", "-r", str(DPI), str(pdf), str(folder / book.stem)]
    subprocess.run(run, check=True, timeout=120)
    found: dict[str, Path] = {}
    for number, page in enumerate(sorted(folder.glob(f"{book.stem}-*.png")), start=1):
        lines = set(map(str.strip, words(pdf, number).splitlines()))
        left = [name for name in names if name in lines and name not in found]
        if left:
            found[left[0]] = page
    return found


def words(pdf: Path, page: int) -> str:
    """The text of one page."""
    run = ["pdftotext", "-f", str(page), "-l", str(page), str(pdf), "-"]
    return subprocess.run(run, check=True, capture_output=True, text=True, timeout=60).stdout


def keep(picture: Path, name: str, height: int) -> None:
    """Put the upper part of a page, so many points high, among the pictures of the guides."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(upper_part(picture.read_bytes(), height * DPI // 72))
    sys.stdout.write(f"written: docs/pictures/{name}.png\n")


def upper_part(png: bytes, height: int) -> bytes:
    """The first rows of pixels of a PNG without interlacing; its lines depend only on those above."""
    parts, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        parts.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += size + 12
    head = dict(parts)[b"IHDR"]
    width, tall, depth, colour = struct.unpack(">IIBB", head[:10])
    assert depth == 8
    line = 1 + width * {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    height = min(height, tall)
    data = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    kept = {b"IHDR": struct.pack(">II", width, height) + head[8:], b"IEND": b""}
    kept |= {kind: body for kind, body in parts if kind == b"PLTE"}
    kept[b"IDAT"] = zlib.compress(data[: line * height], 9)
    order = [kind for kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND") if kind in kept]
    chunks = [(kind, kept[kind]) for kind in order]
    return png[:8] + b"".join(
        len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
        for kind, body in chunks
    )


def client_book(folder: Path) -> Path:
    """The template after Import Positions, Check Drift and Generate Trades on the Schwab sample.

    Its account number, which that custodian masks, is written out as an adviser would.
    """
    template, book = folder / "portfolio.xltx", folder / "client.xlsx"
    template.write_bytes(templates.portfolio())
    sample = Path(xl_rebal.__file__).with_name("samples") / "schwab_positions.csv"
    positions = folder / "positions.csv"
    positions.write_text(sample.read_text("utf-8").replace("...482", "12340482"), "utf-8")
    run = [sys.executable, "-m", "xl_rebal", "macro"]
    for more in (
        ["import-positions", str(template), "--out", str(book), "--file", str(positions)],
        ["check-drift", str(book)],
        ["generate-trades", str(book)],
    ):
        subprocess.run(
            [*run, *more],
            check=True,
            timeout=120,
            env={**os.environ, "XL_REBAL_PLANS": str(folder / "plans")},
        )
    return book


def main() -> None:
    """Render the pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fresh = folder / "fresh.xlsx"
        fresh.write_bytes(templates.portfolio())
        home = folder / "household.xlsx"
        home.write_bytes(templates.household_tax())
        firm = folder / "firm.xlsx"
        firm.write_bytes(templates.adviser_book())
        book = client_book(folder)
        with office(folder) as session:
            shown = pages(session, book, folder)
            shown |= {"Start": pages(session, fresh, folder)["Start"]}
            household = pages(session, home, folder)
            clients = pages(session, firm, folder)
        for sheet, height in HEIGHTS.items():
            keep(shown[sheet], sheet.lower().replace(" ", "-"), height)
        for sheet, height in HOUSEHOLD_HEIGHTS.items():
            keep(household[sheet], f"household-{sheet.lower()}", height)
        for sheet, height in BOOK_HEIGHTS.items():
            keep(clients[sheet], f"book-{sheet.lower()}", height)


if __name__ == "__main__":
    main()
