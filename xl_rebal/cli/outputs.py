"""Where the commands of backtests write: checked before any work, written after all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xl_rebal.errors import FileError
from xl_rebal.files import check_target, check_workbook_name, write_atomically


def check_outputs(paths: list[Path | None], prices: Path, *, overwrite: bool) -> None:
    """Refuse outputs that could not be written, that are the input or one another, before any work."""
    seen: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        check_target(path, overwrite=overwrite)
        if path.resolve() in seen:
            raise FileError.of(
                where=path.name, what="is named for two outputs", remedy="name each another file"
            )
        seen.add(path.resolve())
        if path.exists() and prices.exists() and path.samefile(prices):
            raise FileError.of(
                where=path.name, what="is the file of prices", remedy="choose another name"
            )


def png_files(folder: Path | None, names: tuple[str, ...]) -> list[Path]:
    """The files that --png will write into a folder that is there; a new one is empty."""
    if folder is None:
        return []
    if not folder.is_dir() and (folder.exists() or not folder.parent.is_dir()):
        raise FileError.of(
            where=folder.name or str(folder),
            what="is no folder, and cannot be made one",
            remedy="name a folder that is there, or a new one inside such a folder",
        )
    return [folder / name for name in names] if folder.is_dir() else []


def write_pictures(
    folder: Path, pictures: dict[str, bytes], document: dict[str, Any], *, overwrite: bool
) -> None:
    """Write charts into the folder, which is made if it is missing, and name them in the document."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError.of(
            where=folder.name, what="could not be made", remedy="name a folder you may write in"
        ) from error
    for name, data in pictures.items():
        write_atomically(folder / name, data, overwrite=overwrite)
    document["pictures"] = [str(folder / name) for name in pictures]


def check_workbook(out: Path | None) -> None:
    """Refuse a name that Excel would not open."""
    if out is not None:
        check_workbook_name(out)
