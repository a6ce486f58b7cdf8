"""`xl-rebal macro`: the buttons for files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.excel.macro_books import SAMPLES, TEMPLATE, client


@pytest.fixture(autouse=True)
def _plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XL_REBAL_PLANS", str(tmp_path / "plans"))


def test_from_template_to_orders(xl: Any, tmp_path: Path) -> None:
    book = tmp_path / "client.xlsx"
    sample = SAMPLES / "generic_positions.csv"
    done = xl("macro", "import-positions", TEMPLATE, "--out", book, "--file", sample, "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["custodian"] == "generic"
    assert document["workbook"] == str(book)
    assert document["computed_on_opening"] > 0
    before = book.read_bytes()
    done = xl("macro", "check-drift", book, "--out", tmp_path / "copy.xlsx")
    assert done.code == 0, done.err
    assert book.read_bytes() == before


def test_generate_verify_export(xl: Any, tmp_path: Path) -> None:
    book = client(tmp_path)
    done = xl("macro", "generate-trades", book, "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["verified"] is True
    assert {"account", "symbol", "action", "quantity", "price", "value", "cost", "reason"} == set(
        document["trades"][0]
    )
    assert xl("macro", "verify-trades", book).code == 0
    orders = tmp_path / "orders.csv"
    done = xl("macro", "export-orders", book, "--file", orders)
    assert done.code == 0, done.err
    assert "the workbook was not changed" in done.out
    assert orders.read_text().count("\n") == len(document["trades"]) + 1
    done = xl("macro", "export-orders", book, "--file", orders)
    assert done.code == 1
    assert "exists already" in done.err
    assert xl("macro", "export-orders", book, "--file", orders, "--overwrite").code == 0
    assert xl("macro", "undo-last", book).code == 0
    done = xl("macro", "undo-last", book)
    assert done.code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("generate", "{book}"), "is not known"),
        (("import-positions", "{book}"), "needs the file with the positions"),
        (("check-drift", "missing.xlsx"), "cannot be read"),
        (("check-drift", str(TEMPLATE)), "is a template"),
        (("verify-trades", "{book}"), "there is no plan"),
    ],
)
def test_refusals(xl: Any, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    book = client(tmp_path)
    before = book.read_bytes()
    done = xl("macro", *(a.replace("{book}", str(book)) for a in arguments))
    assert done.code == 1
    assert words in done.err
    assert book.read_bytes() == before
