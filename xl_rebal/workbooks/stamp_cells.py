"""Cells as a sheet's XML holds them: the same characters that openpyxl and `package` write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from xl_rebal.errors import RebalError
from xl_rebal.workbooks.cells import Content, Formula, as_stored, clean_text, fitted, is_risky
from xl_rebal.workbooks.limits import check_formula


def _json_writer() -> Callable[[object], bytes] | None:
    """What writes numbers fastest; None without the extra [fast]: the numbers are the same, only slower."""
    try:
        import orjson
    except ImportError:
        return None
    return orjson.dumps


DUMPS = _json_writer()
REMEMBERED = 10_000  # texts: symbols, classes and names come again from client to client


def numbers(values: Sequence[float | None]) -> list[str]:
    """Numbers as text that reads back as the same numbers; None as `null`."""
    if not values:
        return []
    if DUMPS is None:
        text = ",".join([_plain(value) for value in values])
    else:
        try:
            text = DUMPS(values).decode()[1:-1]
        except TypeError:  # numbers of numpy, or whole ones beyond 64 bits
            plain = [None if value is None else float(value) for value in values]
            text = DUMPS(plain).decode()[1:-1]
    if "-0.0" in text:  # a zero has no sign
        text = f"{text},".replace("-0.0,", "0.0,")[:-1]
    return text.split(",")


def _plain(value: float | None) -> str:
    return "null" if value is None or value - value else repr(value)


def require_finite(texts: Sequence[str], nothing: int, where: str) -> None:
    """Refuse infinite numbers and those that are none; `nothing` is how many cells may be blank."""
    if texts.count("null") != nothing:
        raise RebalError.of(
            where=where,
            what="a cell would hold what is not a number in a workbook",
            remedy="report this as a bug",
        )


class FormulaTexts(dict[str, str]):
    """Texts as the saved values of formulas, worked out once each."""

    def __missing__(self, text: str) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        made = self[text] = _ascii(escape(clean_text(text)).replace("\n", "&#10;"))
        return made


class TextCells(dict[str, str]):
    """Texts as what follows a cell's address, worked out once each."""

    def __init__(self, style: int, risky_style: int) -> None:
        super().__init__()
        self._style, self._risky = style, risky_style
        self[""] = f' s="{style}" t="n"></c>'

    def __missing__(self, text: str) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        made = self[text] = self._cell(text)
        return made

    def _cell(self, text: str) -> str:
        shown = fitted(clean_text(text))
        if not shown:
            return f' s="{self._style}" t="n"></c>'
        style = self._risky if is_risky(shown) else self._style
        stored = as_stored(shown)
        space = ' xml:space="preserve"' if stored != stored.strip() else ""
        words = ascii_xml(stored)
        return f' s="{style}" t="inlineStr"><is><t{space}>{words}</t></is></c>'


def rest_of_cell(content: Content, texts: TextCells, style: int, where: str) -> str:
    """What follows a cell's address, whatever it holds."""
    if isinstance(content, str):
        return texts[content]
    if content is None:
        return f' s="{style}" t="n"></c>'
    if not isinstance(content, Formula):
        return f' s="{style}" t="n"><v>{number(content, where)}</v></c>'
    check_formula(content.text, where)
    formula = ascii_xml(content.text)
    if isinstance(content.value, str):
        value = _ascii(escape(clean_text(content.value)).replace("\n", "&#10;"))
        return f' s="{style}" t="str"><f>{formula}</f><v>{value}</v></c>'
    return f' s="{style}"><f>{formula}</f><v>{number(content.value, where)}</v></c>'


def number(value: float, where: str) -> str:
    """One number as text."""
    text = _plain(value)
    require_finite([text], 0, where)
    return "0.0" if text == "-0.0" else text


def ascii_xml(text: str) -> str:
    """Text as XML writes it, in ASCII."""
    return _ascii(escape(text))


def _ascii(text: str) -> str:
    return text if text.isascii() else text.encode("ascii", "xmlcharrefreplace").decode()
