"""Workbooks are zip archives: looked through before anything opens them, and never trusted.

A small file can claim to unpack into terabytes, or lie about it, or hold XML entities that multiply
while they are parsed. Here the archive's directory is checked first, then every part is unpacked in
pieces and counted, without keeping it.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from xl_rebal.errors import FileError

MAX_PARTS = 10_000
MAX_UNPACKED = 4 * 1024**3  # a million-row sheet of 15 columns unpacks to about 1 GiB
MAX_RATIO = 200  # real sheets reach 10 to 40; deflate's limit, which bombs use, is 1,032
RATIO_COUNTS_FROM = 10 * 1024**2
MAX_CELLS = 60_000_000  # the reader allots the whole rectangle that a sheet's cells span
_PIECE = 1 << 20
# What a damaged directory leads to: OSError and ValueError come from seeking to where it points.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)
_OVERLAP = 64
_BEFORE_MARKUP = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_DOCTYPES = tuple(
    text.encode(encoding)
    for text in ("<!DOCTYPE", "<!ENTITY")
    for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_NESTED = re.compile(r"\.(zip|gz|bz2|xz|7z|rar|tar|zst)$", re.IGNORECASE)
# Cell references as a reader takes them: either quote, spaces around the sign, small letters.
_WIDE = re.compile(rb"=\s*[\"'][A-Za-z]{2,3}\d")
_REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{0,3})(\d+)[\"']")


def check_archive(path: Path, progress: Callable[[float], None] | None = None) -> None:
    """Refuse a workbook that is damaged, locked, a zip bomb or a carrier of XML entities.

    Raises FileError. Costs one pass over the unpacked parts (2 to 3 s per GiB), keeping none.
    """
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _check_directory(name, parts, path.stat().st_size)
            total = sum(part.file_size for part in parts) or 1
            done = 0
            for part in parts:
                _check_part(name, path, part)
                done += part.file_size
                if progress is not None:
                    progress(done / total)
    except _DAMAGE as error:
        raise FileError.of(
            where=name,
            what=f"is a damaged workbook ({error})",
            remedy="open it in Excel and save it again",
        ) from error


def _refuse(name: str, what: str, part: str = "") -> FileError:
    where = f"{name}, part {part}" if part else name
    remedy = "it was not opened; save the data again from the program that made it"
    return FileError.of(where=where, what=what, remedy=remedy)


def _check_directory(name: str, parts: list[zipfile.ZipInfo], size: int) -> None:
    if len(parts) > MAX_PARTS:
        raise _refuse(name, f"has {len(parts):,} parts, more than {MAX_PARTS:,}")
    names = [part.filename for part in parts]
    if len({n.casefold() for n in names}) < len(names):
        raise _refuse(name, "has two parts of the same name")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED:
        raise _refuse(name, f"would unpack to {unpacked / 1024**3:,.1f} GiB (a zip bomb)")
    if sum(part.compress_size for part in parts) > size:
        raise _refuse(name, "has parts that overlap each other (a zip bomb)")
    for part in parts:
        if part.flag_bits & 0x1:
            raise FileError.of(
                where=name, what="is locked with a password", remedy="save it without one"
            )
        if _NESTED.search(part.filename):
            raise _refuse(name, "holds an archive inside the archive", part.filename)
        if part.file_size > max(RATIO_COUNTS_FROM, MAX_RATIO * part.compress_size):
            raise _refuse(
                name,
                f"unpacks to {part.file_size / max(1, part.compress_size):,.0f} times its size "
                "(a zip bomb)",
                part.filename,
            )
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refuse(name, "is packed in a way that workbooks do not use", part.filename)


def _inflater() -> tuple[zlib._Decompress, type[Exception]]:
    """A decompressor of raw deflate and its error: isal's where it is installed, which is twice as fast."""
    try:
        from isal import isal_zlib  # extra `fast`
    except ImportError:
        return zlib.decompressobj(-zlib.MAX_WBITS), zlib.error
    fast = cast("zlib._Decompress", isal_zlib.decompressobj(-zlib.MAX_WBITS))
    return fast, cast("type[Exception]", isal_zlib.error)


def _unpacked(path: Path, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's bytes in pieces, as a reader that ignores the declared size would see them."""
    with path.open("rb") as stream:
        stream.seek(part.header_offset)
        local = stream.read(30)
        if len(local) < 30 or local[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile(f"part {part.filename} is not where the directory says")
        name_length, extra_length = struct.unpack("<HH", local[26:30])
        stream.seek(name_length + extra_length, 1)
        left = part.compress_size
        inflate, broken = (
            _inflater() if part.compress_type == zipfile.ZIP_DEFLATED else (None, zlib.error)
        )
        while left > 0:
            packed = stream.read(min(_PIECE // 8, left))
            if not packed:
                raise zipfile.BadZipFile(f"part {part.filename} is cut short")
            left -= len(packed)
            if inflate is None:
                yield packed
                continue
            while packed and not inflate.eof:
                try:
                    piece = inflate.decompress(packed, _PIECE)
                except broken as error:
                    text = f"part {part.filename} cannot be unpacked"
                    raise zipfile.BadZipFile(text) from error
                yield piece
                packed = inflate.unconsumed_tail
            if inflate.eof:
                return
        if inflate is not None and not inflate.eof and part.file_size:
            raise zipfile.BadZipFile(f"part {part.filename} is cut short")


def _check_part(name: str, path: Path, part: zipfile.ZipInfo) -> None:
    is_xml = part.filename.casefold().endswith((".xml", ".rels", ".vml"))
    size = checksum = 0
    tail = b""
    wide = False
    for piece in _unpacked(path, part):
        if not size:  # a part is what it begins like: its name is only a name
            is_xml = is_xml or piece.lstrip(_BEFORE_MARKUP).startswith(b"<")
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if size > part.file_size:
            raise _refuse(name, "unpacks to more than it declares (a zip bomb)", part.filename)
        if is_xml:
            seen = tail + piece
            # Every mark begins like this, in any encoding, and few pieces have the second sign at all.
            declares = b"!" in seen and (b"<!" in seen or b"<\0!" in seen)
            if declares and any(mark in seen for mark in _DOCTYPES):
                what = "declares XML entities or a document type, which no workbook needs"
                raise _refuse(name, what, part.filename)
            wide = wide or _WIDE.search(seen) is not None
            tail = piece[-_OVERLAP:]
    if size != part.file_size or checksum != part.CRC:
        raise zipfile.BadZipFile(f"part {part.filename} does not match its checksum")
    if wide:
        _check_extent(name, path, part)


def _check_extent(name: str, path: Path, part: zipfile.ZipInfo) -> None:
    """One cell far out makes the sheet's rectangle huge: XFD1048576 spans 17 thousand million."""
    width, height = 1, 1
    tail = b""
    for piece in _unpacked(path, part):
        found = set(_REFERENCE.findall(tail + piece))
        for letters in {letters for letters, _ in found}:
            width = max(width, _column(letters))
        height = max(height, max((int(digits) for _, digits in found), default=1))
        tail = piece[-_OVERLAP:]
    if width * height > MAX_CELLS:
        raise FileError.of(
            where=f"{name}, part {part.filename}",
            what=f"has cells as far out as {_letters(width)}{height}",
            remedy="delete the empty rows and columns beyond the table and save it again",
        )


def _column(letters: bytes) -> int:
    """The number of a column: 1 for A, 16,384 for XFD."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
