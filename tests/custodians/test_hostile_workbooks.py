"""Workbooks that are damaged, locked or made to harm: refused before anything opens them."""

from __future__ import annotations

import random
import struct
import sys
import zipfile
import zlib
from types import SimpleNamespace

import pytest

from tests.custodians.workbook_bytes import WORKBOOK, sheet_xml, write_workbook
from xl_rebal.custodians import archives, read_positions
from xl_rebal.errors import FileError, RebalError

ROWS: list[list[object]] = [["account", "symbol", "quantity", "price"], ["007", "VTI", 10, 200.5]]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "book.xlsx"


def test_an_honest_one(path):
    assert len(read_positions(write_workbook(path, sheet_xml(ROWS))).holdings) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("padding", [0, 1 << 20])
def test_entity_expansion(path, encoding, padding):
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    sheet = sheet_xml(ROWS).replace("<worksheet", " " * padding + entities + "<worksheet", 1)
    write_workbook(path, sheet.encode(encoding))
    with pytest.raises(FileError, match="entities"):
        read_positions(path)


def test_entities_in_other_parts(path):
    write_workbook(path, sheet_xml(ROWS), workbook="<!DOCTYPE x>" + WORKBOOK)
    with pytest.raises(FileError, match=r"xl/workbook\.xml"):
        read_positions(path)
    write_workbook(path, sheet_xml(ROWS), extra={"xl/sharedStrings.xml": '<!ENTITY a "b">'})
    with pytest.raises(FileError, match="sharedStrings"):
        read_positions(path)


def test_a_bomb_by_its_ratio(path):
    write_workbook(path, sheet_xml(ROWS), extra={"xl/media/a.bin": bytes(60 << 20)})
    with pytest.raises(FileError, match="times its size"):
        read_positions(path)


def test_a_bomb_by_its_sum(path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1000)
    write_workbook(path, sheet_xml(ROWS))
    with pytest.raises(FileError, match="zip bomb"):
        read_positions(path)


def test_a_bomb_that_lies_about_its_size(path):
    """The directory declares 100 bytes; the packed data unpacks to a mebibyte."""
    write_workbook(path, sheet_xml(ROWS) + " " * (1 << 20))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        real = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(data.replace(struct.pack("<I", real), struct.pack("<I", 100)))
    with pytest.raises(FileError, match="more than it declares"):
        read_positions(path)


def test_too_many_parts_and_nested_archives(path):
    write_workbook(path, sheet_xml(ROWS), extra={f"xl/x{i}.xml": "" for i in range(10_001)})
    with pytest.raises(FileError, match="parts"):
        read_positions(path)
    write_workbook(path, sheet_xml(ROWS), extra={"xl/more.zip": b"PK"})
    with pytest.raises(FileError, match="archive inside"):
        read_positions(path)


def test_overlapping_parts(path):
    """Several directory entries that point at the same packed data (Fifield's bomb)."""
    write_workbook(path, sheet_xml(ROWS), extra={"a.xml": random.Random(1).randbytes(50_000)})
    with zipfile.ZipFile(path, "a") as archive:
        info = archive.getinfo("a.xml")
        for number in range(5):
            copy = zipfile.ZipInfo(f"copy{number}.xml")
            for field in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(copy, field, getattr(info, field))
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
        archive._didModify = True  # type: ignore[attr-defined]  # zipfile's own flag
    with pytest.raises(FileError, match=r"overlap|damaged"):
        read_positions(path)


def test_a_cell_far_out(path):
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    write_workbook(path, sheet_xml(ROWS).replace("</sheetData>", far))
    with pytest.raises(FileError, match="XFD1048576"):
        read_positions(path)


@pytest.mark.parametrize("reference", ["r='{}'", 'r = "{}"', 'r\n=\t"{}"', 'r="{}"'])
@pytest.mark.parametrize("cell", ["XFD1048576", "xfd1048576", "BZ1000000"])
def test_a_cell_far_out_however_it_is_written(path, reference, cell):
    """In any spelling that readers take."""
    named = reference.format(cell)
    row = reference.format(cell.lstrip("XFDBZxfd"))
    far = f"<row {row}><c {named}><v>1</v></c></row></sheetData>"
    write_workbook(path, sheet_xml(ROWS).replace("</sheetData>", far))
    with pytest.raises(FileError, match=cell.upper()):
        read_positions(path)


def test_a_sheet_is_a_sheet_whatever_its_part_is_called(path):
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    sheet = sheet_xml(ROWS).replace("</sheetData>", far)
    write_workbook(path, sheet_xml(ROWS), extra={"xl/other.bin": sheet})
    with pytest.raises(FileError, match="XFD1048576"):
        read_positions(path)


class IsalError(Exception):
    """What isal raises in place of zlib.error."""


class Inflater:
    """isal's decompressor, played by zlib's: it is an extra that need not be installed."""

    def __init__(self, bits):
        self.real = zlib.decompressobj(bits)

    def __getattr__(self, name):
        return getattr(self.real, name)

    def decompress(self, data, most):
        try:
            return self.real.decompress(data, most)
        except zlib.error as error:
            raise IsalError(str(error)) from error


@pytest.mark.parametrize("fast", [True, False])
def test_packed_data_that_is_broken(path, monkeypatch, fast):
    """With isal and without it: what is sound is read, what is not is refused in the same words."""
    played = SimpleNamespace(isal_zlib=SimpleNamespace(decompressobj=Inflater, error=IsalError))
    monkeypatch.setitem(sys.modules, "isal", played if fast else None)
    write_workbook(path, sheet_xml([ROWS[0], *[["007", f"S{i}", i, 2.5] for i in range(1, 200)]]))
    assert len(read_positions(path).holdings) == 199
    with zipfile.ZipFile(path) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    middle = part.header_offset + part.compress_size // 2
    data[middle : middle + 40] = bytes(range(200, 240))
    path.write_bytes(bytes(data))
    with pytest.raises(FileError, match=r"damaged workbook \(part xl/worksheets/sheet1.xml"):
        read_positions(path)


def test_locked(path):
    write_workbook(path, sheet_xml(ROWS))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(FileError, match="password"):
        read_positions(path)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(ole)
    with pytest.raises(FileError, match="password"):
        read_positions(path)
    path.write_bytes(ole.replace("EncryptedPackage".encode("utf-16-le"), bytes(32)))
    with pytest.raises(FileError, match="no workbook"):
        read_positions(path)


def test_other_zip_files(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("positions.csv", "symbol,quantity,price\nA,1,1\n")
    with pytest.raises(FileError, match="zip archive"):
        read_positions(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("word/document.xml", "")
    with pytest.raises(FileError, match="no workbook"):
        read_positions(path)


def test_damaged_in_any_way(path):
    write_workbook(path, sheet_xml(ROWS))
    good = path.read_bytes()
    generator = random.Random(11)
    for _ in range(120):
        data = bytearray(good)
        if generator.random() < 0.3:
            data = data[: generator.randrange(4, len(data))]
        for _ in range(generator.randrange(1, 6)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        path.write_bytes(bytes(data))
        try:
            read_positions(path)
        except RebalError:
            continue


def test_broken_xml(path):
    for sheet in ("", "not xml", sheet_xml(ROWS)[:-40], "<worksheet><sheetData><row><c t='s'><v>9"):
        write_workbook(path, sheet)
        with pytest.raises(RebalError):
            read_positions(path)
