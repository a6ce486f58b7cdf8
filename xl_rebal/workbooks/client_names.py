"""Names of clients' files: safe on every file system, unique, and the same whatever else is in the run."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Collection

SUFFIX = ".xlsx"
_WORDS_BYTES = (
    80  # of UTF-8: with the code and a temporary suffix well below the 255 of file systems
)
_CODE = 10  # characters of 5 bits: two of 100,000 ids share one in 4 of a million books
_KEPT = ("L", "N", "M")  # letters, digits and marks of any script
_UNNAMED = "client"


def client_file_name(household: str, name: str, taken: Collection[str] = ()) -> str:
    """`Jane-Doe-k3v9q2m7xa.xlsx`: what people call the client, and a code of its id.

    household  the client's id; it alone decides the code, so that two clients of one name differ and a
               name does not depend on who comes first.
    taken      names that are given out already, folded by `str.casefold`; should a code be among them, it
               becomes longer.
    """
    words = _words(name) or _words(household) or _UNNAMED
    digest = hashlib.sha256(household.encode("utf-8", "surrogatepass")).digest()
    code = base64.b32encode(digest).decode("ascii").lower().rstrip("=")
    for length in range(_CODE, len(code) + 1):
        found = f"{words}-{code[:length]}{SUFFIX}"
        if found.casefold() not in taken:
            return found
    raise ValueError(f"{household!r} has a name already")


def _words(text: str) -> str:
    """Letters and digits of a text, with single hyphens between its words.

    What is left cannot be a device name of Windows, a hidden file, a path or an option: the code and the
    suffix follow, and everything but letters, digits and hyphens is gone.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = (c if unicodedata.category(c).startswith(_KEPT) else "-" for c in composed)
    words = "-".join(filter(None, "".join(kept).split("-")))
    cut = words.encode("utf-8")[:_WORDS_BYTES].decode("utf-8", errors="ignore")
    return unicodedata.normalize("NFC", cut).strip("-")
