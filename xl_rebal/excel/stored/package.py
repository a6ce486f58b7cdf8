"""A workbook file's parts: its sheets, tables and names, added and removed as text."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils import range_boundaries

from xl_rebal.excel.workbook import Area, TableAt, Visibility, WorkbookError
from xl_rebal.workbooks.opened import Package
from xl_rebal.workbooks.package import ZIP_TIME

WORKBOOK, RELS, TYPES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"
STYLES, STRINGS = "xl/styles.xml", "xl/sharedStrings.xml"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# The parts that are read or changed as text.
_EDITED = re.compile(
    r"\[Content_Types\]\.xml$|xl/(?:workbook|styles|sharedStrings)\.xml$|xl/_rels/workbook\.xml\.rels$"
    r"|xl/tables/[^/]+\.xml$|xl/worksheets/(?:_rels/)?[^/]+\.(?:xml|rels)$"
)
_SHEET = re.compile(r"<sheet\s([^>]*?)/>")
_ATTRIBUTE = re.compile(r'([\w:.-]+)\s*=\s*"([^"]*)"')
_NAME = re.compile(r"<definedName\b([^>]*?)(?:/>|>(.*?)</definedName>)", re.DOTALL)
_TABLE = re.compile(r"<table\b[^>]*>")
# What may follow calcPr, by the schema's order.
_AFTER_CALC = re.compile(
    r"<(?:oleSize|customWorkbookViews|pivotCaches|smartTagPr|smartTagTypes|webPublishing|"
    r"fileRecoveryPr|webPublishObjects|extLst)\b|</workbook>"
)
_FOLDER = re.compile(
    r"<mc:AlternateContent\b[^>]*>(?:(?!</mc:AlternateContent>).)*absPath.*?</mc:AlternateContent>",
    re.DOTALL,
)
_NEW_SHEET = (
    f'{_HEAD}<worksheet xmlns="{_SPREADSHEET}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
    '<dimension ref="A1"/><sheetViews><sheetView showGridLines="0" workbookViewId="0"/></sheetViews>'
    '<sheetFormatPr defaultRowHeight="15"/><sheetData/>'
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
    '<pageSetup orientation="landscape" fitToHeight="0"/></worksheet>'
)
TEMPLATE, MACRO_TEMPLATE = (
    f"{_TYPE}.template.main+xml",
    "application/vnd.ms-excel.template.macroEnabled.main+xml",
)
PLAIN, MACRO = f"{_TYPE}.sheet.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"


class StoredPackage:
    """The parts of a workbook file by name, in the file's order."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        self._found: tuple[str, list[tuple[re.Match[str], dict[str, str], str]]] | None = None
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self._entries = archive.infolist()
            self.parts = {each.filename: archive.read(each) for each in self._entries}
        for part in filter(_EDITED.match, self.parts):
            self._check_text(part)
        if WORKBOOK not in self.parts or RELS not in self.parts or TYPES not in self.parts:
            raise self._unusable("is no workbook of the usual layout (.xlsx or .xlsm)")
        if any(part.startswith("_xmlsignatures/") for part in self.parts):
            raise WorkbookError.of(
                where=name,
                what="carries a digital signature, which any change would break",
                remedy="remove the signature (File > Info), or work on a copy",
            )
        self._workbook = self.parts[WORKBOOK].decode()
        if not re.search(r"<workbook\b", self._workbook) or "<sheets>" not in self._workbook:
            raise self._unusable("is written in a way that this program does not edit")

    def _check_text(self, part: str) -> None:
        """Refuse a part that is not whole, or that text search would misread (comments, CDATA)."""
        parser = expat.ParserCreate()
        odd: list[str] = []
        parser.CommentHandler = odd.append
        parser.StartCdataSectionHandler = lambda: odd.append(part)
        try:
            self.parts[part].decode()
            parser.Parse(self.parts[part], True)
        except UnicodeDecodeError:
            raise self._unusable(f"is not written in UTF-8 (part {part})") from None
        except expat.ExpatError as error:
            raise self._unusable(f"is damaged (part {part}: {error})") from None
        if odd:
            raise self._unusable(
                f"is written in a way that this program does not edit (comments in part {part})"
            )

    def _unusable(self, what: str) -> WorkbookError:
        return WorkbookError.of(
            where=self._name,
            what=what,
            remedy="open it in Excel or LibreOffice and save it as .xlsx",
        )

    def data(self) -> bytes:
        """The file: untouched parts as they were, in the same order."""
        parts = {**self.parts, WORKBOOK: self._workbook.encode()}
        known = {each.filename: each for each in self._entries}
        result = io.BytesIO()
        with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in [*(n for n in known if n in parts), *(n for n in parts if n not in known)]:
                old = known.get(name)
                entry = zipfile.ZipInfo(name, old.date_time if old else ZIP_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = old.create_system if old else 0
                entry.external_attr = old.external_attr if old else 0
                archive.writestr(entry, parts[name])
        return result.getvalue()

    # Sheets

    def _sheets(self) -> list[tuple[re.Match[str], dict[str, str], str]]:
        """Every worksheet: where its element stands, its attributes, its part."""
        if self._found is not None and self._found[0] == self._workbook:
            return self._found[1]
        targets = Package(self.parts).targets(WORKBOOK)
        found = []
        for match in _SHEET.finditer(self._workbook):
            attributes = dict(_ATTRIBUTE.findall(match[1]))
            rel = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            part = targets.get(rel, "")
            if "/worksheets/" in part and part in self.parts:
                found.append((match, attributes, part))
        self._found = (self._workbook, found)
        return found

    def sheet_parts(self) -> dict[str, str]:
        """Worksheet names and their parts, in order."""
        return {_plain(attributes["name"]): part for _, attributes, part in self._sheets()}

    def visibility(self, sheet: str) -> Visibility:
        """Whether a sheet is shown."""
        state = self._of(sheet)[1].get("state", "visible")
        words = {"hidden": Visibility.HIDDEN, "veryHidden": Visibility.VERY_HIDDEN}
        return words.get(state, Visibility.VISIBLE)

    def show(self, sheet: str, visibility: Visibility) -> None:
        """Show or hide a sheet."""
        state = {Visibility.VERY_HIDDEN: "veryHidden"}.get(visibility, visibility.value)
        self._set(sheet, "state", state)

    def rename(self, sheet: str, new: str) -> None:
        """Give a sheet another name; nothing refers to the sheets that are renamed."""
        self._set(sheet, "name", escape(new, {'"': "&quot;"}))

    def add_sheet(self, name: str) -> None:
        """A new empty sheet at the end."""
        number = _free_number(self.parts, "xl/worksheets/sheet")
        part = f"xl/worksheets/sheet{number}.xml"
        self.parts[part] = _NEW_SHEET.encode()
        self._add_type(part, f"{_TYPE}.worksheet+xml")
        rel = self._add_rel(RELS, f"{_DOCUMENT}/worksheet", f"worksheets/sheet{number}.xml")
        ids = [int(i) for i in re.findall(r'sheetId="(\d+)"', self._workbook)]
        element = (
            f'<sheet xmlns:r="{_DOCUMENT}" name={quoteattr(name)} sheetId="{max(ids) + 1}" '
            f'state="visible" r:id="{rel}"/>'
        )
        self._workbook = self._workbook.replace("</sheets>", f"{element}</sheets>", 1)

    def delete_sheet(self, sheet: str) -> None:
        """Remove a sheet with its tables and the names that belong to it alone."""
        every = [m[0] for m in _SHEET.finditer(self._workbook)]
        match, attributes, part = self._of(sheet)
        place = every.index(match[0])
        for target in Package(self.parts).targets(part).values():
            if target.startswith("xl/tables/"):
                self._remove_part(target)
        self.parts.pop(_rels_of(part), None)
        rel = next(v for k, v in attributes.items() if k.endswith(":id"))
        self._remove_part(part)
        rels = self.parts[RELS].decode()
        self.parts[RELS] = re.sub(
            rf'<Relationship\b[^>]*\bId="{re.escape(rel)}"[^>]*/>', "", rels
        ).encode()
        self._workbook = self._workbook.replace(match[0], "", 1)
        self._workbook = _NAME.sub(lambda m: _moved_name(m, place), self._workbook)
        self._workbook = re.sub(r"<definedNames>\s*</definedNames>", "", self._workbook)

        def tab(found: re.Match[str]) -> str:
            number = int(found[2])
            return f'{found[1]}="{number - 1 if number > place else min(number, len(every) - 2)}"'

        self._workbook = re.sub(r'\b(activeTab|firstSheet)="(\d+)"', tab, self._workbook)

    def _of(self, sheet: str) -> tuple[re.Match[str], dict[str, str], str]:
        for match, attributes, part in self._sheets():
            if _plain(attributes["name"]) == sheet:
                return match, attributes, part
        raise KeyError(sheet)

    def _set(self, sheet: str, attribute: str, value: str) -> None:
        match = self._of(sheet)[0]
        rest = re.sub(rf'\s*\b(?<![\w:]){attribute}="[^"]*"', "", match[1]).strip()
        new = f'<sheet {attribute}="{value}" {rest}/>'
        self._workbook = self._workbook.replace(match[0], new, 1)

    # Tables

    def tables(self) -> list[tuple[TableAt, str]]:
        """Every table with its part."""
        package, found = Package(self.parts), []
        for sheet, part in self.sheet_parts().items():
            for target in package.targets(part).values():
                if not target.startswith("xl/tables/") or target not in self.parts:
                    continue
                root = _TABLE.search(self.parts[target].decode())
                attributes = dict(_ATTRIBUTE.findall(root[0])) if root else {}
                left, top, right, bottom = (
                    int(e or 0) for e in range_boundaries(attributes["ref"])
                )
                area = Area(
                    sheet=sheet,
                    row=top,
                    column=left,
                    rows=bottom - top + 1,
                    columns=right - left + 1,
                )
                name = _plain(attributes.get("displayName") or attributes["name"])
                totals = attributes.get("totalsRowCount", "0") not in {"0", ""}
                found.append((TableAt(name=name, area=area, totals=totals), target))
        return found

    def resize_table(self, name: str, area: Area) -> None:
        """Let a table end elsewhere."""
        part = next(p for t, p in self.tables() if t.name.casefold() == name.casefold())
        text = self.parts[part].decode()
        for element in ("table", "autoFilter"):
            text = re.sub(
                rf'(<{element}\b[^>]*?\bref=")[^"]*"', rf'\g<1>{area.ref}"', text, count=1
            )
        self.parts[part] = text.encode()

    def add_table(self, name: str, area: Area, headers: list[str]) -> None:
        """A part for a new table, its link from the sheet's relationships; returns nothing."""
        number = _free_number(self.parts, "xl/tables/table")
        ids = [
            int(found[1])
            for _, part in self.tables()
            if (found := re.search(r'<table\b[^>]*?\bid="(\d+)"', self.parts[part].decode()))
        ]
        columns = "".join(
            f'<tableColumn id="{i}" name={quoteattr(h)}/>' for i, h in enumerate(headers, start=1)
        )
        part = f"xl/tables/table{number}.xml"
        self.parts[part] = (
            f'{_HEAD}<table xmlns="{_SPREADSHEET}" id="{max(ids, default=0) + 1}" '
            f"name={quoteattr(name)} displayName={quoteattr(name)} "
            f'ref="{area.ref}"><autoFilter ref="{area.ref}"/>'
            f'<tableColumns count="{len(headers)}">{columns}</tableColumns>'
            '<tableStyleInfo name="TableStyleLight1" showRowStripes="0"/></table>'
        ).encode()
        self._add_type(part, f"{_TYPE}.table+xml")
        sheet = self.sheet_parts()[area.sheet]
        rels = _rels_of(sheet)
        if rels not in self.parts:
            head = "http://schemas.openxmlformats.org/package/2006/relationships"
            self.parts[rels] = f'{_HEAD}<Relationships xmlns="{head}"></Relationships>'.encode()
        rel = self._add_rel(rels, f"{_DOCUMENT}/table", f"../tables/table{number}.xml")
        self.parts[sheet] = _with_table(self.parts[sheet].decode(), rel).encode()

    # Names and settings

    def names(self) -> dict[str, str]:
        """The workbook's own defined names and what they stand for."""
        result = {}
        for match in _NAME.finditer(self._workbook):
            attributes = dict(_ATTRIBUTE.findall(match[1]))
            if "localSheetId" not in attributes:
                result[_plain(attributes["name"])] = _plain(match[2] or "")
        return result

    @property
    def counts_from_1904(self) -> bool:
        """Whether dates count from 1904."""
        return bool(re.search(r'<workbookPr\b[^>]*\bdate1904="(?:1|true)"', self._workbook))

    @property
    def structure_is_protected(self) -> bool:
        """Whether sheets may neither come nor go."""
        found = re.search(r'<workbookProtection\b[^>]*\blockStructure="(\w+)"', self._workbook)
        return found is not None and found[1] in {"1", "true"}

    def compute_on_opening(self) -> None:
        """Tell Excel to compute every formula when it opens the file."""
        match = re.search(r"<calcPr\b([^>]*?)/>", self._workbook)
        if match is not None:
            rest = re.sub(r'\s*\bfullCalcOnLoad="[^"]*"', "", match[1])
            new = f'<calcPr{rest} fullCalcOnLoad="1"/>'
            self._workbook = self._workbook.replace(match[0], new, 1)
            return
        after = self._workbook.index("</sheets>")
        place = _AFTER_CALC.search(self._workbook, after)
        assert place is not None
        start = place.start()
        self._workbook = (
            f'{self._workbook[:start]}<calcPr fullCalcOnLoad="1"/>{self._workbook[start:]}'
        )

    def drop_calculation_chain(self) -> None:
        """Excel makes it anew; one that names a cell without a formula is a damaged file to it."""
        if "xl/calcChain.xml" in self.parts:
            self._remove_part("xl/calcChain.xml")
            rels = self.parts[RELS].decode()
            self.parts[RELS] = re.sub(
                r'<Relationship\b[^>]*calcChain\.xml"[^>]*/>', "", rels
            ).encode()

    def become_workbook(self) -> None:
        """A template saved under another name is an ordinary workbook."""
        text = self.parts[TYPES].decode()
        text = text.replace(TEMPLATE, PLAIN).replace(MACRO_TEMPLATE, MACRO)
        self.parts[TYPES] = text.encode()

    def has_macros(self) -> bool:
        """Whether it is a macro-enabled workbook."""
        return MACRO in self.parts[TYPES].decode() or MACRO_TEMPLATE in self.parts[TYPES].decode()

    def forget_traces(self) -> list[str]:
        """Remove the folder and the people that Excel writes into a file."""
        done = []
        text = _FOLDER.sub("", self._workbook)
        if text != self._workbook:
            self._workbook = text
            done.append("the folder that the file was saved in")
        core = self.parts.get("docProps/core.xml", b"").decode()
        for tag, words in (
            ("dc:creator", "the author"),
            ("cp:lastModifiedBy", "who saved it last"),
        ):
            found = re.search(rf"<{tag}>([^<]+)</{tag}>", core)
            if found and found[1] != "xl_rebal":
                core = core.replace(found[0], f"<{tag}></{tag}>")
                done.append(words)
        if done and core:
            self.parts["docProps/core.xml"] = core.encode()
        return done

    def _add_type(self, part: str, kind: str) -> None:
        text = self.parts[TYPES].decode()
        override = f'<Override PartName="/{part}" ContentType="{kind}"/>'
        self.parts[TYPES] = text.replace("</Types>", f"{override}</Types>").encode()

    def _add_rel(self, rels: str, kind: str, target: str) -> str:
        text = self.parts[rels].decode()
        numbers = [int(n) for n in re.findall(r'\bId="rIdRebal(\d+)"', text)]
        name = f"rIdRebal{max(numbers, default=0) + 1}"
        link = f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>'
        text = re.sub(r"<Relationships\b([^>]*)/>", r"<Relationships\1></Relationships>", text)
        self.parts[rels] = text.replace("</Relationships>", f"{link}</Relationships>").encode()
        return name

    def _remove_part(self, part: str) -> None:
        self.parts.pop(part, None)
        text = self.parts[TYPES].decode()
        self.parts[TYPES] = re.sub(
            rf'<Override\b[^>]*PartName="/{re.escape(part)}"[^>]*/>', "", text
        ).encode()


def _with_table(text: str, rel: str) -> str:
    part = f'<tablePart xmlns:r="{_DOCUMENT}" r:id="{rel}"/>'
    found = re.search(r'<tableParts\b[^>]*?(?:\bcount="(\d+)")?[^>]*>', text)
    if found is not None and "</tableParts>" in text:
        text = text.replace(found[0], re.sub(r'\s*count="\d+"', "", found[0]), 1)
        return text.replace("</tableParts>", f"{part}</tableParts>", 1)
    at = text.rfind("<extLst", text.rfind("</sheetData>"))
    at = at if at >= 0 else text.rindex("</worksheet>")
    return f'{text[:at]}<tableParts count="1">{part}</tableParts>{text[at:]}'


def _moved_name(match: re.Match[str], gone: int) -> str:
    local = re.search(r'\blocalSheetId="(\d+)"', match[1])
    if local is None or int(local[1]) < gone:
        return match[0]
    if int(local[1]) == gone:
        return ""
    return match[0].replace(local[0], f'localSheetId="{int(local[1]) - 1}"', 1)


def _free_number(parts: dict[str, bytes], stem: str) -> int:
    numbers = [
        int(found[1]) for p in parts if (found := re.fullmatch(rf"{re.escape(stem)}(\d+)\.xml", p))
    ]
    return max(numbers, default=0) + 1


def _rels_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _plain(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'")):
        text = text.replace(entity, character)
    return re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), text).replace("&amp;", "&")
