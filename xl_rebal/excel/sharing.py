"""Prepare for Sharing: what a workbook carries and its reader should not get."""

from __future__ import annotations

from xl_rebal.excel import undo
from xl_rebal.excel.plan_sheet import PLAN_ID, PLAN_TABLE, TRADES_TABLE
from xl_rebal.excel.workbook import Area, Visibility, Workbook, WorkbookError, find_table

REMOVED = "removed for sharing"


def clean(book: Workbook) -> tuple[str, ...]:
    """Remove what undo keeps, plan ids, the file's paths and people; say what was removed.

    Cannot be undone. Other hidden sheets are named and left: they may be meant.
    """
    ids = _id_cells(book)
    protected = [area.sheet for area in ids if book.is_protected(area.sheet)]
    if protected:
        raise WorkbookError.of(
            where=f"sheet {protected[0]}",
            what="is protected, so the plan id cannot be removed",
            remedy="unprotect it (Review > Unprotect Sheet) and press the button again",
        )
    lines = []
    with book.writing():
        before = [book.contents(area) for area in ids]
        try:
            for area in ids:
                book.write(area.sheet, area.row, area.column, [[REMOVED]])
                lines.append(f"plan id on sheet {area.sheet}")
            lines += book.forget_traces()
            # Last: on a failure above, undo still has what it keeps.
            if undo.forget(book):
                lines.append("previous values that undo kept (clients' data on a hidden sheet)")
            lines += book.forget_leftovers()
            if lines:
                book.commit()
        except BaseException:
            if not book.discard():
                for area, rows in zip(ids, before, strict=True):
                    book.write(area.sheet, area.row, area.column, rows)
            raise
    hidden = [s for s in book.sheet_names() if book.visibility(s) is not Visibility.VISIBLE]
    if hidden:
        lines.append(f"still there, hidden: sheet {', '.join(hidden)} (not made by these macros)")
    return tuple(lines) or ("nothing to remove",)


def _id_cells(book: Workbook) -> list[Area]:
    found = []
    for name in (TRADES_TABLE, PLAN_TABLE):
        table = find_table(book, name)
        if table is None or table.area.row < 2:
            continue
        head = Area(sheet=table.area.sheet, row=1, column=1, rows=table.area.row - 1, columns=2)
        for row, (label, value) in enumerate(book.values(head), start=1):
            if label == PLAN_ID and value not in (None, "", REMOVED):
                found.append(Area(sheet=table.area.sheet, row=row, column=2, rows=1, columns=1))
    return found
