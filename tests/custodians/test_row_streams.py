"""Rows read one after the other are those of the file opened whole, line for line."""

from __future__ import annotations

import csv
import io
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.custodians.row_streams import RowStream, stream_file
from xl_rebal.custodians.sheets import as_text, open_document
from xl_rebal.errors import ReadError

SAMPLES = sorted((Path(str(resources.files("xl_rebal"))) / "samples").glob("*.csv"))
TEXT = 'account;symbol;quantity\n„A“;Süd;1,5\n\n"two\nlines";B;2\n'


def whole(path: Path) -> list[tuple[int, list[str]]]:
    sheet = open_document(path).sheets[0]
    return [
        (line, [as_text(cell) for cell in row])
        for line, row in zip(sheet.lines.tolist(), sheet.rows, strict=True)
    ]


def streamed(stream: RowStream) -> list[tuple[int, list[str]]]:
    return [(line, [as_text(cell) for cell in row]) for line, row in stream.rows]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples(path: Path) -> None:
    assert streamed(stream_file(path)) == whole(path)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_encodings_line_ends_and_a_named_delimiter(
    tmp_path: Path, encoding: str, newline: str, first: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes((first + TEXT).replace("\n", newline).encode(encoding))
    found = streamed(stream_file(path))
    assert found == whole(path)
    assert ["„A“", "Süd", "1,5"] in [row for _, row in found]


def test_a_bad_byte_far_down_decides_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"account,name\n" + b"A,plain\n" * 300_000 + "B,Süd\n".encode("cp1252"))
    last = list(stream_file(path).rows)[-1]
    assert last == (300_002, ["B", "Süd"])


def test_a_quotation_mark_without_its_partner_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('account,name\nA,x\nB,"open\n' + "C,y\n" * 200)
    with pytest.raises(ReadError, match=r"t\.csv line 3"):
        list(stream_file(path).rows)


@given(
    st.lists(
        st.lists(
            st.text(alphabet=st.sampled_from("ab1,;\"'\n\r \té"), max_size=6),
            min_size=2,
            max_size=4,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_a_csv_writer_writes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["account", "symbol", "quantity"], *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(stream.getvalue().encode())
    assert streamed(stream_file(path)) == whole(path)
