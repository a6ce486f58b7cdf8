"""`xl-rebal household` on the sample book: the document, the screen, the refusals."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SAMPLE = Path(str(resources.files("xl_rebal"))) / "samples" / "household"
