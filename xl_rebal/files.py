"""Files written whole or not at all, and never over something that the user did not mean to lose."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from xl_rebal.errors import FileError


def write_atomically(path: Path | str, data: bytes, *, overwrite: bool = False) -> None:
    """Put `data` at `path`: a temporary file in the same folder, fsync, then a rename.

    A reader sees the old file or the new one, never half of either. Raises FileError when the
    target exists (and `overwrite` is False), is a folder, has no parent folder, or is locked.
    """
    with writing_atomically(path, overwrite=overwrite) as stream:
        stream.write(data)


@contextlib.contextmanager
def writing_atomically(path: Path | str, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A stream whose content stands at `path` once the block is left, as with `write_atomically`.

    Where the block raises, nothing is left at `path` but what stood there before.
    """
    target = Path(path)
    check_target(target, overwrite=overwrite)
    if target.is_symlink() and target.exists():
        target = target.resolve()  # the link stays, and what it points to is written
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name[:40]}-", suffix=".tmp"
        )
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _take_permissions(Path(temporary), target)
        if overwrite:
            Path(temporary).replace(target)
        else:
            _rename_new(Path(temporary), target)
        temporary = ""
        _sync_folder(target.parent)
    except PermissionError as error:
        raise FileError.of(
            where=target.name,
            what="cannot be written: permission denied, or the file is open in another program",
            remedy="close it there, or choose another place",
        ) from error
    except OSError as error:
        raise FileError.of(
            where=target.name,
            what=f"cannot be written ({error.strerror or 'the system refused'})",
            remedy="free some space or choose another place",
        ) from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def check_workbook_name(path: Path) -> None:
    """Refuse a name that Excel would not open."""
    if path.suffix.casefold() != ".xlsx":
        raise FileError.of(
            where=path.name, what="is no name for a workbook", remedy="end it in .xlsx"
        )


def check_target(path: Path | str, *, overwrite: bool = False) -> None:
    """Refuse a path that could not be written, before any work is done for it; raises FileError."""
    target = Path(path)
    try:
        if "\0" in str(target):
            raise ValueError("NUL in a name")
        is_folder, exists, parent = target.is_dir(), target.exists(), target.parent.is_dir()
    except (OSError, ValueError) as error:  # names that are too long, or hold a NUL
        raise FileError.of(
            where=target.name[:80] or "output",
            what="is not a usable file name",
            remedy="choose a shorter name of ordinary characters",
        ) from error
    if is_folder:
        raise FileError.of(
            where=target.name or str(path), what="is a folder", remedy="name a file inside it"
        )
    if exists and not overwrite:
        raise FileError.of(
            where=target.name,
            what="exists already",
            remedy="choose another name, or allow it with --overwrite",
        )
    if exists and not target.stat().st_mode & 0o222:
        raise FileError.of(
            where=target.name,
            what="is read-only",
            remedy="allow writing to it, or choose another name",
        )
    if not parent:
        raise FileError.of(
            where=target.name,
            what=f"the folder {target.parent.name!r} does not exist",
            remedy="create the folder first",
        )


def _rename_new(temporary: Path, target: Path) -> None:
    """Rename without replacing what another program may have put there since the check."""
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise FileError.of(
            where=target.name,
            what="exists already",
            remedy="choose another name, or allow it with --overwrite",
        ) from error
    except OSError:  # a file system without hard links: the check above has to do
        temporary.replace(target)
        return
    temporary.unlink()


def _take_permissions(temporary: Path, target: Path) -> None:
    """mkstemp makes files that only the owner reads; give the permissions of an ordinary file."""
    if os.name != "posix":
        return
    if target.exists():
        mode = target.stat().st_mode & 0o777
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    temporary.chmod(mode)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can do that."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
