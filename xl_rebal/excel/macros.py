"""The macros behind the buttons, the same in Excel and for files.

A macro reads, computes and returns an outcome; its changes are written at the end, all or nothing.
A new one is a function and a line in `MACROS`.
"""

from __future__ import annotations

import getpass
from dataclasses import replace
from pathlib import Path

from xl_rebal.custodians import Told, read_positions
from xl_rebal.errors import RebalError, VerificationError
from xl_rebal.excel import order_file, plan_edits, plan_sheet, plan_store, undo
from xl_rebal.excel.book_inputs import (
    Asked,
    Inputs,
    account_map,
    asked,
    differences,
    in_words_of_the_workbook,
    read_inputs,
)
from xl_rebal.excel.changes import Change, Changes, apply
from xl_rebal.excel.client_reports import client_reports
from xl_rebal.excel.importing import import_positions as imported
from xl_rebal.excel.macro import Macro, MacroError, Outcome, Settings
from xl_rebal.excel.plan_store import StoredPlan
from xl_rebal.excel.sharing import clean
from xl_rebal.excel.value_pages import drift_page, value_pages
from xl_rebal.excel.workbook import Workbook, WorkbookError
from xl_rebal.files import check_target
from xl_rebal.rebalance import plan_each, refusal

__all__ = [
    "MACROS",
    "Macro",
    "MacroError",
    "Outcome",
    "Settings",
    "macro_named",
    "own_fault",
    "run",
]


def run(name: str, book: Workbook, settings: Settings) -> Outcome:
    """Run a macro and write its changes; raises RebalError, and then the workbook is as it was."""
    macro = macro_named(name)
    if macro.file and settings.file is None:
        raise MacroError.of(
            where=macro.title,
            what=f"needs {macro.file}",
            remedy="choose one (--file on the command line)",
        )
    book.progress(f"{macro.title} …")
    try:
        book.compute()
        outcome = macro.body(book, settings)
        if outcome.changes:
            apply(book, Changes(label=macro.title, changes=outcome.changes))
    except RebalError as error:
        raise in_words_of_the_workbook(error) from error
    finally:
        book.progress("")
    return outcome


def macro_named(name: str) -> Macro:
    """The macro of a name, written with `_` or `-`; raises MacroError."""
    wanted = name.strip().casefold().replace("-", "_")
    if wanted not in MACROS:
        raise MacroError.of(
            where="macro",
            what=f"{name!r} is not known",
            remedy=f"use one of {', '.join(MACROS)}",
        )
    return MACROS[wanted]


def own_fault(title: str, error: Exception) -> str:
    """What the user is told of a fault that is ours: its kind, and nothing of the client's data."""
    return (
        f"{title} stopped on a fault of its own ({type(error).__name__}); nothing was changed. "
        "Please report it with the version and what you pressed."
    )


def import_positions(book: Workbook, settings: Settings) -> Outcome:
    """Fill tblHoldings from a custodian's file; tblAccountMap says which account a masked id is."""
    assert settings.file is not None
    known = account_map(book)
    statement = read_positions(settings.file, told=Told(account_map=known))
    found = imported(book, statement, known)
    date = statement.as_of_text or "unknown"
    lines = [
        f"{found.rows} rows of {len(found.accounts)} account{'s' * (len(found.accounts) != 1)} from "
        f"{statement.source} ({statement.custodian} export, as of {date})"
    ]
    if found.examples:
        lines.append(f"{found.examples} EXAMPLE rows removed")
    if found.kept:
        lines.append(f"kept: rows of {', '.join(found.kept)}, which the file does not name")
    orders = order_file.reconcile_positions(settings.plans, statement.holdings)
    return Outcome(
        lines=(*lines, *orders.lines),
        warnings=(*found.warnings, *orders.warnings),
        changes=found.changes,
        document={
            "custodian": statement.custodian,
            "rows": found.rows,
            "accounts": list(found.accounts),
            "kept": list(found.kept),
            "as_of": statement.as_of.isoformat() if statement.as_of else None,
        },
    )


def check_drift(book: Workbook, settings: Settings) -> Outcome:
    """Write a static drift table and say what is outside its band."""
    del settings
    inputs = read_inputs(book)
    what = asked(inputs)
    page, status, rows = drift_page(inputs, what)
    return Outcome(
        lines=(status, f"written to sheet {page.sheet}"),
        warnings=what.warnings,
        changes=(page,),
        document={"status": status, "rows": rows},
    )


def generate_trades(book: Workbook, settings: Settings) -> Outcome:
    """Plan, verify, keep the plan, and write its trades; locked trades are planned around.

    An account that cannot be planned is named in the outcome, on both sheets and with the stored plan. One
    with locked trades stops the macro: the trades would be lost with it.
    """
    inputs = read_inputs(book)
    what = asked(inputs)
    kept = [t for t in _sheet_trades(book, what) if t.locked and t.quantity]
    locks: dict[str, dict[str, float]] = {}
    for trade in kept:
        locks.setdefault(trade.account, {})[trade.symbol] = trade.signed
    result = plan_each(what.book, replace(what.request, kept=locks))
    result = order_file.without_waiting(result, settings.plans)
    lost = [each for each in result.refused if each.account in locks]
    if lost:
        error = refusal(lost)
        raise plan_edits.of_locked(error, kept) if isinstance(error, VerificationError) else error
    result = result.usable()
    stored = StoredPlan(
        inputs=inputs,
        plans=result.plans,
        locked=frozenset(trade.key for trade in kept),
        refused=tuple((each.account, each.reason) for each in result.refused),
    )
    return _plan_outcome(stored, what, settings, {t.key: t.edit for t in kept if t.edit})


def verify_trades(book: Workbook, settings: Settings) -> Outcome:
    """Check the trades in the sheet as they stand now, and keep them as a plan if they pass."""
    sheet = plan_sheet.read_plan(book)
    stored = plan_store.load(sheet.plan_id, settings.plans)
    inputs = read_inputs(book)
    _require_same_inputs(stored, inputs)
    what = asked(inputs)
    trades = plan_edits.spelled(sheet.trades, what.book)
    edits = plan_edits.edits_between(stored, trades)
    if not edits:
        plan_edits.require_checked(stored.plans, what, trades)
        lines = [f"plan {sheet.plan_id} is verified; nothing was edited"]
        pages: tuple[Change, ...] = ()
        if plan_sheet.unchanged(sheet.trades, stored):  # a blanked price, vti for VTI, a row of 0
            pages = plan_sheet.pages(
                stored, sheet.plan_id, what, marks=plan_edits.marks(trades, ())
            )
            lines.append("the sheet is written anew as the plan has it")
        return Outcome(
            lines=tuple(lines),
            changes=pages,
            document={"plan_id": sheet.plan_id, "verified": True, "edits": []},
        )
    order_file.require_no_open_orders(settings.plans, [edit.key[0] for edit in edits])
    who = settings.who if settings.who is not None else _user()
    edited = plan_edits.verified(stored, trades, edits, what, who)
    outcome = _plan_outcome(edited, what, settings, plan_edits.marks(trades, edits))
    words = [edit.words for edit in edits]
    return Outcome(
        lines=(f"verified with {len(edits)} edit{'s' * (len(edits) != 1)}", *words, *outcome.lines),
        warnings=outcome.warnings,
        changes=outcome.changes,
        document={**outcome.document, "edits": words},
    )


def export_orders(book: Workbook, settings: Settings) -> Outcome:
    """Write the orders of the verified plan; the cells of the sheet only have to agree with it."""
    assert settings.file is not None
    _require_csv(settings.file)
    check_target(settings.file, overwrite=settings.overwrite)
    sheet = plan_sheet.read_plan(book)
    stored = plan_store.load(sheet.plan_id, settings.plans)
    edited = plan_sheet.unchanged(sheet.trades, stored)
    if edited:
        raise WorkbookError.of(
            where=f"plan {sheet.plan_id}",
            what="the sheet was edited after the plan was verified: " + "; ".join(edited[:20]),
            remedy="press Verify Trades; nothing was written",
        )
    inputs = read_inputs(book)
    _require_same_inputs(stored, inputs)
    what = asked(stored.inputs)
    plan_edits.require_checked(stored.plans, what, sheet.trades)
    formats = order_file.formats_of(book, settings.plans)
    export = order_file.prepare(stored, sheet.plan_id, what, formats, settings.file, settings.plans)
    accounts = dict.fromkeys(each.order.account for each in export.made.sent)
    ask_first = [a for a in accounts if not what.book.account(a).discretionary]
    warnings = [
        f"account {a} is not discretionary: its trades need the client's word before they are sent"
        for a in ask_first
    ]
    order_file.write(export, overwrite=settings.overwrite)
    count, names = len(export.made.sent), [path.name for path in export.paths.values()]
    return Outcome(
        lines=(
            f"{count} orders of plan {sheet.plan_id} written to {', '.join(names)}",
            "their accounts are not planned again until the orders are reconciled: import the new "
            "positions, or run xl-rebal reconcile",
        ),
        warnings=(*plan_sheet.refused_words(stored), *warnings, *export.warnings),
        document={
            "plan_id": sheet.plan_id,
            "orders": count,
            "file": names[0],
            "files": names,
            "unsendable": [each.in_words() for each in export.made.unsendable],
        },
    )


def write_tables(book: Workbook, settings: Settings) -> Outcome:
    """Write what the worksheet functions show as values, where they do not exist (Excel on the Mac)."""
    del settings
    pages = value_pages(book, read_inputs(book))
    sheets = [page.sheet for page in pages]
    failed = [
        f"{page.sheet}: {text}" for page in pages for label, text in page.lines
        if label == "Result" and text.startswith("#")
    ]  # fmt: skip
    return Outcome(
        lines=(f"{len(pages)} tables written as values: {', '.join(sheets)}",),
        warnings=tuple(failed),
        changes=tuple(pages),
        document={"sheets": sheets},
    )


def backtest(book: Workbook, settings: Settings) -> Outcome:
    """Run the workbook's policy on its prices, and write the figures and every rebalancing as values."""
    from xl_rebal.backtest.metrics import summary
    from xl_rebal.excel import backtest_page  # most macros never need it

    del settings
    run = backtest_page.run_of(book)
    pages = backtest_page.pages(run)
    figures = summary(run)
    sentence = (
        f"{figures['rebalances']} rebalancings from {figures['start']} to {figures['end']}; CAGR "
        f"{figures['cagr'] * 100:.2f}%, volatility {figures['volatility'] * 100:.2f}%, cost "
        f"{figures['cost_bps']:.2f} bp a year"
    )
    return Outcome(
        lines=(sentence, f"written to sheets {' and '.join(page.sheet for page in pages)}"),
        warnings=run.market.notes,
        changes=pages,
        document={"summary": figures, "policy": run.policy.in_words()},
    )


def undo_last(book: Workbook, settings: Settings) -> Outcome:
    """Put back what the last macro changed."""
    del settings
    lines = undo.undo_last(book)
    return Outcome(lines=lines, document={"undone": list(lines)})


def prepare_for_sharing(book: Workbook, settings: Settings) -> Outcome:
    """Remove what should not leave the house: what undo keeps, plan ids, paths, names."""
    del settings
    lines = clean(book)
    return Outcome(lines=lines, document={"removed": list(lines)})


def doctor(book: Workbook, settings: Settings) -> Outcome:
    """What this computer lacks for Excel and LibreOffice, what has to be mended first."""
    from xl_rebal.excel.doctor import report_lines  # most macros never need it

    del book, settings
    lines = tuple(report_lines())
    return Outcome(lines=lines, document={"findings": list(lines)})


def help_text(book: Workbook, settings: Settings) -> Outcome:
    """What each button does."""
    del book, settings
    lines = tuple(f"{each.title}: {each.help}" for each in MACROS.values())
    return Outcome(lines=lines, document={"macros": list(MACROS)})


def _plan_outcome(
    stored: StoredPlan, what: Asked, settings: Settings, marks: dict[tuple[str, str], str]
) -> Outcome:
    plan_id = plan_store.save(stored, settings.plans)
    pages = plan_sheet.pages(stored, plan_id, what, marks=marks)
    trades = list(stored.trades())
    lines = [f"plan {plan_id}: {len(trades)} trade{'s' * (len(trades) != 1)}, verified"]
    if stored.refused:
        lines[0] += (
            f"; {len(stored.refused)} of {len(stored.refused) + len(stored.plans)} accounts REFUSED"
        )
    lines += [f"{plan.account}: {plan.why}" for plan in stored.plans[:10]]
    if len(stored.plans) > 10:
        lines.append(f"and {len(stored.plans) - 10} accounts more: see sheet {plan_sheet.PLAN}")
    return Outcome(
        lines=tuple(lines),
        warnings=(*plan_sheet.refused_words(stored), *what.warnings),
        changes=pages,
        document={
            "plan_id": plan_id,
            "verified": True,
            "refused": [{"account": a, "reason": reason} for a, reason in stored.refused],
            "trades": [
                {
                    "account": t.account,
                    "symbol": t.symbol,
                    "action": t.action.value,
                    "quantity": t.quantity,
                    "price": t.price,
                    "value": t.value,
                    "cost": t.cost,
                    "reason": t.reason,
                }
                for t in trades
            ],
            "locked": sorted(map(list, stored.locked)),
        },
    )


def _sheet_trades(book: Workbook, what: Asked) -> tuple[plan_sheet.SheetTrade, ...]:
    """The trades that stand in the sheet, where any of them is locked."""
    if not plan_sheet.has_locks(book):
        return ()
    return plan_edits.spelled(plan_sheet.read_plan(book).trades, what.book)


def _require_same_inputs(stored: StoredPlan, inputs: Inputs) -> None:
    changed = differences(stored.inputs, inputs)
    if changed:
        more = f" and {len(changed) - 10} more" if len(changed) > 10 else ""
        raise WorkbookError.of(
            where=f"plan {stored.plan_id}",
            what="the inputs have changed since the plan was made: "
            + "; ".join(changed[:10])
            + more,
            remedy="press Generate Trades (locked trades are kept), or put the inputs back",
        )


def _require_csv(file: Path) -> None:
    """Orders never go over a workbook, not even when replacing is allowed."""
    if file.suffix.casefold() != ".csv":
        raise MacroError.of(
            where=file.name,
            what="is no name for an order file",
            remedy="end it in .csv",
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a system without user names
        return "unknown"


def _table(*macros: Macro) -> dict[str, Macro]:
    return {macro.name: macro for macro in macros}


MACROS = _table(
    Macro(
        name="import_positions",
        title="Import Positions",
        help="fills tblHoldings from a custodian's file; your own columns and classes stay.",
        body=import_positions,
        file="the file with the positions",
    ),
    Macro(
        name="check_drift",
        title="Check Drift",
        help="writes sheet Drift check and says which classes are outside their bands.",
        body=check_drift,
    ),
    Macro(
        name="generate_trades",
        title="Generate Trades",
        help="writes the verified trades to sheets Trades and Plan; locked trades are planned around.",
        body=generate_trades,
    ),
    Macro(
        name="verify_trades",
        title="Verify Trades",
        help="checks the trades after you dropped, resized, added or locked some.",
        body=verify_trades,
    ),
    Macro(
        name="export_orders",
        title="Export Orders",
        help="writes the verified plan as an order file; refuses what was edited since.",
        body=export_orders,
        file="a name for the order file",
    ),
    Macro(
        name="backtest",
        title="Backtest",
        help="runs the policy of tblPolicy on the prices of tblPrices; writes figures and trades.",
        body=backtest,
    ),
    Macro(
        name="client_reports",
        title="Client Reports",
        help="writes a workbook for each client, with its plan; of an adviser's book the dashboard too.",
        body=client_reports,
        file="a name that the reports begin with",
    ),
    Macro(
        name="write_tables",
        title="Write Tables",
        help="writes what the worksheet functions show as values (for Excel on the Mac).",
        body=write_tables,
    ),
    Macro(
        name="undo_last",
        title="Undo",
        help="puts back what the last macro changed.",
        body=undo_last,
    ),
    Macro(
        name="prepare_for_sharing",
        title="Prepare for Sharing",
        help="removes what undo keeps, plan ids, paths and names, and lists what it removed.",
        body=prepare_for_sharing,
    ),
    Macro(
        name="doctor",
        title="Doctor",
        help="looks at what Excel and this add-in need, and names the mend of each fault.",
        body=doctor,
    ),
    Macro(name="help", title="Help", help="says what each button does.", body=help_text),
)
