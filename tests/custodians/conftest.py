"""What the custodian tests share: files made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xl_rebal.custodians import Statement, read_export

Make = Callable[..., Path]
Read = Callable[..., Statement]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write text or bytes to a new file; its name says nothing about its content."""

    def write(content: str | bytes, name: str = "file.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode(encoding)
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def read(make: Make) -> Read:
    """Read an export from text or bytes."""

    def run(content: str | bytes, *, encoding: str = "utf-8", **options: object) -> Statement:
        return read_export(make(content, encoding=encoding), **options)  # type: ignore[arg-type]  # by name

    return run
