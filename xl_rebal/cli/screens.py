"""What commands show a person: tables and warnings through Rich."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from xl_rebal.custodians import Statement
from xl_rebal.rebalance import Rebalancing
from xl_rebal.trading.plan import Cause, Plan

if TYPE_CHECKING:  # the doctor's modules are for one command
    from xl_rebal.excel.doctor.findings import Finding

_WIDE = 120  # columns where there is no terminal to ask: a log, a pipe
out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_TOLD = 0.01  # pp: smaller costs of what was not done are in the JSON document
_STYLES = {
    "above": "red",
    "below": "red",
    "within": "green",
    "fault": "red",
    "warning": "yellow",
    "ok": "green",
}
_SLOW = 1.0  # seconds before a progress bar appears


@contextmanager
def reading(name: str) -> Iterator[Callable[[str, float], None] | None]:
    """A progress callback that draws a bar on stderr once the work takes over a second."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    task = bar.add_task(f"reading {name}", total=1.0)
    started = time.monotonic()
    shown = False

    def report(stage: str, share: float) -> None:
        nonlocal shown
        if not shown and time.monotonic() - started > _SLOW:
            bar.start()
            shown = True
        bar.update(task, completed=share, description=f"{stage} {name}")

    try:
        yield report
    finally:
        if shown:
            bar.stop()


@contextmanager
def working(stage: str) -> Iterator[Callable[[float], bool] | None]:
    """The same for work that hears the share that is done, and goes on for as long as it gets True."""
    with reading("") as progress:
        if progress is None:
            yield None
            return

        def report(share: float) -> bool:
            progress(stage, share)
            return True

        yield report


def warn(warnings: list[str] | tuple[str, ...]) -> None:
    """Warnings on stderr, so that stdout stays a table or a document."""
    for text in warnings:
        err.print(Text("warning: ", style="yellow") + Text(text))


def show_refused(rows: list[dict[str, Any]], what: str = "planned") -> None:
    """Accounts that are not planned (or not measured), on stderr, each with its reason."""
    for row in rows:
        named = row["account"] in row["reason"]
        reason = row["reason"] if named else f"account {row['account']}: {row['reason']}"
        err.print(Text("refused: ", style="red") + Text(reason))
    if rows:
        many = "1 account was" if len(rows) == 1 else f"{len(rows)} accounts were"
        strict = " (--strict refuses all)" if what == "planned" else ""
        err.print(Text(f"{many} not {what}; the others are{strict}"))


def say(text: str) -> None:
    """One line on stdout, as it is."""
    out.print(Text(text), soft_wrap=True)


def table(title: str, columns: list[tuple[str, str]], rows: list[list[Any]]) -> None:
    """A table; columns are (header, justification)."""
    grid = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    if columns[0][0] == "Account" and len({row[0] for row in rows}) == 1:
        # One account: its name stands in the title once, not on every line.
        grid.title = f"{title}, account {rows[0][0]}"
        columns, rows = columns[1:], [row[1:] for row in rows]
    for header, justify in columns:
        number = justify == "right"
        grid.add_column(
            header, justify="right" if number else "left", overflow="fold", no_wrap=number
        )
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    out.print(grid)


def percent(value: float | None, digits: int = 2) -> str:
    """`4.47%`, blank for None."""
    return "" if value is None else f"{value * 100:.{digits}f}%"


def points(value: float | None, digits: int = 2) -> str:
    """`+3.97 pp`; a drift that rounds to zero carries no sign; blank for None."""
    if value is None:
        return ""
    text = f"{value * 100:+.{digits}f}"
    return f"{text.lstrip('+-') if float(text) == 0 else text} pp"


def amount(value: float | None) -> str:
    """`1,901,000.00`; no negative zero."""
    if value is None:
        return ""
    text = f"{value:,.2f}"
    return "0.00" if text == "-0.00" else text


def units(value: float | None) -> str:
    """A quantity without needless zeros."""
    return "" if value is None else f"{value:,.6f}".rstrip("0").rstrip(".")


def status(word: str) -> Text:
    """A status in its colour."""
    return Text(word, style=_STYLES.get(word, ""))


def show_findings(findings: list[Finding]) -> None:
    """What the doctor found, and below it the mend of each fault."""
    table(
        "xl-rebal doctor",
        [("Check", "left"), ("State", "left"), ("What", "left")],
        [[each.name, status(each.state), each.what] for each in findings],
    )
    for each in findings:
        if each.remedy:
            say(f"{each.name}: {each.what}")
            say(f"  mend: {each.remedy}")
    if not any(each.state == "fault" for each in findings):
        say("No fault.")


def show_import(statements: list[Statement], document: dict[str, Any]) -> None:
    """What was read: accounts, then holdings."""
    for statement in statements:
        when = statement.as_of_text or "unknown"
        say(f"{statement.source}: {statement.custodian} export, as of {when}")
    if document["accounts"]:
        table(
            "Accounts",
            [("Account", "left"), ("Name", "left"), ("Positions", "right"), ("Total", "right")],
            [
                [a["account"], a["name"], a["positions"], amount(a["total"])]
                for a in document["accounts"]
            ],
        )
    if document["holdings"] or document["accounts"]:
        _show_holdings(document["holdings"])
    if document["lots"]:
        _show_lots(document["lots"])
    if document["realised"]:
        _show_realised(document["realised"])


def _show_holdings(rows: list[dict[str, Any]]) -> None:
    table(
        "Holdings",
        [
            ("Account", "left"),
            ("Symbol", "left"),
            ("Quantity", "right"),
            ("Price", "right"),
            ("Value", "right"),
            ("Asset class", "left"),
            ("Kind", "left"),
        ],
        [
            [
                h["account"],
                h["symbol"] or "",
                units(h["quantity"]),
                units(h["price"]),
                amount(h["value"]),
                h["asset_class"] or "",
                h["kind"],
            ]
            for h in rows
        ],
    )


def _show_lots(rows: list[dict[str, Any]]) -> None:
    table(
        "Open lots",
        [
            ("Account", "left"),
            ("Symbol", "left"),
            ("Acquired", "left"),
            ("Quantity", "right"),
            ("Unit cost", "right"),
            ("Term", "left"),
        ],
        [
            [
                r["account"],
                r["symbol"],
                r["acquired"] or "unknown",
                units(r["quantity"]),
                units(r["unit_cost"]) or "unknown",
                r["term"] or "",
            ]
            for r in rows
        ],
    )


def _show_realised(rows: list[dict[str, Any]]) -> None:
    table(
        "Realised gains",
        [
            ("Account", "left"),
            ("Symbol", "left"),
            ("Acquired", "left"),
            ("Sold", "left"),
            ("Quantity", "right"),
            ("Proceeds", "right"),
            ("Cost", "right"),
            ("Gain", "right"),
            ("Disallowed", "right"),
            ("Term", "left"),
        ],
        [
            [
                r["account"],
                r["symbol"],
                r["acquired"] or "unknown",
                r["sold"],
                units(r["quantity"]),
                amount(r["proceeds"]),
                amount(r["cost"]),
                amount(r["gain"]),
                amount(r["disallowed"]),
                r["term"] or "",
            ]
            for r in rows
        ],
    )


def _show_cash_days(plan: Plan) -> None:
    """Cash day by day, where more happens than trades and their settlement."""
    names = ("Opening", "Arriving", "Sells", "Buys", "Fees", "Flows", "Closing")
    table(
        f"Cash by day, account {plan.account}",
        [("Date", "left"), *((name, "right") for name in names)],
        [
            [day.when, *(amount(getattr(day, name.casefold())) for name in names)]
            for day in plan.cash_days
        ],
    )
    if plan.leaving:
        say(f"  {amount(plan.leaving)} is kept back for known withdrawals")


def _show_not_done(plan: Plan) -> None:
    """What keeps drift that is left, in percentage points of the sum of |drift|."""
    told = [row for row in plan.not_done if row.drift_pp >= _TOLD]
    if not told or all(row.cause is Cause.ROUNDING for row in told):
        return
    say(f"  {plan.drift_left_pp:.2f} pp of drift is left (sum over the classes, cash counted):")
    for row in told:
        say(f"    {row.drift_pp:.2f} pp {row.cause.value}: {row.what}")


def show_drift(document: dict[str, Any]) -> None:
    """Drift against bands."""
    say(document["policy"])
    say(f"Weight base: {amount(document['total'])} as of {document['as_of']}")
    table(
        "Drift",
        [
            ("Account", "left"),
            ("Asset class", "left"),
            ("Value", "right"),
            ("Weight", "right"),
            ("Target", "right"),
            ("Drift", "right"),
            ("Lower", "right"),
            ("Upper", "right"),
            ("Status", "left"),
        ],
        [
            [
                r["account"],
                r["asset_class"],
                amount(r["value"]),
                percent(r["weight"]),
                percent(r["target"]),
                points(r["drift"]),
                percent(r["lower"]),
                percent(r["upper"]),
                status(r["status"]),
            ]
            for r in document["rows"]
        ],
    )
    moves = [r for r in document["rows"] if r["move_to_lower"] is not None or r["move_to_upper"]]
    if moves and len({r["account"] for r in moves}) == 1:
        say("Moves of a class alone that reach an edge of its band:")
        for r in moves:
            ways = [_move(r["move_to_lower"], "lower"), _move(r["move_to_upper"], "upper")]
            say(f"  {r['asset_class']}: {', '.join(filter(None, ways))}")


def _move(move: float | None, edge: str) -> str:
    return "" if move is None else f"{move * 100:+.2f}% to the {edge}"


def _order(trade: dict[str, Any]) -> list[str]:
    return [f"{trade['order_type']} {trade['time_in_force']}", units(trade["limit_price"])]


_WORST = 20  # breaches that fit a screen; --json has them all


def show_summary(document: dict[str, Any]) -> None:
    """All accounts at a glance: how many ask for a plan, and the worst breaches."""
    say(document["policy"])
    say(f"Weight base: {amount(document['total'])} as of {document['as_of']}")
    short = f", {len(document['short_of_cash']):,} short of cash" * bool(document["short_of_cash"])
    say(f"{len(document['asking']):,} of {document['accounts']:,} accounts ask for a plan{short}")
    rows = document["breached"]
    if rows:
        more = f" (the worst {_WORST} of {len(rows):,})" if len(rows) > _WORST else ""
        table(
            f"Breaches{more}",
            [
                ("Account", "left"),
                ("Asset class", "left"),
                ("Drift", "right"),
                ("Outside the band", "right"),
                ("Value", "right"),
                ("To destination", "right"),
            ],
            [
                [
                    r["account"],
                    r["asset_class"],
                    points(r["drift"]),
                    f"{r['excess'] * 100:.2f} pp",
                    amount(r["value"]),
                    amount(r["gap"]),
                ]
                for r in rows[:_WORST]
            ],
        )
    say(f"--json lists {len(document['estimates']):,} estimated trades; {document['note']}")


def show_trades(document: dict[str, Any], result: Rebalancing) -> None:
    """Trades, what they leave, and what was not done."""
    say(f"Costs: {document['costs']}")
    for plan in result.plans:
        say(f"{plan.account}: {plan.why}")
    limits = any(
        t["order_type"] != "MARKET" or t["time_in_force"] != "DAY" for t in document["trades"]
    )
    if document["trades"]:
        table(
            "Trades",
            [
                ("Account", "left"),
                ("Action", "left"),
                ("Symbol", "left"),
                ("Quantity", "right"),
                ("Price", "right"),
                ("Value", "right"),
                ("Cost", "right"),
                *([("Order", "left"), ("Limit", "right")] if limits else []),
            ],
            [
                [
                    t["account"],
                    t["action"],
                    t["symbol"],
                    units(t["quantity"]),
                    units(t["price"]),
                    amount(t["value"]),
                    amount(t["cost"]),
                    *(_order(t) if limits else []),
                ]
                for t in document["trades"]
            ],
        )
        for trade in document["trades"]:
            say(f"{trade['symbol']}: {trade['reason']}.")
        say("")
    else:
        say("No trades.")
    table(
        "After the trades",
        [
            ("Account", "left"),
            ("Asset class", "left"),
            ("Weight", "right"),
            ("Target", "right"),
            ("Drift", "right"),
            ("Status", "left"),
            ("Why it is not zero", "left"),
        ],
        [
            [
                r["account"],
                r["asset_class"],
                percent(r["weight"]),
                percent(r["target"]),
                points(r["drift"], 4),
                status(r["status"]),
                r["cause"],
            ]
            for r in document["drift_after"]
        ],
    )
    for plan in result.plans:
        say(
            f"{plan.account}: cash {amount(plan.cash_before)} before, {amount(plan.cash_after)} after; "
            f"costs {amount(plan.total_cost)}; verified; {plan.proof.words}"
        )
        if len(plan.cash_days) > 2 or plan.leaving:
            _show_cash_days(plan)
        for note in plan.notes:
            say(f"  not done: {note}")
        for remark in plan.remarks:
            say(f"  mind: {remark}")
        _show_not_done(plan)
        if plan.deposit_to_restore:
            say(
                f"  a deposit of {amount(plan.deposit_to_restore)} would restore the target "
                "by buying only (before costs)"
            )
