"""Files made from the registry of worksheet functions and the ribbon: VBA, help, XML, reference page.

They are committed, and a test makes them again and finds no difference.
"""

from __future__ import annotations

from pathlib import Path

from xl_rebal.excel import registry
from xl_rebal.excel.generate import intellisense, reference, ribbon, vba
from xl_rebal.files import write_atomically


def rendered() -> dict[str, bytes]:
    """The contents of every generated file by its name below the project's folder."""
    functions = registry.functions()
    return {
        "docs/function-reference.md": reference.page(functions).encode(),
        "vba/RebalFunctions.bas": vba.wrappers(functions).encode("ascii"),
        "vba/RebalHelp.bas": vba.help_texts(functions).encode("ascii"),
        "vba/RebalRibbon.bas": ribbon.callbacks().encode("ascii"),
        "vba/customUI14.xml": ribbon.document().encode(),
        "vba/xl_rebal.intellisense.xml": intellisense.document(functions).encode(),
    }


def write_all(root: Path, *, check: bool) -> list[str]:
    """Write what is out of date below `root`, or with `check` only name it; the names, sorted."""
    stale = []
    for name, data in rendered().items():
        path = root / name
        if path.is_file() and path.read_bytes() == data:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data, overwrite=True)
    return sorted(stale)
