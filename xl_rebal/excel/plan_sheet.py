"""The sheets Trades and Plan: how a plan is shown, and how its trades are read back after editing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xl_rebal.bands import own_bands_in_words
from xl_rebal.errors import FaultList, TableError
from xl_rebal.excel.book_inputs import HOLDINGS, Asked, same, sheet_words
from xl_rebal.excel.changes import TABLE_ROW, Column, Page
from xl_rebal.excel.plan_store import StoredPlan
from xl_rebal.excel.ranges import CellError
from xl_rebal.excel.workbook import (
    Area,
    Content,
    TableAt,
    Workbook,
    WorkbookError,
    find_sheet,
    find_table,
)
from xl_rebal.portfolio import cells
from xl_rebal.trading.plan import Action, Plan, Trade
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.styles import number

TRADES, PLAN = "Trades", "Plan"
TRADES_TABLE, PLAN_TABLE = "tblPlanTrades", "tblPlanAccounts"
PLAN_ID = "Plan id"
_EDITED = replace(styles.BODY_TEXT, colour=styles.WARN[0])
_INPUT = replace(styles.BODY_STATUS, colour=styles.INPUT, format=styles.TEXT)
COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT, width=18),
    Column(header="Symbol", look=styles.BODY_TEXT, width=11),
    Column(header="Action", look=_INPUT, width=9),
    Column(header="Quantity", look=number(styles.GENERAL, given=True), width=13),
    Column(header="Price", look=number(styles.PRICE), width=12),
    Column(header="Value", look=number(styles.MONEY), width=16),
    Column(header="Cost", look=number(styles.MONEY), width=12),
    Column(header="Locked", look=_INPUT, width=9),
    Column(header="Edit", look=_EDITED, width=24),
    Column(header="Reason", look=styles.BODY_WRAP, width=80),
)
_HEADERS = tuple(column.header for column in COLUMNS)
_PLAN_COLUMNS = (
    Column(header="Account", look=styles.BODY_TEXT, width=18),
    Column(header="Why", look=styles.BODY_WRAP, width=48),
    Column(header="Cash before", look=number(styles.MONEY), width=15),
    Column(header="Sold", look=number(styles.MONEY), width=15),
    Column(header="Bought", look=number(styles.MONEY), width=15),
    Column(header="Cost", look=number(styles.MONEY), width=12),
    Column(header="Cash after", look=number(styles.MONEY), width=15),
    Column(header="Turnover", look=number(styles.PERCENT), width=11),
    Column(header="Outside after", look=styles.BODY_WRAP, width=30),
    Column(header="Notes", look=styles.BODY_WRAP, width=60),
)
QUIET = "no trades: "
_LARGEST = 1e15  # more digits than a cell keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTrade:
    """A trade as it stands in the sheet.

    row   of the table, 1 is the header.
    edit  what the column Edit says.
    """

    row: int
    account: str
    symbol: str
    action: Action
    quantity: float
    locked: bool
    edit: str
    reason: str
    price: float | None
    value: float | None
    cost: float | None

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.symbol

    @property
    def signed(self) -> float:
        """Units, + buy, - sell."""
        return self.quantity if self.action is Action.BUY else -self.quantity

    @property
    def where(self) -> str:
        return f"{TRADES_TABLE} row {self.row}, {self.action} {self.symbol} in {self.account}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """What the sheet Trades says: the plan's name, where it stands, the trades."""

    plan_id: str
    id_cell: Area | None
    trades: tuple[SheetTrade, ...]


def pages(
    stored: StoredPlan, plan_id: str, asked: Asked, *, marks: dict[tuple[str, str], str]
) -> tuple[Page, Page]:
    """The sheets Trades and Plan of a verified plan; `marks` say what was edited, by trade."""
    trades = list(stored.trades())
    before = math.fsum(plan.cash_before for plan in stored.plans)
    after = math.fsum(plan.cash_after for plan in stored.plans)
    cost = math.fsum(plan.total_cost for plan in stored.plans)
    head = _head(stored, plan_id, asked)
    cash = f"{before:,.2f} before, {after:,.2f} after; costs {cost:,.2f}"
    rows: list[list[Content]] = [_trade_row(t, stored.locked, marks) for t in trades]
    if not rows:
        why = "; ".join(f"{plan.account}: {plan.why}" for plan in stored.plans[:5])
        rows = [[*([None] * (len(COLUMNS) - 1)), f"{QUIET}{why}"]]
    first = Page(
        sheet=TRADES,
        title="Trades",
        subtitle="Static rows, made by Generate Trades; they do not follow the inputs. Change Quantity, "
        "delete or add rows, write yes under Locked; then press Verify Trades.",
        lines=(*head, ("Cash", cash)),
        table=TRADES_TABLE,
        columns=COLUMNS,
        rows=rows,
    )
    second = Page(
        sheet=PLAN,
        title="Plan",
        subtitle="The plan account by account, with what it did not do and why.",
        lines=(*head, ("Edits", f"{len(stored.edits)} by hand" if stored.edits else "none")),
        table=PLAN_TABLE,
        columns=_PLAN_COLUMNS,
        rows=[
            *(_plan_row(plan) for plan in stored.plans),
            *(_refused_row(account, reason) for account, reason in stored.refused),
        ],
    )
    return first, second


def refused_words(stored: StoredPlan) -> list[str]:
    """A line for each account that could not be planned."""
    return [
        f"account {account} was not planned: {sheet_words(reason)}"
        for account, reason in stored.refused
    ]


def _refused_row(account: str, reason: str) -> list[Content]:
    blank: list[Content] = [None] * (len(_PLAN_COLUMNS) - 3)
    return [account, "REFUSED: no plan was made", *blank, sheet_words(reason)]


def _head(stored: StoredPlan, plan_id: str, asked: Asked) -> tuple[tuple[str, str], ...]:
    words = asked.request.policy.in_words()
    own = [text for each in asked.book.models.values() if (text := own_bands_in_words(each))]
    if own and asked.request.policy.has_band:
        words += f" Bands from tblTargets: {'; '.join(own)}."
    date = stored.inputs.as_of
    names = [account for account, _ in stored.refused]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (
        (PLAN_ID, plan_id),
        *([("Refused", f"{', '.join(names[:10])}{more}: see sheet {PLAN}")] if names else []),
        (
            "Status",
            f"verified as of this plan id ({'edited by hand' if stored.edits else 'as generated'}); "
            "what is edited afterwards is not verified until Verify Trades is pressed",
        ),
        ("Policy", words),
        ("Costs", asked.request.limits.costs.in_words()),
        (
            "Inputs",
            f"{len(stored.inputs.tables[HOLDINGS]) - 1} rows of {HOLDINGS}, valuation date "
            f"{date.isoformat() if date else 'unknown'}, fingerprint {stored.inputs.fingerprint[:12]}",
        ),
    )


def _trade_row(
    trade: Trade, locked: frozenset[tuple[str, str]], marks: dict[tuple[str, str], str]
) -> list[Content]:
    key = (trade.account, trade.symbol)
    return [
        trade.account,
        trade.symbol,
        trade.action.value,
        trade.quantity,
        trade.price,
        trade.value,
        trade.cost,
        "yes" if key in locked else None,
        marks.get(key),
        trade.reason,
    ]


def _plan_row(plan: Plan) -> list[Content]:
    sold = math.fsum(t.value for t in plan.trades if t.action is Action.SELL)
    bought = math.fsum(t.value for t in plan.trades if t.action is Action.BUY)
    outside = [
        f"{c.asset_class} {c.status_after} ({c.cause})"
        for c in plan.classes
        if c.status_after != "within"
    ]
    return [
        plan.account,
        plan.why,
        plan.cash_before,
        sold,
        bought,
        plan.total_cost,
        plan.cash_after,
        plan.turnover,
        sheet_words("; ".join(outside)) or "none",
        sheet_words("; ".join((*plan.notes, *plan.remarks))) or None,
    ]


def has_locks(book: Workbook) -> bool:
    """Whether any row of sheet Trades is locked; the others are written anew without being read."""
    table = find_table(book, TRADES_TABLE)
    if table is None:
        return False
    header = [cells.text(cell) for cell in book.values(table.header)[0]]
    if "Locked" not in header:
        return False
    column = header.index("Locked")
    return any(not cells.is_blank(row[column]) for row in book.values(table.body))


def read_plan(book: Workbook) -> SheetPlan:
    """The sheet Trades as it stands; raises TableError with every row that cannot be read."""
    table = find_table(book, TRADES_TABLE)
    if table is None:
        raise WorkbookError.of(
            where=book.name,
            what="there is no plan in this workbook",
            remedy="press Generate Trades",
        )
    _refuse_rows_outside(book, table)
    header = [cells.text(cell) for cell in book.values(table.header)[0]]
    missing = [name for name in _HEADERS if name not in header]
    if missing:
        raise TableError.of(
            where=TRADES_TABLE,
            what=f"has no column {', '.join(missing)}",
            remedy="press Undo, or Generate Trades on a workbook without this sheet",
        )
    faults, trades = FaultList(), []
    for row, values in enumerate(book.values(table.body), start=2):
        named = dict(zip(header, values, strict=True))
        trade = _read_row(row, named, faults)
        if trade is not None:
            trades.append(trade)
    seen: dict[tuple[str, str], int] = {}
    for trade in trades:
        first = seen.setdefault((trade.account.casefold(), trade.symbol.casefold()), trade.row)
        if first != trade.row:
            faults.add(
                where=trade.where,
                what=f"is a second trade of the security; row {first} is the first",
                remedy="make it one row with the net quantity",
            )
    faults.raise_as(TableError)
    plan_id, cell = _plan_id(book, table)
    return SheetPlan(plan_id=plan_id, id_cell=cell, trades=tuple(trades))


def _refuse_rows_outside(book: Workbook, table: TableAt) -> None:
    """A row typed below a table that did not grow would be lost without a word."""
    area, used = table.area, book.used(table.area.sheet)
    if used.last_row <= area.last_row:
        return
    below = replace(area, row=area.last_row + 1, rows=used.last_row - area.last_row)
    for offset, row in enumerate(book.values(below)):
        if any(not cells.is_blank(cell) for cell in row):
            raise TableError.of(
                where=f"sheet {area.sheet} row {below.row + offset}",
                what=f"stands below table {TRADES_TABLE} and is not part of it",
                remedy="drag the table's corner over the row, or empty it",
            )


def _plan_id(book: Workbook, table: TableAt) -> tuple[str, Area | None]:
    sheet = find_sheet(book, table.area.sheet)
    assert sheet is not None
    head = Area(sheet=sheet, row=1, column=1, rows=max(table.area.row - 1, TABLE_ROW), columns=2)
    for row, (label, value) in enumerate(book.values(head), start=1):
        if label == PLAN_ID:
            return cells.text(value), Area(sheet=sheet, row=row, column=2, rows=1, columns=1)
    return "", None


def _read_row(row: int, named: dict[str, Content], faults: FaultList) -> SheetTrade | None:
    place = f"{TRADES_TABLE} row {row}"
    asked = ("Account", "Symbol", "Action", "Quantity")
    if all(cells.is_blank(named[name]) for name in asked):
        return None
    before = len(list(faults))
    for name in asked:
        if isinstance(named[name], CellError):
            faults.add(
                where=f"{place}, {name}", what=f"shows {named[name]}", remedy="correct the cell"
            )
        elif cells.is_blank(named[name]):
            remedy = "fill it in, or delete the row"
            faults.add(where=f"{place}, {name}", what="is blank", remedy=remedy)
    action = cells.text(named["Action"]).upper()
    if action and action not in set(Action) and not isinstance(named["Action"], CellError):
        what = f"{action!r} is no side of a trade"
        faults.add(where=f"{place}, Action", what=what, remedy="write BUY or SELL")
    quantity = _number(named, "Quantity", place, faults)
    if quantity is not None and quantity < 0:
        faults.add(
            where=f"{place}, Quantity",
            what=f"{quantity:g} is negative",
            remedy="quantities are positive; Action says BUY or SELL",
        )
    if quantity is not None and quantity > _LARGEST:
        faults.add(
            where=f"{place}, Quantity",
            what=f"{quantity:g} is more units than anything has",
            remedy="correct the quantity",
        )
    prices = [_number(named, name, place, faults) for name in ("Price", "Value", "Cost")]
    locked = False
    if not cells.is_blank(named["Locked"]):
        try:
            locked = cells.yes_no(named["Locked"])
        except ValueError as error:
            what, _, remedy = str(error).partition("; ")
            faults.add(where=f"{place}, Locked", what=what, remedy=remedy)
    if len(list(faults)) > before or quantity is None:
        return None
    return SheetTrade(
        row=row,
        account=cells.text(named["Account"]),
        symbol=cells.text(named["Symbol"]),
        action=Action(action),
        quantity=quantity,
        locked=locked,
        edit=cells.text(named["Edit"]),
        reason=cells.text(named["Reason"]),
        price=prices[0],
        value=prices[1],
        cost=prices[2],
    )


def _number(named: dict[str, Content], name: str, place: str, faults: FaultList) -> float | None:
    cell = named[name]
    if cells.is_blank(cell):
        return None
    try:
        if isinstance(cell, CellError):
            raise ValueError(f"shows {cell}; correct the cell")
        return cells.number(cell)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        if name != "Quantity" or not isinstance(cell, CellError):
            faults.add(where=f"{place}, {name}", what=what, remedy=remedy)
        return None


def quantity_words(quantity: float) -> str:
    """`1,234.5`."""
    return f"{quantity:,.6f}".rstrip("0").rstrip(".")


def unchanged(trades: Sequence[SheetTrade], stored: StoredPlan) -> list[str]:
    """How the sheet differs from the stored plan, a line for each difference; empty when it does not."""
    known = {(t.account, t.symbol): t for t in stored.trades()}
    found = []
    for trade in trades:
        plan = known.pop(trade.key, None)
        if plan is None:
            found.append(f"{trade.where}: was added")
            continue
        pairs = (
            ("Action", plan.action, trade.action),
            ("Quantity", plan.quantity, trade.quantity),
            ("Price", plan.price, trade.price),
            ("Value", plan.value, trade.value),
            ("Cost", plan.cost, trade.cost),
            ("Locked", trade.key in stored.locked, trade.locked),
        )
        for name, old, new in pairs:
            if not same(old, new):
                found.append(f"{trade.where}: {name} {old} → {'(blank)' if new is None else new}")
    found += [f"{t.action} {t.symbol} in {t.account}: was deleted" for t in known.values()]
    return found
