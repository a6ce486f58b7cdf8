"""Exports damaged on purpose, and the verdict on what a reader makes of them."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.custodians import plain
from tests.custodians.workbook_bytes import sheet_xml, write_workbook
from xl_rebal.custodians import Told, read_export
from xl_rebal.errors import RebalError

Mutation = Callable[[bytes, random.Random], bytes]
_TEXTS = (
    "=1+1", "+1", "-1", "@x", "'=x", "1e308", "9" * 400, "-9e99", "1e-320", "NaN", "inf", "#REF!",
    "#N/A", "1.234", "1,234", "1.234,56", "(12)", "12-", "12%", "$", "€ 5", "\u0663\u0664", "\u221212",
    "Total", "Account Total", "CASH", "Pending Activity", "Symbol", "--", "N/A", "", " ", "\u200b",
    "0", "-0", "00", "1_000", "0x10", "True", "31/31/2026", "02/30/2026", "Z" * 5000, "\ud7ff", "a\nb",
    "<x>", "]]>", "&amp;", "XXXX-1", "VTI", "SPAXX**", "1 234", "١٢",
)  # fmt: skip
_ENCODINGS = (
    "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252", "latin-1", "utf-32", "cp037",
)  # fmt: skip


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def flip_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def flip_printable(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] = rng.choice(
            b"0123456789.,-+$\"' ;%()ABCXYZabc<>/=&\n"
        )
    return bytes(changed)


def delete_bytes(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 1, 2, 20)) :]


def insert_text(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_TEXTS).encode("utf-8", "surrogatepass") + data[at:]


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data)) + 1]


def drop_line(data: bytes, rng: random.Random) -> bytes:
    lines = _lines(data)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def double_line(data: bytes, rng: random.Random) -> bytes:
    lines = _lines(data)
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return b"".join(lines)


def swap_lines(data: bytes, rng: random.Random) -> bytes:
    lines = _lines(data)
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def swap_delimiters(data: bytes, rng: random.Random) -> bytes:
    old, new = rng.sample((b",", b";", b"\t", b"|", b" ", b'"', b"'", b"."), 2)
    if rng.random() < 0.5:
        lines = _lines(data)
        at = rng.randrange(len(lines))
        lines[at] = lines[at].replace(old, new)
        return b"".join(lines)
    return data.replace(old, new)


def change_encoding(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    name = rng.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252", "latin-1", "utf-32", "cp037")
    )
    return text.encode(name, "replace")


def change_line_ends(data: bytes, rng: random.Random) -> bytes:
    end = rng.choice((b"\r", b"\r\n", b"\n\n", b"\r\r\n", b"\x0b", b"\xc2\x85", b"\x00"))
    return data.replace(b"\r\n", b"\n").replace(b"\n", end)


def change_cell(data: bytes, rng: random.Random) -> bytes:
    """Another text in one cell, attribute or value, whatever the format."""
    cells = list(re.finditer(rb'(?<=[,"\n>])[^,"\n<>=]+(?=[,"\r\n<])', data))
    if not cells:
        return data
    cell = rng.choice(cells)
    text = rng.choice(_TEXTS).encode("utf-8", "surrogatepass")
    return data[: cell.start()] + text + data[cell.end() :]


def change_number(data: bytes, rng: random.Random) -> bytes:
    """One number becomes another, or is written otherwise."""
    cells = list(re.finditer(rb"[-+]?\d[\d,]*\.?\d*", data))
    if not cells:
        return data
    cell = rng.choice(cells)
    old = cell[0].decode()
    new = rng.choice(
        (f"-{old}", f"({old})", f"{old}-", f"{old}%", f"${old}", f"{old} ", f" {old}", f"{old}e2",
         old.replace(".", ","), old.replace(",", ""), "0", f"{rng.uniform(-1e6, 1e6):.4f}",
         f"{rng.randrange(10**9):,}", "1e400", f"{old}{old}")
    )  # fmt: skip
    return data[: cell.start()] + new.encode() + data[cell.end() :]


def move_cell(data: bytes, rng: random.Random) -> bytes:
    """Two cells of a line change places, or one is lost."""
    lines = _lines(data)
    at = rng.randrange(len(lines))
    cells = lines[at].split(b",")
    i, j = rng.randrange(len(cells)), rng.randrange(len(cells))
    if rng.random() < 0.3:
        del cells[i]
    else:
        cells[i], cells[j] = cells[j], cells[i]
    lines[at] = b",".join(cells)
    return b"".join(lines)


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes, flip_printable, delete_bytes, insert_text, truncate, drop_line, double_line, swap_lines,
    swap_delimiters, change_encoding, change_line_ends, change_cell, change_cell, change_number,
    change_number, move_cell,
)  # fmt: skip
# A workbook is one deflated archive: only damage to its bytes makes sense.
OF_ARCHIVES: tuple[Mutation, ...] = (flip_bytes, delete_bytes, truncate, flip_printable)


def mutated(data: bytes, seed: int) -> tuple[bytes, str]:
    """(damaged data, the names of the mutations) for a seed; the same each time."""
    rng = random.Random(seed)
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutation = rng.choice(OF_ARCHIVES if data.startswith(b"PK") else MUTATIONS)
        data = mutation(data, rng) or b"x"
        names.append(mutation.__name__)
    return data, "+".join(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a file: `refused`, `read` (compared or not), or `wrong` with the reason."""

    outcome: str
    compared: bool = False
    why: str = ""


_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def as_workbook(data: bytes, path: Path) -> bool:
    """Save a damaged CSV as a workbook, as if Excel had opened it; False where XML cannot hold it."""
    try:
        text = plain.decoded(data)
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (plain.OddError, UnicodeError, csv.Error):
        return False
    if _NOT_IN_XML.search(text) or max(map(len, rows), default=0) > 60:
        return False
    write_workbook(path, sheet_xml(rows))
    return True


def judge(path: Path, data: bytes) -> Verdict:
    """Read a file, and `data`, what it was made of, plainly; only a RebalError may come out.

    Number of positions, sum of quantities and sum of stated values must be the same.
    """
    try:
        statement = read_export(path, told=Told(account="Z1", symbol="VTI"))
    except RebalError as error:
        if not all(fault.what and fault.remedy for fault in error.faults):
            return Verdict(outcome="wrong", why=f"a refusal without words: {error}")
        return Verdict(outcome="refused")
    expected = plain.positions(data)
    if expected is None:
        return Verdict(outcome="read")
    held = statement.holdings
    mine = held.is_position
    quantities = [q for q, _ in expected if q is not None]
    values = [v for _, v in expected if v is not None]
    stated = held.stated_value[mine]
    pairs = (
        ("rows", float(len(expected)), float(mine.sum())),
        ("quantity", sum(quantities), float(held.quantity[mine].sum())),
        ("value", sum(values), float(stated[np.isfinite(stated)].sum())),
    )
    derived = any("derived as" in w for w in statement.warnings)
    for name, plainly, ours in pairs:
        if name == "quantity" and derived:
            continue  # a blank quantity was worked out from the value, as a warning says
        if not abs(plainly - ours) <= 1e-9 * max(1.0, abs(plainly), abs(ours)):
            return Verdict(
                outcome="wrong", compared=True, why=f"{name}: {plainly!r} plainly, {ours!r} read"
            )
    return Verdict(outcome="read", compared=True)
