"""What Calc has to know about the functions, written from the registry: interface, help, manifest.

Calc decides by the declared type of an argument what it hands over, see docs/calc.md:
`XCellRange` for a table that must be given, so that its error cells, dates and logical values can be
read; `any` for everything else, so that it can be typed, computed or left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from xl_rebal.excel.registry import CATEGORY, Argument, Function, Returns

IDENTIFIER = "org.xl_rebal.calc"
MODULE = "xlrebal"  # not xl_rebal: Python would look there for the package
INTERFACE = "XFunctions"
SERVICE = f"{MODULE}.AddIn"
COMPONENT = "xl_rebal_addin.py"
TITLE = "xl_rebal: portfolio rebalancing"
MINIMUM = "25.2"

_RANGE = "com::sun::star::table::XCellRange"
_CALLER = "com::sun::star::beans::XPropertySet"
_TABLE = "sequence< sequence< any > >"
# The tables that may also be typed as a text, such as "60% stocks, 40% bonds" or "5pp".
TEXT_OR_TABLE = frozenset({"tblTargets", "tblModels", "tblPolicy", "tblCosts"})


def method_name(function: Function) -> str:
    """`rebalSellLots` for REBAL_SELL_LOTS."""
    first, *others = function.name.lower().split("_")
    return first + "".join(word.capitalize() for word in others)


def argument_name(argument: Argument) -> str:
    """`aHoldings`; the prefix keeps away from the words of the interface language."""
    return "a" + "".join(word.capitalize() for word in argument.name.split("_"))


def takes_range(argument: Argument) -> bool:
    """Whether Calc hands over the cells themselves; only of these it demands that they are given."""
    return bool(argument.table) and not argument.optional and argument.table not in TEXT_OR_TABLE


def idl(functions: Iterable[Function]) -> str:
    """types.idl: one method a function; the first parameter is the calling document."""
    lines = [f"module {MODULE} {{", f"interface {INTERFACE} {{"]
    for function in functions:
        returns = _TABLE if function.returns is Returns.TABLE else "any"
        parameters = [f"[in] {_CALLER} aCaller"] + [
            f"[in] {_RANGE if takes_range(a) else 'any'} {argument_name(a)}"
            for a in function.arguments
        ]
        lines.append(f"  {returns} {method_name(function)}({', '.join(parameters)});")
    return "\n".join([*lines, "};", "};", ""])


def xcu(functions: Iterable[Function]) -> str:
    """CalcAddIns.xcu: names, help and the name that a function has in an Excel file."""
    nodes = "\n".join(_function_node(function) for function in functions)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<oor:component-data xmlns:oor="http://openoffice.org/2001/registry" \
xmlns:xs="http://www.w3.org/2001/XMLSchema" oor:name="CalcAddIns" oor:package="org.openoffice.Office">
<node oor:name="AddInInfo">
<node oor:name="{SERVICE}" oor:op="replace">
<node oor:name="AddInFunctions">
{nodes}
</node>
</node>
</node>
</oor:component-data>
"""


def _function_node(function: Function) -> str:
    parameters = "".join(
        f'\n<node oor:name={quoteattr(argument_name(a))} oor:op="replace">'
        f"{_value('DisplayName', a.name)}{_value('Description', a.help)}</node>"
        for a in function.arguments
    )
    return (
        f'<node oor:name="{method_name(function)}" oor:op="replace">\n'
        f"{_value('DisplayName', function.name)}\n"
        f"{_value('Description', f'{function.summary} {function.description}')}\n"
        f'<prop oor:name="Category"><value>{escape(CATEGORY)}</value></prop>\n'
        f"{_value('CompatibilityName', function.name)}\n"
        f'<node oor:name="Parameters">{parameters}</node>\n'
        "</node>"
    )


def _value(name: str, text: str) -> str:
    return f'<prop oor:name="{name}"><value xml:lang="en">{escape(text)}</value></prop>'


def description(version: str) -> str:
    """description.xml: who the extension is, and what it needs."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<description xmlns="http://openoffice.org/extensions/description/2006" \
xmlns:d="http://openoffice.org/extensions/description/2006" \
xmlns:l="http://libreoffice.org/extensions/description/2011">
<identifier value="{IDENTIFIER}"/>
<version value={quoteattr(version)}/>
<display-name><name lang="en">{TITLE}</name></display-name>
<dependencies>
<l:LibreOffice-minimal-version value="{MINIMUM}" d:name="LibreOffice {MINIMUM}"/>
</dependencies>
</description>
"""


def manifest() -> str:
    """META-INF/manifest.xml: what each part is."""
    parts = (
        ("types.idl", "application/vnd.sun.star.uno-typelibrary;type=RDB"),
        ("CalcAddIns.xcu", "application/vnd.sun.star.configuration-data"),
        (COMPONENT, "application/vnd.sun.star.uno-component;type=Python"),
    )
    entries = "\n".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{kind}"/>'
        for name, kind in parts
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">
{entries}
</manifest:manifest>
"""
