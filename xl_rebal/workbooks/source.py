"""Where a report's numbers come from, as the report prints it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """What the reader of the input knows of it.

    as_of_text, price_time  as the file states them; empty or `unknown` when it does not.
    fingerprint             SHA-256 of the inputs in hexadecimal digits.
    """

    name: str
    custodian: str
    as_of_text: str
    price_time: str
    warnings: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def file_name(self) -> str:
        """The name without folders: a report must not tell where a file lay on someone's disk."""
        return re.split(r"[\\/]", self.name)[-1]
