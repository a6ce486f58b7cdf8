"""The styles part: looks are added at its end, what is there keeps its numbers."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_REVERSE, is_date_format

from xl_rebal.excel.workbook import WorkbookError
from xl_rebal.workbooks.styles import Look

_XF = re.compile(r"<xf\b([^>]*?)(?:/>|>.*?</xf>)", re.DOTALL)
_FORMAT = re.compile(r"<numFmt\b([^>]*?)/>")
_FIRST_FREE_FORMAT = 164


class StylesXml:
    """The styles of a workbook, as text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.changed = False
        self._made: dict[Look, int] = {}
        self._dates: dict[int, bool] = {}

    def is_date(self, style: int) -> bool:
        """Whether a style shows a number as a date."""
        if not self._dates:
            formats = {**BUILTIN_FORMATS}
            for match in _FORMAT.finditer(self.text):
                found = dict(re.findall(r'(\w+)="([^"]*)"', match[1]))
                formats[int(found["numFmtId"])] = found["formatCode"].replace("&quot;", '"')
            for number, xf in enumerate(_XF.findall(self._section("cellXfs")[1])):
                given = re.search(r'numFmtId="(\d+)"', xf)
                code = formats.get(int(given[1]) if given else 0, "General")
                self._dates[number] = bool(is_date_format(code))
        return self._dates.get(style, False)

    def number_of(self, look: Look) -> int:
        """The style that shows a look; it is added where it is not there yet."""
        known = self._made.get(look)
        if known is not None:
            return known
        font = self._add("fonts", "font", _font(look))
        fill = self._add("fills", "fill", _fill(look.fill)) if look.fill else 0
        border = self._add("borders", "border", _border(look.line)) if look.line else 0
        xf = (
            f'<xf numFmtId="{self._format(look.format)}" fontId="{font}" fillId="{fill}" '
            f'borderId="{border}" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" '
            f'applyBorder="1" applyAlignment="1">{_alignment(look)}</xf>'
        )
        number = self._made[look] = self._add("cellXfs", "xf", xf)
        self._dates.clear()
        return number

    def _section(self, name: str) -> tuple[re.Match[str], str]:
        match = re.search(rf"<{name}\b[^>]*>(.*?)</{name}>", self.text, re.DOTALL)
        if match is None:
            raise WorkbookError.of(
                where="the workbook's styles",
                what=f"have no {name}",
                remedy="open the workbook in Excel or LibreOffice, save it, and try again",
            )
        return match, match[1]

    def _add(self, section: str, element: str, xml: str) -> int:
        """The place of an element in its section, at the end unless the same is there."""
        match, inner = self._section(section)
        there = re.findall(rf"<{element}\b[^>]*/>|<{element}\b.*?</{element}>", inner, re.DOTALL)
        if xml in there:
            return there.index(xml)
        head = re.match(rf"<{section}\b[^>]*>", match[0])
        assert head is not None
        opened = re.sub(r'\bcount="\d+"', f'count="{len(there) + 1}"', head[0])
        new = f"{opened}{inner}{xml}</{section}>"
        self.text = self.text[: match.start()] + new + self.text[match.end() :]
        self.changed = True
        return len(there)

    def _format(self, code: str) -> int:
        builtin = BUILTIN_FORMATS_REVERSE.get(code)
        if builtin is not None:
            return int(builtin)
        found = {}
        for match in _FORMAT.finditer(self.text):
            one = dict(re.findall(r'(\w+)=("[^"]*")', match[1]))
            found[one["formatCode"]] = int(one["numFmtId"].strip('"'))
        quoted = quoteattr(code, {'"': "&quot;"})
        if quoted in found:
            return found[quoted]
        number = max([_FIRST_FREE_FORMAT - 1, *found.values()]) + 1
        xml = f'<numFmt numFmtId="{number}" formatCode={quoted}/>'
        if "<numFmts" in self.text and "</numFmts>" in self.text:
            self._add("numFmts", "numFmt", xml)
        else:
            root = re.search(r"<styleSheet\b[^>]*>", self.text)
            assert root is not None
            block = f'<numFmts count="1">{xml}</numFmts>'
            rest = re.sub(r"^\s*<numFmts\b[^>]*/>", "", self.text[root.end() :])
            self.text = self.text[: root.end()] + block + rest
            self.changed = True
        return number


def _font(look: Look) -> str:
    flags = ("<b/>" if look.bold else "") + ("<i/>" if look.italic else "")
    size = f"{look.size:g}"
    return (
        f'<font>{flags}<sz val="{size}"/><color rgb="FF{look.colour}"/>'
        '<name val="Calibri"/><family val="2"/></font>'
    )


def _fill(colour: str) -> str:
    return (
        f'<fill><patternFill patternType="solid"><fgColor rgb="FF{colour}"/>'
        '<bgColor indexed="64"/></patternFill></fill>'
    )


def _border(colour: str) -> str:
    return (
        f'<border><left/><right/><top/><bottom style="thin"><color rgb="FF{colour}"/></bottom>'
        "<diagonal/></border>"
    )


def _alignment(look: Look) -> str:
    words = [f'vertical="{look.vertical}"']
    if look.align:
        words.insert(0, f'horizontal="{look.align}"')
    if look.wrap:
        words.append('wrapText="1"')
    if look.indent:
        words.append(f'indent="{look.indent}"')
    return f"<alignment {' '.join(words)}/>"
