"""Packages made of parts that were compressed beforehand and parts that change."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xl_rebal.errors import RebalError
from xl_rebal.workbooks.package import ZIP_TIME


def _library() -> Any:
    """`isal_zlib`, which has the functions of `zlib`; without the extra [fast] `zlib` itself: the same
    contents, slower and in other bytes.
    """
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


LIBRARY = _library()
COMPRESSOR = "zlib" if LIBRARY is zlib else "isal"  # files made with one differ from the other's
_LEVEL = 1 if LIBRARY is zlib else 0  # each library's fastest; zlib's 0 would not compress at all
_DOS_DATE = ((ZIP_TIME[0] - 1980) << 9) | (ZIP_TIME[1] << 5) | ZIP_TIME[2]
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION, _DEFLATED = 20, 8
_MOST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Packed:
    """A compressed part."""

    name: bytes
    crc: int
    size: int
    data: bytes


def packed(name: str, text: bytes) -> Packed:
    """A part compressed."""
    data = LIBRARY.compress(text, _LEVEL, -zlib.MAX_WBITS)
    return Packed(name.encode("ascii"), LIBRARY.crc32(text), len(text), data)


class Packing:
    """A part that is compressed piece by piece, so that only its compressed form is held."""

    def __init__(self, name: str) -> None:
        self._name = name.encode("ascii")
        self._deflate = LIBRARY.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = self._size = 0
        self._data: list[bytes] = []

    def add(self, text: bytes) -> None:
        """The next piece."""
        self._crc = LIBRARY.crc32(text, self._crc)
        self._size += len(text)
        self._data.append(self._deflate.compress(text))

    def done(self) -> Packed:
        """The compressed part."""
        self._data.append(self._deflate.flush())
        return Packed(self._name, self._crc, self._size, b"".join(self._data))


@dataclass(frozen=True, slots=True)
class Start:
    """The parts that a package begins with, and their entries in its list of contents."""

    count: int
    body: bytes
    contents: bytes


NOTHING = Start(0, b"", b"")


def start_of(parts: Iterable[Packed]) -> Start:
    """Parts that stand first in many packages, put together once."""
    listed = list(parts)
    body, contents, _ = _entries(NOTHING, listed)
    return Start(len(listed), b"".join(body), b"".join(contents))


def package_of(start: Start, parts: Sequence[Packed]) -> bytes:
    """The package: what it begins with, and the parts that follow, all dated the same."""
    body, contents, length = _entries(start, parts)
    listing = b"".join(contents)
    count = start.count + len(parts)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(listing), length, 0)
    return b"".join((*body, listing, end))


def _entries(start: Start, parts: Sequence[Packed]) -> tuple[list[bytes], list[bytes], int]:
    """The pieces of a package's body and of its list of contents, and the length of the body."""
    offset = len(start.body)
    body, contents = [start.body], [start.contents]
    for part in parts:
        size = len(part.data)
        if part.size > _MOST or offset + size > _MOST:
            raise RebalError.of(
                where=f"workbook, part {part.name.decode()}",
                what="is larger than 4 GiB, the most that a workbook holds",
                remedy="make a workbook of fewer clients",
            )
        common = (0, _DEFLATED, 0, _DOS_DATE, part.crc, size, part.size, len(part.name))
        body += (_LOCAL.pack(b"PK\3\4", _VERSION, *common, 0), part.name, part.data)
        contents += (
            _CENTRAL.pack(b"PK\1\2", _VERSION, _VERSION, *common, 0, 0, 0, 0, 0, offset),
            part.name,
        )
        offset += _LOCAL.size + len(part.name) + size
    return body, contents, offset
