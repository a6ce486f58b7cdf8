"""A saved workbook opened for checking: its parts, sheets, tables and names."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_PACKAGE_REL = "{http://schemas.openxmlformats.org/package/2006/relationships}"


@dataclass(slots=True)
class TablePart:
    """A table as its part records it."""

    name: str
    sheet: str
    box: tuple[int, int, int, int]  # left, top, right, bottom
    columns: list[str]
    formulas: list[str]


@dataclass(slots=True)
class Package:
    """An opened package: parts, sheets and what they define."""

    parts: dict[str, bytes]
    sheets: dict[str, str] = field(default_factory=dict)  # name: part
    tables: list[TablePart] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def xml(self, part: str) -> ET.Element:
        """The root of a part."""
        return ET.fromstring(self.parts[part])

    def targets(self, part: str) -> dict[str, str]:
        """Relationship targets of a part by id, as part names."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self.parts:
            return {}
        result = {}
        for each in self.xml(rels).iter(f"{_PACKAGE_REL}Relationship"):
            target = each.get("Target", "")
            if each.get("TargetMode") == "External":
                result[each.get("Id", "")] = f"external:{target}"
                continue
            if target.startswith("/"):
                target = target[1:]
            else:
                target = posixpath.normpath(posixpath.join(folder, target))
            result[each.get("Id", "")] = target
        return result
