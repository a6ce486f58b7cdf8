"""The help that the Excel-DNA IntelliSense add-in shows while a formula is typed.

It reads `xl_rebal.intellisense.xml` from the folder of `xl_rebal.xlam`: the name of the add-in with
`.intellisense.xml` for its extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from xl_rebal.excel.generate.help_texts import argument_help, argument_label, function_help, note
from xl_rebal.excel.registry import Function

NAMESPACE = "http://schemas.excel-dna.net/intellisense/1.0"


def document(functions: Iterable[Function]) -> str:
    """The XML text, in the order of declaration."""
    root = ET.Element("IntelliSense", xmlns=NAMESPACE)
    root.append(ET.Comment(f" {note('xl_rebal.intellisense.xml')} "))
    listed = ET.SubElement(root, "FunctionInfo")
    for function in functions:
        entry = ET.SubElement(
            listed, "Function", Name=function.name, Description=function_help(function)
        )
        for argument in function.arguments:
            ET.SubElement(
                entry,
                "Argument",
                Name=argument_label(argument),
                Description=argument_help(argument),
            )
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
