"""The ribbon's XML part and the VBA callbacks of its buttons."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from xl_rebal.excel.generate.help_texts import note
from xl_rebal.excel.generate.vba import literal, module, template
from xl_rebal.excel.ribbon import LABEL, TAB, Asks, Button, shown

NAMESPACE = "http://schemas.microsoft.com/office/2009/07/customui"
MODULE = "RebalRibbon"
_ASKING = {
    Asks.NOTHING: '""',
    Asks.FILE_TO_OPEN: "RebalAskOpen()",
    Asks.FILE_TO_SAVE: "RebalAskSave()",
    Asks.REPORTS_TO_SAVE: "RebalAskReports()",
}


def document() -> str:
    """`customUI14.xml`: the tab, in the order of declaration."""
    root = ET.Element("customUI", xmlns=NAMESPACE)
    root.append(ET.Comment(f" {note('customUI14.xml')} "))
    tabs = ET.SubElement(ET.SubElement(root, "ribbon"), "tabs")
    tab = ET.SubElement(tabs, "tab", id=TAB, label=LABEL)
    for group in shown():
        within = ET.SubElement(tab, "group", id=group.id, label=group.label)
        for button in group.buttons:
            ET.SubElement(
                within,
                "button",
                id=button.id,
                label=button.label,
                size=button.size.value,
                imageMso=button.image,
                onAction=f"{MODULE}.{button.callback}",
                screentip=button.tip,
                supertip=button.more,
            )
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def callbacks() -> str:
    """`RebalRibbon.bas`: one procedure for each button, and the words of Help."""
    buttons = [button for group in shown() for button in group.buttons]
    text = template("RebalRibbon.bas").replace("' CALLBACKS", "\n".join(map(_callback, buttons)))
    return module(text.replace("    ' LINES", "\n".join(map(_line, buttons))))


def _callback(button: Button) -> str:
    call = "RebalShowHelp"
    if button.macro != "help":
        call = f"RebalPress control, {literal(button.macro)}"
        if button.asks is not Asks.NOTHING:
            call = (
                f"Dim file As String\n    file = {_ASKING[button.asks]}\n"
                f'    If file <> "" Then {call}, file'
            )
    return f"Public Sub {button.callback}(control As IRibbonControl)\n    {call}\nEnd Sub\n"


def _line(button: Button) -> str:
    return f"    RebalHelpText = RebalHelpText & vbNewLine & {literal(f'{button.label}: {button.tip}')}"
