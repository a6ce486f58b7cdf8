"""The command line in this process: what it printed, what it said on stderr, how it ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from xl_rebal.cli import commands

SAMPLES = Path(str(resources.files("xl_rebal"))) / "samples"
TARGETS = "60% stocks, 30% bonds, 10% real estate"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; NaN and infinity are not JSON."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        assert self.code == 0, self.err
        return json.loads(self.out, parse_constant=refuse)


Run = Callable[..., Ran]


@pytest.fixture
def xl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`xl("drift", path, "--targets", …)` as the shell would run it."""

    def run(*args: object) -> Ran:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["xl-rebal", *map(str, args)])
        with pytest.raises(SystemExit) as end:
            commands.run()
        printed = capsys.readouterr()
        code = end.value.code
        return Ran(
            code if isinstance(code, int) else int(code is not None), printed.out, printed.err
        )

    return run


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """The walk-through of the requirements as a plain holdings table."""
    path = tmp_path / "walk.csv"
    path.write_text(
        "account,symbol,quantity,price\n"
        "A,VTI,5000,220\nA,VXUS,2000,58\nA,BND,8000,75\nA,VNQ,1000,85\n"
    )
    return path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two accounts, one with cash."""
    path = tmp_path / "two.csv"
    path.write_text(
        "account,symbol,quantity,price,asset_class\n"
        "Taxable,VTI,700,100,\nTaxable,BND,300,100,\n"
        "IRA,VTI,500,100,\nIRA,BND,400,100,\nIRA,CASH,10000,1,Cash\n"
    )
    return path


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str, str], Path]:
    """`table("t.csv", "a,b\\n1,2\\n")`: a small file of the user's."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
