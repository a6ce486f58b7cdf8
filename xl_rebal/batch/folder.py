"""The folder of a run: its files, what is finished, and what a resumed run may rely on.

While a run lasts, `.run/` in its folder holds the settings and one file for each finished chunk. A chunk
is finished when that file is there: it is written after the chunk's workbooks and names their sums. At
the end everything is put together, the manifest is written last, and `.run/` goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from xl_rebal.batch.chunks import Done
from xl_rebal.batch.lock import LOCK
from xl_rebal.batch.settings import digest_of
from xl_rebal.errors import FileError
from xl_rebal.files import write_atomically, writing_atomically

MANIFEST = "manifest.json"
LOG = "batch.log"
FORMAT = 1
_RUN, _CHUNKS, _SCRATCH, _SETTINGS = ".run", "chunks", "book", "run.json"
_NAME = "run"  # among the settings: by what the ledger of orders knows this run


@dataclass(frozen=True, slots=True, kw_only=True)
class OutFile:
    """A file of the run: path with `/` below its folder, size, SHA-256."""

    path: str
    size: int
    sha256: str

    @classmethod
    def of(cls, path: str, data: bytes) -> OutFile:
        """The entry of a content."""
        return cls(path=path, size=len(data), sha256=digest_of(data))

    def document(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {"path": self.path, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """Where a run writes."""

    path: Path

    @property
    def scratch(self) -> Path:
        """A place for what is needed while the run lasts."""
        return self.path / _RUN / _SCRATCH

    @property
    def log(self) -> Path:
        """What happened when: the only file of a run that knows the clock."""
        return self.path / LOG

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of a finished run, or None."""
        try:
            found = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("format") == FORMAT else None

    def is_begun(self) -> bool:
        """True when an unfinished run stands here."""
        return (self.path / _RUN / _SETTINGS).exists()

    def holds_a_run(self) -> bool:
        """True when a run stands here, finished or not."""
        return self.is_begun() or self.manifest() is not None

    def is_empty(self) -> bool:
        """True when nothing stands here but what a run may always find.

        A `.run/` without settings is what a run leaves that was killed before it did anything.
        """
        return all(
            each.name in {LOCK, LOG, _RUN} or (each.is_dir() and not any(each.iterdir()))
            for each in self.path.iterdir()
        )

    def begin(self, asked: Mapping[str, Any]) -> None:
        """Remember what the run is asked, so that only the same run resumes it."""
        self._state.mkdir(parents=True, exist_ok=True)
        self.scratch.mkdir(exist_ok=True)
        _write(self.path / _RUN / _SETTINGS, _json({**asked, _NAME: secrets.token_hex(8)}))

    def run_name(self) -> str:
        """The name of the run that is begun here; no other has it, and it goes when the run ends."""
        return str((self._note(self.path / _RUN / _SETTINGS) or {}).get(_NAME, ""))

    def require_same(self, asked: Mapping[str, Any]) -> None:
        """Refuse to resume a run that was asked something else, naming what differs."""
        before = self._note(self.path / _RUN / _SETTINGS) or {}
        before.pop(_NAME, None)
        differs = sorted(k for k in {*before, *asked} if before.get(k) != asked.get(k))
        if differs:
            raise FileError.of(
                where=self.path.name,
                what=f"holds an unfinished run of another kind: {', '.join(differs)} differ"
                f"{'s' if len(differs) == 1 else ''}",
                remedy="resume it as it was begun, or start afresh with --overwrite",
            )

    def clear(self) -> None:
        """Remove what runs have written here, and nothing else."""
        paths = [entry["path"] for entry in (self.manifest() or {}).get("files", [])]
        with contextlib.suppress(OSError, UnicodeDecodeError):
            paths += self._names.read_text(encoding="utf-8").splitlines()
        paths.append(MANIFEST)
        for path in paths:
            with contextlib.suppress(OSError, FileError):
                self.place(path).unlink()
        with contextlib.suppress(OSError):
            self.log.unlink()
        self.remove_strays()
        self.remove_state()

    def remove_strays(self) -> None:
        """Remove half-written files of a killed run; they were never under their own names."""
        for place in (self.path, *(each for each in self.path.iterdir() if each.is_dir())):
            for stray in place.glob(".*.tmp"):
                with contextlib.suppress(OSError):
                    stray.unlink()

    def remove_state(self) -> None:
        """Remove what only an unfinished run needs."""
        shutil.rmtree(self.path / _RUN, ignore_errors=True)

    def place(self, path: str) -> Path:
        """Where a file of the run stands; the path never leads out of the folder."""
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or PurePosixPath(path).is_absolute():
            raise FileError.of(
                where=path[:80], what="leads out of the run's folder", remedy="report this as a bug"
            )
        return self.path.joinpath(*parts)

    def write(self, path: str, data: bytes) -> OutFile:
        """Write a file of the run, whole or not at all."""
        _write(self._announced(path), data)
        return OutFile.of(path, data)

    def stream(self, path: str, parts: Iterable[bytes]) -> OutFile:
        """Write a file of the run from its parts, whole or not at all."""
        target = self._announced(path)
        digest, size = hashlib.sha256(), 0
        with writing_atomically(target, overwrite=True) as stream:
            for part in parts:
                stream.write(part)
                digest.update(part)
                size += len(part)
        return OutFile(path=path, size=size, sha256=digest.hexdigest())

    def finish_chunk(self, done: Done) -> None:
        """Write a chunk's files and then the note that they are there."""
        files = [self.write(path, data).document() for path, data in done.files.items()]
        note = {"index": done.index, "files": files, "records": done.records}
        _write(self._chunk(done.index), _json(note))

    def is_finished(self, index: int) -> bool:
        """True when a chunk's note is there and its files are as they were written."""
        note = self._note(self._chunk(index))
        return note is not None and all(self.is_intact(entry) for entry in note["files"])

    def is_intact(self, entry: Mapping[str, Any]) -> bool:
        """True when a file has the sum that was noted of it."""
        try:
            data = self.place(entry["path"]).read_bytes()
        except OSError:
            return False
        return bool(digest_of(data) == entry["sha256"])

    def chunks_on_disk(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The notes of finished chunks in the order of the book."""
        for path in sorted(self._state.glob("*.json")):
            note = self._note(path)
            if note is not None:
                yield note["index"], note

    def _chunk(self, index: int) -> Path:
        return self._state / f"{index:08d}.json"

    def _announced(self, path: str) -> Path:
        """The place of a file that is about to be written.

        Its name is noted first, so that a run that is begun afresh can remove what a killed one left.
        """
        target = self.place(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._names.open("a", encoding="utf-8") as names:
                names.write(f"{path}\n")
        except OSError as error:
            raise FileError.of(
                where=path,
                what=f"cannot be written ({error.strerror or 'the system refused'})",
                remedy="free some space or choose another place",
            ) from error
        return target

    @property
    def _names(self) -> Path:
        return self.path / _RUN / "names.txt"

    @property
    def _state(self) -> Path:
        return self.path / _RUN / _CHUNKS

    def _note(self, path: Path) -> dict[str, Any] | None:
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return note if isinstance(note, dict) else None


def _write(path: Path, data: bytes) -> None:
    write_atomically(path, data, overwrite=True)


def _json(document: Any) -> bytes:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
