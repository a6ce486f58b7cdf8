"""Small invented books for the tests of whole runs."""

from __future__ import annotations

from pathlib import Path


def small_book(folder: Path, *, households: int = 7) -> Path:
    """A folder of tables: households of one account, every other one far from its target."""
    folder.mkdir()
    holdings = ["account,symbol,quantity,price,as_of"]
    accounts = ["account,household,type,custodian,client"]
    for number in range(households):
        name = f"A{number:03d}"
        stocks = 700 + 10 * number if number % 2 else 600
        holdings.append(f"{name},VTI,{stocks},100,2026-11-24")
        holdings.append(f"{name},BND,{1000 - stocks},100,2026-11-24")
        accounts.append(f"{name},H{number:03d},taxable,Schwab,Client {number}")
    models = ["asset_class,target", "Stocks,60%", "Bonds,40%"]
    for name, lines in (("holdings", holdings), ("accounts", accounts), ("models", models)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a run but the log and the lock: what two runs must agree on."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in {"batch.log", ".batch.lock"}
    }
