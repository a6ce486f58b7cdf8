"""The add-in, built once for all tests that look into it."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from xl_rebal.excel.addin.build import write_addin

_FOLDER = tempfile.TemporaryDirectory(prefix="xl_rebal-addin-")


@lru_cache(maxsize=1)
def addin() -> Path:
    """Its path; the IntelliSense file lies beside it."""
    return write_addin(Path(_FOLDER.name), overwrite=True)[0]
