"""`build templates` and `build calc`: files appear, nothing is overwritten unasked."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from xl_rebal.cli.commands import app
from xl_rebal.excel.templates import build_templates

ROOT = Path(__file__).parents[2]


def test_build_templates_writes_what_is_committed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["build", "templates", "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0
    (path,) = json.loads(result.stdout)["files"]
    committed = ROOT / "workbook_templates" / "portfolio.xltx"
    assert Path(path).read_bytes() == committed.read_bytes()
    assert build_templates(ROOT / "workbook_templates", check=True) == []


def test_a_template_that_exists_is_not_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "portfolio.xltx").write_text("mine")
    result = CliRunner().invoke(app, ["build", "templates", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert (tmp_path / "portfolio.xltx").read_text() == "mine"


def test_build_calc_writes_the_extension(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["build", "calc", "--out", str(tmp_path)])
    assert result.exit_code == 0
    assert (tmp_path / "xl_rebal.oxt").stat().st_size > 0
