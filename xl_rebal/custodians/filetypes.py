"""What a file really is, from its first bytes: never from its name."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from xl_rebal.errors import FileError


class FileType(StrEnum):
    """The kinds of file that can hold a table of positions."""

    TEXT = "text"
    WORKBOOK = "workbook"  # zip based: .xlsx, .xlsm, .ods
    OLD_WORKBOOK = "old workbook"  # .xls
    PARQUET = "parquet"


_SAVE_AS = "export the positions as CSV or .xlsx and use that file"
# First bytes -> what the file is. Sources: the formats' specifications.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip archive", "unpack it and use the file inside"),
    (b"BZh", "a bzip2 archive", "unpack it and use the file inside"),
    (b"\xfd7zXZ", "an xz archive", "unpack it and use the file inside"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it and use the file inside"),
    (b"Rar!", "a RAR archive", "unpack it and use the file inside"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it and use the file inside"),
    (b"%PDF", "a PDF document", _SAVE_AS),
    (b"\x89PNG", "a PNG image", _SAVE_AS),
    (b"\xff\xd8\xff", "a JPEG image", _SAVE_AS),
    (b"GIF8", "a GIF image", _SAVE_AS),
    (b"II*\x00", "a TIFF image", _SAVE_AS),
    (b"MM\x00*", "a TIFF image", _SAVE_AS),
    (b"RIFF", "a picture or sound file", _SAVE_AS),
    (b"{\\rtf", "a rich text document", _SAVE_AS),
    (b"SQLite format 3", "a database", _SAVE_AS),
    (b"MZ", "a Windows program", _SAVE_AS),
    (b"\x7fELF", "a program", _SAVE_AS),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(r"<(!doctype\s+html|html|head|body|table|div|script|meta)\b", re.IGNORECASE)


def file_type(path: Path) -> FileType:
    """The kind of a readable file; raises FileError for all that holds no table."""
    name = path.name
    try:
        if path.is_dir():
            raise FileError.of(
                where=name or str(path), what="is a folder", remedy="name a file inside it"
            )
        with path.open("rb") as stream:
            head = stream.read(65536)
    except FileNotFoundError as error:
        raise FileError.of(
            where=name, what="there is no such file", remedy="check the name and the folder"
        ) from error
    except PermissionError as error:
        raise FileError.of(
            where=name,
            what="cannot be read: permission denied, or it is open in another program",
            remedy="close it there, or ask for access",
        ) from error
    except (OSError, ValueError) as error:
        raise FileError.of(
            where=name[:80], what="cannot be read", remedy="check the name and the disk"
        ) from error
    if not head:
        raise FileError.of(where=name, what="is empty (0 bytes)", remedy="export it again")
    return _type_of(name, path, head)


def _type_of(name: str, path: Path, head: bytes) -> FileType:
    for magic, what, remedy in _FOREIGN:
        if head.startswith(magic) and (magic != b"MZ" or b"\x00" in head[:512]):
            raise FileError.of(where=name, what=f"is {what}", remedy=remedy)
    if head.startswith(b"PAR1"):
        return FileType.PARQUET
    if head.startswith(_OLE):
        return _old_workbook(name, path)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip_based(name, path)
    if _is_binary(head):
        raise FileError.of(where=name, what="is a binary file, not a table", remedy=_SAVE_AS)
    start = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1").replace("\x00", "").lstrip()
    if _HTML.match(start) or (start.startswith("<!--") and _HTML.search(start)):
        raise FileError.of(
            where=name,
            what="is a web page (HTML), whatever its name says",
            remedy="use the custodian's download button, or open it in Excel and save it as .xlsx",
        )
    if start.startswith(("{", "[{", "[\n", "[ ")):
        raise FileError.of(where=name, what="is JSON, not a table", remedy=_SAVE_AS)
    return FileType.TEXT


def _old_workbook(name: str, path: Path) -> FileType:
    body = path.read_bytes()[: 8 * 1024**2]
    if "EncryptedPackage".encode("utf-16-le") in body:
        raise FileError.of(
            where=name, what="is locked with a password", remedy="save it without one"
        )
    if not any(word.encode("utf-16-le") in body for word in ("Workbook", "Book")):
        raise FileError.of(
            where=name, what="is an Office document but no workbook", remedy=_SAVE_AS
        )
    return FileType.OLD_WORKBOOK


def _zip_based(name: str, path: Path) -> FileType:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = {part.filename for part in archive.infolist()[:20_000]}
            kind = b""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = archive.read("mimetype")
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as e:
        raise FileError.of(
            where=name, what=f"is a damaged workbook ({e})", remedy="save it again in Excel"
        ) from e
    if "xl/workbook.bin" in names:
        raise FileError.of(
            where=name, what="is a binary workbook (.xlsb)", remedy="save it as .xlsx in Excel"
        )
    if "xl/workbook.xml" in names or b"opendocument.spreadsheet" in kind:
        return FileType.WORKBOOK
    if "[Content_Types].xml" in names or kind:
        raise FileError.of(
            where=name, what="is an Office document but no workbook", remedy=_SAVE_AS
        )
    raise FileError.of(
        where=name, what="is a zip archive", remedy="unpack it and use the file inside"
    )


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    nulls = head.count(0)
    if nulls:  # text in UTF-16 without a mark has a NUL in every other byte
        return not (head[0::2].count(0) > 0.9 * nulls or head[1::2].count(0) > 0.9 * nulls) or (
            nulls < 0.3 * len(head)
        )
    control = sum(head.count(byte) for byte in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return control > max(2, len(head) // 200)
