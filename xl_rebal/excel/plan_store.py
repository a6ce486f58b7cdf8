"""Plans kept outside the workbook: what was decided, and everything the verifier needs to check it.

A plan is one JSON file named by the hash of its content, in this user's data folder. Sheets hold the
name only, so that orders are written from what was verified and never from cells. A changed file no
longer fits its name. Files hold clients' holdings: they are readable by their owner only, and old ones
are removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import platformdirs

from xl_rebal import __version__
from xl_rebal.errors import FileError, RebalError
from xl_rebal.excel.book_inputs import Inputs
from xl_rebal.files import write_atomically
from xl_rebal.trading.plan import Plan, Trade

FORMAT = 2
FOLDER_VARIABLE = "XL_REBAL_PLANS"
KEEP_DAYS, KEEP_PLANS = 90, 500
_ID = re.compile(r"[0-9a-f]{16}")


class PlanStoreError(RebalError):
    """A stored plan that is missing, was changed, or is of another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A verified plan with the inputs that it was made from.

    locked  account and symbol of trades that Generate Trades must keep.
    edits   what a person changed, oldest first, in words.
    parent  the plan that was edited; empty for a generated one.
    refused account and reason of what could not be planned.
    """

    inputs: Inputs
    plans: tuple[Plan, ...]
    locked: frozenset[tuple[str, str]] = frozenset()
    edits: tuple[str, ...] = ()
    parent: str = ""
    refused: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        date = self.inputs.as_of
        return {
            "format": FORMAT,
            "version": __version__,
            "inputs": self.inputs.to_json(),
            "as_of": date.isoformat() if date else None,
            "plans": [asdict(plan) for plan in self.plans],
            "locked": sorted(map(list, self.locked)),
            "edits": list(self.edits),
            "parent": self.parent,
            "refused": [list(pair) for pair in self.refused],
        }

    @property
    def plan_id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of its content."""
        return _hash(_text(self.document()))

    def trades(self) -> Iterator[Trade]:
        """All trades of all accounts."""
        return (trade for plan in self.plans for trade in plan.trades)


def folder(chosen: Path | None = None) -> Path:
    """Where plans are kept: the given folder, that of XL_REBAL_PLANS, or this user's data folder."""
    if chosen is not None:
        return chosen
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("xl_rebal", False) / "plans"


def save(plan: StoredPlan, chosen: Path | None = None) -> str:
    """Keep a plan and return its name; older ones are purged."""
    place = folder(chosen)
    text = _text(plan.document())
    name = _hash(text)
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FileError.of(
            where="the folder for plans",
            what=f"cannot be made ({error.strerror or 'the system refused'})",
            remedy=f"name another folder in the environment variable {FOLDER_VARIABLE}",
        ) from None
    path = place / f"{name}.json"
    write_atomically(path, text.encode(), overwrite=True)
    if os.name == "posix":
        path.chmod(0o600)
    purge(place, keep=path)
    return name


def load(name: str, chosen: Path | None = None) -> StoredPlan:
    """The plan of a name; raises PlanStoreError saying why it cannot be used."""
    if not _ID.fullmatch(name):
        raise PlanStoreError.of(
            where="sheet Trades, Plan id",
            what=f"{name[:40]!r} is no plan id" if name else "is blank",
            remedy="press Generate Trades",
        )
    try:
        text = (folder(chosen) / f"{name}.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise PlanStoreError.of(
            where=f"plan {name}",
            what="is not kept on this computer: it was made on another one or by another user, or is "
            f"older than {KEEP_DAYS} days",
            remedy="press Generate Trades here",
        ) from None
    if _hash(text) != name:
        raise PlanStoreError.of(
            where=f"plan {name}",
            what="was changed after it was saved, so nothing in it can be trusted",
            remedy="press Generate Trades",
        )
    document = json.loads(text)
    if document.get("format") != FORMAT or document.get("version") != __version__:
        raise PlanStoreError.of(
            where=f"plan {name}",
            what=f"was made by xl_rebal {document.get('version', 'of another kind')}, this is "
            f"{__version__}",
            remedy="press Generate Trades",
        )
    return StoredPlan(
        inputs=Inputs.from_json(document["inputs"], document["as_of"]),
        plans=_built(tuple[Plan, ...], document["plans"]),
        locked=frozenset((account, symbol) for account, symbol in document["locked"]),
        edits=tuple(document["edits"]),
        parent=document["parent"],
        refused=tuple((account, reason) for account, reason in document["refused"]),
    )


def purge(place: Path, *, keep: Path) -> None:
    """Remove plans that are old, and the oldest beyond the number that is kept."""
    aged = []
    for path in place.glob("*.json"):
        with contextlib.suppress(OSError):
            if _ID.fullmatch(path.stem) and path != keep:
                aged.append((path.stat().st_mtime, path))
    aged.sort(reverse=True)
    limit = time.time() - KEEP_DAYS * 86_400
    for number, (moment, path) in enumerate(aged, start=2):
        if moment < limit or number > KEEP_PLANS:
            with contextlib.suppress(OSError):  # in use elsewhere: the next save removes it
                path.unlink()


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=True, sort_keys=True, allow_nan=False)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _built(kind: Any, stored: Any) -> Any:
    """A value of a type from what JSON kept of it: nouns, tuples of them, enumerations, plain values."""
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _built(hints[name], each) for name, each in stored.items()})
    if get_origin(kind) is tuple:
        return tuple(_built(get_args(kind)[0], each) for each in stored)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(stored)
    return stored
