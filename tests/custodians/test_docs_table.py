"""The table in docs/custodian-files.md says what really happens to every file."""

from __future__ import annotations

from pathlib import Path

import pytest

from xl_rebal.custodians import load_mapping, read_export
from xl_rebal.custodians.columns import SYNONYMS
from xl_rebal.errors import ReadError

DOCS = Path(__file__).parents[2] / "docs" / "custodian-files.md"
# What the reason in the table must find in the message of a refusal.
WORDS = {
    "names no account; read with `--account`": "say it with --account",
    "Flex query of trades": "Flex query of trades",
    "E*TRADE (notes on its layout)": "E*TRADE",
    "notes: a header and no rows": "no rows below",
}


def table() -> dict[str, tuple[str, str, str]]:
    rows = {}
    for line in DOCS.read_text("utf-8").split("## Every file in")[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "file":
            rows[cells[0]] = (cells[1], cells[2], cells[3])
    return rows


def test_every_file_is_listed(shared_data):
    files = sorted(p.name for p in (shared_data / "brokers").rglob("*") if p.is_file())
    assert sorted(table()) == files


def test_the_table_is_true(shared_data):
    for path in sorted((shared_data / "brokers").rglob("*")):
        if not path.is_file():
            continue
        custodian, result, reason = table()[path.name]
        if result == "read":
            statement = read_export(path)
            assert statement.custodian == custodian
            held = [len(t) for t in (statement.realised, statement.lots, statement.holdings)]
            assert [n > 0 for n in held] == [
                reason.startswith("realised gains"),
                reason.startswith("lots of one symbol"),
                not reason.startswith(("realised gains", "lots of one symbol")),
            ]
            doubts = [w for w in statement.warnings if "add up" in w or "is not quantity" in w]
            assert bool(doubts) == ("warning" in reason), (path.name, statement.warnings)
        else:
            with pytest.raises(ReadError) as caught:
                read_export(path)
            assert WORDS[reason] in str(caught.value), path.name


def test_the_mapping_keys_are_all_named():
    text = DOCS.read_text("utf-8").split("Keys of `[columns]`: ")[1].split(".")[0]
    assert sorted(text.replace("\n", " ").split(", ")) == sorted(SYNONYMS)


def test_the_example_mapping_loads(tmp_path):
    text = DOCS.read_text("utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    path = tmp_path / "bank.toml"
    path.write_text(example, "utf-8")
    assert load_mapping(path).columns["symbol"] == "Kennung"
